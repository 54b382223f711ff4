/** The only place where secrets are compared. */
import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Compares a presented secret with the expected one in a time that depends on neither's content.
 * Both are hashed first, so that differing lengths take the same path and tell nothing either.
 */
export function isSameSecret(presented: string, expected: string): boolean {
  return timingSafeEqual(sha256(presented), sha256(expected))
}

/** The same for bytes whose length is no secret, such as a MAC. */
export function isSameMac(presented: Uint8Array, expected: Uint8Array): boolean {
  return presented.length === expected.length && timingSafeEqual(presented, expected)
}

function sha256(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest()
}

/** The only place where secrets are compared. */
import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Compares a presented secret with the expected one in a time that depends on neither's content.
 * Both are hashed first, so that differing lengths take the same path and tell nothing either.
 */
export function isSameSecret(presented: string, expected: string): boolean {
  return timingSafeEqual(sha256(presented), sha256(expected))
}

function sha256(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest()
}

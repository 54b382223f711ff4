/** What a store knows of a key: never the key itself, only a digest of it (CONTRACT 5.1). */
import { createHash, createHmac } from 'node:crypto'
import type { Secret } from '../../secret.ts'

/**
 * @param pepper with it, a stolen store cannot be searched for weak imported keys
 * @returns lower-case hex: SHA-256(key), or HMAC-SHA-256(pepper, SHA-256(key))
 */
export function digestOfKey(key: string, pepper: Secret | undefined): string {
  return pepperedDigest(createHash('sha256').update(key, 'utf8').digest(), pepper)
}

/** The same, from a SHA-256 that somebody else made: an import that brings no plain keys. */
export function digestOfSha256(sha256Hex: string, pepper: Secret | undefined): string {
  return pepperedDigest(Buffer.from(sha256Hex, 'hex'), pepper)
}

/** @returns the distinct peppers, undefined among them where an authenticator has none */
export function distinctPeppers(peppers: readonly (Secret | undefined)[]): readonly (Secret | undefined)[] {
  const seen = new Map(peppers.map((pepper) => [pepper?.reveal(), pepper]))
  return [...seen.values()]
}

function pepperedDigest(sha256: Buffer, pepper: Secret | undefined): string {
  if (pepper === undefined) return sha256.toString('hex')
  return createHmac('sha256', pepper.reveal()).update(sha256).digest('hex')
}

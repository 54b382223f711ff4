/** Reads a published JWK set. One bad key is skipped and never spoils the others; a set without a usable key is rubbish. */
import { importPublicJwk, readPublicJwk, type KeyUse, type PublicJwk } from '../engine/public-jwk.ts'
import type { VerificationKey } from '../ports/key-sets.ts'
import { fitsKind, isSignatureAlgorithm } from './key-fit.ts'
import { AnswerError } from './json-answer.ts'

/** Bytes of a key set document. */
export const maxKeySetBytes = 262_144
const maxKeys = 100
const maxKidLength = 256

/** Keys by what they are; the same content in two sets is the same entry. */
export type KeysByContent = ReadonlyMap<string, VerificationKey>

type Jwk = Readonly<Record<string, unknown>>

/**
 * @param known keys of the set before: what is still published keeps its imported key
 * @param use what the keys must be published for
 * @throws AnswerError when the document is no key set, has too many keys or none that can be used
 * @see RFC 7517 section 5
 */
export function readKeySet(document: Jwk, known: KeysByContent, use: KeyUse = 'sig'): KeysByContent {
  const published = document['keys']
  if (!Array.isArray(published)) throw new AnswerError('the key set has no list of keys')
  if (published.length > maxKeys) throw new AnswerError(`the key set has more than ${maxKeys} keys`)
  const keys = new Map<string, VerificationKey>()
  for (const jwk of published as readonly unknown[]) {
    if (typeof jwk !== 'object' || jwk === null) continue
    const read = readPublicJwk(jwk as Jwk, use)
    const content = read === undefined ? undefined : contentOf(jwk as Jwk, read)
    if (read === undefined || content === undefined || keys.has(content)) continue
    const key = known.get(content) ?? importKey(jwk as Jwk, read)
    if (key !== undefined) keys.set(content, key)
  }
  if (keys.size === 0) throw new AnswerError('the key set has no key that can check a signature')
  return keys
}

/** Everything of a JWK that this program reads, or undefined when a member is not what it must be. */
function contentOf(jwk: Jwk, { kty, material }: PublicJwk): string | undefined {
  const { kid, alg, issuer } = jwk
  if (!optionalText(kid, maxKidLength) || !optionalText(issuer, 2_048)) return undefined
  if (alg !== undefined && !(typeof alg === 'string' && isSignatureAlgorithm(alg))) return undefined
  return JSON.stringify([kty, material, kid, alg, issuer])
}

function optionalText(value: unknown, maxLength: number): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= maxLength)
}

function importKey(jwk: Jwk, read: PublicJwk): VerificationKey | undefined {
  const key = importPublicJwk(read)
  // The other keys may be sound.
  if (key === undefined) return undefined
  const { kid, alg, issuer } = jwk as { kid?: string; alg?: string; issuer?: string }
  const verification: VerificationKey = {
    key,
    kty: read.kty,
    ...(kid === undefined ? {} : { kid }),
    ...(read.crv === undefined ? {} : { crv: read.crv }),
    ...(alg === undefined ? {} : { alg }),
    ...(issuer === undefined ? {} : { issuer }),
  }
  return alg === undefined || fitsKind(verification, alg) ? Object.freeze(verification) : undefined
}

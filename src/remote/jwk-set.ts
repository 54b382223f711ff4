/** Reads a published JWK set. One bad key is skipped and never spoils the others; a set without a usable key is rubbish. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { VerificationKey } from '../ports/key-sets.ts'
import { fitsKind, isSignatureAlgorithm } from './key-fit.ts'
import { AnswerError } from './json-answer.ts'

/** Bytes of a key set document. */
export const maxKeySetBytes = 262_144
const maxKeys = 100
const maxKidLength = 256
const rsaBits = { least: 2048, most: 8192 }

/** Keys by what they are; the same content in two sets is the same entry. */
export type KeysByContent = ReadonlyMap<string, VerificationKey>

type Jwk = Readonly<Record<string, unknown>>

/** Members that only a private or a symmetric key has. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

/** The members that make up the public half of each kind that a signature can be checked with. */
const publicMembers: Readonly<Record<VerificationKey['kty'], readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
}

const curves: Readonly<Record<string, VerificationKey['kty']>> = {
  'P-256': 'EC',
  'P-384': 'EC',
  'P-521': 'EC',
  Ed25519: 'OKP',
}

/**
 * @param known keys of the set before: what is still published keeps its imported key
 * @throws AnswerError when the document is no key set, has too many keys or none that can be used
 * @see RFC 7517 section 5
 */
export function readKeySet(document: Jwk, known: KeysByContent): KeysByContent {
  const published = document['keys']
  if (!Array.isArray(published)) throw new AnswerError('the key set has no list of keys')
  if (published.length > maxKeys) throw new AnswerError(`the key set has more than ${maxKeys} keys`)
  const keys = new Map<string, VerificationKey>()
  for (const jwk of published as readonly unknown[]) {
    if (typeof jwk !== 'object' || jwk === null) continue
    const content = contentOf(jwk as Jwk)
    if (content === undefined || keys.has(content)) continue
    const key = known.get(content) ?? importKey(jwk as Jwk)
    if (key !== undefined) keys.set(content, key)
  }
  if (keys.size === 0) throw new AnswerError('the key set has no key that can check a signature')
  return keys
}

/** Everything of a JWK that this program reads, or undefined when it cannot be a verification key. */
function contentOf(jwk: Jwk): string | undefined {
  const kty = jwk['kty']
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return undefined
  // A key whose private half is published proves nothing.
  if (secretMembers.some((name) => Object.hasOwn(jwk, name))) return undefined
  if (!mayVerify(jwk) || !optionalText(jwk['kid'], maxKidLength) || !optionalText(jwk['issuer'], 2_048)) {
    return undefined
  }
  const material = publicMembers[kty].map((name) => jwk[name])
  if (!material.every((part) => typeof part === 'string' && part !== '')) return undefined
  return JSON.stringify([kty, ...material, jwk['kid'], jwk['alg'], jwk['issuer']])
}

/** `use`, `key_ops` and `alg` bind a key to a purpose; one of them elsewhere rules it out. */
function mayVerify(jwk: Jwk): boolean {
  const { use, key_ops: operations, alg } = jwk
  if (use !== undefined && use !== 'sig') return false
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false
  return alg === undefined || (typeof alg === 'string' && isSignatureAlgorithm(alg))
}

function optionalText(value: unknown, maxLength: number): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= maxLength)
}

function importKey(jwk: Jwk): VerificationKey | undefined {
  const kty = jwk['kty'] as VerificationKey['kty']
  const crv = jwk['crv'] as string | undefined
  if (kty !== 'RSA' && curves[crv ?? ''] !== kty) return undefined
  const members = Object.fromEntries(publicMembers[kty].map((name) => [name, jwk[name]]))
  let key: KeyObject
  try {
    key = createPublicKey({ key: { kty, ...members }, format: 'jwk' })
  } catch {
    // A point off its curve, a modulus that is no number: the other keys may be sound.
    return undefined
  }
  if (kty === 'RSA' && !isSoundRsa(key)) return undefined
  const { kid, alg, issuer } = jwk as { kid?: string; alg?: string; issuer?: string }
  const verification: VerificationKey = {
    key,
    kty,
    ...(kid === undefined ? {} : { kid }),
    ...(kty === 'RSA' || crv === undefined ? {} : { crv }),
    ...(alg === undefined ? {} : { alg }),
    ...(issuer === undefined ? {} : { issuer }),
  }
  return alg === undefined || fitsKind(verification, alg) ? Object.freeze(verification) : undefined
}

/** An even exponent or 1 makes every signature forgeable; a huge modulus makes every check dear. */
function isSoundRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < rsaBits.least || modulusLength > rsaBits.most) return false
  return publicExponent >= 3n && publicExponent % 2n === 1n
}

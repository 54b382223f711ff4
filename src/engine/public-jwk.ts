/** A public key that somebody wrote as a JWK: a provider's published one, or the one inside of a proof. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { VerificationKey } from '../ports/key-sets.ts'

/** What of a JWK is key material, read and nothing else. */
export interface PublicJwk {
  readonly kty: VerificationKey['kty']
  /** Undefined for RSA. */
  readonly crv?: string
  /** The members that make up the key, in the order of their names (RFC 7638 section 3.2). */
  readonly material: Readonly<Record<string, string>>
}

/** What a key is published for: signatures, or in a SPIFFE bundle those of JWT-SVIDs. */
export type KeyUse = 'sig' | 'jwt-svid'

type Jwk = Readonly<Record<string, unknown>>

/** Members that only a private or a symmetric key has. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

/** The members that make up the public half of each kind that a signature can be checked with, sorted. */
const publicMembers: Readonly<Record<VerificationKey['kty'], readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
}

const curves: Readonly<Record<string, VerificationKey['kty']>> = {
  'P-256': 'EC',
  'P-384': 'EC',
  'P-521': 'EC',
  Ed25519: 'OKP',
}

const rsaBits = { least: 2048, most: 8192 }

/**
 * @returns undefined when it is no public key for signatures: another kind, a member missing, a private member (a key whose
 * private half is told proves nothing), or `use` or `key_ops` that say otherwise
 * @param use what `use` must be; left out it means signatures, so only those may leave it out
 * @see RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2
 */
export function readPublicJwk(jwk: Jwk, use: KeyUse = 'sig'): PublicJwk | undefined {
  const { kty, use: own = 'sig', key_ops: operations } = jwk
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return undefined
  if (secretMembers.some((name) => Object.hasOwn(jwk, name))) return undefined
  if (own !== use) return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined
  const material: Record<string, string> = {}
  for (const name of publicMembers[kty]) {
    const value = Object.hasOwn(jwk, name) ? jwk[name] : undefined
    if (typeof value !== 'string' || value === '') return undefined
    material[name] = value
  }
  const { crv } = material
  if (kty !== 'RSA' && curves[crv ?? ''] !== kty) return undefined
  return crv === undefined ? { kty, material } : { kty, crv, material }
}

/** Characters of each coordinate: as many as the curve's field needs, leading zeros kept. */
const coordinateLengths: Readonly<Record<string, number>> = {
  'P-256': 43,
  'P-384': 64,
  'P-521': 88,
  Ed25519: 43,
}

/**
 * @returns whether the material is written in the one way that it may be: another spelling of a key has another thumbprint.
 * Asked of keys that come with a proof; some providers publish theirs more loosely.
 * @see RFC 7518 sections 6.2.1.2 and 6.3.1, RFC 7638 section 3.3
 */
export function isCanonical({ kty, crv, material }: PublicJwk): boolean {
  const names = kty === 'RSA' ? ['n', 'e'] : kty === 'EC' ? ['x', 'y'] : ['x']
  return names.every((name) => {
    const value = material[name] ?? ''
    if (Buffer.from(value, 'base64url').toString('base64url') !== value) return false
    return kty === 'RSA' || value.length === coordinateLengths[crv ?? '']
  })
}

/** @returns the SHA-256 thumbprint, base64url. @see RFC 7638 section 3 */
export function thumbprintOf({ material }: PublicJwk): string {
  return createHash('sha256').update(JSON.stringify(material)).digest('base64url')
}

/** @returns undefined for a point off its curve, a modulus that is no number, or an RSA key that is no good */
export function importPublicJwk({ kty, material }: PublicJwk): KeyObject | undefined {
  let key: KeyObject
  try {
    key = createPublicKey({ key: { ...material }, format: 'jwk' })
  } catch {
    return undefined
  }
  return kty === 'RSA' && !isSoundRsa(key) ? undefined : key
}

/** An even exponent or 1 makes every signature forgeable; a huge modulus makes every check dear. */
function isSoundRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < rsaBits.least || modulusLength > rsaBits.most) return false
  return publicExponent >= 3n && publicExponent % 2n === 1n
}

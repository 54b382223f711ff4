/** The signature algorithms: which key each needs, and how its signature is computed. `none` is not one of them. */
import { constants, type KeyObject } from 'node:crypto'
import type { VerificationKey } from '../../../ports/key-sets.ts'

export interface PublicKeyAlgorithm {
  readonly kty: VerificationKey['kty']
  readonly crv?: string
  /** Undefined where the curve's scheme hashes for itself. */
  readonly hash?: string
  readonly padding?: number
  /** Exact signature length in bytes, where the curve gives it. */
  readonly length?: number
}

export type PublicKeyAlgorithmName =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

const pss = constants.RSA_PKCS1_PSS_PADDING
const pkcs1 = constants.RSA_PKCS1_PADDING
const ed25519: PublicKeyAlgorithm = { kty: 'OKP', crv: 'Ed25519', length: 64 }

/** @see RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2 */
export const publicKeyAlgorithms: Readonly<Record<PublicKeyAlgorithmName, PublicKeyAlgorithm>> = {
  RS256: { kty: 'RSA', hash: 'sha256', padding: pkcs1 },
  RS384: { kty: 'RSA', hash: 'sha384', padding: pkcs1 },
  RS512: { kty: 'RSA', hash: 'sha512', padding: pkcs1 },
  PS256: { kty: 'RSA', hash: 'sha256', padding: pss },
  PS384: { kty: 'RSA', hash: 'sha384', padding: pss },
  PS512: { kty: 'RSA', hash: 'sha512', padding: pss },
  ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256', length: 64 },
  ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384', length: 96 },
  ES512: { kty: 'EC', crv: 'P-521', hash: 'sha512', length: 132 },
  EdDSA: ed25519,
  Ed25519: ed25519,
}

/** Hash names. */
export const hmacAlgorithms = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const

export const defaultAlgorithms: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']

export type HmacAlgorithmName = keyof typeof hmacAlgorithms

export function isPublicKeyAlgorithm(name: string): name is PublicKeyAlgorithmName {
  return Object.hasOwn(publicKeyAlgorithms, name)
}

export function isHmacAlgorithm(name: string): name is HmacAlgorithmName {
  return Object.hasOwn(hmacAlgorithms, name)
}

/** OpenSSL's names of the curves. */
const curveNames: Readonly<Record<string, string>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
}

/**
 * @returns whether the key may check a signature of this algorithm. Looks at the key itself, not only at what its
 * publisher says of it: a signature checked with a key of another kind is how algorithms get confused.
 */
export function keyFits(name: PublicKeyAlgorithmName, { key, kty, crv, alg }: VerificationKey): boolean {
  const algorithm = publicKeyAlgorithms[name]
  if (key.type !== 'public' || kty !== algorithm.kty || crv !== algorithm.crv) return false
  if (alg !== undefined && alg !== name) return false
  return kindOf(key) === (algorithm.crv === undefined ? 'rsa' : (curveNames[algorithm.crv] ?? 'ed25519'))
}

const kinds = new WeakMap<KeyObject, string | undefined>()

/** A key does not change, and OpenSSL is slow to tell of it. */
function kindOf(key: KeyObject): string | undefined {
  let kind = kinds.get(key)
  if (kind === undefined) {
    kind = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : key.asymmetricKeyType
    kinds.set(key, kind)
  }
  return kind
}

/** Which kind of key can have made a signature with which algorithm. The engine checks it again for itself. */
import type { VerificationKey } from '../ports/key-sets.ts'

interface KeyKind {
  readonly kty: VerificationKey['kty']
  readonly crv?: string
}

const rsa: KeyKind = { kty: 'RSA' }
const ed25519: KeyKind = { kty: 'OKP', crv: 'Ed25519' }

/** @see RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2 */
const kinds: Readonly<Record<string, KeyKind>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: ed25519,
  Ed25519: ed25519,
}

/** @returns whether `alg` names a public-key signature that this program can check */
export function isSignatureAlgorithm(alg: string): boolean {
  return Object.hasOwn(kinds, alg)
}

/** @returns whether the key's kind and curve are those of `alg` */
export function fitsKind(key: VerificationKey, alg: string): boolean {
  const kind = Object.hasOwn(kinds, alg) ? kinds[alg] : undefined
  return kind !== undefined && kind.kty === key.kty && kind.crv === key.crv
}

/** @returns whether the key can have signed with `alg`: by its kind, and by the algorithm its publisher bound it to */
export function fits(key: VerificationKey, alg: string): boolean {
  return fitsKind(key, alg) && (key.alg === undefined || key.alg === alg)
}

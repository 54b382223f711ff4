// The signing keys: made once, newest first, kept as a private JSON Web Key Set.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'

/** The two algorithms that the provider publishes a key for. */
export type SigningAlgorithm = 'RS256' | 'ES256'

/** A private key that names its use. */
export type SigningKey = JWK & { readonly kid: string; readonly alg: SigningAlgorithm; readonly use: 'sig' }

/** Private keys, newest first: the first of an algorithm signs, the others only verify. */
export interface SigningKeys {
  readonly keys: readonly SigningKey[]
}

// A token lives an hour, so one earlier generation verifies everything that is still alive after a rotation.
const generations = 2
const algorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256']

/** Makes one key for each algorithm. */
export async function generateSigningKeys(): Promise<SigningKeys> {
  return { keys: await Promise.all(algorithms.map(generateSigningKey)) }
}

/** Puts new keys in front of the old ones, which stay published for the tokens that they signed. */
export async function rotateSigningKeys(current: SigningKeys): Promise<SigningKeys> {
  const fresh = await generateSigningKeys()
  return { keys: [...fresh.keys, ...current.keys].slice(0, generations * algorithms.length) }
}

/**
 * The key that signs now.
 *
 * @throws {Error} if there is none for the algorithm
 */
export function signingKey(keys: SigningKeys, alg: SigningAlgorithm): SigningKey {
  const key = keys.keys.find((candidate) => candidate.alg === alg)
  if (key === undefined) throw new Error(`no ${alg} signing key`)
  return key
}

/** The public halves, as the key set endpoint shows them. */
export function publicKeys(keys: SigningKeys): { keys: JWK[] } {
  return { keys: keys.keys.map(publicHalf) }
}

/**
 * Reads a private key set.
 *
 * @throws {Error} saying what is missing; never quoting key material
 */
export function parseSigningKeys(value: unknown): SigningKeys {
  const keys = (value as { keys?: unknown } | undefined)?.keys
  if (!Array.isArray(keys)) throw new Error('expected a JSON Web Key Set: an object with "keys"')
  const accepted = keys.filter(isSigningKey)
  if (accepted.length !== keys.length) {
    throw new Error('every key must be private and have "kid", "use": "sig" and "alg": "RS256" or "ES256"')
  }
  for (const alg of algorithms) {
    if (!accepted.some((key) => key.alg === alg)) throw new Error(`expected a key with "alg": "${alg}"`)
  }
  return { keys: accepted }
}

async function generateSigningKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' }
}

function publicHalf(key: SigningKey): JWK {
  // A list of what may go out, since a list of what may not would publish a member that nobody thought of.
  const { kty, kid, use, alg } = key
  if (key.alg === 'RS256') return { kty, kid, use, alg, n: key.n ?? '', e: key.e ?? '' } as JWK
  return { kty, kid, use, alg, crv: key.crv ?? '', x: key.x ?? '', y: key.y ?? '' } as JWK
}

function isSigningKey(value: unknown): value is SigningKey {
  const key = value as Partial<SigningKey> | undefined
  return (
    typeof key?.kid === 'string' &&
    key.use === 'sig' &&
    typeof key.d === 'string' &&
    (key.alg === 'RS256' || key.alg === 'ES256')
  )
}

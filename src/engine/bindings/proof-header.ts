/** The header of a proof: its type, its algorithm, and the public key that it brings along. */
import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import {
  isPublicKeyAlgorithm,
  keyFits,
  type PublicKeyAlgorithmName,
} from '../authenticators/jwt/algorithms.ts'
import { parsePart } from '../authenticators/jwt/compact.ts'
import { ownText } from '../fields.ts'
import { rejected, type Rejected } from '../outcome.ts'
import { importPublicJwk, isCanonical, readPublicJwk, thumbprintOf, type PublicJwk } from '../public-jwk.ts'

const maxHeaderLength = 4_096
const maxKeys = 10_000
const maxBytes = 16_777_216

export interface ProofHeader {
  readonly alg: PublicKeyAlgorithmName
  readonly key: KeyObject
  /** Thumbprint of the key. */
  readonly jkt: string
}

/** Headers of accepted proofs. A client writes the same one each time, so a known one costs a look-up. */
export interface ProofHeaders {
  /**
   * @param part the first part of the proof, as it came
   * @param jkt the thumbprint that the token names; no other key is imported
   */
  read(part: string, jkt: string): ProofHeader | Rejected
  /** Only for a header whose proof held: strangers cannot push out the clients' own. */
  remember(part: string, header: ProofHeader): void
}

export function createProofHeaders(): ProofHeaders {
  const known = new LRUCache<string, ProofHeader>({
    max: maxKeys,
    maxSize: maxBytes,
    // The text, and an imported key outside of the heap.
    sizeCalculation: (_header, part) => part.length + 1_024,
  })
  return {
    read(part, jkt) {
      const header = known.get(part)
      if (header === undefined) return readHeader(part, jkt)
      return header.jkt === jkt ? header : anotherKey
    },
    remember(part, header) {
      if (!known.has(part)) known.set(ownText(part), header)
    },
  }
}

const anotherKey: Rejected = Object.freeze({ ...rejected('dpop_key'), proofError: 'invalid_token' })

/** @see RFC 9449 section 4.2, and 4.3 (3) to (7) */
function readHeader(part: string, jkt: string): ProofHeader | Rejected {
  const header = part.length > maxHeaderLength ? undefined : parsePart(part)
  if (header === undefined) return rejected('dpop_malformed', 'the header')
  const { typ, alg, jwk } = header
  // Another type is another promise: an ID token or a client assertion must not do as a proof (RFC 8725 section 3.11).
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'dpop+jwt')
    return rejected('dpop_type')
  // A symmetric one proves nothing: whoever checks it can make it.
  if (typeof alg !== 'string' || !isPublicKeyAlgorithm(alg)) return rejected('dpop_algorithm')
  // No extension is understood, so a critical one is a reason to refuse; `b64` changes what was signed.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'))
    return rejected('dpop_malformed', 'a critical header')
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk))
    return rejected('dpop_malformed', '`jwk` is missing or no object')
  const read = readPublicJwk(jwk as Readonly<Record<string, unknown>>)
  if (read === undefined || !isCanonical(read))
    return rejected('dpop_key_unfit', '`jwk` is no public signature key')
  const own = thumbprintOf(read)
  if (own !== jkt) return anotherKey
  return importKey(alg, read, own, jwk)
}

function importKey(
  alg: PublicKeyAlgorithmName,
  read: PublicJwk,
  jkt: string,
  { alg: bound }: { readonly alg?: unknown },
): ProofHeader | Rejected {
  // Both names of one algorithm: what exports a key and what signs with it need not agree (RFC 9864 section 2.2).
  if (bound !== undefined && bound !== alg && !(isEdwards(bound) && isEdwards(alg)))
    return rejected('dpop_key_unfit', '`jwk` names another algorithm')
  const key = importPublicJwk(read)
  const { kty, crv } = read
  if (key === undefined || !keyFits(alg, { key, kty, ...(crv === undefined ? {} : { crv }) }))
    return rejected('dpop_key_unfit')
  return Object.freeze({ alg, key, jkt })
}

function isEdwards(alg: unknown): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
}

/** Verified tokens, remembered as long as everything that made them good still holds. */
import { LRUCache } from 'lru-cache'
import type { KeySet, VerificationKey } from '../../../ports/key-sets.ts'
import type { RevocationFacts } from '../../../ports/revocations.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { Verified } from '../../outcome.ts'
import { revocableFacts, tokenCredential } from '../token-facts.ts'
import type { Mapped } from './identity.ts'
import type { KeySource } from './judge-signature.ts'
import type { JwtRules } from './rules.ts'
import { earliest, type Times } from './times.ts'

export { isRevoked } from '../token-facts.ts'

export interface RememberedToken {
  readonly verified: Verified
  /** Milliseconds since the epoch: good from `earliest`, until before `deadline`. */
  readonly earliest: number
  readonly deadline: number
  /** What a revocation may name; one for each published form of the issuer. */
  readonly revocable: readonly RevocationFacts[]
  /** Undefined for HMAC tokens, whose secret lives as long as the authenticator. */
  readonly key: VerificationKey | undefined
  /** The key set's generation under which the key was last seen in it. */
  generation: number
}

export type TokenCache = LRUCache<string, RememberedToken>

const defaultEntries = 10_000
const maxBytes = 33_554_432

/** Keyed by the exact token. Only good tokens go in, so strangers cannot push them out. */
export function createTokenCache(entries: number = defaultEntries): TokenCache {
  return new LRUCache<string, RememberedToken>({
    max: entries,
    maxSize: maxBytes,
    // The token itself, its claims as objects (some three times their text), and the entry.
    sizeCalculation: (_entry, token) => token.length * 4 + 1_024,
  })
}

export function toRemember(
  mapped: Mapped,
  times: Times,
  place: CredentialPlace,
  source: KeySource,
  rules: JwtRules,
): RememberedToken {
  const { identity } = mapped
  const credential = tokenCredential('jwt', mapped, times, place, rules)
  const found = source !== 'secret' && source.outcome === 'found' ? source : undefined
  return {
    verified: Object.freeze({ outcome: 'verified', identity, credential }),
    earliest: earliest(times, rules),
    deadline: credential.expiresAt,
    revocable: revocableFacts(mapped, credential, rules.profile),
    key: found?.key,
    generation: found?.generation ?? 0,
  }
}

/** True while the token's key is in the set. */
export function isKeyCurrent(entry: RememberedToken, keySet: KeySet): boolean {
  if (entry.key === undefined) return true
  const { generation } = keySet
  if (entry.generation === generation) return true
  if (!keySet.holds(entry.key)) return false
  entry.generation = generation
  return true
}

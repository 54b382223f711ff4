/** Answers, remembered for a while: good ones with what they prove, and in a memory of their own why others were refused. */
import { LRUCache } from 'lru-cache'
import { ownText } from '../../fields.ts'
import type { RevocationFacts } from '../../../ports/revocations.ts'
import type { Rejected, Verified } from '../../outcome.ts'

export interface KnownAnswer {
  readonly verified: Verified
  /** Milliseconds since the epoch: the provider need not be asked again until then. Never past the end of the token. */
  readonly freshUntil: number
  /** Until then the answer serves while the provider is away. */
  readonly staleUntil: number
  /** What a revocation may name; one for each published form of the issuer. */
  readonly revocable: readonly RevocationFacts[]
}

export interface AnswerCache {
  /** Keyed by the exact token: no two tokens can meet in one entry. */
  readonly good: LRUCache<string, KnownAnswer>
  /** Why the token was refused a moment ago; undefined when it was not. */
  refusal(token: string, now: number): Rejected | undefined
  /** What was known of the token before is forgotten with it. */
  refuse(token: string, why: Rejected, now: number): void
}

const goodEntries = 10_000
const goodBytes = 33_554_432
const refusedEntries = 10_000
const refusedBytes = 8_388_608
/** Milliseconds: a token that is just being issued may be unknown for a moment. */
const refusedFor = 5_000

export function createAnswerCache(entries: number = goodEntries): AnswerCache {
  const good = new LRUCache<string, KnownAnswer>({
    max: entries,
    maxSize: goodBytes,
    sizeCalculation: ({ verified }, token) =>
      token.length * 2 + JSON.stringify(verified.identity.claims).length * 3 + 1_024,
  })
  // Apart from the good ones, so that strangers with random tokens cannot push those out.
  const refused = new LRUCache<string, { readonly why: Rejected; readonly until: number }>({
    max: refusedEntries,
    maxSize: refusedBytes,
    sizeCalculation: (_why, token) => token.length + 128,
  })
  return {
    good,
    refusal(token, now) {
      const known = refused.get(token)
      return known !== undefined && now < known.until ? known.why : undefined
    },
    refuse(token, why, now) {
      good.delete(token)
      refused.set(ownText(token), { why, until: now + refusedFor })
    },
  }
}

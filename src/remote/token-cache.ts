/**
 * Tokens that the gateway got for itself or in exchange: fetched once for all who wait, used until shortly before they end,
 * renewed beside the requests, dropped when a backend does not take one. Keyed by what they were got for.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../ports/clock.ts'
import { asOAuthFailure, OAuthFailure, type OAuthFault } from './oauth-failure.ts'
import { retryDelay } from './schedule.ts'
import type { IssuedToken } from './token-answer.ts'

export type CachedToken =
  | {
      readonly outcome: 'issued'
      /** What it was got for. */
      readonly key: string
      readonly token: string
      readonly expiresAt: number
    }
  | {
      readonly outcome: 'failed'
      readonly fault: OAuthFault
      /** For the operator; never a token. */
      readonly detail: string
      /** Milliseconds until it is tried again. */
      readonly retryAfter: number
    }

export interface TokenCacheOptions {
  readonly clock: Clock
  /** Entries; the least recently used go first. */
  readonly capacity: number
  /** Questions under way at once; more fail at once instead of queueing up behind a provider that hangs. Default 64. */
  readonly atOnce?: number
  readonly random?: () => number
}

export interface TokenCache {
  /**
   * @param notAfter the other life that bounds the token's: milliseconds since the epoch
   * @returns a value when the cache answers; never rejects for what a provider does
   */
  get(key: string, fetch: () => Promise<IssuedToken>, notAfter?: number): CachedToken | Promise<CachedToken>
  /** The backend did not take this token: the next request gets another. A newer one than this stays. */
  drop(key: string, token: string): void
}

interface Held extends IssuedToken {
  readonly renewAt: number
  /** A token is not sent out when it may end on the way. */
  readonly usableUntil: number
}

interface Entry {
  readonly key: string
  issued: Held | undefined
  inFlight: Promise<CachedToken> | undefined
  failure: { readonly result: CachedToken & { outcome: 'failed' }; readonly until: number } | undefined
  failures: number
  droppedAt: number
}

/** Milliseconds before its end, and at most that part of its life, during which a token is not sent out any more. */
const safetyMargin = 5_000
const safetyPart = 0.1
/** Part of a token's life after which it is renewed. */
const renewAfter = 0.8
/** A backend that refuses every token must not become a flood of questions. */
const dropCooldown = 1_000

const tooMany: CachedToken = Object.freeze({
  outcome: 'failed',
  fault: 'unreachable',
  detail: 'too many questions to the provider are under way',
  retryAfter: 1_000,
})

export function createTokenCache({
  clock,
  capacity,
  atOnce = 64,
  random = Math.random,
}: TokenCacheOptions): TokenCache {
  const entries = new LRUCache<string, Entry>({ max: capacity })
  let underWay = 0

  const ask = async (
    entry: Entry,
    fetch: () => Promise<IssuedToken>,
    notAfter: number,
  ): Promise<CachedToken> => {
    underWay += 1
    const asked = clock.now()
    try {
      const { token, expiresAt: ownEnd } = await fetch()
      const expiresAt = Math.min(ownEnd, notAfter)
      const life = expiresAt - asked
      entry.issued = {
        token,
        expiresAt,
        renewAt: asked + life * renewAfter,
        usableUntil: expiresAt - Math.min(safetyMargin, life * safetyPart),
      }
      entry.failure = undefined
      entry.failures = 0
      return { outcome: 'issued', key: entry.key, token, expiresAt }
    } catch (error) {
      return remember(entry, asOAuthFailure(error))
    } finally {
      underWay -= 1
      entry.inFlight = undefined
    }
  }

  const remember = (entry: Entry, error: unknown): CachedToken => {
    if (!(error instanceof OAuthFailure)) throw error
    entry.failures += 1
    const wait = Math.max(error.retryAfter ?? 0, retryDelay(entry.failures, random))
    const result = { outcome: 'failed', fault: error.fault, detail: error.message, retryAfter: wait } as const
    entry.failure = { result, until: clock.now() + wait }
    return result
  }

  const start = (
    entry: Entry,
    fetch: () => Promise<IssuedToken>,
    notAfter: number,
  ): CachedToken | Promise<CachedToken> => {
    const now = clock.now()
    if (entry.failure !== undefined && now < entry.failure.until) {
      return { ...entry.failure.result, retryAfter: entry.failure.until - now }
    }
    if (underWay >= atOnce) return tooMany
    entry.inFlight = ask(entry, fetch, notAfter)
    return entry.inFlight
  }

  return {
    get(key, fetch, notAfter = Infinity) {
      const entry = entryOf(entries, key)
      const now = clock.now()
      const { issued } = entry
      if (issued !== undefined && now < issued.usableUntil && now < notAfter) {
        // Beside the request; a failure is remembered, and the token that is still good serves on.
        if (now >= issued.renewAt && entry.inFlight === undefined) {
          const renewal = start(entry, fetch, notAfter)
          if (renewal instanceof Promise) renewal.catch(() => undefined)
        }
        return {
          outcome: 'issued',
          key,
          token: issued.token,
          expiresAt: Math.min(issued.expiresAt, notAfter),
        }
      }
      return entry.inFlight ?? start(entry, fetch, notAfter)
    },
    drop(key, token) {
      const entry = entries.peek(key)
      const now = clock.now()
      if (entry?.issued?.token !== token || now - entry.droppedAt < dropCooldown) return
      entry.issued = undefined
      entry.droppedAt = now
    },
  }
}

function entryOf(entries: LRUCache<string, Entry>, key: string): Entry {
  const known = entries.get(key)
  if (known !== undefined) return known
  const entry: Entry = {
    key,
    issued: undefined,
    inFlight: undefined,
    failure: undefined,
    failures: 0,
    droppedAt: -Infinity,
  }
  entries.set(key, entry)
  return entry
}

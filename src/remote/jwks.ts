/** The life of one provider's published keys: fetched once for many, refreshed ahead, kept stale, chased for a new `kid`. */
import type { Clock } from '../ports/clock.ts'
import type { KeyUse } from '../engine/public-jwk.ts'
import type { KeyLookup, KeySet, VerificationKey } from '../ports/key-sets.ts'
import { freshnessOf, hintedFreshness } from './freshness.ts'
import type { FetchedAnswer } from './guarded-fetch.ts'
import { AnswerError, readJsonObject } from './json-answer.ts'
import { readKeySet } from './jwk-set.ts'
import { indexKeys, type KeyIndex } from './key-index.ts'
import { createKeySightings, type KeySighting } from './key-sightings.ts'
import { refreshDelay, retryDelay, scheduleUnref, type Schedule } from './schedule.ts'
import { createUnknownKids } from './unknown-kids.ts'

export type RefreshOutcome = 'success' | 'unchanged' | 'failure'

export interface KeySetOptions {
  /** The provider's name, for the report. */
  readonly provider: string
  readonly issuer: string
  /** Fetches the published set; bounded in time, rejects when it cannot. */
  readonly fetchKeys: (signal: AbortSignal) => Promise<FetchedAnswer>
  readonly clock: Clock
  /** Milliseconds beyond freshness for which keys serve on while the provider is down. */
  readonly staleKeys: number
  /** What the keys must be published for; `sig` by default. */
  readonly use?: KeyUse
  /** False: the first fetch waits for the first token. */
  readonly prefetch?: boolean
  readonly onRefresh?: (outcome: RefreshOutcome) => void
  readonly schedule?: Schedule
  /** 0 … 1, spreads refreshes over replicas. */
  readonly random?: () => number
}

/** For `providers list` and the admin API. Times are milliseconds since the epoch. */
export interface KeySetReport {
  readonly name: string
  readonly issuer: string
  readonly state: 'unfetched' | 'fresh' | 'stale' | 'unavailable'
  readonly fetchedAt?: number
  readonly expiresAt?: number
  readonly keys: readonly SeenKey[]
  /** Keys that left the set, the last one first. */
  readonly keysGone: readonly SeenKey[]
  readonly lastError?: string
}

export interface SeenKey {
  readonly kid?: string
  readonly alg?: string
  readonly kty: string
  /** Since this process started. */
  readonly firstSeenAt: number
  readonly lastSeenAt: number
}

export interface ManagedKeySet extends KeySet {
  report(): KeySetReport
  /** Fetches now, or joins the fetch under way. */
  refresh(): Promise<RefreshOutcome>
  /** Stops fetching. What is cached still answers the requests that were in flight. */
  close(): void
}

type Selector = { readonly kid?: string; readonly alg: string }

interface Failure {
  readonly message: string
  readonly at: number
  /** Milliseconds that the attempt took: a provider that hangs is asked less often than one that refuses at once. */
  readonly took: number
}

/** After a fetch for an unknown `kid` the next such fetch waits this long, however many strange `kid`s come. */
const chaseCooldown = 30_000
const leastRetry = 1_000

export function createKeySet(options: KeySetOptions): ManagedKeySet {
  return new RemoteKeySet(options)
}

class RemoteKeySet implements ManagedKeySet {
  readonly #options: KeySetOptions
  readonly #clock: Clock
  readonly #schedule: Schedule
  readonly #random: () => number
  readonly #closing = new AbortController()
  readonly #unknownKids = createUnknownKids()
  readonly #sightings = createKeySightings()
  #index: KeyIndex = indexKeys(new Map())
  #generation = 0
  #fetchedAt: number | undefined
  #freshUntil = 0
  #staleUntil = 0
  #inFlight: Promise<RefreshOutcome> | undefined
  /** Of the last fetch; undefined once one succeeds. */
  #failure: Failure | undefined
  #failures = 0
  #chasedAt = -Infinity
  #nextAttemptAt = 0
  #cancelNext: (() => void) | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#schedule = options.schedule ?? scheduleUnref
    this.#random = options.random ?? Math.random
    if (options.prefetch !== false) void this.refresh()
  }

  /** Another number once the keys are too old to serve, so that what was verified with them is looked at again. */
  get generation(): number {
    return this.#isUsable(this.#clock.now()) ? this.#generation : -1
  }

  holds(key: VerificationKey): boolean {
    return this.#isUsable(this.#clock.now()) && this.#index.has(key)
  }

  find(selector: Selector): KeyLookup | Promise<KeyLookup> {
    const now = this.#clock.now()
    if (!this.#isUsable(now)) return this.#findWithoutKeys(selector, now)
    // Past its freshness without an attempt (a machine that slept): ask before trusting a key that may be gone.
    if (now >= this.#freshUntil && this.#failure === undefined && !this.#isClosed()) {
      return this.#fetchThenFind(selector)
    }
    return this.#answer(selector) ?? this.#chase(selector, now)
  }

  report(): KeySetReport {
    const now = this.#clock.now()
    return {
      name: this.#options.provider,
      issuer: this.#options.issuer,
      state: this.#state(now),
      ...(this.#fetchedAt === undefined ? {} : { fetchedAt: this.#fetchedAt, expiresAt: this.#freshUntil }),
      keys: this.#sightings.current().map(seenKey),
      keysGone: this.#sightings.gone().map(seenKey),
      ...(this.#failure === undefined ? {} : { lastError: this.#failure.message }),
    }
  }

  refresh(): Promise<RefreshOutcome> {
    return this.#isClosed() ? Promise.resolve('failure') : this.#fetched()
  }

  close(): void {
    this.#cancelNext?.()
    this.#closing.abort()
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #isUsable(now: number): boolean {
    return this.#fetchedAt !== undefined && now < this.#staleUntil
  }

  #state(now: number): KeySetReport['state'] {
    if (this.#isUsable(now)) return now < this.#freshUntil ? 'fresh' : 'stale'
    return this.#failure === undefined && this.#fetchedAt === undefined ? 'unfetched' : 'unavailable'
  }

  /** Undefined when the set lacks the key and another one might have it. */
  #answer(selector: Selector): KeyLookup | undefined {
    const match = this.#index.match(selector)
    if (match === 'missing') return undefined
    if (match === 'unfit') return { outcome: 'unfit' }
    if (match === 'several') return { outcome: 'unknown' }
    return { outcome: 'found', key: match, generation: this.#generation }
  }

  #findWithoutKeys(selector: Selector, now: number): KeyLookup | Promise<KeyLookup> {
    if (this.#isClosed()) return this.#unavailable(now)
    const failure = this.#failure
    if (this.#inFlight === undefined && failure !== undefined) {
      if (now < failure.at + Math.max(leastRetry, failure.took)) return this.#unavailable(now)
    }
    return this.#fetchThenFind(selector)
  }

  /** One more fetch for a key that may be newer than the set, unless strange `kid`s already caused one. */
  #chase(selector: Selector, now: number): KeyLookup | Promise<KeyLookup> {
    if (this.#inFlight === undefined) {
      const known = this.#unknownKids.has(unknownName(selector), now)
      if (known || now < this.#chasedAt + chaseCooldown || this.#isClosed()) return this.#notFound(now)
      this.#chasedAt = now
    }
    return this.#fetchThenFind(selector)
  }

  #fetchThenFind(selector: Selector): Promise<KeyLookup> {
    const joins = this.#inFlight !== undefined
    return this.#fetched().then(() => {
      const now = this.#clock.now()
      if (!this.#isUsable(now)) return this.#unavailable(now)
      const answer = this.#answer(selector)
      if (answer !== undefined || this.#failure !== undefined) return answer ?? this.#notFound(now)
      // A fetch that was under way may have begun before the key was published: it proves nothing.
      if (joins) return this.#chase(selector, now)
      this.#unknownKids.add(unknownName(selector), now)
      return this.#notFound(now)
    })
  }

  /** While the last fetch failed nobody can say that the key does not exist. */
  #notFound(now: number): KeyLookup {
    return this.#failure === undefined ? { outcome: 'unknown' } : this.#unavailable(now)
  }

  #unavailable(now: number): KeyLookup {
    return { outcome: 'unavailable', retryAfter: Math.max(this.#nextAttemptAt - now, leastRetry) }
  }

  /** One fetch for all who wait. Never rejects. */
  #fetched(): Promise<RefreshOutcome> {
    this.#inFlight ??= this.#attempt().then((outcome) => {
      this.#inFlight = undefined
      if (this.#isClosed()) return outcome
      this.#plan(outcome)
      this.#options.onRefresh?.(outcome)
      return outcome
    })
    return this.#inFlight
  }

  async #attempt(): Promise<RefreshOutcome> {
    this.#cancelNext?.()
    const startedAt = this.#clock.now()
    try {
      return this.#adopt(await this.#options.fetchKeys(this.#closing.signal))
    } catch (error) {
      const now = this.#clock.now()
      this.#failures += 1
      this.#failure = { message: messageOf(error), at: now, took: now - startedAt }
      return 'failure'
    }
  }

  #adopt(fetched: FetchedAnswer): RefreshOutcome {
    const document = readJsonObject(fetched, 'key set')
    const keys = readKeySet(document, this.#index.byContent, this.#options.use)
    const now = this.#clock.now()
    this.#sightings.saw(keys, now)
    const isSame = this.#fetchedAt !== undefined && this.#index.hasSameKeys(keys)
    if (!isSame) {
      this.#index = indexKeys(keys)
      this.#generation += 1
      this.#unknownKids.clear()
    }
    this.#failure = undefined
    this.#failures = 0
    this.#fetchedAt = now
    this.#freshUntil = now + (hintedFreshness(document) ?? freshnessOf(fetched.headers, now))
    this.#staleUntil = this.#freshUntil + this.#options.staleKeys
    return isSame ? 'unchanged' : 'success'
  }

  #plan(outcome: RefreshOutcome): void {
    const now = this.#clock.now()
    const delay =
      outcome === 'failure'
        ? retryDelay(this.#failures, this.#random)
        : refreshDelay(this.#freshUntil - now, this.#random)
    this.#nextAttemptAt = now + delay
    this.#cancelNext = this.#schedule(delay, () => void this.#fetched())
  }
}

function seenKey({ key: { kid, alg, kty }, firstSeenAt, lastSeenAt }: KeySighting): SeenKey {
  return {
    ...(kid === undefined ? {} : { kid }),
    ...(alg === undefined ? {} : { alg }),
    kty,
    firstSeenAt,
    lastSeenAt,
  }
}

/** A token without `kid` asks for any key that fits its algorithm. */
function unknownName({ kid, alg }: Selector): string {
  return kid === undefined ? `alg:${alg}` : `kid:${kid}`
}

function messageOf(error: unknown): string {
  if (error instanceof AnswerError || error instanceof Error) return error.message
  return 'the key set could not be fetched'
}

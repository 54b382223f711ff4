/**
 * Step 5 of a request's way, with the limits by address before step 4: a route's limits and a key's own, each a bucket somewhere
 * behind the `Counters` port. Refused takes cost nothing, and the first refusal ends it.
 */
import type { RateLimitSettings } from '../configuration.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import { parseRate } from '../engine/units.ts'
import type { Exchange, LimitState } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import type { Counters, Taken } from '../ports/counters.ts'
import { createBucketKey, parseKeyKind, type BucketKey, type KeyKind } from './bucket-key.ts'

/** A route's limits, compiled once. */
export interface CompiledLimits {
  readonly isEmpty: boolean
  /** Taken before the proof. */
  readonly byAddress: readonly CompiledLimit[]
  /** Taken after it. */
  readonly byCaller: readonly CompiledLimit[]
}

export interface CompiledLimit {
  /** Names route and shape: buckets outlive a reload that changed neither. */
  readonly prefix: string
  readonly kind: KeyKind
  readonly keyOf: BucketKey
  readonly capacity: number
  readonly emission: number
  /** Seconds. */
  readonly window: number
}

/** @param purpose `report` keeps limits that are only recorded away from the buckets of those that hold */
export function compileLimits(
  routeId: string,
  settings: readonly RateLimitSettings[],
  purpose: 'hold' | 'report' = 'hold',
): CompiledLimits {
  const compiled = settings.map((each) =>
    compileLimit(`${purpose} ${routeId.length} ${routeId} ${each.key}`, parseKeyKind(each.key), each),
  )
  return Object.freeze({
    isEmpty: compiled.length === 0,
    byAddress: compiled.filter(({ kind }) => kind.kind === 'address'),
    byCaller: compiled.filter(({ kind }) => kind.kind !== 'address'),
  })
}

function compileLimit(
  scope: string,
  kind: KeyKind,
  { limit, burst }: Pick<RateLimitSettings, 'limit' | 'burst'>,
): CompiledLimit {
  const { count, period } = limit
  const prefix = `${scope} ${count}/${period}+${burst} `
  return Object.freeze({
    prefix,
    kind,
    keyOf: createBucketKey(prefix, kind),
    capacity: count + burst,
    emission: period / count,
    window: Math.max(1, Math.ceil(period / 1000)),
  })
}

/** What a limit looks at, and where it notes what it took. */
export type LimitedExchange = Pick<Exchange, 'request' | 'identity' | 'credential' | 'limits'>

type Answer = Refusal | undefined | Promise<Refusal | undefined>

/** A promise only where the counters are elsewhere. */
export interface RateLimiter {
  /** Takes the limits by address. Before the proof, so that guessing costs tokens too. */
  takeByAddress(limits: CompiledLimits, exchange: LimitedExchange): Answer
  /** Takes the others, and the key's own. Before authorization, so that a 403 costs a token. */
  takeByCaller(limits: CompiledLimits, exchange: LimitedExchange): Answer
  /** Takes all of limits that are only recorded: says what they would have refused, and tells the caller nothing of it. */
  probe(limits: CompiledLimits, exchange: LimitedExchange): Answer
}

export interface RateLimiterParts {
  readonly counters: Counters
  readonly clock: Clock
}

/** Outlives reloads: the buckets are found again by route and shape. */
export function createRateLimiter({ counters, clock }: RateLimiterParts): RateLimiter {
  function takeAll(limits: readonly CompiledLimit[], exchange: LimitedExchange, from = 0): Answer {
    for (let index = from; index < limits.length; index += 1) {
      const limit = limits[index]!
      const taken = counters.take(limit.keyOf(exchange), limit, clock.now())
      if (taken instanceof Promise) {
        return taken.then((settled) => note(limit, settled, exchange) ?? takeAll(limits, exchange, index + 1))
      }
      const refusal = note(limit, taken, exchange)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  return {
    takeByAddress: (limits, exchange) => takeAll(limits.byAddress, exchange),
    takeByCaller(limits, exchange) {
      const own = ownLimit(exchange)
      return takeAll(own === undefined ? limits.byCaller : [...limits.byCaller, own], exchange)
    },
    probe(limits, { request, identity, credential }) {
      return takeAll([...limits.byAddress, ...limits.byCaller], { request, identity, credential, limits: [] })
    },
  }
}

function note(limit: CompiledLimit, taken: Taken, exchange: LimitedExchange): Refusal | undefined {
  const { capacity, window, kind } = limit
  const reset = Math.ceil(taken.reset / 1000)
  exchange.limits.push({ quota: capacity, window, remaining: taken.remaining, reset })
  if (taken.allowed) return undefined
  const retryAfter = Math.max(1, Math.ceil(taken.retryAfter / 1000))
  return refuse(kind.kind === 'own' ? 'key_rate_limit' : 'rate_limit', {
    retryAfter,
    detail: `${capacity} by ${kind.kind}`,
  })
}

/** @returns the state of a limit of which nothing was taken */
export function unspent({ capacity, window }: CompiledLimit): LimitState {
  return { quota: capacity, window, remaining: capacity, reset: 0 }
}

// By the text of the rate: a handful of texts serve any number of keys. Bounded all the same, since owners of keys choose them.
const ownShapes = new Map<string, CompiledLimit>()
const mostShapes = 1000
const own: KeyKind = { kind: 'own' }

/** A key's own limit spans routes. One that cannot be read is a fault of the store, and must not mean "unlimited". */
function ownLimit({ credential }: LimitedExchange): CompiledLimit | undefined {
  const text = credential?.rateLimit
  if (text === undefined) return undefined
  let limit = ownShapes.get(text)
  if (limit === undefined) {
    const rate = parseRate(text)
    if (rate === undefined) throw new TypeError('the rate limit of an API key cannot be read')
    limit = compileLimit('own', own, { limit: rate, burst: 0 })
    if (ownShapes.size >= mostShapes) ownShapes.clear()
    ownShapes.set(text, limit)
  }
  return limit
}

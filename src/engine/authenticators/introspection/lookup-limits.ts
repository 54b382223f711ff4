/**
 * How much of a provider's attention strangers may use up: look-ups under way, and look-ups that found nothing, for each
 * address first and then for the provider. And how a provider that is away is asked: by one at a time, after a pause.
 */
import { LRUCache } from 'lru-cache'
import { addressBlock } from '../../addresses.ts'

export interface LookupLimits {
  /** Asked before each look-up. Times are milliseconds since the epoch. */
  admit(address: string, now: number): Permit | Refused
}

export interface Refused {
  readonly why: 'address' | 'provider' | 'away'
  /** Milliseconds. */
  readonly retryAfter: number
}

/** A look-up under way. One of the two is called, once. */
export interface Permit {
  /** The provider answered. @param isGood whether the token was accepted: it then cost nothing */
  answered(isGood: boolean, now: number): void
  /** It did not, or not so that anybody could use it. */
  failed(retryAfter: number, now: number): void
}

export interface Bounds {
  readonly atOnce: number
  /** Failed look-ups that may come at once, and how long one takes to be forgotten. */
  readonly failures: number
  readonly forgetOne: number
}

const forAddress: Bounds = { atOnce: 32, failures: 60, forgetOne: 1_000 }
const forProvider: Bounds = { atOnce: 256, failures: 600, forgetOne: 100 }
const mostAddresses = 20_000
/** So many failures in a row, and the provider counts as away. */
const awayAfter = 3
const leastPause = 1_000

export function createLookupLimits(
  perAddress: Bounds = forAddress,
  perProvider: Bounds = forProvider,
): LookupLimits {
  const addresses = new LRUCache<string, Budget>({ max: mostAddresses })
  const provider = createBudget(perProvider)
  const health = createHealth()
  return {
    admit(addressText, now) {
      const pause = health.pause(now)
      if (pause > 0) return { why: 'away', retryAfter: pause }
      const block = addressBlock(addressText)
      const known = addresses.get(block)
      const address = known ?? createBudget(perAddress)
      if (known === undefined) addresses.set(block, address)
      // The address first: what one caller has used up must not be taken from everybody.
      for (const [why, budget] of [
        ['address', address],
        ['provider', provider],
      ] as const) {
        const wait = budget.wait(now)
        if (wait > 0) return { why, retryAfter: wait }
      }
      address.take(now)
      provider.take(now)
      health.begin(now)
      return {
        answered(isGood, at) {
          address.giveBack(isGood, at)
          provider.giveBack(isGood, at)
          health.end(true, 0, at)
        },
        // Nobody's fault: that a provider is away must not keep its users out once it is back.
        failed(retryAfter, at) {
          address.giveBack(true, at)
          provider.giveBack(true, at)
          health.end(false, retryAfter, at)
        },
      }
    },
  }
}

interface Budget {
  /** @returns 0, or the milliseconds to wait */
  wait(now: number): number
  /** Each look-up counts as a failed one until it is known to be good. */
  take(now: number): void
  giveBack(isGood: boolean, now: number): void
}

function createBudget({ atOnce, failures, forgetOne }: Bounds): Budget {
  let underWay = 0
  /** The instant at which all failures are forgotten. */
  let clearAt = 0
  return {
    wait(now) {
      if (underWay >= atOnce) return leastPause
      const spent = Math.max(0, clearAt - now)
      return Math.max(0, spent + forgetOne - failures * forgetOne)
    },
    take(now) {
      underWay += 1
      clearAt = Math.max(clearAt, now) + forgetOne
    },
    giveBack(isGood) {
      underWay -= 1
      if (isGood) clearAt -= forgetOne
    },
  }
}

interface Health {
  pause(now: number): number
  begin(now: number): void
  end(answered: boolean, retryAfter: number, now: number): void
}

function createHealth(): Health {
  let failuresInARow = 0
  let pausedUntil = 0
  return {
    pause: (now) => (failuresInARow < awayAfter ? 0 : pausedUntil - now),
    begin(now) {
      // The one that is let through while the provider counts as away; the others wait for what it finds.
      if (failuresInARow >= awayAfter) pausedUntil = now + leastPause
    },
    end(answered, retryAfter, now) {
      failuresInARow = answered ? 0 : failuresInARow + 1
      if (!answered) pausedUntil = Math.max(pausedUntil, now + Math.max(leastPause, retryAfter))
    },
  }
}

import { assert as check, array, constantFrom, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bucket, Taken } from '../ports/counters.ts'
import { debtAt, takeToken } from './gcra.ts'

/** The same rule in whole numbers: time counted in parts of a millisecond of which one token costs exactly `period`. */
function exactBucket(count: number, burst: number, period: number): (now: number) => boolean {
  let debt = 0
  let last = 0
  return (now) => {
    debt = Math.max(0, debt - (now - last) * count)
    last = now
    if (debt + period > (count + burst) * period) return false
    debt += period
    return true
  }
}

function bucketOf(count: number, burst: number, period: number): Bucket {
  return { capacity: count + burst, emission: period / count }
}

function taker(bucket: Bucket): (now: number) => Taken {
  let debt = 0
  let at = 0
  return (now) => {
    const taken = takeToken(bucket, debtAt(debt, at, now))
    at = now
    debt = taken.reset
    return taken
  }
}

const shapes = record({
  count: integer({ min: 1, max: 1000 }),
  burst: constantFrom(0, 0, 1, 10, 500),
  period: constantFrom(1, 7, 250, 1000, 60_000),
})
const waits = array(constantFrom(0, 0, 0, 0, 1, 2, 3, 17, 999, 60_000), { maxLength: 300 })

describe('a bucket', () => {
  it('agrees with the same rule counted in whole numbers, however long it runs', () => {
    check(
      property(shapes, waits, ({ count, burst, period }, waits) => {
        const exact = exactBucket(count, burst, period)
        const take = taker(bucketOf(count, burst, period))
        let now = 1_800_000_000_000
        for (const wait of waits) {
          now += wait
          expect(take(now).allowed).toBe(exact(now))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('lets exactly its capacity through at once, a million too', () => {
    const take = taker(bucketOf(1_000_000, 0, 1000))
    let allowed = 0
    while (take(5).allowed) allowed += 1
    expect(allowed).toBe(1_000_000)
  })

  it('says when the next token comes, and then has it', () => {
    check(
      property(shapes, ({ count, burst, period }) => {
        const take = taker(bucketOf(count, burst, period))
        for (let taken = 0; taken < count + burst; taken += 1) expect(take(0).allowed).toBe(true)
        const refused = take(0)
        expect(refused).toMatchObject({ allowed: false, remaining: 0 })
        expect(refused.retryAfter).toBeCloseTo(period / count, 5)
        expect(take(refused.retryAfter).allowed).toBe(true)
      }),
    )
  })

  it('counts what is left, and the time until it is full', () => {
    const take = taker(bucketOf(100, 0, 60_000))
    expect(take(0)).toEqual({ allowed: true, remaining: 99, retryAfter: 0, reset: 600 })
    expect(take(0)).toEqual({ allowed: true, remaining: 98, retryAfter: 0, reset: 1200 })
    expect(take(300)).toMatchObject({ remaining: 97, reset: 1500 })
    expect(take(1800)).toMatchObject({ remaining: 99, reset: 600 })
  })

  it('costs a refused caller nothing', () => {
    const take = taker(bucketOf(1, 0, 1000))
    take(0)
    for (let at = 1; at < 1000; at += 1) expect(take(at).allowed).toBe(false)
    expect(take(1000).allowed).toBe(true)
  })

  it('neither fills nor locks when the clock goes back', () => {
    const take = taker(bucketOf(2, 0, 1000))
    expect(take(1_000_000).allowed).toBe(true)
    expect(take(0).allowed).toBe(true)
    expect(take(0).allowed).toBe(false)
    expect(take(500).allowed).toBe(true)
  })
})

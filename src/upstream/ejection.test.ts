import { describe, expect, it } from 'vitest'
import { Ejection } from './ejection.ts'

function setUp() {
  const clock = { time: 1_000_000, now: () => clock.time }
  const ejection = new Ejection(clock)
  const fail = (times: number): boolean[] => Array.from({ length: times }, () => ejection.failed())
  return { clock, ejection, fail }
}

describe('ejection', () => {
  it('comes with the fifth failure in a row, and lasts ten seconds', () => {
    const { clock, ejection, fail } = setUp()
    expect(fail(5)).toEqual([false, false, false, false, true])
    expect(ejection.until).toBe(clock.time + 10_000)
  })

  it('does not come while successes lie between', () => {
    const { ejection, fail } = setUp()
    for (let round = 0; round < 10; round += 1) {
      expect(fail(4)).not.toContain(true)
      ejection.succeeded()
    }
  })

  it('comes again with one failure after the return, for twice as long each time, up to five minutes', () => {
    const { clock, ejection, fail } = setUp()
    fail(5)
    const spans: number[] = []
    for (let round = 0; round < 7; round += 1) {
      clock.time = ejection.until
      expect(ejection.failed()).toBe(true)
      spans.push((ejection.until - clock.time) / 1_000)
    }
    expect(spans).toEqual([20, 40, 80, 160, 300, 300, 300])
  })

  it('is not prolonged by failures of requests that were under way', () => {
    const { ejection, fail } = setUp()
    fail(5)
    const { until } = ejection
    expect(fail(20)).not.toContain(true)
    expect(ejection.until).toBe(until)
  })

  it('is over, and forgotten, with a success', () => {
    const { clock, ejection, fail } = setUp()
    fail(5)
    ejection.succeeded()
    expect(ejection.until).toBe(0)
    expect(fail(5)).toEqual([false, false, false, false, true])
    expect(ejection.until).toBe(clock.time + 10_000)
  })
})

import { describe, expect, it } from 'vitest'
import type { Bucket } from '../../ports/counters.ts'
import { createMemoryCounters } from './counters.ts'

const ten: Bucket = { capacity: 10, emission: 1000 }

describe('buckets in memory', () => {
  it('are one for each key', () => {
    const counters = createMemoryCounters()
    for (let index = 0; index < 10; index += 1) expect(counters.take('a', ten, 0).allowed).toBe(true)
    expect(counters.take('a', ten, 0)).toEqual({
      allowed: false,
      remaining: 0,
      retryAfter: 1000,
      reset: 10_000,
    })
    expect(counters.take('b', ten, 0)).toEqual({ allowed: true, remaining: 9, retryAfter: 0, reset: 1000 })
    expect(counters.take('a', ten, 1000).allowed).toBe(true)
  })

  it('make room for others once they are full again', () => {
    const counters = createMemoryCounters({ most: 100 })
    for (let index = 0; index < 50; index += 1) counters.take(`old${index}`, ten, 0)
    for (let index = 0; index < 49; index += 1) counters.take(`young${index}`, ten, 900)
    for (let taken = 0; taken < 10; taken += 1) counters.take('spent', ten, 900)
    for (let index = 0; index < 50; index += 1) counters.take(`new${index}`, ten, 1000)
    expect(counters.take('spent', ten, 1000).allowed).toBe(false)
    for (let index = 0; index < 49; index += 1)
      expect(counters.take(`young${index}`, ten, 1000).remaining).toBe(8)
  })

  it('stay spent under a flood of fresh keys', () => {
    const counters = createMemoryCounters({ most: 1000 })
    for (let taken = 0; taken < 10; taken += 1) counters.take('victim', ten, 0)
    for (let index = 0; index < 50_000; index += 1) counters.take(`flood${index}`, ten, 1)
    expect(counters.take('victim', ten, 2).allowed).toBe(false)
  })

  it('keep to their bound', () => {
    const counters = createMemoryCounters({ most: 10 })
    const keys = Array.from({ length: 100 }, (_, index) => `spent${index}`)
    for (const key of keys) for (let taken = 0; taken < 10; taken += 1) counters.take(key, ten, 0)
    const remembered = keys.filter((key) => !counters.take(key, ten, 0).allowed)
    expect(remembered.length).toBeGreaterThan(0)
    expect(remembered.length).toBeLessThanOrEqual(10)
  })
})

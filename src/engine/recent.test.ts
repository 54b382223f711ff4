import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

describe('a memory of what was lately worked out', () => {
  it('gives back what was put in, and nothing that was not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.integer())),
        fc.string(),
        (pairs, other) => {
          const recent = new Recent<number>(16, 20)
          const last = new Map<string, number>()
          for (const [key, value] of pairs) {
            recent.set(key, value)
            if (key.length <= 20) {
              last.set(key, value)
              expect(recent.get(key)).toBe(value)
            }
          }
          for (const key of [...last.keys(), other])
            expect([undefined, last.get(key)]).toContain(recent.get(key))
        },
      ),
    )
  })

  it('tells texts apart that begin and end alike', () => {
    const recent = new Recent<number>(64, 2000)
    const texts = Array.from(
      { length: 50 },
      (_, at) => `Bearer eyJ${'x'.repeat(400)}${at}${'y'.repeat(400)}tail`,
    )
    for (const [at, text] of texts.entries()) {
      recent.set(text, at)
      expect(recent.get(text)).toBe(at)
    }
    expect(texts.filter((text, at) => recent.get(text) === at).length).toBeGreaterThanOrEqual(1)
    for (const [at, text] of texts.entries()) expect([undefined, at]).toContain(recent.get(text))
  })

  it('keeps most of what fits', () => {
    const recent = new Recent<number>(1024, 20)
    for (let number = 0; number < 400; number += 1) recent.set(`key-${number}`, number)
    const kept = Array.from({ length: 400 }, (_, number) => recent.get(`key-${number}`)).filter(
      (it) => it !== undefined,
    )
    expect(kept.length).toBeGreaterThan(340)
  })

  it('never holds more than it was made for', () => {
    const recent = new Recent<number>(16, 20)
    for (let number = 0; number < 1000; number += 1) recent.set(`key-${number}`, number)
    const kept = Array.from({ length: 1000 }, (_, number) => recent.get(`key-${number}`)).filter(
      (it) => it !== undefined,
    )
    expect(kept.length).toBeLessThanOrEqual(16)
  })

  it('keeps what is asked for, when one other comes for its place', () => {
    const recent = new Recent<number>(2, 20)
    recent.set('asked', 1)
    for (let number = 0; number < 100; number += 1) {
      recent.set(`other-${number}`, number)
      expect(recent.get('asked')).toBe(1)
    }
  })

  it('keeps nothing under a key that is too long', () => {
    const recent = new Recent<number>(10, 3)
    recent.set('four', 4)
    expect(recent.get('four')).toBeUndefined()
  })
})

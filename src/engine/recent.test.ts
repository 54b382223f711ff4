import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

describe('a memory of what was lately worked out', () => {
  it('gives back what was put in', () => {
    const recent = new Recent<number>(10, 10)
    recent.set('one', 1)
    expect(recent.get('one')).toBe(1)
    expect(recent.get('two')).toBeUndefined()
  })

  it('keeps what is asked for again and again, whatever else comes', () => {
    const recent = new Recent<number>(10, 10)
    recent.set('asked', 1)
    recent.set('never', 2)
    for (let number = 0; number < 1000; number += 1) {
      recent.set(`other-${number}`, number)
      if (number % 5 === 0) expect(recent.get('asked')).toBe(1)
    }
    expect(recent.get('never')).toBeUndefined()
  })

  it('never holds more than two generations', () => {
    const recent = new Recent<number>(10, 20)
    for (let number = 0; number < 1000; number += 1) recent.set(`key-${number}`, number)
    const left = Array.from({ length: 1000 }, (_, number) => recent.get(`key-${number}`)).filter(
      (value) => value !== undefined,
    )
    expect(left.length).toBeLessThanOrEqual(20)
  })

  it('keeps nothing under a key that is too long', () => {
    const recent = new Recent<number>(10, 3)
    recent.set('four', 4)
    expect(recent.get('four')).toBeUndefined()
  })
})

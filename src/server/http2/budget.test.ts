import { describe, expect, it } from 'vitest'
import { Budget } from './budget.ts'

describe('a budget', () => {
  it('is spent, and refilled as time goes by, but never above its most', () => {
    const budget = new Budget(3, 2, 0)
    expect([budget.spend(1, 0), budget.spend(2, 0), budget.spend(1, 0)]).toEqual([true, true, false])
    expect(budget.spend(1, 1000)).toBe(true)
    expect(budget.spend(1, 1000)).toBe(false)
    expect([1, 2, 3, 4].map(() => budget.spend(1, 100_000))).toEqual([true, true, true, false])
  })

  it('is earned anew by what is of use', () => {
    const budget = new Budget(2, 0, 0)
    for (let round = 0; round < 100; round += 1) {
      expect(budget.spend(1, 0)).toBe(true)
      budget.earn(1)
    }
    budget.earn(100)
    expect([budget.spend(2, 0), budget.spend(1, 0)]).toEqual([true, false])
  })
})

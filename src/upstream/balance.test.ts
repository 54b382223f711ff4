import { describe, expect, it } from 'vitest'
import { createBalancer } from './balance.ts'
import { createResolver } from './resolve.ts'
import { Target } from './target.ts'

const clock = { now: () => 0 }

function targets(...weights: number[]): Target[] {
  const options = {
    resolver: createResolver(clock, () => undefined),
    timeout: 1,
    secureContext: () => undefined,
    serverName: undefined,
    protocols: [],
  }
  return weights.map(
    (weight, index) =>
      new Target({ url: `http://10.0.0.${index}:80`, weight }, options, {
        clock,
        speaks: 'wire',
        onHealth: () => undefined,
      }),
  )
}

const any = (): boolean => true

function counts(all: readonly Target[], picks: readonly (Target | undefined)[]): number[] {
  return all.map((target) => picks.filter((pick) => pick === target).length)
}

describe('round robin', () => {
  it('interleaves by weight', () => {
    const all = targets(3, 1)
    const pick = createBalancer('round-robin', all)
    const order = Array.from({ length: 8 }, () => all.indexOf(pick(any, undefined)!))
    expect(order).toEqual([0, 0, 1, 0, 0, 0, 1, 0])
  })

  it('passes over what does not take part, and knows when nobody does', () => {
    const all = targets(1, 1, 1)
    const pick = createBalancer('round-robin', all)
    const picks = Array.from({ length: 10 }, () => pick((target) => target !== all[1], undefined))
    expect(counts(all, picks)).toEqual([5, 0, 5])
    expect(pick(() => false, undefined)).toBeUndefined()
  })
})

describe('least requests', () => {
  it('takes the target with the least in flight for its weight', () => {
    const all = targets(1, 2)
    const pick = createBalancer('least-requests', all)
    for (let count = 0; count < 9; count += 1) {
      pick(any, undefined)!.inFlight += 1
    }
    expect(all.map(({ inFlight }) => inFlight)).toEqual([3, 6])
  })

  it('takes equals by turns', () => {
    const all = targets(1, 1, 1)
    const pick = createBalancer('least-requests', all)
    expect(
      counts(
        all,
        Array.from({ length: 9 }, () => pick(any, undefined)),
      ),
    ).toEqual([3, 3, 3])
  })
})

describe('hashing', () => {
  const keys = Array.from({ length: 6_000 }, (_, index) => `https://issuer.example#user-${index}`)

  it('gives a key the same target always, and targets their share by weight', () => {
    const all = targets(1, 2, 3)
    const pick = createBalancer('hash', all)
    const again = createBalancer('hash', all)
    const picks = keys.map((key) => pick(any, key))
    expect(keys.map((key) => again(any, key))).toEqual(picks)
    const shares = counts(all, picks).map((count) => count / keys.length)
    for (const [index, share] of [1 / 6, 2 / 6, 3 / 6].entries()) {
      expect(shares[index]).toBeGreaterThan(share * 0.9)
      expect(shares[index]).toBeLessThan(share * 1.1)
    }
  })

  it('moves only the keys of a target that went away', () => {
    const all = targets(1, 1, 1, 1)
    const pick = createBalancer('hash', all)
    for (const key of keys) {
      const before = pick(any, key)
      const after = pick((target) => target !== all[2], key)
      expect(after === before || before === all[2]).toBe(true)
    }
  })

  it('goes by turns where there is no key', () => {
    const all = targets(1, 1)
    const pick = createBalancer('hash', all)
    expect(
      counts(
        all,
        Array.from({ length: 4 }, () => pick(any, undefined)),
      ),
    ).toEqual([2, 2])
  })
})

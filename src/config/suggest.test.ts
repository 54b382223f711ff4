import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from './suggest.ts'

describe('what was probably meant', () => {
  it.each([
    ['authentcate', ['authenticate', 'authorize'], 'authenticate'],
    ['rate_limit', ['rateLimit', 'limits'], 'rateLimit'],
    ['ratelimit', ['rateLimit', 'limits'], 'rateLimit'],
    ['upsteram', ['upstream', 'routes'], 'upstream'],
    ['methdo', ['methods', 'path'], 'methods'],
    ['GET', ['get'], 'get'],
    ['colour', ['color', 'cors'], 'color'],
    ['xyz', ['authenticate', 'authorize'], undefined],
    ['id', ['in', 'as'], 'in'],
    ['a', ['b'], 'b'],
    ['path', ['path'], undefined],
  ])('%s among %j is %s', (word, candidates, meant) => {
    expect(nearest(word, candidates)).toBe(meant)
  })

  it('is not looked for in a text that nobody types by mistake', () => {
    expect(nearest('x'.repeat(10_000), ['x'])).toBeUndefined()
  })
})

describe('the distance between two words', () => {
  it('counts a swap of neighbours once', () => {
    expect(editDistance('form', 'from')).toBe(1)
    expect(editDistance('', 'abc')).toBe(3)
  })

  it('is the same in both directions, and zero only for the same word', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (one, other) => {
        expect(editDistance(one, other)).toBe(editDistance(other, one))
        expect(editDistance(one, other) === 0).toBe(one === other)
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { judgeClock } from './clock.ts'

const noon = Date.parse('2026-11-24T12:00:00Z')

function judge(theirs: number, took = 200): readonly string[] {
  const exchange = { askedAt: noon, answeredAt: noon + took, date: new Date(theirs).toUTCString() }
  return judgeClock('corp', exchange, 30_000).map(({ severity, message }) => `${severity}: ${message}`)
}

describe('a provider’s clock', () => {
  it('may differ by the seconds that nobody can measure, and by half of what is allowed', () => {
    for (const off of [0, 1_000, -1_000, 14_000, -14_000]) expect(judge(noon + off)).toEqual([])
  })

  it('is warned of beyond half, and an error beyond all of it', () => {
    expect(judge(noon + 20_000)).toEqual([expect.stringMatching(/^warning: .* 20 s ahead/)])
    expect(judge(noon - 20_000)).toEqual([expect.stringMatching(/^warning: .* 19 s behind/)])
    expect(judge(noon + 3_600_000)).toEqual([expect.stringMatching(/^error: .* 3600 s ahead/)])
    expect(judge(noon - 3_600_000)).toEqual([expect.stringMatching(/^error: .* 3599 s behind/)])
  })

  it('is not blamed for a slow answer', () => {
    expect(judge(noon, 25_000)).toEqual([])
    expect(judge(noon + 25_000, 25_000)).toEqual([])
  })

  it('is not judged by an answer that tells no time', () => {
    for (const date of [undefined, '', 'yesterday']) {
      expect(judgeClock('corp', { askedAt: noon, answeredAt: noon, date }, 30_000)).toEqual([])
    }
  })
})

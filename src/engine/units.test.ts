import { describe, expect, it } from 'vitest'
import { formatTime, parseDuration, parseRate, parseTime } from './units.ts'

describe('units', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['90d', 7_776_000_000],
    ['0s', 0],
  ])('reads the duration %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  it.each(['', '30', '30 s', '-1s', '1.5h', '1w', '1S', '30s\n', 's', '99999999999d', '٣s'])(
    'takes %j for no duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  it('reads rates', () => {
    expect(parseRate('10/1s')).toEqual({ count: 10, period: 1_000 })
    expect(parseRate('1000/1m')).toEqual({ count: 1_000, period: 60_000 })
  })

  it.each(['', '10', '10/', '/1s', '0/1s', '10/0s', '1e3/1s', '-1/1s', '10/s', '10/1s/1s'])(
    'takes %j for no rate',
    (text) => {
      expect(parseRate(text)).toBeUndefined()
    },
  )

  it.each([
    ['2026-12-01T00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T02:00:00.5+02:00', Date.UTC(2026, 11, 1) + 500],
    ['2026-12-01t00:00:00z', Date.UTC(2026, 11, 1)],
    ['2026-12-01 00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01', Date.UTC(2026, 11, 1)],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
  ])('reads the time %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })

  it.each([
    '',
    'tomorrow',
    '2026-12-01T00:00:00',
    '2026-13-01',
    '2026-02-30',
    '2026-04-31T00:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-12-01T00:00Z',
    '1796083200',
    '2026-12-01\n',
  ])('takes %j for no time', (text) => {
    expect(parseTime(text)).toBeUndefined()
  })

  it('writes times in RFC 3339, UTC', () => {
    expect(formatTime(Date.UTC(2026, 11, 1))).toBe('2026-12-01T00:00:00Z')
    expect(formatTime(Date.UTC(2026, 11, 1) + 5)).toBe('2026-12-01T00:00:00.005Z')
  })
})

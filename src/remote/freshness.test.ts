import { describe, expect, it } from 'vitest'
import { freshnessOf } from './freshness.ts'

const now = Date.parse('Tue, 24 Nov 2026 12:00:00 GMT')
const minute = 60_000

describe('freshness', () => {
  it.each<[string, Record<string, string>, number]>([
    ['nothing said', {}, 10 * minute],
    ['max-age', { 'cache-control': 'public, max-age=900' }, 15 * minute],
    ['max-age in capitals and quotes', { 'cache-control': 'Max-Age="900"' }, 15 * minute],
    ['max-age below the bound', { 'cache-control': 'max-age=5' }, minute],
    ['max-age beyond the bound', { 'cache-control': 'max-age=31536000' }, 60 * minute],
    ['max-age so large that it is none', { 'cache-control': 'max-age=99999999999999' }, minute],
    ['max-age that is no number', { 'cache-control': 'max-age=soon' }, minute],
    ['max-age twice: the first', { 'cache-control': 'max-age=600, max-age=3600' }, 10 * minute],
    ['max-age less Age', { 'cache-control': 'max-age=900', age: '600' }, 5 * minute],
    ['max-age used up by Age', { 'cache-control': 'max-age=900', age: '900' }, minute],
    ['max-age over Expires', { 'cache-control': 'max-age=900', expires: '0' }, 15 * minute],
    ['no-store', { 'cache-control': 'no-store, max-age=900' }, minute],
    ['no-cache', { 'cache-control': 'no-cache' }, minute],
    ['directives without a time', { 'cache-control': 'public, must-revalidate' }, 10 * minute],
    ['Expires', { expires: 'Tue, 24 Nov 2026 12:20:00 GMT' }, 20 * minute],
    [
      'Expires measured from Date, whatever our clock says',
      { expires: 'Mon, 01 Jan 2024 00:20:00 GMT', date: 'Mon, 01 Jan 2024 00:00:00 GMT' },
      20 * minute,
    ],
    ['Expires in the past', { expires: 'Tue, 24 Nov 2026 11:00:00 GMT' }, minute],
    ['Expires that is no date', { expires: '0' }, minute],
  ])('%s', (_what, headers, expected) => {
    expect(freshnessOf(headers, now)).toBe(expected)
  })
})

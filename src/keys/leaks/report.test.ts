import { describe, expect, it } from 'vitest'
import { parseReport } from './report.ts'

const parse = (value: unknown): ReturnType<typeof parseReport> =>
  parseReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

describe('a leak report', () => {
  it('is a list of matches, with members that may be empty, absent or more', () => {
    expect(
      parse([
        { token: 't', type: 'key', url: 'https://github.com/a/b', source: 'commit' },
        { token: 't', type: 'key', url: '', source: null },
        { token: 't', type: 'key', more: { of: 'it' } },
      ]),
    ).toEqual([
      { token: 't', type: 'key', url: 'https://github.com/a/b', source: 'commit' },
      { token: 't', type: 'key', url: '', source: '' },
      { token: 't', type: 'key', url: '', source: '' },
    ])
    expect(parse([])).toEqual([])
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['empty', ''],
    ['one match without its list', { token: 't', type: 'key' }],
    ['a list of texts', ['t']],
    ['a match without a token', [{ type: 'key' }]],
    ['a match with an empty token', [{ token: '', type: 'key' }]],
    ['a token that is no text', [{ token: 1, type: 'key' }]],
    ['an endless token', [{ token: 'x'.repeat(8_193), type: 'key' }]],
    ['too many matches', Array.from({ length: 1_001 }, () => ({ token: 't', type: 'key' }))],
  ])('is not %s', (_what, value) => {
    expect(parse(value)).toBeUndefined()
  })

  it('is UTF-8', () => {
    expect(parseReport(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]))).toBeUndefined()
  })
})

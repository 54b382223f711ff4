import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalName } from './fields.ts'
import { NameFilter } from './name-filter.ts'

const name = fc.string({ unit: fc.constantFrom('a', 'B', 'x', '-', '_', '.', '9', 'é'), maxLength: 40 })

describe('a filter of names', () => {
  it('lets every name through that is one of them, in whatever form a careless backend would take for it', () => {
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const filter = new NameFilter(names)
        for (const each of names) {
          for (const form of [each, each.toUpperCase(), canonicalName(each), each.replaceAll('-', '_')])
            if (form.length === each.length) expect(filter.mayHave(form)).toBe(true)
        }
      }),
    )
  })

  it('lets everything through that begins like one of the beginnings', () => {
    fc.assert(
      fc.property(
        name.filter(({ length }) => length >= 2),
        name,
        (beginning, rest) => {
          expect(new NameFilter([], [beginning]).mayHave(canonicalName(beginning + rest))).toBe(true)
        },
      ),
    )
  })

  it('keeps out what has another length or other first letters', () => {
    const filter = new NameFilter(['host', 'x-request-id'], ['ssl-client-'])
    for (const other of ['', 'h', 'hos', 'hosts', 'most', 'x-request-ids', 'ssl-client', 'sec-fetch-mode'])
      expect(filter.mayHave(other)).toBe(false)
    expect(filter.mayHave('Ssl-Client-Verify')).toBe(true)
  })

  it('knows no beginning of one character', () => {
    expect(() => new NameFilter([], ['x'])).toThrow(TypeError)
  })
})

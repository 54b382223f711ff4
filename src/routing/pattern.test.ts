import { describe, expect, it } from 'vitest'
import { parsePattern, type PathPattern } from './pattern.ts'

describe('a path pattern', () => {
  it('has literals, parameters and a rest', () => {
    expect(parsePattern('/a/:id/*')).toEqual({
      segments: [{ kind: 'literal', text: 'a' }, { kind: 'parameter', name: 'id' }, { kind: 'rest' }],
      shape: '/a/:/*',
      isLiteral: false,
    })
  })

  it('has the same shape whatever its parameters are called', () => {
    const shape = (path: string): string => (parsePattern(path) as PathPattern).shape
    expect(shape('/a/:id')).toBe(shape('/a/:name'))
    expect(shape('/a/b:id')).toBe('/a/b:id')
  })

  it('is brought into the form of normal paths', () => {
    expect(parsePattern('/café/%7e%c3%a9/a b')).toMatchObject({ shape: '/caf%C3%A9/~%C3%A9/a%20b' })
  })

  it.each([
    ['catalog', 'a path begins with `/`'],
    ['/a?b', 'a path holds no query: conditions on parameters go under `query`'],
    ['/a/*/b', '`*` stands only for the last segment'],
    ['/a*', '`*` stands for a whole segment, not in "a*"'],
    ['/:', '":" is no parameter: a name is letters, digits, "_" and "-"'],
    ['/:a/:a', 'the parameter ":a" stands twice'],
    ['/a//b', 'no request has such a path: written without doubled slashes and dot segments it is "/a/b"'],
    ['/a/../b', 'no request has such a path: written without doubled slashes and dot segments it is "/b"'],
    ['/a#b', 'no request has such a path (bytes that no target holds)'],
    ['/%zz', 'no request has such a path (a bad percent escape)'],
  ])('%s: %s', (path, words) => {
    expect(parsePattern(path)).toBe(words)
  })
})

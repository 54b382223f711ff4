import { describe, expect, it } from 'vitest'
import { compilePatterns, patternFault } from './patterns.ts'

describe('an allow-list', () => {
  it.each<[string, string, boolean]>([
    ['octo-org/site', 'octo-org/site', true],
    ['octo-org/site', 'octo-org/site2', false],
    ['octo-org/site', 'x/octo-org/site', false],
    ['octo-org/*', 'octo-org/anything.at-all', true],
    ['octo-org/*', 'octo-org/', false],
    ['octo-org/*', 'octo-org', false],
    ['octo-org/*', 'octo-org-evil/site', false],
    ['octo-org/api-*', 'octo-org/api-v2', true],
    ['octo-org/api-*', 'octo-org/api', false],
    ['team-*/worker', 'team-a/worker', true],
    ['team-*/worker', 'team-a/x/worker', false],
    ['refs/heads/*', 'refs/heads/release/1.0', true],
    ['a.b/c', 'axb/c', false],
    ['octo(org)/x', 'octo(org)/x', true],
    ['octo-org/site', 'octo-org/site\n', false],
  ])('%s: %s is %s', (pattern, name, expected) => {
    expect(compilePatterns([pattern])(name)).toBe(expected)
  })

  it('minds case unless it was told not to', () => {
    expect(compilePatterns(['Octo-Org/*'])('octo-org/site')).toBe(false)
    expect(compilePatterns(['Octo-Org/*'], { ignoresCase: true })('octo-org/site')).toBe(true)
  })

  it.each([undefined, null, 1, ['octo-org/site'], {}])('takes no %j', (name) => {
    expect(compilePatterns(['octo-org/*'])(name)).toBe(false)
  })

  it('spends no time on a name made to cost', () => {
    const holds = compilePatterns(['a*b*c*d*e'])
    expect(holds('ab'.repeat(1_000))).toBe(false)
    expect(holds('a'.repeat(1_000_000))).toBe(false)
  })

  it.each([
    ['*', /everybody/],
    ['*/*', /everybody/],
    ['a/**', /one `\*` is enough/],
    ['*a*b*c*d*', /more than 4/],
  ])('is not written as %s', (pattern, message) => {
    expect(patternFault(pattern)).toMatch(message)
  })

  it('may have a star in a segment, or at its end', () => {
    expect(patternFault('octo-org/*')).toBeUndefined()
    expect(patternFault('team-*/worker')).toBeUndefined()
  })
})

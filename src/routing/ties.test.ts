import { describe, expect, it } from 'vitest'
import { routeSettings } from '../../test/support/route-settings.ts'
import type { MatchSettings } from '../configuration.ts'
import { findRouteTies } from './ties.ts'

function ties(...matches: (Partial<MatchSettings> & { path: string })[]): string[] {
  return findRouteTies(matches.map((match, index) => routeSettings(`r${index}`, match))).map(
    ({ a, b }) => `${a} ${b}`,
  )
}

describe('two routes tie', () => {
  it('with one path and no methods, or a method in common', () => {
    expect(ties({ path: '/a' }, { path: '/a', methods: ['GET'] })).toEqual(['r0 r1'])
    expect(ties({ path: '/a', methods: ['GET', 'PUT'] }, { path: '/a', methods: ['PUT'] })).toEqual(['r0 r1'])
  })

  it('though their parameters have other names, and however path and host are spelled', () => {
    expect(ties({ path: '/a/:id' }, { path: '/a/:name' })).toEqual(['r0 r1'])
    expect(ties({ path: '/%7ea' }, { path: '/~a' })).toEqual(['r0 r1'])
    expect(ties({ path: '/a', host: 'A.example:80' }, { path: '/a', host: 'a.example' })).toEqual(['r0 r1'])
  })

  it('with equally many conditions that can hold together', () => {
    expect(ties({ path: '/a', headers: { x: '1' } }, { path: '/a', headers: { y: '1' } })).toEqual(['r0 r1'])
    expect(ties({ path: '/a', headers: { x: '1' } }, { path: '/a', query: { x: '2' } })).toEqual(['r0 r1'])
    expect(ties({ path: '/a', headers: { X: '1' } }, { path: '/a', headers: { x: '1' } })).toEqual(['r0 r1'])
    const first = { path: '/a', headers: { x: '1', y: '1' } }
    expect(ties(first, { path: '/a', headers: { y: '1', z: '1' } })).toEqual(['r0 r1'])
  })

  it('and each pair is named, in the order of the file, with the reason', () => {
    expect(ties({ path: '/a' }, { path: '/a' }, { path: '/b' }, { path: '/a' })).toEqual([
      'r0 r1',
      'r0 r3',
      'r1 r3',
    ])
    expect(
      findRouteTies([routeSettings('x', { path: '/a/:b' }), routeSettings('y', { path: '/a/:c' })]),
    ).toEqual([
      {
        a: 'x',
        b: 'y',
        why: 'paths that match alike, a method in common and no condition on a header or parameter: nothing decides between them',
      },
    ])
  })
})

describe('two routes do not tie', () => {
  it('when path, host or method keep them apart', () => {
    expect(ties({ path: '/a' }, { path: '/a/' }, { path: '/a', host: 'h' }, { path: '/:a' })).toEqual([])
    expect(ties({ path: '/a', host: '*.h' }, { path: '/a', host: 'a.h' })).toEqual([])
    expect(ties({ path: '/a', methods: ['GET'] }, { path: '/a', methods: ['HEAD'] })).toEqual([])
  })

  it('when one has more conditions, or they ask different values of one name', () => {
    expect(ties({ path: '/a' }, { path: '/a', headers: { x: '1' } })).toEqual([])
    expect(ties({ path: '/a', headers: { x: '1' } }, { path: '/a', headers: { x: '2' } })).toEqual([])
    const first = { path: '/a', headers: { x: '1', y: '1' } }
    expect(ties(first, { path: '/a', headers: { y: '2' }, query: { z: '1' } })).toEqual([])
  })
})

describe('the search for ties', () => {
  it('stays quick for thousands of routes told apart by one header, and stops counting copies', () => {
    const tenants = Array.from({ length: 5000 }, (_, index) =>
      routeSettings(`t${index}`, { path: '/a', headers: { 'x-tenant': String(index) } }),
    )
    expect(findRouteTies(tenants)).toEqual([])
    const copies = Array.from({ length: 5000 }, (_, index) => routeSettings(`c${index}`, { path: '/a' }))
    expect(findRouteTies(copies)).toHaveLength(100)
  })
})

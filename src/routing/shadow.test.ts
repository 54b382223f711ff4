import { describe, expect, it } from 'vitest'
import { routeSettings } from '../../test/support/route-settings.ts'
import type { MatchSettings } from '../configuration.ts'
import { findShadowedRoutes } from './shadow.ts'

function shadows(matches: Record<string, Partial<MatchSettings> & { path: string }>): string[] {
  const routes = Object.entries(matches).map(([id, match]) => routeSettings(id, match))
  return findShadowedRoutes(routes).map(({ route, by, extent }) => `${route} ${extent} by ${by.join('+')}`)
}

describe('a route that is not reached', () => {
  it('lies under the own paths of the gateway', () => {
    expect(shadows({ own: { path: '/.portcullis/x' }, bare: { path: '/.portcullis' } })).toEqual([
      'own wholly by ',
      'bare wholly by ',
    ])
    expect(shadows({ other: { path: '/.portcullis-x' }, all: { path: '/*' } })).toEqual([])
  })

  it('is used up by patterns that leave it no path', () => {
    const covered = { all: { path: '/a/*' }, root: { path: '/a/' }, one: { path: '/a/:x' } }
    expect(shadows(covered)).toEqual([])
    expect(shadows({ ...covered, below: { path: '/a/:x/*' } })).toEqual(['all wholly by root+one+below'])
    expect(
      shadows({
        ...covered,
        deepRoot: { path: '/a/:x/' },
        deepOne: { path: '/a/:x/:y' },
        deepBelow: { path: '/a/:x/:y/*' },
      }),
    ).toEqual(['all wholly by root+one+deepRoot+deepOne+deepBelow'])
  })

  it('loses requests to a narrower pattern that lacks its method', () => {
    expect(
      shadows({ read: { path: '/a/*', methods: ['GET'] }, write: { path: '/a/b', methods: ['POST'] } }),
    ).toEqual(['read partly by write'])
    const item = { get: { path: '/a/:id', methods: ['GET'] }, put: { path: '/a/:x', methods: ['PUT'] } }
    expect(shadows({ ...item, wide: { path: '/a/*', methods: ['GET', 'PUT'] } })).toEqual([])
    expect(shadows({ ...item, wide: { path: '/a/*', methods: ['DELETE'] } })).toEqual([
      'wide partly by get+put',
    ])
  })

  it('is not one that takes every method, nor one whose paths or host differ', () => {
    expect(shadows({ net: { path: '/*' }, write: { path: '/a', methods: ['POST'] } })).toEqual([])
    expect(
      shadows({
        read: { path: '/a/:id', methods: ['GET'] },
        write: { path: '/a/', methods: ['POST'] },
        deep: { path: '/a/b/c', methods: ['POST'] },
        host: { path: '/a/b', host: 'h', methods: ['POST'] },
      }),
    ).toEqual([])
  })
})

import { array, assert as check, constantFrom, property, tuple, uniqueArray } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../test/support/gateway-request.ts'
import { routeSettings } from '../../test/support/route-settings.ts'
import type { MatchSettings } from '../configuration.ts'
import { compileRoutes, type RouteTable } from './table.ts'

type Matches = Record<string, Partial<MatchSettings> & { path: string }>

function table(matches: Matches): RouteTable {
  return compileRoutes(Object.entries(matches).map(([id, match]) => routeSettings(id, match)))
}

/** The id of the route, or the refusal in a word or two. */
function found(routes: RouteTable, parts: RequestParts): string {
  const match = routes.match(gatewayRequest(parts))
  if (!('code' in match)) return match.route.id
  return match.allow === undefined ? match.code : `${match.code} ${match.allow.join(',')}`
}

describe('a path', () => {
  const routes = table({
    root: { path: '/' },
    exact: { path: '/catalog' },
    below: { path: '/catalog/*' },
    item: { path: '/catalog/:id' },
    slash: { path: '/catalog/items/' },
    items: { path: '/catalog/items' },
    price: { path: '/catalog/:id/price' },
    new: { path: '/catalog/new/*' },
  })

  it.each([
    ['/', 'root'],
    ['/catalog', 'exact'],
    ['/catalog/', 'below'],
    ['/catalog/7', 'item'],
    ['/catalog/items', 'items'],
    ['/catalog/items/', 'slash'],
    ['/catalog/7/', 'below'],
    ['/catalog/7/price', 'price'],
    ['/catalog/7/price/', 'below'],
    ['/catalog/new', 'item'],
    ['/catalog/new/', 'new'],
    ['/catalog/new/price', 'new'],
    ['/catalog/new%2Fprice', 'item'],
    ['/catalog/a/b/c/d', 'below'],
    ['/Catalog', 'route_not_found'],
    ['/other', 'route_not_found'],
  ])('%s is for %s', (path, id) => {
    expect(found(routes, { path })).toBe(id)
  })

  it('goes back to a wider pattern only where the narrower one does not match at all', () => {
    const deep = table({ a: { path: '/a/b/c' }, b: { path: '/a/:x/d' }, c: { path: '/:y/*' } })
    expect(found(deep, { path: '/a/b/c' })).toBe('a')
    expect(found(deep, { path: '/a/b/d' })).toBe('b')
    expect(found(deep, { path: '/a/b/e' })).toBe('c')
  })

  it('that nobody could send is an error when the routes are compiled', () => {
    expect(() => table({ bad: { path: '/a/*/b' } })).toThrow(
      'route "bad": `*` stands only for the last segment',
    )
  })
})

describe('a host', () => {
  const routes = table({
    exact: { path: '/a/*', host: 'API.example.com:8443' },
    exactPost: { path: '/post', host: 'api.example.com', methods: ['POST'] },
    wide: { path: '/*', host: '*.example.com', methods: ['GET', 'POST'] },
    any: { path: '/a/b' },
    anyPost: { path: '/post' },
  })

  it.each([
    ['api.example.com', '/a/b', 'exact'],
    ['api.example.com', '/b', 'wide'],
    ['api.example.com', '/post', 'method_not_allowed POST'],
    ['www.example.com', '/a/b', 'wide'],
    ['example.com', '/a/b', 'any'],
    ['x.www.example.com', '/a/b', 'any'],
    ['.example.com', '/a/b', 'any'],
    ['*.example.com', '/x', 'wide'],
    ['other', '/x', 'route_not_found'],
    ['', '/a/b', 'any'],
  ])('%s with %s is for %s', (host, path, id) => {
    expect(found(routes, { host, path })).toBe(id)
  })
})

describe('the chosen pattern decides alone', () => {
  const routes = table({
    read: { path: '/items/:id', methods: ['GET', 'HEAD'] },
    write: { path: '/items/:name', methods: ['PUT'] },
    rest: { path: '/items/*' },
    beta: { path: '/beta', headers: { 'X-Beta': 'yes' } },
    all: { path: '/*' },
    get: { path: '/get', methods: ['GET'] },
  })

  it('refuses a method that its routes lack, naming all that they have, though a wider pattern takes it', () => {
    expect(found(routes, { path: '/items/7', method: 'DELETE' })).toBe('method_not_allowed GET,HEAD,PUT')
    expect(found(routes, { path: '/items/7', method: 'PUT' })).toBe('write')
  })

  it('is not found when only a field or parameter fails', () => {
    expect(found(routes, { path: '/beta' })).toBe('route_not_found')
    expect(found(routes, { path: '/beta', headers: { 'x-beta': 'yes' } })).toBe('beta')
  })

  it('takes HEAD only where it is named, and methods by their exact case', () => {
    expect(found(routes, { path: '/get', method: 'HEAD' })).toBe('method_not_allowed GET')
    expect(found(routes, { path: '/get', method: 'get' })).toBe('method_not_allowed GET')
  })
})

describe('conditions on fields and parameters', () => {
  const routes = table({
    plain: { path: '/x' },
    header: { path: '/x', headers: { 'X-Tier': 'gold' } },
    both: { path: '/x', headers: { 'x-tier': 'gold' }, query: { 'a b': 'c&d' } },
    query: { path: '/y', query: { v: '' } },
  })

  it('win by their number', () => {
    expect(found(routes, { path: '/x' })).toBe('plain')
    expect(found(routes, { path: '/x', headers: { 'x-tier': 'gold' } })).toBe('header')
    expect(found(routes, { path: '/x', headers: { 'x-tier': 'gold' }, query: 'a+b=c%26d&e' })).toBe('both')
    expect(found(routes, { path: '/x', headers: { 'x-tier': 'gold' }, query: '%61%20b=%63%26d' })).toBe(
      'both',
    )
  })

  it('are met by no repeated field or parameter, however it is spelled', () => {
    expect(found(routes, { path: '/x', headers: { 'x-tier': ['gold', 'gold'] } })).toBe('plain')
    const twice = { path: '/x', headers: { 'x-tier': 'gold' }, query: 'a+b=c%26d&a%20b=x' }
    expect(found(routes, twice)).toBe('header')
  })

  it('compare the exact value', () => {
    expect(found(routes, { path: '/x', headers: { 'x-tier': 'Gold' } })).toBe('plain')
    expect(found(routes, { path: '/y', query: 'v' })).toBe('query')
    expect(found(routes, { path: '/y', query: 'v=' })).toBe('query')
    expect(found(routes, { path: '/y', query: 'v=1' })).toBe('route_not_found')
    expect(found(routes, { path: '/y', query: 'V=' })).toBe('route_not_found')
  })
})

/** The rule of the contract, as plainly as it can be said. */
function chosenBySearch(patterns: readonly string[], path: string): string | undefined {
  const rank = (pattern: string): string =>
    pattern
      .slice(1)
      .split('/')
      .map((it) => (it === '*' ? '2' : it.startsWith(':') ? '1' : '0'))
      .join('')
  const matches = patterns.filter((pattern) => {
    const source = pattern
      .split('/')
      .map((it) => (it === '*' ? '.*' : it.startsWith(':') ? '[^/]+' : it))
      .join('/')
    return new RegExp(`^${source}$`).test(path)
  })
  return matches.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]
}

describe('any set of patterns', () => {
  it('is searched as if each pattern were tried and the most specific taken', () => {
    const segment = constantFrom('a', 'b', ':x')
    const pattern = tuple(array(segment, { maxLength: 3 }), constantFrom('', '/', '/*')).map(
      ([segments, tail]) => {
        const named = segments.map((it, index) => (it === ':x' ? `:x${index}` : it))
        return named.length === 0 ? tail || '/' : `/${named.join('/')}${tail}`
      },
    )
    const path = tuple(array(constantFrom('a', 'b', 'c'), { maxLength: 4 }), constantFrom('', '/')).map(
      ([segments, tail]) => (segments.length === 0 ? '/' : `/${segments.join('/')}${tail}`),
    )
    check(
      property(uniqueArray(pattern, { maxLength: 12 }), path, (patterns, path) => {
        const routes = compileRoutes(patterns.map((it) => routeSettings(it, { path: it })))
        expect(found(routes, { path })).toBe(chosenBySearch(patterns, path) ?? 'route_not_found')
      }),
      { numRuns: 3000 },
    )
  })
})

describe('ten thousand routes', () => {
  it('cost a request hardly more than ten', () => {
    const perLookUp = (count: number): number => {
      const routes = compileRoutes(
        Array.from({ length: count }, (_, index) =>
          routeSettings(`r${index}`, { path: `/v1/service${index}/:id/parts/*`, methods: ['GET'] }),
        ),
      )
      const requests = Array.from({ length: 10 }, (_, index) =>
        gatewayRequest({ path: `/v1/service${Math.floor((index * count) / 10)}/7/parts/x` }),
      )
      let best = Infinity
      for (let round = 0; round < 15; round += 1) {
        const start = performance.now()
        for (let index = 0; index < 20_000; index += 1) routes.match(requests[index % 10]!)
        best = Math.min(best, performance.now() - start)
      }
      return best
    }
    perLookUp(10)
    expect(perLookUp(10_000) / perLookUp(10)).toBeLessThan(4)
  })
})

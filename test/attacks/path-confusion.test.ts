/** Two readings of one path: the gateway guards `/admin`, and the attacker wants a backend to see `/admin` where the gateway saw something else. */
import { array, assert as check, constantFrom, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeTarget, type TargetOptions } from '../../src/routing/normalize.ts'
import { compileRoutes } from '../../src/routing/table.ts'
import { gatewayRequest } from '../support/gateway-request.ts'
import { routeSettings } from '../support/route-settings.ts'

const table = compileRoutes([
  routeSettings('public', { path: '/public/*' }),
  routeSettings('root', { path: '/*' }),
  routeSettings('admin', { path: '/admin/*' }),
  routeSettings('admin-root', { path: '/admin' }),
])

const strict: TargetOptions = { encodedSlashes: 'refuse', pathParameters: 'refuse' }

/** Which route a target is for, and the path that its upstream sees. */
function outcome(target: string, options = strict): { route: string; path: string } | 'refused' {
  const normal = normalizeTarget(target, options)
  if ('code' in normal) return 'refused'
  const match = table.match(gatewayRequest({ path: normal.path }))
  return 'code' in match ? 'refused' : { route: match.route.id, path: normal.path }
}

/** Backends, as they read a path: each does what some server or framework is known to do. */
const readers: Readonly<Record<string, (path: string) => string>> = {
  'takes it as it is': (path) => path,
  'decodes, then resolves dots': (path) => resolve(decodeURIComponentLeniently(path)),
  'resolves dots, then decodes': (path) => decodeURIComponentLeniently(resolve(path)),
  'cuts parameters off, then decodes and resolves': (path) =>
    resolve(decodeURIComponentLeniently(path.replaceAll(/;[^/]*/g, ''))),
  'takes a backslash for a slash': (path) => resolve(decodeURIComponentLeniently(path).replaceAll('\\', '/')),
  'ends at a NUL': (path) => resolve(decodeURIComponentLeniently(path).replace(/\0.*/s, '')),
}

function decodeURIComponentLeniently(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  )
}

function resolve(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function isAdmin(path: string): boolean {
  return path === '/admin' || path.startsWith('/admin/')
}

describe('a path that means two things', () => {
  it.each([
    '/public/..%2fadmin/users',
    '/public/..%2Fadmin/users',
    '/public/%2e%2e%2fadmin/users',
    '/public/..%5cadmin/users',
    '/public/..\\admin/users',
    '/public/..;/admin/users',
    '/public/..;x=1/admin/users',
    '/public/%2e%2e;/admin/users',
    '/public;/../admin/users',
    '/.;/admin/users',
    '/;/admin/users',
    '/admin;/users',
    '/admin%00/users',
    '/../admin/users',
    '/public/../../admin/users',
    '/%2e%2e/admin/users',
    '/public/%zz/../admin',
    '/admin/users#/../public',
  ])('%s is refused', (target) => {
    expect(outcome(target)).toBe('refused')
  })

  it.each([
    ['/public/../admin/users', '/admin/users'],
    ['/public/%2e%2e/admin/users', '/admin/users'],
    ['/public/.%2E/admin/users', '/admin/users'],
    ['//admin//users', '/admin/users'],
    ['/./admin/./users', '/admin/users'],
    ['/%61dmin/users', '/admin/users'],
    ['/%61%64%6D%69%6E/users', '/admin/users'],
    ['/public/.//../admin/users', '/admin/users'],
  ])('%s is for the guarded route, and the backend sees %s', (target, path) => {
    expect(outcome(target)).toEqual({ route: 'admin', path })
  })

  it.each([
    ['/public/%252e%252e/admin', 'public'],
    ['/public/%252e%252e%252fadmin', 'public'],
    ['/public/%c0%ae%c0%ae/admin', 'public'],
    ['/public/%e0%80%ae%e0%80%ae/admin', 'public'],
    ['/public/%u002e%u002e/admin', 'refused'],
    ['/admin%20', 'root'],
    ['/admin%09', 'root'],
    ['/admin.', 'root'],
    ['/ADMIN/users', 'root'],
    ['/public/...//admin', 'public'],
  ])('%s is decoded no further than once, and goes to %s unchanged in meaning', (target, route) => {
    const result = outcome(target)
    expect(result === 'refused' ? result : result.route).toBe(route)
    expect(result === 'refused' || !result.path.split('/').includes('..')).toBe(true)
  })
})

describe('whatever is sent', () => {
  const piece = constantFrom(
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    '%00',
    ';',
    ';x=',
    '%3b',
    '%20',
    'admin',
    'ADMIN',
    '%61dmin',
    'adm%69n',
    'public',
    'x',
    '%25',
    '%2561',
    '%c0%ae',
  )
  const target = array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

  it('no backend sees the guarded path where the gateway saw another', () => {
    check(
      property(target, (target) => {
        const result = outcome(target)
        if (result === 'refused') return
        for (const [reader, read] of Object.entries(readers)) {
          const wentThrough = isAdmin(read(result.path)) && !result.route.startsWith('admin')
          expect([target, reader, wentThrough]).toEqual([target, reader, false])
        }
      }),
      { numRuns: 6000 },
    )
  })

  it('nor where encoded slashes and parameters are kept, by a backend that keeps them too', () => {
    check(
      property(target, (target) => {
        const result = outcome(target, { encodedSlashes: 'keep', pathParameters: 'keep' })
        if (result === 'refused') return
        // Such a backend still resolves dots: none may be left for it, not even behind a kept slash or before a parameter.
        const segments = result.path.split(/\/|%2F/).map((segment) => segment.replace(/;.*/, ''))
        expect(segments.filter((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))).toEqual([])
      }),
      { numRuns: 6000 },
    )
  })
})

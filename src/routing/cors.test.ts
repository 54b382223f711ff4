import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../test/support/gateway-request.ts'
import { routeSettings } from '../../test/support/route-settings.ts'
import type { CorsSettings } from '../configuration.ts'
import { corsFields, isCorsField, preflightAnswer } from './cors.ts'
import { compileRoutes } from './table.ts'

const cors: CorsSettings = {
  origins: ['https://app.example.com'],
  credentials: true,
  headers: ['authorization', 'content-type'],
  expose: ['X-Total'],
  maxAge: 600_000,
}
const shared = [
  'Access-Control-Allow-Origin',
  'https://app.example.com',
  'Access-Control-Allow-Credentials',
  'true',
  'Access-Control-Expose-Headers',
  'WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, X-Request-Id, X-Total',
  'Vary',
  'Origin',
]

describe('the fields of an answer', () => {
  it('let a listed origin read it, credentials and exposed names included', () => {
    expect(corsFields(cors, 'https://app.example.com')).toEqual(shared)
  })

  it('are only Vary for a foreign origin, and for none', () => {
    expect(corsFields(cors, 'https://evil.example')).toEqual(['Vary', 'Origin'])
    expect(corsFields(cors, undefined)).toEqual(['Vary', 'Origin'])
  })

  it('allow any origin by a star, without credentials', () => {
    const open = { ...cors, origins: ['*'], credentials: false, expose: [] }
    expect(corsFields(open, 'https://anyone.example').slice(0, 2)).toEqual([
      'Access-Control-Allow-Origin',
      '*',
    ])
    expect(corsFields(open, 'https://anyone.example')).not.toContain('Access-Control-Allow-Credentials')
    expect(corsFields({ ...cors, origins: ['*'] }, 'https://anyone.example')).toEqual(['Vary', 'Origin'])
  })

  it('take origins as people write them', () => {
    const written = { ...cors, origins: ['HTTPS://App.Example.com:443/', 'http://localhost:80', 'app://x'] }
    for (const origin of ['https://app.example.com', 'http://localhost', 'app://x']) {
      expect(corsFields(written, origin)[1]).toBe(origin)
    }
  })

  it('replace whatever an upstream says of sharing', () => {
    expect(isCorsField('ACCESS-Control-Allow-Origin')).toBe(true)
    expect(isCorsField('Access-Control')).toBe(false)
  })
})

describe('a preflight', () => {
  const table = compileRoutes([
    routeSettings('read', { path: '/items', methods: ['GET'] }, { cors }),
    routeSettings('write', { path: '/items', methods: ['POST', 'PUT'] }),
    routeSettings('beta', { path: '/items', methods: ['POST'], headers: { 'x-beta': '1' } }, { cors }),
    routeSettings('two', { path: '/q', methods: ['PATCH'], query: { v: '2' } }, { cors }),
    routeSettings('all', { path: '/all' }, { cors: { ...cors, headers: [] } }),
    routeSettings('none', { path: '/none' }),
  ])
  const ask = (parts: RequestParts, method = 'GET', origin: string | string[] = 'https://app.example.com') =>
    preflightAnswer(
      table,
      gatewayRequest({
        method: 'OPTIONS',
        ...parts,
        headers: { origin, 'access-control-request-method': method, ...parts.headers },
      }),
    )

  it('is answered with 204, the methods of the pattern, and what the route allows', () => {
    const preflight = ask({ path: '/items' })
    expect(preflight?.route.id).toBe('read')
    expect(preflight?.answer).toEqual({
      status: 204,
      body: '',
      fields: [
        ...shared,
        'Access-Control-Allow-Methods',
        'POST, GET, PUT',
        'Access-Control-Allow-Headers',
        'authorization, content-type',
        'Access-Control-Max-Age',
        '600',
      ],
    })
  })

  it('goes to the route of the requested method, hoping for fields that a preflight cannot have', () => {
    expect(ask({ path: '/items' }, 'POST')?.route.id).toBe('beta')
    expect(ask({ path: '/items' }, 'PUT')).toBeUndefined()
    expect(ask({ path: '/items' }, 'DELETE')).toBeUndefined()
  })

  it('is held to the parameters of the address', () => {
    expect(ask({ path: '/q', query: 'v=2' }, 'PATCH')?.route.id).toBe('two')
    expect(ask({ path: '/q', query: 'v=1' }, 'PATCH')).toBeUndefined()
  })

  it('from a foreign origin gets 204 without a word of sharing', () => {
    expect(ask({ path: '/items' }, 'GET', 'https://evil.example')?.answer).toEqual({
      status: 204,
      body: '',
      fields: ['Vary', 'Origin'],
    })
  })

  it('for a route of all methods names the usual ones and the one asked for', () => {
    const fields = ask({ path: '/all' }, 'PROPFIND')?.answer.fields ?? []
    expect(fields[fields.indexOf('Access-Control-Allow-Methods') + 1]).toBe(
      'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND',
    )
    expect(fields).not.toContain('Access-Control-Allow-Headers')
  })

  it('is an ordinary request when it is none, or the route knows nothing of sharing', () => {
    expect(ask({ path: '/none' })).toBeUndefined()
    expect(ask({ path: '/items', method: 'GET' })).toBeUndefined()
    expect(
      ask({ path: '/items' }, 'GET', ['https://app.example.com', 'https://evil.example']),
    ).toBeUndefined()
    const plain = gatewayRequest({
      method: 'OPTIONS',
      path: '/items',
      headers: { origin: 'https://app.example.com' },
    })
    expect(preflightAnswer(table, plain)).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { alice, plan, propagationOf, seen, valuesOf, type Planning } from '../../test/support/planning.ts'
import { routeSettings } from '../../test/support/route-settings.ts'
import type { UpstreamSettings } from '../configuration.ts'
import { openAssertionKeys } from './assertion-keys.ts'

const header = { kind: 'header', name: 'x-api-key' } as const
const bearer = { kind: 'header', name: 'authorization', scheme: 'Bearer' } as const

describe('the identity', () => {
  it('goes in by the default names', () => {
    expect(seen(plan({}, { identity: { ...alice, tenant: 't1' } }))).toEqual([
      'X-Auth-Subject: alice',
      'X-Auth-Issuer: https://idp.example',
      'X-Auth-Client: web',
      'X-Auth-Scopes: catalog:read catalog:list',
      'X-Auth-Roles: viewer,editor',
      'X-Auth-Tenant: t1',
      'X-Auth-Method: corp',
    ])
  })

  it('leaves out what is empty, and scopes that would read as two', () => {
    const { propagation } = propagationOf()
    const bare = {
      ...alice,
      client: '',
      scopes: ['two words', '', 'one'],
      roles: ['', 'a,b'],
      method: 'mtls,corp',
    }
    expect(seen(plan({}, { identity: bare }))).toEqual([
      'X-Auth-Subject: alice',
      'X-Auth-Issuer: https://idp.example',
      'X-Auth-Scopes: one',
      'X-Auth-Roles: a%2Cb',
      'X-Auth-Method: mtls,corp',
    ])
    expect(propagation.droppedScopes(bare)).toEqual(['two words'])
  })

  it('goes by other names, some of them, or none, as the route says', () => {
    expect(seen(plan({ forward: { headers: { subject: 'X-User' } } }, { identity: alice }))).toEqual([
      'X-User: alice',
    ])
    expect(seen(plan({ forward: { headers: false } }, { identity: alice }))).toEqual([])
    expect(
      seen(plan({ forward: { remove: ['x-auth-roles', 'X-Auth-Scopes'] } }, { identity: alice })),
    ).toEqual([
      'X-Auth-Subject: alice',
      'X-Auth-Issuer: https://idp.example',
      'X-Auth-Client: web',
      'X-Auth-Method: corp',
    ])
  })

  it('is nobody where nobody was proven', () => {
    expect(seen(plan({}))).toEqual([])
  })
})

describe('what a client sends', () => {
  it('passes in order and spelling, without hop-by-hop fields and what Connection names', () => {
    const fields = [
      'Accept',
      'a',
      'X-B',
      '1',
      'TE',
      'trailers',
      'Connection',
      'x-gone, Keep-Alive',
      'x-Gone',
      '1',
    ]
    expect(seen(plan({}, { fields: [...fields, 'x-b', '2', 'Expect', '100-continue'] }))).toEqual([
      'Accept: a',
      'X-B: 1',
      'x-b: 2',
    ])
  })

  it('loses what speaks of the caller, and credentials of every authenticator', () => {
    const names = [
      'X-Auth-Anything',
      'X-Portcullis-Status',
      'X-Forwarded-Prefix',
      'X-Real-IP',
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-HTTP-Method',
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'Proxy',
      'SSL-Client-Verify',
      'X-SSL-Client-CN',
      'X-Client-Cert',
      'X-Client-Certificate',
      'Client-Cert',
      'Client-Cert-Chain',
      'X-Forwarded-Client-Cert',
      'Trailer',
      'DPoP',
      'Authorization',
      'X-API-Key',
      'Content-Length',
      'Content_Length',
    ]
    expect(seen(plan({}, { fields: names.flatMap((name) => [name, '1']) }))).toEqual([])
  })

  it('keeps fields that only look alike', () => {
    const fields = [
      'X-Authority',
      '1',
      'X-Auth',
      '1',
      'XAuth-Subject',
      '1',
      'X-Forwarded',
      '1',
      'Client-Certs',
      '1',
    ]
    expect(seen(plan({}, { fields }))).toHaveLength(5)
  })

  it('loses the names that the route itself sets, renames or removes', () => {
    const forward = { headers: { subject: 'X-User' }, set: { 'X-Env': 'prod' }, remove: ['X-Debug'] }
    const fields = ['x_user', 'root', 'X-ENV', 'dev', 'x-debug', '1', 'X-Other', '1']
    expect(seen(plan({ forward }, { fields, identity: alice }))).toEqual([
      'X-Other: 1',
      'X-User: alice',
      'X-Env: prod',
    ])
  })

  it('loses the names by which another route tells the same upstream who is calling', () => {
    const other = routeSettings(
      'other',
      { path: '/o' },
      { forward: { ...routeSettings('x', { path: '/' }).forward, headers: { subject: 'X-User' } } },
    )
    const fields = ['X-User', 'root']
    expect(seen(plan({ routes: [other] }, { fields }))).toEqual([])
    expect(seen(plan({ routes: [{ ...other, upstream: 'else' }] }, { fields }))).toEqual(['X-User: root'])
  })

  it('keeps the exceptions of the route by exact name, but never what the gateway writes', () => {
    const forward = {
      keep: ['X-Real-IP', 'X-Forwarded-Prefix', 'X-Forwarded-For', 'X-Auth-Subject', 'X-API-Key'],
    }
    const fields = ['x-real-ip', '1', 'X_Real_IP', '2', 'X-Forwarded-Prefix', '/a', 'X-Auth-Subject', 'root']
    const sent = {
      fields: [...fields, 'X-Forwarded-For', '6.6.6.6', 'X-Api-Key', 'k', 'X-Request-Id', 'theirs'],
    }
    const forwarded = plan({ forward }, sent)
    expect(seen(forwarded)).toEqual(['x-real-ip: 1', 'X-Forwarded-Prefix: /a', 'X-Api-Key: k'])
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['192.0.2.1'])
    expect(valuesOf(forwarded, 'x-request-id')).toEqual(['request-1'])
  })
})

describe('cookies and parameters', () => {
  it('lose the gateway’s own and the credentials, the rest stays byte by byte', () => {
    const fields = [
      'Cookie',
      'a=1;  b="x"; __Host-portcullis=s; session_token=t;c',
      'cookie',
      'portcullis-login-x=1',
    ]
    expect(seen(plan({}, { fields }))).toEqual(['Cookie: a=1;  b="x";c'])
    expect(plan({}, { query: 'a=%41&api_key=k&b=+&&c' }).target).toBe('/?a=%41&b=+&&c')
    expect(plan({}, { query: 'api_key=k' }).target).toBe('/')
    expect(plan({}, { query: 'api%5Fkey=k&api_key&API-KEY=x&d' }).target).toBe('/?d')
    expect(plan({}, { query: 'a=..//%2e%zz' }).target).toBe('/?a=..//%2e%zz')
    expect(plan({}, { target: '/?' }).target).toBe('/?')
  })
})

describe('credential: keep', () => {
  const keep: Planning = {
    forward: { credential: 'keep', headers: false },
    route: { authenticate: { mode: 'any', authenticators: ['all'] } },
  }
  const fields = [
    'Authorization',
    'Bearer t',
    'X-API-Key',
    'k',
    'X_API_Key',
    'k',
    'DPoP',
    'p',
    'Cookie',
    'session_token=t; portcullis=s; a=1',
  ]
  const query = 'api_key=k&a=1'

  it('passes on the accepted credential and its proof, and no other', () => {
    const byHeader = plan(keep, { fields, query, identity: alice, presented: [header] })
    expect(seen(byHeader)).toEqual(['X-API-Key: k', 'DPoP: p', 'Cookie: a=1'])
    expect(byHeader.target).toBe('/?a=1')
    const byBearer = plan(keep, { fields, query, identity: alice, presented: [bearer] })
    expect(seen(byBearer)).toEqual(['Authorization: Bearer t', 'DPoP: p', 'Cookie: a=1'])
    const byCookie = plan(keep, {
      fields,
      query,
      identity: alice,
      presented: [{ kind: 'cookie', name: 'session_token' }],
    })
    expect(seen(byCookie)).toEqual(['Cookie: session_token=t; a=1'])
    const byQuery = plan(keep, {
      fields,
      query,
      identity: alice,
      presented: [{ kind: 'query', name: 'api_key' }],
    })
    expect(byQuery.target).toBe('/?api_key=k&a=1')
  })

  it('passes on nothing where nothing was accepted, and on a public route Authorization', () => {
    expect(seen(plan(keep, { fields, query }))).toEqual(['Cookie: a=1'])
    expect(seen(plan({ ...keep, route: { authenticate: { mode: 'none' } } }, { fields, query }))).toEqual([
      'Authorization: Bearer t',
      'DPoP: p',
      'Cookie: a=1',
    ])
    expect(seen(plan({ ...keep, forward: { headers: false } }, { fields }))).toEqual(['Cookie: a=1'])
  })

  it('gives way where the route sets the field itself', () => {
    const forward = { ...keep.forward, set: { authorization: 'Basic c2V0' } }
    expect(seen(plan({ ...keep, forward }, { fields, identity: alice, presented: [bearer] }))).toEqual([
      'DPoP: p',
      'Cookie: a=1',
      'authorization: Basic c2V0',
    ])
  })
})

describe('where it came from', () => {
  it('is told anew', () => {
    const fields = [
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Forwarded-Host',
      'evil',
      'Forwarded',
      'for=6.6.6.6',
      'Host',
      'x',
    ]
    const forwarded = plan({}, { fields, port: 8443 })
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['192.0.2.1'])
    expect(valuesOf(forwarded, 'x-forwarded-host')).toEqual(['api.example.com:8443'])
    expect(valuesOf(forwarded, 'x-forwarded-proto')).toEqual(['https'])
    expect(valuesOf(forwarded, 'forwarded')).toEqual([
      'for=192.0.2.1;host="api.example.com:8443";proto=https',
    ])
    expect(valuesOf(forwarded, 'traceparent')).toEqual(['00-trace'])
    expect(valuesOf(forwarded, 'host')).toEqual([])
  })

  it('keeps what trusted proxies wrote from the client on', () => {
    const fields = ['X-Forwarded-For', '6.6.6.6, 203.0.113.9:4711', 'x-forwarded-for', '10.0.0.2']
    const forwarded = plan({}, { fields, peer: '10.0.0.1', clientIp: '203.0.113.9' })
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['203.0.113.9, 10.0.0.2, 10.0.0.1'])
    expect(valuesOf(forwarded, 'forwarded')).toEqual([
      'for=203.0.113.9;host=api.example.com;proto=https, for=10.0.0.2, for=10.0.0.1',
    ])
  })

  it('reads the family that is believed', () => {
    const fields = [
      'Forwarded',
      'for=6.6.6.6, for="[2001:DB8::9]:4711";host="for=1.1.1.1", for=10.0.0.2',
      'X-Forwarded-For',
      '7.7.7.7',
    ]
    const sent = { fields, peer: '10.0.0.1', clientIp: '2001:db8::9' }
    const forwarded = plan({ settings: { forwarded: 'rfc7239' } }, sent)
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['2001:db8::9, 10.0.0.2, 10.0.0.1'])
    expect(valuesOf(forwarded, 'forwarded')[0]).toContain(
      'for="[2001:db8::9]";host=api.example.com;proto=https',
    )
    expect(valuesOf(plan({}, sent), 'x-forwarded-for')).toEqual(['2001:db8::9, 10.0.0.1'])
  })
})

describe('the rest of the plan', () => {
  it('has the rewritten path, the host that the route wants, and the end of the credential', () => {
    const route = { rewrite: { stripPrefix: '/catalog', addPrefix: '/v1' } }
    const forwarded = plan({ route }, { path: '/catalog/items', query: 'a=1', identity: alice })
    expect(forwarded).toMatchObject({
      upstream: 'catalog',
      method: 'GET',
      target: '/v1/items?a=1',
      host: undefined,
      hashKey: undefined,
      deadline: 1_800_000_600_000,
    })
    expect(plan({}).deadline).toBe(Infinity)
    expect(plan({ route: { rewrite: { host: 'preserve' } } }, { port: 81 }).host).toBe('api.example.com:81')
    expect(plan({ route: { rewrite: { host: 'internal' } } }).host).toBe('internal')
  })

  it('hashes by identity, address or field', () => {
    const hashed = (hashOn: string, sent: Parameters<typeof plan>[1]): string | undefined => {
      const catalog = { name: 'catalog', balance: 'hash', hashOn } as unknown as UpstreamSettings
      return plan({ settings: { upstreams: { catalog } } }, sent).hashKey
    }
    expect(hashed('identity', { identity: alice })).toBe('19 https://idp.example alice')
    expect(hashed('identity', {})).toBe('192.0.2.1')
    expect(hashed('address', { identity: alice })).toBe('192.0.2.1')
    expect(hashed('header:X-Tenant', { fields: ['x-tenant', 't'] })).toBe('t')
    expect(hashed('header:X-Tenant', {})).toBe('192.0.2.1')
  })

  it('has an assertion where the route sends one', async () => {
    const values = new Map<string, string>()
    const keys = await openAssertionKeys(
      {
        get: async (name) => values.get(name),
        set: async (name, value) => void values.set(name, value),
        setIfAbsent: async (name, value) => values.get(name) ?? (values.set(name, value), value),
      },
      { clock: { now: () => 1_800_000_000_000 }, rotateEvery: 86_400_000, lifetime: 60_000 },
    )
    const planning: Planning = { forward: { assertion: true }, parts: { keys } }
    const fields = ['X-Portcullis-Assertion', 'forged']
    const [assertion, ...more] = valuesOf(
      plan(planning, { identity: alice, fields }),
      'x-portcullis-assertion',
    )
    expect(more).toEqual([])
    expect(JSON.parse(Buffer.from(assertion!.split('.')[1]!, 'base64url').toString())).toMatchObject({
      iss: 'portcullis',
      aud: 'catalog',
      sub: 'alice',
    })
    expect(valuesOf(plan(planning, { fields }), 'x-portcullis-assertion')).toEqual([])
    expect(propagationOf(planning).propagation.keySet()?.keys).toHaveLength(1)
    expect(propagationOf({ parts: { keys } }).propagation.keySet()).toBeUndefined()
    expect(() => propagationOf({ forward: { assertion: true } })).toThrow('assertions need keys')
  })

  it('names the fields that a Connection field must not', () => {
    const other = {
      ...routeSettings('o', { path: '/o' }),
      forward: { ...routeSettings('x', { path: '/' }).forward, headers: { subject: 'X_User' } },
    }
    const { identityNames } = propagationOf({ routes: [other] }).propagation
    expect(identityNames).toContain('x-user')
    expect(identityNames).toContain('x-auth-subject')
  })
})

describe('a configuration that cannot be carried out', () => {
  it.each([
    [{ set: { Host: 'x' } }, 'route "r": "Host" is written by the gateway or belongs to the connection'],
    [{ set: { Transfer_Encoding: 'x' } }, 'written by the gateway or belongs to the connection'],
    [{ set: { 'X-Forwarded-For': 'x' } }, 'written by the gateway'],
    [{ set: { 'a b': 'x' } }, '"a b" is no name of a header'],
    [{ set: { 'X-A': 'a\r\nX-B: c' } }, 'the value of "X-A" holds what no header may hold'],
    [{ headers: { subject: 'X-User' }, set: { x_user: 'root' } }, '"x_user" is written twice'],
  ])('%j', (forward, words) => {
    expect(() => propagationOf({ forward })).toThrow(words)
  })
})

/** The main path over real sockets: a provider, keys, a backend, and what each of them sees. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

let issuer: TestIssuer
let upstream: TestUpstream
let test: TestGateway
let key: string

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
  test = await startTestGateway(`
version: 1
publicUrl: https://api.example.com
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}" }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example }
  partner-keys: { type: api-key, prefix: ptc }
upstreams:
  items: { targets: ["${upstream.url}"] }
routes:
  - id: read
    match: { path: /items/*, methods: [GET, HEAD] }
    authenticate: [corp-token, partner-keys]
    authorize: { scopes: [items:read] }
    rateLimit: { limit: 1000/1m, key: identity }
    rewrite: { stripPrefix: /items, addPrefix: /v1 }
    upstream: items
  - id: write
    match: { path: /items/*, methods: [POST] }
    authenticate: [corp-token]
    authorize: { roles: [editor] }
    limits: { body: 1KiB }
    upstream: items
  - id: admin
    match: { path: /admin/:what }
    authenticate: [corp-token]
    authorize: { when: 'identity.claims.department == "it" && request.query["sure"] == "yes"' }
    upstream: items
  - id: open
    match: { path: /open/* }
    authenticate: none
    upstream: items
`)
  const made = await test.gateway.keys.create({ owner: 'acme', scopes: ['items:read'] }, 'test')
  key = made.key
})

afterAll(async () => {
  await test.stop()
  await issuer.close()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

async function call(
  path: string,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Response> {
  return fetch(`${test.url}${path}`, { headers, ...init })
}

function bearer(claims: Record<string, unknown> = {}): Record<string, string> {
  return { authorization: `Bearer ${issuer.token({ scope: 'items:read', ...claims })}` }
}

describe('a caller without a credential', () => {
  it('is told what it needs, and nothing reaches the backend', async () => {
    const answer = await call('/items/1')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="portcullis", ApiKey realm="portcullis", in="header", name="x-api-key"',
    )
    const problem = (await answer.json()) as Record<string, unknown>
    expect(problem).toMatchObject({ status: 401, code: 'credential_missing' })
    expect(problem['requestId']).toBe(answer.headers.get('x-request-id'))
    expect(upstream.requests).toEqual([])
  })

  it('may use a public route, without its Authorization reaching the backend', async () => {
    expect((await call('/open/a', { authorization: 'Bearer x' })).status).toBe(200)
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined()
  })
})

describe('a caller with a token', () => {
  it('reaches the backend as an identity, without the credential', async () => {
    const answer = await call('/items/1?x=%2F', bearer({ client_id: 'app', roles: ['viewer'] }))
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('hello\n')
    const [seen] = upstream.requests
    expect(seen).toMatchObject({ method: 'GET', url: '/v1/1?x=%2F' })
    expect(seen?.headers).toMatchObject({
      'x-auth-subject': 'alice',
      'x-auth-issuer': issuer.issuer,
      'x-auth-client': 'app',
      'x-auth-scopes': 'items:read',
      'x-auth-roles': 'viewer',
      'x-auth-method': 'corp-token',
    })
    expect(seen?.headers.authorization).toBeUndefined()
    expect(seen?.headers['x-request-id']).toBe(answer.headers.get('x-request-id'))
  })

  it('comes with an assertion that the published keys prove', async () => {
    await call('/items/1', bearer())
    const assertion = String(upstream.requests[0]?.headers['x-portcullis-assertion'])
    const keys = (await (await call('/.portcullis/jwks.json')).json()) as JSONWebKeySet
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(keys), {
      audience: 'items',
      issuer: 'https://api.example.com',
    })
    expect(decodeProtectedHeader(assertion)).toMatchObject({ typ: 'portcullis+jwt', alg: 'EdDSA' })
    expect(payload).toMatchObject({
      sub: 'alice',
      scope: 'items:read',
      sub_id: { format: 'iss_sub', iss: issuer.issuer, sub: 'alice' },
    })
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(60)
  })

  it('is refused with the scopes that it lacks', async () => {
    const answer = await call('/items/1', bearer({ scope: 'other' }))
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="portcullis", error="insufficient_scope", scope="items:read"',
    )
    expect(await answer.json()).toMatchObject({ code: 'insufficient_scope' })
  })

  it('is refused when it expired, and told so', async () => {
    const now = Math.floor(Date.now() / 1000)
    const answer = await call('/items/1', bearer({ iat: now - 900, exp: now - 300 }))
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'credential_expired' })
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('needs a role where the route says so, and a condition holds or it does not', async () => {
    expect((await call('/items/1', bearer(), { method: 'POST', body: 'x' })).status).toBe(403)
    expect(
      (await call('/items/1', bearer({ roles: ['editor'] }), { method: 'POST', body: 'x' })).status,
    ).toBe(200)
    expect((await call('/admin/x?sure=yes', bearer({ department: 'it' }))).status).toBe(200)
    expect((await call('/admin/x?sure=no', bearer({ department: 'it' }))).status).toBe(403)
    expect((await call('/admin/x', bearer({ department: 'it' }))).status).toBe(403)
    expect((await call('/admin/x?sure=yes', bearer())).status).toBe(403)
  })

  it('is stopped at the body limit before anything is sent on', async () => {
    const answer = await call('/items/1', bearer({ roles: ['editor'] }), {
      method: 'POST',
      body: 'x'.repeat(2000),
    })
    expect(answer.status).toBe(413)
    expect(upstream.requests).toEqual([])
  })
})

describe('a partner with an API key', () => {
  it('is let in as its owner', async () => {
    expect((await call('/items/1', { 'x-api-key': key })).status).toBe(200)
    expect(upstream.requests[0]?.headers).toMatchObject({
      'x-auth-subject': 'acme',
      'x-auth-issuer': 'urn:portcullis:api-key',
      'x-auth-method': 'partner-keys',
    })
    expect(upstream.requests[0]?.headers['x-api-key']).toBeUndefined()
  })

  it('is refused once the key is revoked, at once', async () => {
    const made = await test.gateway.keys.create({ owner: 'short', scopes: ['items:read'] }, 'test')
    expect((await call('/items/1', { 'x-api-key': made.key })).status).toBe(200)
    await test.gateway.keys.revoke(made.id, 'leaked', 'test')
    const answer = await call('/items/1', { 'x-api-key': made.key })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'credential_revoked' })
  })
})

describe('any caller', () => {
  it('with two credentials is refused', async () => {
    const answer = await call('/items/1', { ...bearer(), 'x-api-key': key })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'credential_ambiguous' })
  })

  it('gets 404 for no route and 405 with Allow for another method', async () => {
    expect((await call('/nowhere', bearer())).status).toBe(404)
    const answer = await call('/items/1', bearer(), { method: 'DELETE' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST'])
  })

  it('sees the state of its rate limit', async () => {
    const answer = await call('/items/1', bearer({ sub: 'limited' }))
    expect(answer.headers.get('ratelimit-policy')).toBe('"default";q=1000;w=60')
    expect(answer.headers.get('ratelimit')).toMatch(/^"default";r=999;t=\d+$/)
  })

  it("cannot reach the gateway's own endpoints on a backend", async () => {
    expect((await call('/.portcullis/nothing')).status).toBe(404)
    expect((await call('/.portcullis/livez')).status).toBe(200)
    expect((await call('/.portcullis/readyz')).status).toBe(200)
    expect(upstream.requests).toEqual([])
  })
})

/** How a resource is described to OAuth clients that find their own way (RFC 9728). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatFaults, loadConfiguration } from '../../src/config/load.ts'
import { checksAcrossRooms } from '../../src/gateway/checks.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const wellKnown = '/.well-known/oauth-protected-resource'
let issuer: TestIssuer
let upstream: TestUpstream
let test: TestGateway

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
  test = await startTestGateway(`
version: 1
publicUrl: [https://api.example.com, https://other.example.com]
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}" }
authenticators:
  mcp:
    type: jwt
    provider: corp
    resource: { id: https://api.example.com/mcp, documentation: https://docs.example.com/mcp }
  root:
    type: jwt
    provider: corp
    audience: urn:root
    binding: optional
    resource: { id: https://api.example.com/, scopes: [b, a] }
  other: { type: jwt, provider: corp, audience: urn:other, resource: { id: https://other.example.com/mcp } }
  keys: { type: api-key }
upstreams:
  app: { targets: ["${upstream.url}"] }
routes:
  - { id: mcp, match: { path: /mcp }, authenticate: [keys, mcp], authorize: { scopes: [tools:call, tools:list] }, upstream: app }
  - { id: files, match: { path: /mcp/files }, authenticate: [mcp], authorize: { scopes: [files:read, tools:list] }, upstream: app }
  - { id: step, match: { path: /step }, authenticate: [mcp], authorize: { maxAge: 1s }, upstream: app }
  - { id: root, match: { path: /* }, authenticate: [root], authorize: { scopes: [a, b] }, upstream: app }
  - { id: other, match: { path: /x, host: other.example.com }, authenticate: [other], upstream: app }
  - { id: open, match: { path: /.well-known/* }, authenticate: none, upstream: app }
`)
})

afterAll(async () => {
  await test.stop()
  await issuer.close()
  await upstream.close()
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

async function ask(
  path: string,
  {
    host = 'api.example.com',
    method = 'GET',
    token = '',
    headers = {},
  }: {
    readonly host?: string
    readonly method?: string
    readonly token?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
  const answer = await request(`${test.url}${path}`, {
    method,
    headers: { host, ...authorization, ...headers },
  })
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() }
}

function tokenFor(audience: string, claims: Record<string, unknown> = {}): string {
  return issuer.token({ aud: audience, scope: 'tools:call tools:list files:read a b', ...claims })
}

describe('the description of a resource', () => {
  it('says who gives tokens for it, and the scopes that its routes ask for', async () => {
    const answer = await ask(`${wellKnown}/mcp`)
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    })
    expect(answer.headers['x-request-id']).toBeTruthy()
    expect(JSON.parse(answer.body)).toEqual({
      resource: 'https://api.example.com/mcp',
      authorization_servers: [issuer.issuer],
      scopes_supported: ['files:read', 'tools:call', 'tools:list'],
      bearer_methods_supported: ['header'],
      resource_documentation: 'https://docs.example.com/mcp',
    })
  })

  it('of a root stands where nothing follows, before any route', async () => {
    const answer = await ask(wellKnown)
    expect(JSON.parse(answer.body)).toEqual({
      resource: 'https://api.example.com/',
      authorization_servers: [issuer.issuer],
      scopes_supported: ['a', 'b'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']) as unknown,
    })
    expect(upstream.requests).toEqual([])
    await ask(`${wellKnown}/`)
    await ask(`${wellKnown}/unknown`)
    expect(upstream.requests.map(({ url }) => url)).toEqual([`${wellKnown}/`, `${wellKnown}/unknown`])
    upstream.requests.length = 0
  })

  it('is the one of the host that was asked, where two stand at one path', async () => {
    const answer = await ask(`${wellKnown}/mcp`, { host: 'other.example.com' })
    // No scopes are asked for there: an empty list would not be allowed.
    expect(JSON.parse(answer.body)).toEqual({
      resource: 'https://other.example.com/mcp',
      authorization_servers: [issuer.issuer],
      bearer_methods_supported: ['header'],
    })
    expect((await ask(`${wellKnown}/mcp`, { host: 'third.example.com' })).status).toBe(404)
  })

  it('is there for HEAD and for the preflight of any page', async () => {
    const head = await ask(`${wellKnown}/mcp`, { method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, ''])
    const preflight = await ask(`${wellKnown}/mcp`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*',
      'access-control-allow-methods': 'GET, HEAD',
    })
    const post = await ask(`${wellKnown}/mcp`, { method: 'POST' })
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })
})

describe('a challenge of a described resource', () => {
  const address = `https://api.example.com${wellKnown}`
  const described = `resource_metadata="${address}/mcp"`

  it('says where the description is', async () => {
    const missing = await ask('/mcp')
    expect(missing.status).toBe(401)
    expect(missing.headers['www-authenticate']).toEqual([
      `Bearer realm="portcullis", ${described}`,
      'ApiKey realm="portcullis", in="header", name="x-api-key"',
    ])
    const invalid = await ask('/mcp/files', { token: tokenFor('urn:root') })
    expect(invalid.headers['www-authenticate']).toBe(
      `Bearer realm="portcullis", error="invalid_token", ${described}`,
    )
  })

  it('says it of a scope or a login that is missing, too', async () => {
    const token = tokenFor('https://api.example.com/mcp', { scope: 'tools:list' })
    const scope = await ask('/mcp/files', { token })
    expect(scope.status).toBe(403)
    expect(scope.headers['www-authenticate']).toBe(
      `Bearer realm="portcullis", error="insufficient_scope", scope="files:read tools:list", ${described}`,
    )
    const step = await ask('/step', { token })
    expect(step.headers['www-authenticate']).toContain(described)
  })

  it('says it in each scheme', async () => {
    const missing = await ask('/anything')
    expect(missing.headers['www-authenticate']).toEqual([
      `Bearer realm="portcullis", resource_metadata="${address}"`,
      expect.stringMatching(
        /^DPoP realm="portcullis", algs="[^"]+", resource_metadata="[^"]+protected-resource"$/,
      ),
    ])
  })
})

describe('the identifier of a resource', () => {
  it('is an audience, of a root in both of its forms', async () => {
    expect((await ask('/mcp', { token: tokenFor('https://api.example.com/mcp') })).status).toBe(200)
    for (const audience of ['https://api.example.com', 'https://api.example.com/', 'urn:root']) {
      expect((await ask('/anything', { token: tokenFor(audience) })).status).toBe(200)
    }
  })

  it('is no audience of another resource', async () => {
    for (const audience of [
      'https://api.example.com',
      'https://api.example.com/mcp/',
      'https://other.example.com/mcp',
    ]) {
      expect((await ask('/mcp', { token: tokenFor(audience) })).status).toBe(401)
    }
  })
})

describe('a configuration with resources', () => {
  async function faults(resource: string, more = 'publicUrl: https://api.example.com'): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-resource-'))
    const file = join(folder, 'portcullis.yaml')
    await writeFile(
      file,
      `version: 1
${more}
providers: { corp: { type: oidc, issuer: https://login.example.com }, many: { type: entra, tenant: organizations } }
authenticators: { mcp: { type: jwt, provider: corp, resource: ${resource} } }
upstreams: { app: { targets: ["http://127.0.0.1:1"] } }
defaults: { authorize: { scopes: [a] } }
routes:
  - { id: one, match: { path: /one }, authenticate: { optional: [mcp] }, authorize: { scopes: [b, c] }, upstream: app }
  - { id: two, match: { path: /two }, authenticate: [mcp], upstream: app }
  - { id: open, match: { path: /open }, authenticate: none, authorize: { scopes: [d] }, upstream: app }
`,
    )
    const loaded = await loadConfiguration(file, { env: {}, extraChecks: [checksAcrossRooms] })
    await rm(folder, { recursive: true })
    return loaded.ok ? 'none' : formatFaults(loaded.faults)
  }

  it('is taken where it is true', async () => {
    expect(await faults('{ id: https://api.example.com/mcp }')).toBe('none')
    expect(await faults('{ id: https://api.example.com/mcp, scopes: [c, a, b] }')).toBe('none')
    // On a machine of one's own clients reach it by the address on which it listens.
    expect(await faults('{ id: http://127.0.0.1:8080/mcp }', '')).toBe('none')
  })

  it.each([
    ['fewer scopes', '[a, b]'],
    ['more scopes', '[a, b, c, d]'],
    ['no scopes', '[]'],
  ])('may not publish %s than its routes ask for', async (_what, scopes) => {
    const told = await faults(`{ id: https://api.example.com/mcp, scopes: ${scopes} }`)
    expect(told).toContain('not the scopes that its routes ask for')
    expect(told).toContain('[a, b, c]')
  })

  it('must let clients find the description', async () => {
    const off = 'listeners: [{ address: "0.0.0.0:8080" }]'
    expect(await faults('{ id: https://api.example.com/mcp }', off)).toContain('publicUrl')
    expect(await faults('{ id: https://elsewhere.example/mcp }')).toContain('no `publicUrl` of the gateway')
    expect(await faults('{ id: "https://api.example.com/mcp?x=1" }')).toContain('a query has no place')
    expect(await faults('{ id: https://api.example.com/a/../mcp }')).toContain(
      'read as https://api.example.com/mcp',
    )
    for (const id of [
      'https://API.example.com/mcp',
      'https://api.example.com:443/mcp',
      'https://api.example.com/%6Dcp',
    ]) {
      expect(await faults(`{ id: ${id} }`)).toMatch(/read as|plain form/)
    }
  })
})

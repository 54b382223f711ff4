import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Configuration } from '../configuration.ts'
import { Secret } from '../engine/secret.ts'
import { loadConfiguration, type LoadedConfiguration, type LoadOptions, type LoadResult } from './load.ts'

const smallest = `version: 1
providers:
  corp: { type: oidc, issuer: https://login.example.com }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example.com }
upstreams:
  catalog: { targets: [http://127.0.0.1:7001] }
routes:
  - id: catalog
    match: { path: /catalog/* }
    authenticate: [corp-token]
    upstream: catalog
`

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-load-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(source: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const file = join(folder, `portcullis-${++count}.yaml`)
  await writeFile(file, source)
  return loadConfiguration(file, { env: {}, ...options })
}

async function loaded(source: string, options: Partial<LoadOptions> = {}): Promise<LoadedConfiguration> {
  const result = await load(source, options)
  if (!result.ok) throw new Error(JSON.stringify(result.faults, undefined, 1))
  return result
}

const settingsOf = async (source: string, options: Partial<LoadOptions> = {}): Promise<Configuration> =>
  (await loaded(source, options)).configuration

/** The smallest configuration with more at the top. */
const withTop = (lines: string): string => smallest.replace('version: 1\n', `version: 1\n${lines}\n`)
/** The smallest configuration with more on its route. */
const withRoute = (lines: string): string => `${smallest}${lines.replaceAll(/^/gm, '    ')}\n`

describe('the smallest configuration', () => {
  it('is a dozen lines, and everything else has its default', async () => {
    const { hash, ...configuration } = await settingsOf(smallest)
    expect(smallest.trimEnd().split('\n')).toHaveLength(12)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(configuration).toEqual({
      version: 1,
      publicUrl: [],
      listeners: [
        { host: '127.0.0.1', port: 8080, publicUrl: [], encodedSlashes: 'refuse', pathParameters: 'refuse' },
      ],
      limits: {
        headers: 16 * 1024,
        headerCount: 100,
        body: 10 * 1024 ** 2,
        headersTimeout: 10_000,
        requestTimeout: 60_000,
        idleTimeout: 75_000,
      },
      lockout: { failures: { count: 20, period: 60_000 }, for: 300_000 },
      dataPlane: 'wire',
      workers: 1,
      drainDelay: 0,
      drainTimeout: 30_000,
      trustedProxies: [],
      forwarded: 'x-forwarded',
      admin: { host: '127.0.0.1', port: 9901 },
      store: { path: join(folder, 'portcullis.db') },
      outage: { revocations: { maxStale: 60_000, then: 'refuse' } },
      audit: {
        mode: 'relaxed',
        directory: join(folder, 'audit'),
        key: join(folder, 'audit.key'),
        index: true,
        retain: { size: 10 * 1024 ** 3, age: 400 * 86_400_000 },
        sinks: [],
      },
      assertion: { lifetime: 60_000, rotateEvery: 30 * 86_400_000, perRequest: false },
      providers: {
        corp: {
          name: 'corp',
          type: 'oidc',
          parameters: { issuer: 'https://login.example.com' },
          discovery: true,
          endpoints: {},
          clockSkew: 30_000,
          staleKeys: 86_400_000,
          claims: {},
          allowInsecure: false,
        },
      },
      authenticators: {
        'corp-token': {
          type: 'jwt',
          name: 'corp-token',
          in: [{ kind: 'header', name: 'authorization', scheme: 'Bearer' }],
          provider: 'corp',
          providers: ['corp'],
          fetchesKeys: true,
          audience: ['https://api.example.com'],
          algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'],
          secretEncoding: 'utf8',
          requiredClaims: [],
          binding: { mode: 'none', dpop: { nonce: false, window: 60_000 } },
        },
      },
      upstreams: {
        catalog: {
          name: 'catalog',
          targets: [{ url: 'http://127.0.0.1:7001', weight: 1 }],
          protocol: 'http1',
          balance: 'round-robin',
          timeouts: { connect: 2000, response: 30_000 },
          retries: { attempts: 1 },
        },
      },
      routes: [
        {
          id: 'catalog',
          match: { path: '/catalog/*', headers: {}, query: {} },
          authenticate: { mode: 'any', authenticators: ['corp-token'] },
          rateLimit: [],
          limits: {},
          rewrite: {},
          forward: {
            headers: {
              subject: 'X-Auth-Subject',
              issuer: 'X-Auth-Issuer',
              client: 'X-Auth-Client',
              scopes: 'X-Auth-Scopes',
              roles: 'X-Auth-Roles',
              tenant: 'X-Auth-Tenant',
              method: 'X-Auth-Method',
            },
            assertion: true,
            credential: 'strip',
            set: {},
            remove: [],
            keep: [],
          },
          response: { headers: { set: {}, remove: [] } },
          upstream: 'catalog',
        },
      ],
    })
  })

  it('is the same with every default of this version written out', async () => {
    const spelt =
      withTop(`listeners: [{ address: 127.0.0.1:8080, proxyProtocol: false, encodedSlashes: refuse, pathParameters: refuse, h2c: false }]
limits: { headers: 16KiB, headerCount: 100, body: 10MiB, headersTimeout: 10s, requestTimeout: 60s, idleTimeout: 75s }
lockout: { failures: 20/1m, for: 5m }
dataPlane: wire
workers: 1
drainDelay: 0s
drainTimeout: 30s
trustedProxies: []
forwarded: x-forwarded
admin: { address: 127.0.0.1:9901 }
store: { url: "sqlite:./portcullis.db" }
shared: { url: "memory:", sessions: store }
outage: { revocations: { maxStale: 60s, then: refuse }, sessions: refuse, replay: refuse, counters: local }
audit: { mode: relaxed, directory: ./audit, key: ./audit.key, index: true, retain: { size: 10GiB, age: 400d }, sinks: [] }
assertion: { lifetime: 60s, rotateEvery: 30d, perRequest: false }`)
    const [one, other] = [await settingsOf(smallest), await settingsOf(spelt)]
    expect(other).toEqual(one)
    expect(other.hash).toBe(one.hash)
  })
})

describe('a configuration that uses everything of this version', () => {
  const whole = `version: 1
publicUrl: https://api.example.com/
listeners: [{ address: 0.0.0.0:8080, encodedSlashes: keep }, { address: "[::1]:8081", publicUrl: [https://b.example.com] }]
trustedProxies: [10.0.0.0/8, "::ffff:192.0.2.0/120", 2001:DB8::1]
admin: { address: 127.0.0.1:9901, token: "\${env:PORTCULLIS_ADMIN_TOKEN}" }
audit: { mode: strict, directory: /var/log/portcullis, sinks: [stdout] }
providers:
  corp: { type: oidc, issuer: https://login.example.com, claims: { roles: realm_access.roles, tenant: [https://example.com/tenant, id] } }
  entra: { type: entra, tenant: 11111111-2222-3333-4444-555555555555 }
  pool: { type: cognito, region: eu-central-1, userPoolId: eu-central-1_AbCdEfGhI }
  offline: { type: oidc, issuer: https://offline.example.com, discovery: false, jwks: https://offline.example.com/keys, endpoints: { token: https://offline.example.com/token } }
authenticators:
  partner-keys: { type: api-key, prefix: ptc, maxLifetime: 90d, grace: 24h, pepper: "\${env:PEPPER}", onLeak: revoke }
  eternal-keys: { type: api-key, prefix: old, maxLifetime: none, in: [{ header: X-Old-Key }, { query: key }, { cookie: key }] }
  corp-token: { type: jwt, provider: corp, audience: [https://api.example.com, https://old.example.com], maxLifetime: 1h, binding: none, dpop: { nonce: false, window: 60s } }
  any-token: { type: jwt, provider: entra, audience: any, requireType: at+jwt, requiredClaims: [oid] }
  pool-token: { type: jwt, provider: pool, clients: [2abcdefghijklmnop] }
  shared: { type: jwt, provider: offline, audience: api, algorithms: [HS256], secret: "\${env:SHARED}", secretEncoding: hex }
upstreams:
  catalog:
    targets: [http://127.0.0.1:7001, { url: "http://127.0.0.1:7002/", weight: 2 }]
    protocol: http1
    balance: hash
    hashOn: header:X-Tenant
    health: { path: /healthz?full=1, status: [200-399, 404] }
defaults: { authorize: { scopes: [default] }, rateLimit: { limit: 1000/1m, key: identity }, authenticate: { all: [corp-token, partner-keys] } }
routes:
  - id: catalog-read
    match: { path: /catalog/*, methods: [GET, HEAD], host: "*.Example.com", headers: { X-Version: "2" }, query: { v: "1" } }
    authenticate: [corp-token, partner-keys]
    authorize: { scopes: [catalog:read], roles: [viewer, editor], addresses: [192.0.2.7], claims: { level: 3, "a.b": [x, true] }, acr: mfa, maxAge: 5m, when: identity.tenant == "acme" }
    rateLimit: [{ limit: 100/1m, key: "header:X-Tenant", burst: 5, accuracy: exact }, { limit: 10/1s }]
    limits: { body: 50MiB, requestTimeout: 5m }
    rewrite: { stripPrefix: /catalog, addPrefix: /v1, host: preserve }
    cors: { origins: [https://app.example.com], credentials: true, headers: [authorization], expose: [] }
    forward: { headers: { subject: X-User }, assertion: false, credential: keep, set: { X-Gateway: "yes" }, remove: [X-Debug], keep: [X-Real-IP] }
    response: { headers: { set: { X-Frame-Options: DENY }, remove: [Server] } }
    report: { authenticate: { optional: [any-token] }, authorize: { scopes: [catalog:list] }, rateLimit: { limit: 1/1s } }
    upstream: catalog
  - { id: inherits, match: { path: /inherits }, upstream: catalog }
  - { id: public, match: { path: /a%2Fb }, authenticate: none, authorize: {}, rateLimit: { limit: 5/1s, key: address }, upstream: catalog }
`
  const env = { PORTCULLIS_ADMIN_TOKEN: 'admin-token-value', PEPPER: 'pepper-value', SHARED: 'ab'.repeat(32) }
  let configuration: Configuration

  beforeAll(async () => {
    configuration = await settingsOf(whole, { env })
  })

  it('has its addresses, origins and ranges in one form', () => {
    expect(configuration.publicUrl).toEqual(['https://api.example.com'])
    expect(configuration.listeners.map(({ host, port, publicUrl }) => [host, port, publicUrl])).toEqual([
      ['0.0.0.0', 8080, ['https://api.example.com']],
      ['::1', 8081, ['https://b.example.com']],
    ])
    expect(configuration.trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.0/24', '2001:db8::1/128'])
  })

  it('keeps secrets as secrets', () => {
    const { admin, authenticators } = configuration
    expect(admin.token).toBeInstanceOf(Secret)
    expect(admin.token?.reveal()).toBe('admin-token-value')
    expect(authenticators['partner-keys']).toMatchObject({ pepper: new Secret('pepper-value') })
    expect(JSON.stringify(configuration)).not.toMatch(/admin-token-value|pepper-value|abab/)
  })

  it('tells the engine what each authenticator takes', () => {
    const { authenticators } = configuration
    expect(authenticators['partner-keys']).toMatchObject({
      maxLifetime: 90 * 86_400_000,
      grace: 86_400_000,
      in: [{ kind: 'header', name: 'x-api-key' }],
    })
    expect(authenticators['eternal-keys']).not.toHaveProperty('maxLifetime')
    expect(authenticators['eternal-keys']?.in).toEqual([
      { kind: 'header', name: 'x-old-key' },
      { kind: 'query', name: 'key' },
      { kind: 'cookie', name: 'key' },
    ])
    expect(authenticators['corp-token']).toMatchObject({
      audience: ['https://api.example.com', 'https://old.example.com'],
      maxLifetime: 3_600_000,
    })
    expect(authenticators['any-token']).toMatchObject({
      audience: 'any',
      requireType: 'at+jwt',
      requiredClaims: ['oid'],
    })
    expect(authenticators['pool-token']).not.toHaveProperty('audience')
    expect(authenticators['shared']).toMatchObject({ algorithms: ['HS256'], secretEncoding: 'hex' })
  })

  it('tells the engine where each provider is', () => {
    const { corp, offline, pool } = configuration.providers
    expect(corp?.claims).toEqual({
      roles: ['realm_access', 'roles'],
      tenant: ['https://example.com/tenant', 'id'],
    })
    expect(offline?.endpoints).toEqual({
      jwks: 'https://offline.example.com/keys',
      token: 'https://offline.example.com/token',
    })
    expect(pool?.parameters).toEqual({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbCdEfGhI' })
  })

  it('tells the rooms what its routes want', () => {
    const [read, inherits, open] = configuration.routes
    expect(read).toEqual({
      id: 'catalog-read',
      match: {
        path: '/catalog/*',
        methods: ['GET', 'HEAD'],
        host: '*.example.com',
        headers: { 'x-version': '2' },
        query: { v: '1' },
      },
      authenticate: { mode: 'any', authenticators: ['corp-token', 'partner-keys'] },
      authorize: {
        scopes: ['catalog:read'],
        roles: ['viewer', 'editor'],
        addresses: ['192.0.2.7/32'],
        claims: { level: [3], 'a.b': ['x', true] },
        acr: ['mfa'],
        maxAge: 300_000,
        when: 'identity.tenant == "acme"',
      },
      rateLimit: [
        { limit: { count: 100, period: 60_000 }, key: 'header:x-tenant', burst: 5 },
        { limit: { count: 10, period: 1000 }, key: 'identity', burst: 0 },
      ],
      limits: { body: 50 * 1024 ** 2, requestTimeout: 300_000 },
      rewrite: { stripPrefix: '/catalog', addPrefix: '/v1', host: 'preserve' },
      cors: {
        origins: ['https://app.example.com'],
        credentials: true,
        headers: ['authorization'],
        expose: [],
        maxAge: 600_000,
      },
      forward: {
        headers: { subject: 'X-User' },
        assertion: false,
        credential: 'keep',
        set: { 'X-Gateway': 'yes' },
        remove: ['X-Debug'],
        keep: ['X-Real-IP'],
      },
      response: { headers: { set: { 'X-Frame-Options': 'DENY' }, remove: ['Server'] } },
      report: {
        authenticate: { mode: 'optional', authenticators: ['any-token'] },
        authorize: { scopes: ['catalog:list'] },
        rateLimit: [{ limit: { count: 1, period: 1000 }, key: 'identity', burst: 0 }],
      },
      upstream: 'catalog',
    })
    expect(inherits).toMatchObject({
      authenticate: { mode: 'all', authenticators: ['corp-token', 'partner-keys'] },
      authorize: { scopes: ['default'] },
      rateLimit: [{ limit: { count: 1000, period: 60_000 }, key: 'identity', burst: 0 }],
    })
    expect(open).toMatchObject({
      authenticate: { mode: 'none' },
      authorize: {},
      rateLimit: [{ key: 'address' }],
    })
  })

  it('tells the upstream room about targets and health', () => {
    expect(configuration.upstreams['catalog']).toMatchObject({
      targets: [
        { url: 'http://127.0.0.1:7001', weight: 1 },
        { url: 'http://127.0.0.1:7002', weight: 2 },
      ],
      balance: 'hash',
      hashOn: 'header:x-tenant',
      health: {
        path: '/healthz?full=1',
        interval: 5000,
        timeout: 2000,
        healthy: 1,
        unhealthy: 3,
        status: [
          { from: 200, to: 399 },
          { from: 404, to: 404 },
        ],
      },
    })
  })
})

describe('the hash of a configuration', () => {
  it('stays with another secret, and changes with anything else', async () => {
    const source = withTop('admin: { token: "${env:TOKEN}" }').concat(
      '    forward: { set: { X-Key: "${env:HEADER}" } }\n',
    )
    const first = await settingsOf(source, { env: { TOKEN: 'one', HEADER: 'one' } })
    const other = await settingsOf(source, { env: { TOKEN: 'two', HEADER: 'two' } })
    const changed = await settingsOf(source.replace('/catalog/*', '/catalogue/*'), {
      env: { TOKEN: 'one', HEADER: 'one' },
    })
    expect(other.hash).toBe(first.hash)
    expect(other.routes[0]?.forward.set).toEqual({ 'X-Key': 'two' })
    expect(changed.hash).not.toBe(first.hash)
  })
})

describe('what defaults give to routes', () => {
  it('is the whole key, never a mixture', async () => {
    const source = withTop(
      'defaults: { authorize: { scopes: [a], roles: [b] }, forward: { assertion: false, set: { X-A: "1" } } }',
    ).concat('    authorize: { roles: [c] }\n    forward: {}\n')
    const [route] = (await settingsOf(source)).routes
    expect(route?.authorize).toEqual({ roles: ['c'] })
    expect(route?.forward).toMatchObject({ assertion: true, set: {} })
  })

  it('is not asked for by a route that is public by its own word', async () => {
    const source = withTop('defaults: { authenticate: [corp-token] }').replace(
      '    authenticate: [corp-token]\n',
      '    authenticate: none\n',
    )
    expect((await settingsOf(source)).routes[0]?.authenticate).toEqual({ mode: 'none' })
  })
})

describe('the store', () => {
  it.each([
    ['sqlite:./state/keys.db', () => join(folder, 'state/keys.db')],
    ['sqlite:keys.db', () => join(folder, 'keys.db')],
    ['sqlite:/var/lib/keys.db', () => '/var/lib/keys.db'],
    ['sqlite:///var/lib/keys.db', () => '/var/lib/keys.db'],
    ['sqlite::memory:', () => ':memory:'],
  ])('%s is a file (or memory)', async (url, path) => {
    expect((await settingsOf(withTop(`store: { url: "${url}" }`))).store.path).toBe(path())
  })
})

describe('switching things off', () => {
  it('takes the word off, which is text in YAML 1.2', async () => {
    const configuration = await settingsOf(withTop('audit: off\nlockout: off'))
    expect([configuration.audit, configuration.lockout]).toEqual(['off', 'off'])
  })
})

describe('forms of YAML', () => {
  it('takes JSON, anchors with aliases, and a byte order mark', async () => {
    const asJson = JSON.stringify({
      version: 1,
      providers: { corp: { type: 'google' } },
      authenticators: { 'corp-token': { type: 'jwt', provider: 'corp', audience: 'client-id' } },
      upstreams: { catalog: { targets: ['http://127.0.0.1:7001'] } },
      routes: [{ id: 'a', match: { path: '/a' }, authenticate: ['corp-token'], upstream: 'catalog' }],
    })
    expect((await load(asJson)).ok).toBe(true)
    const aliased = smallest
      .replace('[corp-token]', '&way [corp-token]')
      .concat('  - { id: b, match: { path: /b }, authenticate: *way, upstream: catalog }\n')
    expect((await settingsOf(aliased)).routes[1]?.authenticate).toEqual({
      mode: 'any',
      authenticators: ['corp-token'],
    })
    expect((await load(`\uFEFF${smallest}`)).ok).toBe(true)
  })

  it('knows each key by its line and column', async () => {
    const result = await loaded(smallest)
    expect(result.locate('routes[0].authenticate')).toMatchObject({ line: 11, column: 5 })
    expect(result.locate('providers.corp.issuer')).toMatchObject({ line: 3, column: 23 })
    expect(result.locate('routes[0].authorize.scopes')).toMatchObject({ line: 9, column: 5 })
    expect(result.locate('audit')).toMatchObject({ line: 1, column: 1 })
  })
})

describe('what a configuration depends on', () => {
  it('is named with absolute paths: itself, secrets in files, certificates that are there or not', async () => {
    await writeFile(join(folder, 'token'), 'value\n')
    const result = await load(
      withTop(
        'admin: { token: "${file:./token}" }\nlisteners: [{ address: 127.0.0.1:0, tls: { certificate: ./tls/a.pem, key: ./tls/a.key } }]',
      ),
      { standIns: true },
    )
    expect(result.files).toEqual([
      result.file,
      join(folder, 'token'),
      join(folder, 'tls/a.pem'),
      join(folder, 'tls/a.key'),
    ])
  })

  it('is named even when the configuration has faults, so that their repair is seen', async () => {
    const result = await load(withTop('admin: { token: "${file:./nowhere}" }'))
    expect(result.ok).toBe(false)
    expect(result.files).toEqual([result.file, join(folder, 'nowhere')])
  })
})

describe('checks of other rooms', () => {
  it('are asked once all else is right, and their faults have a place', async () => {
    const complain = () => [{ path: 'routes[0].match', message: 'two routes can both hold' }]
    const result = await load(smallest, { extraChecks: [complain] })
    expect(result.ok ? [] : result.faults).toMatchObject([
      { path: 'routes[0].match', line: 10, column: 5, message: 'two routes can both hold' },
    ])
    const broken = await load(withRoute('nonsense: 1'), { extraChecks: [complain] })
    expect(broken.ok ? [] : broken.faults).toMatchObject([{ message: 'unknown key' }])
  })
})

describe('a file that is not there', () => {
  it('is a fault, not an exception', async () => {
    const result = await loadConfiguration(join(folder, 'nowhere.yaml'), { env: {} })
    expect(result.ok ? [] : result.faults).toMatchObject([{ message: 'the file does not exist', path: '' }])
  })

  it('nor is a folder, or a file of a strange kind, an exception', async () => {
    const asFolder = await loadConfiguration(folder, { env: {} })
    await writeFile(join(folder, 'portcullis.toml'), '')
    const asToml = await loadConfiguration(join(folder, 'portcullis.toml'), { env: {} })
    expect(asFolder.ok ? [] : asFolder.faults).toMatchObject([{ message: 'this is not a file' }])
    expect(asToml.ok ? [] : asToml.faults).toMatchObject([
      { expected: 'a file that ends in .yaml, .yml, .json or .ts' },
    ])
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../load.ts'
import { lint, type Finding, type LintOptions } from './lint.ts'
import { rules } from './registry.ts'

/** Nothing is weak here. */
const sound = `version: 1
providers:
  corp: { type: oidc, issuer: https://login.example.com }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example.com, maxLifetime: 1h }
upstreams:
  catalog: { targets: [http://127.0.0.1:7001] }
routes:
  - id: catalog
    match: { path: /catalog/* }
    authenticate: [corp-token]
    authorize: { scopes: [catalog:read] }
    upstream: catalog
`

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-lint-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function findings(source: string, options: Partial<LintOptions> = {}): Promise<Finding[]> {
  const file = join(folder, `${++count}.yaml`)
  await writeFile(file, source)
  const loaded = await loadConfiguration(file, { env: {}, standIns: true })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults, undefined, 1))
  return lint(loaded, { nodeVersion: 'v26.12.1', ...options })
}

const places = (found: readonly Finding[]): string[] =>
  found.map(({ id, severity, path }) => `${severity} ${id} ${path}`)

const top = (lines: string): string => sound.replace('version: 1\n', `version: 1\n${lines}\n`)
const authenticator = (lines: string): string => sound.replace('upstreams:\n', `${lines}\nupstreams:\n`)
const jwt = (members: string): string => sound.replace('maxLifetime: 1h', members)
const route = (lines: string): string => `${sound}${lines}\n`

describe('a sound configuration', () => {
  it('has no findings', async () => {
    expect(await findings(sound)).toEqual([])
  })
})

describe('the findings', () => {
  it('have ids of their own, in kebab-case, and say what to do', () => {
    const ids = rules.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id, about, fix } of rules) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/)
      expect([about, fix].every((text) => text.endsWith('.'))).toBe(true)
    }
  })

  const cases: readonly (readonly [name: string, source: string, expected: readonly string[]])[] = [
    [
      'a route that any caller passes',
      sound.replace('    authorize: { scopes: [catalog:read] }\n', ''),
      ['warning no-authorize routes[0]'],
    ],
    ['a route that says that any caller is meant', sound.replace('{ scopes: [catalog:read] }', '{}'), []],
    [
      'tokens for anybody',
      sound.replace('audience: https://api.example.com', 'audience: any'),
      ['warning audience-any authenticators.corp-token.audience'],
    ],
    [
      'tokens of any lifetime',
      sound.replace(', maxLifetime: 1h', ''),
      ['warning token-lifetime authenticators.corp-token.maxLifetime'],
    ],
    [
      'tokens that live for two days',
      jwt('maxLifetime: 2d'),
      ['warning token-lifetime authenticators.corp-token.maxLifetime'],
    ],
    ['tokens that live for a day', jwt('maxLifetime: 24h'), []],
    [
      'proofs that are good for an hour',
      jwt('maxLifetime: 1h, binding: dpop, dpop: { window: 1h }'),
      ['warning proof-window authenticators.corp-token.dpop.window'],
    ],
    [
      'proofs for any host',
      jwt('maxLifetime: 1h, binding: optional').replace('1\n', '1\ntrustedProxies: [10.0.0.1]\n'),
      ['warning proof-any-host authenticators.corp-token.binding'],
    ],
    [
      'proofs for one host',
      jwt('maxLifetime: 1h, binding: optional').replace(
        '1\n',
        '1\ntrustedProxies: [10.0.0.1]\npublicUrl: https://api.example.com\n',
      ),
      [],
    ],
    [
      'ID tokens',
      jwt('maxLifetime: 1h, accept: id-token'),
      ['warning id-tokens-accepted authenticators.corp-token.accept'],
    ],
    [
      'a shared secret',
      jwt('maxLifetime: 1h, algorithms: [HS256], secret: "${env:S}"'),
      ['warning hmac-secret authenticators.corp-token.algorithms'],
    ],
    [
      'a secret in the file',
      jwt(`maxLifetime: 1h, algorithms: [HS256], secret: ${'x'.repeat(32)}`),
      [
        'warning hmac-secret authenticators.corp-token.algorithms',
        'warning secret-in-file authenticators.corp-token.secret',
      ],
    ],
    [
      'a provider over plain HTTP',
      sound.replace(
        'issuer: https://login.example.com',
        'issuer: http://login.example.com, allowInsecure: true',
      ),
      ['error provider-plain-http providers.corp.issuer'],
    ],
    [
      'an endpoint over plain HTTP',
      sound.replace(
        'https://login.example.com }',
        'https://login.example.com, endpoints: { jwks: http://login.example.com/keys }, allowInsecure: true }',
      ),
      ['error provider-plain-http providers.corp.endpoints.jwks'],
    ],
    [
      'a provider over plain HTTP on this machine',
      sound.replace('https://login.example.com }', 'http://localhost:8090 }'),
      [],
    ],
    [
      'a clock that may be an hour off',
      sound.replace('https://login.example.com }', 'https://login.example.com, clockSkew: 1h }'),
      ['warning clock-skew providers.corp.clockSkew'],
    ],
    ['no audit', top('audit: off'), ['warning audit-off audit']],
    ['no lockout', top('lockout: off'), ['warning lockout-off lockout']],
    ['a store in memory', top('store: { url: "sqlite::memory:" }'), ['warning store-in-memory store.url']],
    [
      'no news of revocations',
      top('outage: { revocations: { then: allow } }'),
      ['warning revocations-may-be-stale outage.revocations.then'],
    ],
    [
      'keys that live for ever',
      authenticator('  keys: { type: api-key, maxLifetime: none }').replace(
        '[corp-token]\n',
        '[corp-token, keys]\n',
      ),
      ['warning keys-without-expiry authenticators.keys.maxLifetime'],
    ],
    [
      'a key in the query',
      authenticator('  keys: { type: api-key, in: [{ header: x-key }, { query: key }] }').replace(
        '[corp-token]\n',
        '[corp-token, keys]\n',
      ),
      ['warning query-credential authenticators.keys.in[1]'],
    ],
    [
      'an authenticator that no route takes',
      authenticator('  keys: { type: api-key }'),
      ['warning unused-authenticator authenticators.keys'],
    ],
    [
      'an authenticator that is on trial',
      authenticator('  keys: { type: api-key }').concat('    report: { authenticate: [keys] }\n'),
      [],
    ],
    [
      'a provider that nobody uses',
      sound.replace('authenticators:', '  other: { type: google }\nauthenticators:'),
      ['note unused-provider providers.other'],
    ],
    [
      'an upstream that nobody uses',
      sound.replace('routes:', '  other: { targets: [http://127.0.0.1:7002] }\nroutes:'),
      ['note unused-upstream upstreams.other'],
    ],
    [
      'a public route beside a protected one',
      route('  - { id: open, match: { path: /open }, authenticate: none, upstream: catalog }'),
      ['warning public-beside-protected routes[1].upstream'],
    ],
    [
      'a public route that asks for scopes',
      route(
        '  - { id: open, match: { path: /open }, authenticate: none, authorize: { scopes: [a] }, upstream: other }',
      ).replace('routes:', '  other: { targets: [http://127.0.0.1:7002] }\nroutes:'),
      ['error authorize-nobody routes[1].authorize'],
    ],
    [
      'a scope for everything',
      sound.replace('catalog:read]', 'catalog:read, admin, "catalog:*"]'),
      [
        'warning broad-scopes routes[0].authorize.scopes[1]',
        'warning broad-scopes routes[0].authorize.scopes[2]',
      ],
    ],
    [
      'a credential that goes on',
      `${sound}    forward: { credential: keep }\n`,
      ['note credential-kept routes[0].forward.credential'],
    ],
    [
      'a service elsewhere that cannot tell the gateway from others',
      `${sound.replace('http://127.0.0.1:7001', 'http://catalog.internal')}    forward: { assertion: false }\n`,
      ['warning upstream-cannot-tell routes[0].forward'],
    ],
    [
      'a service elsewhere that gets assertions',
      sound.replace('http://127.0.0.1:7001', 'http://catalog.internal'),
      [],
    ],
    [
      'a service elsewhere over TLS',
      `${sound.replace('http://127.0.0.1:7001', 'https://catalog.internal')}    forward: { assertion: false }\n`,
      [],
    ],
    [
      'plain HTTP for everybody',
      top('listeners: [{ address: 0.0.0.0:8080 }]'),
      ['warning listener-plain-http listeners[0]'],
    ],
    [
      'plain HTTP behind a trusted proxy',
      top('listeners: [{ address: 0.0.0.0:8080 }]\ntrustedProxies: [10.0.0.0/8]'),
      [],
    ],
    [
      'TLS that ends in front, at nobody who is trusted',
      top('publicUrl: https://api.example.com'),
      ['warning no-trusted-proxies trustedProxies'],
    ],
    [
      'trust in everybody',
      top('trustedProxies: [10.0.0.0/8, 0.0.0.0/0, "::/0", 128.0.0.0/1]'),
      [
        'error trusts-everybody trustedProxies[1]',
        'error trusts-everybody trustedProxies[2]',
        'error trusts-everybody trustedProxies[3]',
      ],
    ],
    [
      'API keys as the only way in',
      authenticator('  keys: { type: api-key }').concat(
        '  - { id: machines, match: { path: /m }, authenticate: [keys], authorize: { scopes: [m] }, upstream: catalog }\n',
      ),
      ['note api-keys-only routes[1].authenticate'],
    ],
    [
      'API keys as the only way in from pages',
      authenticator('  keys: { type: api-key }').concat(
        '  - { id: pages, match: { path: /p }, authenticate: { all: [keys] }, authorize: { scopes: [p] }, cors: { origins: [https://app.example.com] }, upstream: catalog }\n',
      ),
      ['warning api-keys-only routes[1].authenticate'],
    ],
  ]

  it.each(cases)('see %s', async (_, source, expected) => {
    expect(places(await findings(source))).toEqual(expected)
  })

  it('stand at their key, and in the order of the file', async () => {
    const found = await findings(top('audit: off').replace('maxLifetime: 1h', 'maxLifetime: 2d'))
    expect(found.map(({ id, line, column }) => [id, line, column])).toEqual([
      ['audit-off', 2, 1],
      ['token-lifetime', 6, 79],
    ])
  })

  it('count keys of the store that never expire, and name peers that send forwarding headers', async () => {
    const found = await findings(sound, { keysWithoutExpiry: 3, untrustedForwarders: ['192.0.2.7'] })
    expect(found.map(({ id, message }) => [id, message])).toEqual([
      ['no-trusted-proxies', '192.0.2.7 sent forwarding headers and is not trusted'],
      ['keys-without-expiry', '3 keys in the store never expire'],
    ])
  })

  it('take in what other rooms found', async () => {
    const shadowed = {
      id: 'shadowed-route',
      severity: 'warning',
      path: 'routes[0].match',
      message: 'never reached',
      fix: 'Remove it.',
    } as const
    expect(await findings(sound, { more: [shadowed] })).toMatchObject([{ ...shadowed, line: 10, column: 5 }])
  })

  it.each([
    ['v24.22.0', true],
    ['v24.22.1', false],
    ['v24.30.0', false],
    ['v25.9.9', true],
    ['v26.12.0', true],
    ['v26.12.1', false],
    ['v26.13.0', false],
    ['v22.99.0', true],
    ['v27.0.0', false],
  ])('say of Node %s whether it has known faults: %s', async (nodeVersion, isOld) => {
    expect(places(await findings(sound, { nodeVersion }))).toEqual(isOld ? ['warning node-release '] : [])
  })
})

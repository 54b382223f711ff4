import * as dpop from 'dpop'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Setting {
  readonly server: AuthorizationServer
  readonly upstream: TestUpstream
  readonly gateway: TestGateway
  readonly ask: (token: string, headers?: Record<string, string>) => Promise<Response>
}

interface Changes {
  readonly authenticator?: string
  readonly more?: string
  readonly authenticate?: string
  readonly top?: string
}

function text(issuer: string, upstream: string, changes: Changes = {}): string {
  return `
version: 1
${changes.top ?? ''}
providers: { corp: { type: oidc, issuer: "${issuer}" } }
authenticators:
  opaque: { type: introspection, provider: corp, audience: https://api.example, client: { id: gw, secret: s3cret }${changes.authenticator ?? ''} }
${changes.more ?? ''}
upstreams: { backend: { targets: ["${upstream}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: ${changes.authenticate ?? '[opaque]'}, authorize: { scopes: [catalog:read] }, upstream: backend }
`
}

async function setUp(changes: Changes = {}): Promise<Setting> {
  const server = await startAuthorizationServer()
  const upstream = await startTestUpstream()
  server.secrets = new Set(['s3cret'])
  server.tokens.set('opaque', { sub: 'alice', roles: ['viewer'] })
  const gateway = await startTestGateway(text(server.issuer, upstream.url, changes))
  closers.push(
    () => server.close(),
    () => upstream.close(),
    () => gateway.stop(),
  )
  return {
    server,
    upstream,
    gateway,
    ask: (token, headers = {}) =>
      fetch(`${gateway.url}/x`, {
        headers: { connection: 'close', authorization: `Bearer ${token}`, ...headers },
      }),
  }
}

async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { code: string }
  return `${response.status} ${body.code}`
}

describe('an opaque token', () => {
  it('is looked up, and its caller told to the backend', async () => {
    const { server, upstream, ask } = await setUp()
    const responses = await Promise.all(Array.from({ length: 20 }, () => ask('opaque')))
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect((await ask('opaque')).status).toBe(200)
    expect(server.forms).toHaveLength(1)
    expect(upstream.requests[0]!.headers).toMatchObject({
      'x-auth-subject': 'alice',
      'x-auth-issuer': server.issuer,
      'x-auth-client': 'web',
      'x-auth-scopes': 'catalog:read',
      'x-auth-roles': 'viewer',
      'x-auth-method': 'opaque',
    })
    expect(upstream.requests[0]!.headers).not.toHaveProperty('authorization')
  })

  it('that is not active is 401 as a bearer token, and counts as a guess', async () => {
    const { gateway, ask } = await setUp({ top: 'lockout: { failures: 3/1m, for: 5m }' })
    const first = await ask('wrong-1')
    expect(first.headers.get('www-authenticate')).toBe('Bearer realm="portcullis", error="invalid_token"')
    expect(await codeOf(first)).toBe('401 credential_invalid')
    expect(await codeOf(await ask('wrong-1'))).toBe('401 credential_invalid')
    expect((await ask('opaque')).status).toBe(200)
    await ask('wrong-2')
    await ask('wrong-3')
    expect(await codeOf(await ask('wrong-4'))).toBe('429 locked_out')
    expect((await ask('opaque')).status).toBe(200)
    expect(gateway.lines.join('\n')).not.toContain('wrong-')
  })

  it('of a provider that is away is 503 with when to come back, and old ones serve on where that is written', async () => {
    const { server, gateway, ask } = await setUp({ authenticator: ', cacheFor: 1ms, onUnavailable: stale' })
    expect((await ask('opaque')).status).toBe(200)
    await server.close()
    const refused = await ask('other')
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await codeOf(refused)).toBe('503 provider_unavailable')
    const ready = await fetch(`${gateway.gateway.adminUrl}/.portcullis/readyz`, {
      headers: { connection: 'close' },
    })
    expect(await ready.json()).toMatchObject({ providersAway: ['corp'] })
    expect((await ask('opaque')).status).toBe(200)
  })

  it('is 503 when the provider does not take the gateway for its client', async () => {
    const { server, gateway, ask } = await setUp()
    server.secrets = new Set(['other'])
    expect(await codeOf(await ask('opaque'))).toBe('503 provider_unavailable')
    expect(gateway.lines.join('\n')).toContain('client_refused')
    expect(gateway.lines.join('\n')).not.toContain('s3cret')
  })

  it('survives a rotation of the secret, which the log and the metrics tell', async () => {
    const { server, gateway, ask, upstream } = await setUp()
    await gateway.change(text(server.issuer, upstream.url).replace('secret: s3cret', 'secret: [n3w, s3cret]'))
    expect((await ask('opaque')).status).toBe(200)
    expect(gateway.lines.join('\n')).toContain('takes an older secret of the client')
    const metrics = await (
      await fetch(`${gateway.gateway.adminUrl}/metrics`, { headers: { connection: 'close' } })
    ).text()
    expect(metrics).toMatch(/portcullis_client_secret_old_last_used_seconds\{[^}]*client="gw"[^}]*\} \d+/)
    expect(metrics).toMatch(/portcullis_introspections_total\{[^}]*outcome="active"[^}]*\} 1/)
  })
})

describe('beside others', () => {
  it('a signed token goes to the jwt authenticator of its issuer, and what nobody takes is looked up', async () => {
    const { server, ask } = await setUp({
      more: '  signed: { type: jwt, provider: corp, audience: https://api.example }',
      authenticate: '[opaque, signed]',
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: server.issuer,
      aud: 'https://api.example',
      sub: 'bob',
      iat: now,
      exp: now + 60,
      scope: 'catalog:read',
    }
    expect((await ask(server.sign({ typ: 'at+jwt' }, claims))).status).toBe(200)
    expect(server.forms).toHaveLength(0)
    const foreign = server.sign({ typ: 'at+jwt' }, { ...claims, iss: 'https://other.example' })
    expect(await codeOf(await ask(foreign))).toBe('401 credential_invalid')
    expect(server.forms.map(({ form }) => form.get('token'))).toEqual([foreign])
    const expired = server.sign({ typ: 'at+jwt' }, { ...claims, exp: now - 600, iat: now - 900 })
    expect(await codeOf(await ask(expired))).toBe('401 credential_expired')
    expect(server.forms).toHaveLength(1)
  })

  it('an API key at the same place is a key first, in any form that was imported, and else a token', async () => {
    const { server, gateway, ask } = await setUp({
      more: '  keys: { type: api-key, in: [{ header: authorization, scheme: Bearer }] }',
      authenticate: '[opaque, keys]',
    })
    const { keys } = gateway.gateway
    await keys.import([{ key: 'legacy-key', owner: 'partner', scopes: ['catalog:read'] }], 'test')
    const created = await keys.create({ owner: 'partner', scopes: ['catalog:read'] }, 'test')
    expect((await ask('legacy-key')).status).toBe(200)
    expect((await ask(created.key)).status).toBe(200)
    expect((await ask('opaque')).status).toBe(200)
    expect((await ask('opaque')).status).toBe(200)
    expect(server.forms.map(({ form }) => form.get('token'))).toEqual(['opaque'])
    expect(await codeOf(await ask('ptc_wrong'))).toBe('401 credential_invalid')
    expect(server.forms).toHaveLength(1)
    expect(await codeOf(await ask('unknown'))).toBe('401 credential_invalid')
  })
})

it('what cannot work is a fault of the configuration, told with its place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-introspection-'))
  closers.push(() => rm(folder, { recursive: true }))
  const faults = async (
    authenticators: string,
    provider = '{ type: oidc, issuer: https://login.example.com }',
  ) => {
    const file = join(folder, 'portcullis.yaml')
    await writeFile(
      file,
      `version: 1\nproviders: { corp: ${provider} }\nauthenticators:\n${authenticators}\nupstreams: { b: { targets: ["http://127.0.0.1:1"] } }\n` +
        `routes: [{ id: r, match: { path: /* }, authenticate: [one], upstream: b }]\n`,
    )
    const loaded = await loadConfiguration(file, { env: {} })
    return loaded.ok ? [] : loaded.faults.map(({ path, message }) => `${path}: ${message}`)
  }
  const one = (rest: string): string => `  one: { type: introspection, provider: corp, ${rest} }`
  const good = 'audience: a, client: { id: gw, secret: x }'
  expect(await faults(one(good))).toEqual([])
  expect(await faults(one('client: { id: gw, secret: x }'))).toEqual([
    expect.stringMatching(/one\.audience: nothing says for whom/),
  ])
  expect(
    await faults(
      one(good),
      '{ type: oidc, issuer: https://login.example.com, discovery: false, endpoints: { jwks: "https://login.example.com/jwks" } }',
    ),
  ).toEqual([expect.stringMatching(/corp\.endpoints\.introspection: with `discovery: false`/)])
  expect(await faults(one(good), '{ type: okta, domain: acme.okta.com }')).toEqual([])
  expect(await faults(one(good), '{ type: google }')).toEqual([
    expect.stringMatching(/a provider of type google has no introspection endpoint/),
  ])
  expect(await faults(one('audience: a, client: { id: gw }'))).toEqual([
    expect.stringMatching(/one\.client\.secret: the gateway has nothing to prove/),
  ])
  expect(await faults(one('audience: a, client: { id: gw, method: private_key_jwt, secret: x }'))).toEqual([
    expect.stringMatching(/one\.client\.key: `method: private_key_jwt` needs a private key/),
    expect.stringMatching(/one\.client\.secret: `secret` is not used with/),
  ])
  expect(await faults(one('audience: a, client: { id: gw, method: mtls }'))).toHaveLength(2)
  expect(await faults(one(`${good}, staleFor: 1m`))).toEqual([
    expect.stringMatching(/one\.staleFor: old answers/),
  ])
  expect(await faults(one('audience: [a, any], client: { id: gw, secret: x }'))).toEqual([
    expect.stringMatching(/`any` stands alone/),
  ])
})

describe('a bound token', () => {
  it('passes with a proof of its key, made by a library that nobody here wrote, and not without', async () => {
    const { server, gateway } = await setUp()
    const keys = await dpop.generateKeyPair('ES256')
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))
    server.tokens.set('bound', { cnf: { jkt }, token_type: 'DPoP' })
    const url = `${gateway.url}/x`
    const send = (scheme: string, proof?: string): Promise<Response> =>
      fetch(url, {
        headers: {
          connection: 'close',
          authorization: `${scheme} bound`,
          ...(proof === undefined ? {} : { dpop: proof }),
        },
      })
    const proof = (): Promise<string> => dpop.generateProof(keys, url, 'GET', undefined, 'bound')
    expect((await send('DPoP', await proof())).status).toBe(200)
    expect((await send('Bearer')).status).toBe(401)
    expect((await send('DPoP')).status).toBe(401)
    const thief = await dpop.generateKeyPair('ES256')
    expect((await send('DPoP', await dpop.generateProof(thief, url, 'GET', undefined, 'bound'))).status).toBe(
      401,
    )
    expect(server.forms).toHaveLength(1)
  })
})

import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../test/harness/authorization-server.ts'
import { createAuthority } from '../../test/support/certificates.ts'
import { clientAt, type ClientChanges, type TestClient } from '../../test/support/provider-client.ts'
import { OAuthFailure } from './oauth-failure.ts'
import type { SecretReport } from './client-secrets.ts'

const closers: (() => unknown)[] = []
const how = { accept: 'application/json', maxBytes: 10_000 }

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer()
  closers.push(() => server.close())
  return server
}

function at(issuer: string, changes: ClientChanges = {}): TestClient {
  const made = clientAt(issuer, changes)
  closers.push(() => made.close())
  return made
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'portcullis-client-'))
  closers.push(() => rm(path, { recursive: true, force: true }))
  return path
}

async function faultOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof OAuthFailure ? `${error.fault}: ${error.message}` : 'none'
}

describe('a client with a secret', () => {
  it('proves itself by basic authentication, at the endpoint that the metadata names', async () => {
    const server = await serve()
    server.secrets = new Set(['s:3 crét'])
    const { client } = at(server.issuer, { client: { secrets: ['s:3 crét'] } })
    const answer = await client.post('introspection', { token: 'x' }, how)
    expect(answer.status).toBe(200)
    expect(server.forms[0]).toMatchObject({ path: '/introspect' })
    expect([...server.forms[0]!.form]).toEqual([['token', 'x']])
    expect(server.forms[0]!.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      'accept-encoding': 'identity',
    })
  })

  it('puts it into the form where the provider takes only that, for this endpoint or in general', async () => {
    const server = await serve()
    server.secrets = new Set(['s3cret'])
    server.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
    await at(server.issuer).client.post('introspection', { token: 'x' }, how)
    server.metadata = {
      token_endpoint_auth_methods_supported: ['client_secret_post'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    }
    await at(server.issuer).client.post('introspection', { token: 'x' }, how)
    const [post, basic] = server.forms
    expect(post!.form.get('client_secret')).toBe('s3cret')
    expect(post!.headers.authorization).toBeUndefined()
    expect(basic!.form.get('client_secret')).toBeNull()
    expect(basic!.headers.authorization).toMatch(/^Basic /)
  })

  it('tries the older one while the provider does not know the newest, and says so', async () => {
    const server = await serve()
    server.secrets = new Set(['old'])
    const told: SecretReport[] = []
    const { client } = at(server.issuer, {
      client: { secrets: ['new', 'old'] },
      onSecret: (report) => void told.push(report),
    })
    expect((await client.post('introspection', { token: 'x' }, how)).status).toBe(200)
    expect((await client.post('introspection', { token: 'y' }, how)).status).toBe(200)
    expect(server.forms).toHaveLength(3)
    expect(told.map(({ working }) => working)).toEqual([1, 1])
    server.secrets = new Set(['new'])
    expect((await client.post('introspection', { token: 'z' }, how)).status).toBe(200)
    expect(client.secrets()).toMatchObject({ working: 0 })
    expect(told.map(({ working }) => working)).toEqual([1, 1, 0])
  })

  it('goes as it is to a provider that does not decode it, and stays so', async () => {
    const server = await serve()
    server.misbehave = ({ path, headers }) =>
      path !== '/introspect' || headers.authorization === `Basic ${btoa('gw:a+b/c==')}`
        ? undefined
        : { status: 401, body: {} }
    const { client } = at(server.issuer, { client: { secrets: ['a+b/c=='] } })
    for (let turn = 0; turn < 3; turn += 1)
      expect((await client.post('introspection', { token: 'x' }, how)).status).toBe(200)
    expect(server.forms).toHaveLength(4)
  })

  it('counts a 400 invalid_client as no, and other errors as an answer', async () => {
    const server = await serve()
    const { client } = at(server.issuer, { client: { secrets: ['new', 'old'] } })
    server.misbehave = ({ path }) =>
      path === '/token' ? { status: 400, body: { error: 'invalid_client' } } : undefined
    expect(await faultOf(client.post('token', {}, how))).toMatch(/client_refused.*none of its 2 secrets/)
    expect(server.forms).toHaveLength(2)
    server.misbehave = ({ path }) =>
      path === '/token' ? { status: 400, body: { error: 'invalid_grant' } } : undefined
    expect((await client.post('token', {}, how)).status).toBe(400)
    expect(server.forms).toHaveLength(3)
  })
})

describe('a client with a key', () => {
  it('sends a statement for the issuer, not for the endpoint', async () => {
    const server = await serve()
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const key = join(await folder(), 'key.pem')
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const { client } = at(server.issuer, { client: { method: 'private_key_jwt', key, secrets: [] } })
    await client.post('introspection', { token: 'x' }, how)
    const { form, headers } = server.forms[0]!
    expect(headers.authorization).toBeUndefined()
    const check = jwtVerify(form.get('client_assertion')!, publicKey, {
      audience: server.issuer,
      issuer: 'gw',
    })
    await expect(check).resolves.toBeDefined()
    const elsewhere = at(server.issuer, {
      client: { method: 'private_key_jwt', key, secrets: [], proofAudience: 'urn:token-endpoint' },
    })
    await elsewhere.client.post('introspection', { token: 'x' }, how)
    const other = jwtVerify(server.forms[1]!.form.get('client_assertion')!, publicKey, {
      audience: 'urn:token-endpoint',
    })
    await expect(other).resolves.toBeDefined()
  })

  it('that is gone or useless is a fault of the configuration, told without the key', async () => {
    const server = await serve()
    const path = join(await folder(), 'key.pem')
    const gone = at(server.issuer, { client: { method: 'private_key_jwt', key: path, secrets: [] } })
    expect(await faultOf(gone.client.post('token', {}, how))).toMatch(/^misconfigured: the file/)
    await writeFile(path, 'not a key at all')
    expect(await faultOf(gone.client.post('token', {}, how))).toBe(
      'misconfigured: the private key cannot be read',
    )
  })
})

describe('a client with a certificate', () => {
  it('shows it in the handshake, at the address meant for that', async () => {
    const authority = createAuthority('test')
    const leaf = authority.issue([{ type: 'ip', value: '127.0.0.1' }])
    const server = await startAuthorizationServer({
      tls: {
        cert: leaf.certificate,
        key: leaf.key,
        ca: authority.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      },
    })
    closers.push(() => server.close())
    const own = authority.issue([{ type: 'dns', value: 'gw' }])
    const path = await folder()
    for (const [name, pem] of Object.entries({
      ca: authority.certificate,
      cert: own.certificate,
      key: own.key,
    }))
      await writeFile(join(path, name), pem)
    server.metadata = {
      introspection_endpoint: `${server.issuer}/elsewhere`,
      mtls_endpoint_aliases: { introspection_endpoint: `${server.issuer}/introspect` },
    }
    const { client } = at(server.issuer, {
      client: { method: 'mtls', secrets: [], key: join(path, 'key'), certificate: join(path, 'cert') },
      provider: { ca: join(path, 'ca') },
    })
    expect((await client.post('introspection', { token: 'x' }, how)).status).toBe(200)
    expect(server.forms[0]).toMatchObject({ path: '/introspect', certificate: expect.any(String) })
    expect(server.forms[0]!.form.get('client_id')).toBe('gw')
  })
})

describe('an endpoint', () => {
  it('that is configured works while the metadata is away', async () => {
    const server = await serve()
    server.misbehave = ({ path }) => (path.startsWith('/.well-known') ? { status: 500, body: {} } : undefined)
    const explicit = { provider: { endpoints: { introspection: `${server.issuer}/introspect` } } }
    expect((await at(server.issuer, explicit).client.post('introspection', { token: 'x' }, how)).status).toBe(
      200,
    )
    expect(await faultOf(at(server.issuer).client.post('introspection', {}, how))).toMatch(/^malformed/)
  })

  it('that is named nowhere is a fault of the configuration', async () => {
    const server = await serve()
    const { client } = at(server.issuer, { provider: { discovery: false } })
    expect(await faultOf(client.post('introspection', {}, how))).toBe(
      'misconfigured: provider corp names no introspection endpoint',
    )
  })

  it('that redirects gets nothing sent on', async () => {
    const server = await serve()
    const thief = await serve()
    for (const status of [301, 302, 303, 307, 308]) {
      server.misbehave = ({ path }) =>
        path === '/introspect'
          ? { status, headers: { location: `${thief.issuer}/introspect` }, body: '' }
          : undefined
      expect(await faultOf(at(server.issuer).client.post('introspection', { token: 'x' }, how))).toMatch(
        /unreachable: .*redirects a request with credentials/,
      )
    }
    server.misbehave = ({ path }, url) =>
      path === '/introspect' && !url.includes('again')
        ? { status: 307, headers: { location: '/introspect?again' }, body: '' }
        : undefined
    expect(await faultOf(at(server.issuer).client.post('introspection', { token: 'x' }, how))).toMatch(
      /redirects/,
    )
    expect(thief.forms).toEqual([])
  })

  it.each([
    [500, undefined, 'server_error'],
    [502, undefined, 'unreachable'],
    [503, 7_000, 'unreachable'],
    [429, 7_000, 'unreachable'],
    [404, undefined, 'unreachable'],
  ])('that answers %s is away, for as long as it says', async (status, retryAfter, fault) => {
    const server = await serve()
    server.misbehave = ({ path }) =>
      path === '/token'
        ? { status, headers: retryAfter === undefined ? {} : { 'retry-after': '7' }, body: {} }
        : undefined
    const failure = at(server.issuer).client.post('token', {}, how)
    await expect(failure).rejects.toMatchObject({ fault, retryAfter })
  })

  it('that stalls or sends too much costs a bounded time', async () => {
    const server = await serve()
    server.misbehave = ({ path }) => (path === '/token' ? 'hang' : undefined)
    const began = performance.now()
    expect(await faultOf(at(server.issuer, { timeout: 300 }).client.post('token', {}, how))).toMatch(
      /in time/,
    )
    expect(performance.now() - began).toBeLessThan(2_000)
    server.misbehave = ({ path }) => (path === '/token' ? { body: 'x'.repeat(20_000) } : undefined)
    expect(await faultOf(at(server.issuer).client.post('token', {}, how))).toMatch(/larger than/)
  })

  it('that breaks the connection is asked once more', async () => {
    const server = await serve()
    let breaks = 1
    server.misbehave = ({ path }) => (path === '/token' && (breaks -= 1) >= 0 ? 'reset' : undefined)
    expect((await at(server.issuer).client.post('token', {}, how)).status).toBe(200)
    breaks = 2
    expect(await faultOf(at(server.issuer).client.post('token', {}, how))).toMatch(/cannot be reached/)
  })

  it('keeps its connections, and holds no more than it may', async () => {
    const server = await serve()
    const { client } = at(server.issuer)
    for (let turn = 0; turn < 5; turn += 1) await client.post('token', {}, how)
    expect(server.sockets.size).toBeLessThanOrEqual(2)
    let waiting = 0
    server.misbehave = ({ path }) => {
      if (path !== '/token') return undefined
      waiting += 1
      return 'hang'
    }
    const slow = at(server.issuer, { timeout: 1_000 }).client
    await Promise.all(Array.from({ length: 100 }, () => faultOf(slow.post('token', {}, how))))
    expect(waiting).toBe(32)
  })
})

it('nothing of what was sent or answered is in a message', async () => {
  const server = await serve()
  server.misbehave = ({ path }) =>
    path === '/introspect'
      ? { status: 400, body: { error: 'invalid_client', error_description: 'tok-3n s3cret' } }
      : undefined
  const { client } = at(server.issuer)
  const failure = await faultOf(client.post('introspection', { token: 'tok-3n' }, how))
  expect(failure).toMatch(/^client_refused/)
  expect(failure).not.toMatch(/tok-3n|s3cret/)
  client.close()
  expect(await faultOf(client.post('introspection', { token: 'tok-3n' }, how))).toMatch(/no longer/)
})

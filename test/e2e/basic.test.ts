/** API keys as Basic credentials, as curl and other plain machines send them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatFaults, loadConfiguration } from '../../src/config/load.ts'
import { lint } from '../../src/config/lint/lint.ts'
import type { Weakness } from '../../src/config/lint/rule.ts'
import { checksAcrossRooms } from '../../src/gateway/checks.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const run = promisify(execFile)
let upstream: TestUpstream
let test: TestGateway
let id: string
let key: string

beforeAll(async () => {
  upstream = await startTestUpstream()
  test = await startTestGateway(
    `
version: 1
publicUrl: https://api.example.com
lockout: { failures: 5/1m, for: 5m }
authenticators:
  partner-keys: { type: api-key, prefix: acme, pepper: "\${env:PEPPER}" }
  plain: { type: basic }
upstreams:
  items: { targets: ["${upstream.url}"] }
routes:
  - { id: items, match: { path: /items/* }, authenticate: [partner-keys, plain], authorize: { scopes: [items:read] }, upstream: items }
  - { id: plain, match: { path: /plain/* }, authenticate: [plain], rateLimit: { limit: 1000/1m, key: key }, upstream: items }
  - { id: kept, match: { path: /kept }, authenticate: [plain], forward: { credential: keep }, upstream: items }
`,
    { env: { PEPPER: 'a pepper' } },
  )
  const made = await test.gateway.keys.create({ owner: 'acme', scopes: ['items:read'] }, 'test')
  id = made.id
  key = made.key
})

afterAll(async () => {
  await test.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

async function call(path: string, headers: Record<string, string>, method = 'GET'): Promise<Response> {
  return fetch(`${test.url}${path}`, { method, headers: { host: 'api.example.com', ...headers } })
}

describe('an API key as Basic credential', () => {
  it('lets curl in, and its backend learns no more than of any other key', async () => {
    const { stdout } = await run('curl', ['-sS', '-u', `${id}:${key}`, `${test.url}/items/1`])
    expect(stdout).toBe('hello\n')
    const { headers } = upstream.requests[0]!
    expect(headers).toMatchObject({
      'x-auth-subject': 'acme',
      'x-auth-issuer': 'urn:portcullis:api-key',
      'x-auth-scopes': 'items:read',
      'x-auth-method': 'plain',
    })
    expect(headers).not.toHaveProperty('authorization')
    const claims = String(headers['x-portcullis-assertion']).split('.')[1]!
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ amr: ['basic'] })
  })

  it('is passed on where a route says so', async () => {
    expect((await call('/kept', basic(id, key))).status).toBe(200)
    expect(upstream.requests[0]!.headers.authorization).toBe(basic(id, key)['authorization'])
  })

  it('is asked for by name', async () => {
    const answer = await call('/plain/1', {})
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="portcullis"')
  })

  it('is one credential too many beside another', async () => {
    const answer = await call('/items/1', { ...basic(id, key), 'x-api-key': key })
    expect(await answer.json()).toMatchObject({ status: 400, code: 'credential_ambiguous' })
  })

  it('counts as used, and ends at once when the key is revoked', async () => {
    const made = await test.gateway.keys.create({ owner: 'globex' }, 'test')
    expect((await call('/plain/1', basic(made.id, made.key))).status).toBe(200)
    await test.gateway.keys.revoke(made.id, 'leaked', 'test')
    const answer = await call('/plain/1', basic(made.id, made.key))
    expect(await answer.json()).toMatchObject({ status: 401, code: 'credential_revoked' })
    // Told only to who has the secret and the name.
    const other = await call('/plain/1', basic('somebody', made.key))
    expect(await other.json()).toMatchObject({ status: 401, code: 'credential_invalid' })
  })

  it('travels without the intent of a page, so unsafe methods ask where they come from', async () => {
    expect((await call('/plain/1', basic(id, key), 'POST')).status).toBe(200)
    const own = { ...basic(id, key), 'sec-fetch-site': 'same-origin' }
    expect((await call('/plain/1', own, 'POST')).status).toBe(200)
    for (const foreign of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await call('/plain/1', { ...basic(id, key), ...foreign }, 'POST')).status).toBe(403)
      expect((await call('/plain/1', { ...basic(id, key), ...foreign }, 'GET')).status).toBe(200)
    }
  })

  it('is refused whatever is wrong with it, and guessing ends in a lockout', async () => {
    const other = await test.gateway.keys.create({ owner: 'globex' }, 'test')
    const bad = [
      basic('', key),
      basic(other.id, key),
      basic(id, `${key.slice(0, -1)}~`),
      basic(key, id),
      { authorization: `Basic ${Buffer.from(`${id}:${key}`).toString('base64url')}_` },
    ]
    for (const headers of bad) {
      const answer = await call('/plain/1', headers)
      expect(await answer.json()).toMatchObject({ status: 401, code: 'credential_invalid' })
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="portcullis"')
    }
    const locked = await call('/plain/1', basic(id, 'guess'))
    expect(locked.status).toBe(429)
    // What is known to be good passes.
    expect((await call('/plain/1', basic(id, key))).status).toBe(200)
  })
})

describe('a configuration with `basic`', () => {
  const upstreams = `upstreams: { a: { targets: ["http://127.0.0.1:1"] } }
routes: [{ id: a, match: { path: /* }, authenticate: [plain], upstream: a }]
`

  async function load(authenticators: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-basic-'))
    const file = join(folder, 'portcullis.yaml')
    await writeFile(file, `version: 1\nauthenticators:\n${authenticators}${upstreams}`)
    const loaded = await loadConfiguration(file, { env: {}, extraChecks: [checksAcrossRooms] })
    await rm(folder, { recursive: true })
    return loaded.ok
      ? JSON.stringify(loaded.configuration.authenticators['plain'])
      : formatFaults(loaded.faults)
  }

  async function weaknesses(authenticators: string): Promise<readonly Weakness[]> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-basic-'))
    const file = join(folder, 'portcullis.yaml')
    await writeFile(file, `version: 1\nauthenticators:\n${authenticators}${upstreams}`)
    const loaded = await loadConfiguration(file, { env: {} })
    await rm(folder, { recursive: true })
    return loaded.ok ? lint(loaded, { nodeVersion: 'v26.0.0' }) : []
  }

  it('alone has the settings of keys', async () => {
    expect(JSON.parse(await load('  plain: { type: basic }\n'))).toMatchObject({
      prefix: 'ptc',
      grace: 86_400_000,
      maxLifetime: 7_776_000_000,
      onLeak: 'revoke',
    })
  })

  it('takes what it does not say from the api-key authenticator', async () => {
    const loaded = await load(
      '  keys: { type: api-key, prefix: acme, maxLifetime: none, grace: 1h, onLeak: report }\n  plain: { type: basic, grace: 2h }\n',
    )
    expect(JSON.parse(loaded)).toEqual({
      type: 'basic',
      takesApiKeys: true,
      name: 'plain',
      in: [{ kind: 'header', name: 'authorization', scheme: 'Basic' }],
      prefix: 'acme',
      grace: 7_200_000,
      onLeak: 'report',
    })
  })

  it('is warned of by `check`', async () => {
    const findings = await weaknesses('  plain: { type: basic }\n')
    expect(findings).toContainEqual(
      expect.objectContaining({
        id: 'basic-credentials',
        severity: 'warning',
        path: 'authenticators.plain',
      }) as unknown,
    )
    expect(findings.map(({ id }) => id)).toContain('api-keys-only')
  })

  it('must say whose keys it takes where several could be meant', async () => {
    const keys = '  one: { type: api-key, prefix: one, pepper: a }\n  two: { type: api-key, prefix: two }\n'
    expect(await load(`${keys}  plain: { type: basic }\n`)).toContain('one of one, two')
    expect(JSON.parse(await load(`${keys}  plain: { type: basic, prefix: one }\n`))).toMatchObject({
      prefix: 'one',
      pepper: '[secret]',
    })
    const peppers = keys.replace('prefix: two', 'prefix: one, in: [{ header: x-other }]')
    expect(await load(`${peppers}  plain: { type: basic }\n`)).toContain('several peppers')
  })

  it('has keys made for it even where there is no other', async () => {
    await using alone = await startTestGateway(`version: 1
authenticators: { plain: { type: basic } }
${upstreams.replace('http://127.0.0.1:1', upstream.url)}`)
    const made = await alone.gateway.keys.create({ owner: 'acme' }, 'test')
    const answer = await fetch(alone.url, { headers: basic(made.id, made.key) })
    expect(answer.status).toBe(200)
  })
})

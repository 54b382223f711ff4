/** Client certificates over real TLS: whom they name, and when they stop counting. */
import { hash } from 'node:crypto'
import { Agent } from 'node:https'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queryAudit } from '../../src/audit/read/query.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { mtlsFetch } from '../support/mtls-client.ts'
import { issueAuthority, issueClient, issueList, san, type Made } from '../support/pki.ts'
import { selfSign } from '../support/certificate.ts'

const server = selfSign('127.0.0.1', ['api.example', 'other.example'])
const root = issueAuthority({ subject: 'partners root' })
const middle = issueAuthority({ subject: 'partners issuing', issuer: root })
const spiffe = san.uri('spiffe://partner.example/billing')
const alice = issueClient({ subject: 'alice', issuer: middle, names: [spiffe] })
const bob = issueClient({ subject: 'bob', issuer: middle, names: [san.uri('spiffe://partner.example/bob')] })

interface Setup {
  readonly listener?: string
  readonly authenticator?: string
  readonly route?: string
  readonly files?: Readonly<Record<string, string>>
  readonly more?: string
}

const files = {
  'server.pem': server.certificate,
  'server.key': server.key,
  'ca.pem': root.pem,
  'lists.pem': issueList({ issuer: root }).pem + issueList({ issuer: middle }).pem,
}

interface Running extends AsyncDisposable {
  readonly test: TestGateway
  readonly upstream: TestUpstream
}

async function start(setup: Setup = {}): Promise<Running> {
  const upstream = await startTestUpstream()
  const { listener = 'mode: request', authenticator = '', route = '', more = '' } = setup
  const text = `
version: 1
listeners:
  - address: 127.0.0.1:0
    tls: { certificate: ./server.pem, key: ./server.key, clientCertificates: { ${listener} } }
authenticators:
  partner: { type: mtls, authorities: ./ca.pem, subject: san-uri ${authenticator} }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: [partner], authorize: {}, upstream: items ${route} }
${more}
`
  const test = await startTestGateway(text, { files: { ...files, ...setup.files } })
  const stop = async (): Promise<void> => {
    await test.stop()
    await upstream.close()
  }
  return { test, upstream, [Symbol.asyncDispose]: stop }
}

async function ask(
  { test }: Running,
  client?: Made,
  chain: readonly Made[] = [middle],
  more: Parameters<typeof mtlsFetch>[1] = {},
): Promise<string> {
  const answer = await mtlsFetch(`${test.url}/x`, {
    ...(client === undefined ? {} : { client }),
    chain,
    ...more,
  })
  return answer.status === 200 ? '200' : `${answer.status} ${String(answer.json()['code'])}`
}

describe('a client certificate', () => {
  let plain: Running
  beforeAll(async () => {
    plain = await start()
  })
  afterAll(() => plain[Symbol.asyncDispose]())

  it('names the caller to the backend, and to the log', async () => {
    await using running = await start()
    expect(await ask(running, alice)).toBe('200')
    expect(running.upstream.requests[0]?.headers).toMatchObject({
      'x-auth-subject': 'spiffe://partner.example/billing',
      'x-auth-issuer': 'urn:portcullis:mtls',
      'x-auth-method': 'partner',
    })
    const told = async (): Promise<unknown> =>
      (await queryAudit(join(running.test.folder, 'audit'), { outcome: 'allow' })).records[0]
    await expect.poll(told, { timeout: 5_000 }).toMatchObject({
      tls: { certificate: hashOf(alice) },
      credential: { kind: 'mtls', id: hashOf(alice) },
      identity: { issuer: 'urn:portcullis:mtls', amr: ['mtls'] },
    })
  })

  it('that is missing is asked for', async () => {
    const answer = await mtlsFetch(`${plain.test.url}/x`)
    expect(answer.status).toBe(401)
    expect(answer.json()['code']).toBe('credential_missing')
    expect(answer.headers['www-authenticate']).toBe('ClientCertificate realm="portcullis"')
  })

  it.each([
    ['signed by nobody we know', issueClient({ subject: 'alice', names: [spiffe] }), 'credential_invalid'],
    [
      'expired',
      issueClient({ subject: 'a', issuer: middle, names: [spiffe], notAfter: Date.now() - 2000 }),
      'credential_expired',
    ],
    [
      'not valid yet',
      issueClient({ subject: 'a', issuer: middle, names: [spiffe], notBefore: Date.now() + 60_000 }),
      'credential_invalid',
    ],
    ['without a URI', issueClient({ subject: 'a', issuer: middle }), 'credential_invalid'],
    [
      'with two URIs',
      issueClient({ subject: 'a', issuer: middle, names: [spiffe, san.uri('spiffe://b/c')] }),
      'credential_invalid',
    ],
    [
      'with a bad SPIFFE ID',
      issueClient({ subject: 'a', issuer: middle, names: [san.uri('spiffe://Partner.example/../a')] }),
      'credential_invalid',
    ],
  ])('%s is refused', async (_, client, code) => {
    expect(await ask(plain, client)).toBe(`401 ${code}`)
  })

  it('needs its intermediate, sent or listed', async () => {
    expect(await ask(plain, alice, [])).toBe('401 credential_invalid')
    await using listed = await start({ files: { 'ca.pem': root.pem + middle.pem } })
    expect(await ask(listed, alice, [])).toBe('200')
  })

  it('is a proof and no second credential beside a key', async () => {
    await using running = await start({
      more: '  - { id: both, match: { path: /both }, authenticate: [keys, partner], authorize: {}, upstream: items }',
      authenticator: '}\n  keys: { type: api-key',
    })
    const { key } = await running.test.gateway.keys.create({ owner: 'acme' }, 'test')
    const answer = await mtlsFetch(`${running.test.url}/both`, {
      client: alice,
      chain: [middle],
      headers: { 'x-api-key': key },
    })
    expect(answer.status).toBe(200)
    expect(running.upstream.requests[0]?.headers['x-auth-subject']).toBe('acme')
    expect((await mtlsFetch(`${running.test.url}/both`, { client: alice, chain: [middle] })).status).toBe(200)
    const bad = await mtlsFetch(`${running.test.url}/both`, {
      client: alice,
      chain: [middle],
      headers: { 'x-api-key': 'bad' },
    })
    expect(bad.status).toBe(401)
  })

  it('must be of a subject that is allowed', async () => {
    await using running = await start({ authenticator: ', allow: ["spiffe://partner.example/bill*"]' })
    expect(await ask(running, alice)).toBe('200')
    expect(await ask(running, bob)).toBe('401 credential_invalid')
  })
})

describe('a listener that requires certificates', () => {
  it('answers nobody without one, but for health', async () => {
    await using running = await start({
      listener: 'mode: require',
      more: '  - { id: open, match: { path: /open }, authenticate: none, upstream: items }',
    })
    const open = (client?: Made): Promise<number> =>
      mtlsFetch(`${running.test.url}/open`, client === undefined ? {} : { client }).then(
        ({ status }) => status,
      )
    expect(await open()).toBe(401)
    expect(await open(issueClient({ subject: 'anybody' }))).toBe(200)
    expect((await mtlsFetch(`${running.test.url}/.portcullis/livez`)).status).toBe(200)
    expect((await mtlsFetch(`${running.test.url}/.portcullis/jwks.json`)).status).toBe(401)
  })

  it('takes only those of its authorities, where it names any', async () => {
    await using running = await start({
      listener: 'mode: require, authorities: ./ca.pem',
      more: '  - { id: open, match: { path: /open }, authenticate: none, upstream: items }',
    })
    const open = async (client: Made): Promise<string> => {
      const answer = await mtlsFetch(`${running.test.url}/open`, { client, chain: [middle] })
      return answer.status === 200 ? '200' : String(answer.json()['code'])
    }
    expect(await open(alice)).toBe('200')
    expect(await open(issueClient({ subject: 'anybody' }))).toBe('credential_invalid')
  })
})

describe('the host', () => {
  it('must be the name that the connection was made for', async () => {
    await using running = await start()
    const host = (name: string, servername: string): Promise<string> =>
      ask(running, alice, [middle], { headers: { host: name }, servername })
    expect(await host('api.example', 'api.example')).toBe('200')
    expect(await host('API.example.:443', 'api.example')).toBe('200')
    expect(await host('other.example', 'api.example')).toBe('421 misdirected')
    expect(await host('127.0.0.1', 'api.example')).toBe('421 misdirected')
  })

  it('may be another where no certificates are asked for', async () => {
    await using running = await start({ listener: 'mode: none' })
    const answer = await mtlsFetch(`${running.test.url}/x`, {
      client: alice,
      servername: 'api.example',
      headers: { host: 'other.example' },
    })
    expect(answer.json()['code']).toBe('credential_missing')
  })
})

describe('revocation lists', () => {
  const lists = (revoked: readonly Made[]): string =>
    issueList({ issuer: root }).pem + issueList({ issuer: middle, revoked }).pem

  it('count from the moment at which the file changes, on open connections too', async () => {
    await using running = await start({ authenticator: ', revocation: ./lists.pem' })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const once = (): Promise<string> => ask(running, alice, [middle], { agent })
    expect(await once()).toBe('200')
    const next = join(running.test.folder, 'next.pem')
    await writeFile(next, lists([alice]))
    await rename(next, join(running.test.folder, 'lists.pem'))
    await eventually(async () => expect(await once()).toBe('401 credential_revoked'))
    expect(await ask(running, bob)).toBe('200')
    await writeFile(join(running.test.folder, 'lists.pem'), 'half a fi')
    await eventually(async () => expect(running.test.lines.join('')).toContain('lists.pem'))
    expect(await once()).toBe('401 credential_revoked')
    await writeFile(join(running.test.folder, 'lists.pem'), lists([bob]))
    await eventually(async () => expect(await once()).toBe('200'))
    expect(await ask(running, bob)).toBe('401 credential_revoked')
    agent.destroy()
  })

  it('that run out refuse', async () => {
    const stale =
      issueList({ issuer: root }).pem + issueList({ issuer: middle, nextUpdate: Date.now() - 2000 }).pem
    await using running = await start({
      authenticator: ', revocation: ./lists.pem',
      files: { 'lists.pem': stale },
    })
    expect(await ask(running, alice)).toBe('401 credential_invalid')
  })

  it('need not be waited for: an operator revokes a certificate at once', async () => {
    await using running = await start()
    expect(await ask(running, alice)).toBe('200')
    await running.test.gateway.revocations.revoke(
      { kind: 'certificate', value: hashOf(alice), issuer: 'urn:portcullis:mtls' },
      'test',
    )
    await eventually(async () => expect(await ask(running, alice)).toBe('401 credential_revoked'))
    expect(await ask(running, bob)).toBe('200')
  })
})

describe('authorities', () => {
  it('are those of now', async () => {
    await using running = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect(await ask(running, alice, [middle], { agent })).toBe('200')
    await writeFile(join(running.test.folder, 'ca.pem'), issueAuthority({ subject: 'others' }).pem)
    await eventually(async () =>
      expect(await ask(running, alice, [middle], { agent })).toBe('401 credential_invalid'),
    )
    agent.destroy()
  })
})

/** Bounded: what is to happen within seconds. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const end = Date.now() + 6000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function hashOf({ der }: Made): string {
  return hash('sha256', der, 'hex')
}

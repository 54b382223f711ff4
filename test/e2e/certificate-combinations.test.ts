/** A client certificate with every other credential: alone a credential, beside another one only that one's proof. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent } from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { AddressInfo } from 'node:net'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { selfSign } from '../support/certificate.ts'
import { mtlsFetch, type MtlsAnswer } from '../support/mtls-client.ts'
import { issueAuthority, issueClient, san, type Made } from '../support/pki.ts'

const authority = issueAuthority({ subject: 'Partners' })
const partner = clientOf('urn:partner:one')
const other = clientOf('urn:partner:other')
const stranger = issueClient({
  subject: 'x',
  issuer: issueAuthority({ subject: 'Somebody' }),
  names: [san.uri('urn:partner:one')],
})

function clientOf(uri: string): Made {
  return issueClient({ subject: uri, issuer: authority, names: [san.uri(uri)] })
}

const fingerprintOf = ({ der }: Made): string => createHash('sha256').update(der).digest('hex')

let upstream: TestUpstream
let sockets: WebSocketServer
let issuer: TestIssuer
let test: TestGateway
let key: { readonly id: string; readonly key: string }

beforeAll(async () => {
  upstream = await startTestUpstream()
  issuer = await startTestIssuer()
  sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(sockets, 'listening')
  sockets.on('connection', (socket) => socket.send('hello'))
  const server = selfSign()
  test = await startTestGateway(
    `
version: 1
lockout: off
listeners:
  - address: 127.0.0.1:0
    tls: { certificate: server.pem, key: server.key, clientCertificates: { mode: request } }
providers: { corp: { type: oidc, issuer: "${issuer.issuer}" } }
authenticators:
  certificate: { type: mtls, authorities: partners.pem }
  keys: { type: api-key }
  plain: { type: basic }
  token: { type: jwt, provider: corp, audience: https://api.example }
upstreams:
  app: { targets: ["${upstream.url}"] }
  live: { targets: ["http://127.0.0.1:${(sockets.address() as AddressInfo).port}"] }
routes:
  - { id: any, match: { path: /any/* }, authenticate: [certificate, keys, plain, token], upstream: app }
  - { id: optional, match: { path: /optional/* }, authenticate: { optional: [certificate, keys] }, upstream: app }
  - { id: both, match: { path: /both/* }, authenticate: { all: [certificate, token] }, upstream: app }
  - { id: turned, match: { path: /turned/* }, authenticate: { all: [keys, certificate] }, upstream: app }
  - { id: live, match: { path: /live/* }, authenticate: [certificate, keys], upstream: live }
`,
    { files: { 'server.pem': server.certificate, 'server.key': server.key, 'partners.pem': authority.pem } },
  )
  key = await test.gateway.keys.create({ owner: 'key-owner', scopes: ['a'] }, 'test')
})

afterAll(async () => {
  await test.stop()
  sockets.close()
  await Promise.all([upstream.close(), issuer.close()])
})

beforeEach(() => {
  upstream.requests.length = 0
})

type Fields = Readonly<Record<string, string>>

const bearer = (claims: Record<string, unknown> = {}): Fields => ({
  authorization: `Bearer ${issuer.token(claims)}`,
})
const basic = (password = key.key): Fields => ({
  authorization: `Basic ${Buffer.from(`${key.id}:${password}`).toString('base64')}`,
})

const call = (path: string, client?: Made, headers: Fields = {}): Promise<MtlsAnswer> =>
  mtlsFetch(`${test.url}${path}`, { headers, ...(client === undefined ? {} : { client }) })

const codeOf = (answer: MtlsAnswer): string => `${answer.status} ${String(answer.json()['code'])}`

const seen = (): readonly (string | readonly string[] | undefined)[] => {
  const { headers } = upstream.requests.at(-1)!
  return [headers['x-auth-subject'], headers['x-auth-issuer'], headers['x-auth-method']]
}

const keyIssuer = 'urn:portcullis:api-key'

describe('a client certificate', () => {
  it('alone is a credential', async () => {
    expect((await call('/any/x', partner)).status).toBe(200)
    expect(seen()).toEqual(['urn:partner:one', 'urn:portcullis:mtls', 'certificate'])
    expect(codeOf(await call('/any/x', stranger))).toMatch(/^401 credential_/)
    expect(codeOf(await call('/any/x'))).toBe('401 credential_missing')
  })

  it.each([
    ['an API key', () => ({ 'x-api-key': key.key }), ['key-owner', keyIssuer, 'keys']],
    ['a Basic credential', () => basic(), ['key-owner', keyIssuer, 'plain']],
    ['a token', () => bearer({ sub: 'alice' }), ['alice', undefined, 'token']],
  ] as const)('beside %s is no second one: the other says who calls', async (_what, fields, expected) => {
    for (const client of [partner, other]) {
      expect((await call('/any/x', client, fields())).status).toBe(200)
      expect(seen()).toEqual(expected.map((each, at) => (at === 1 ? (each ?? issuer.issuer) : each)))
    }
  })

  it.each([
    ['an API key', () => ({ 'x-api-key': `${key.key.slice(0, -1)}!` })],
    ['a Basic credential', () => basic('nonsense')],
    ['a token', () => bearer({ aud: 'https://other.example' })],
    ['an empty field', () => ({ 'x-api-key': '' })],
  ] as const)('never saves %s that is bad', async (_what, fields) => {
    expect(codeOf(await call('/any/x', partner, fields()))).toBe('401 credential_invalid')
    expect(upstream.requests).toEqual([])
  })

  it('may be left out where it need not be there, and must hold where it is', async () => {
    expect((await call('/optional/x')).status).toBe(200)
    expect(seen()).toEqual([undefined, undefined, undefined])
    expect((await call('/optional/x', partner)).status).toBe(200)
    expect(seen()[0]).toBe('urn:partner:one')
    expect((await call('/optional/x', stranger)).status).toBe(401)
  })

  it('asked together with a token gives the subject, and the token the rights', async () => {
    const fields = bearer({ sub: 'alice', roles: ['editor'], scope: 'a b' })
    expect((await call('/both/x', partner, fields)).status).toBe(200)
    expect(seen()).toEqual(['urn:partner:one', 'urn:portcullis:mtls', 'certificate,token'])
    expect(upstream.requests[0]!.headers).toMatchObject({ 'x-auth-roles': 'editor', 'x-auth-scopes': 'a b' })
    expect(codeOf(await call('/both/x', undefined, fields))).toBe('401 credential_missing')
    expect(codeOf(await call('/both/x', partner))).toBe('401 credential_missing')
    expect((await call('/both/x', stranger, fields)).status).toBe(401)
    expect((await call('/turned/x', partner, { 'x-api-key': key.key })).status).toBe(200)
    expect(seen()).toEqual(['key-owner', keyIssuer, 'keys,certificate'])
  })
})

describe('what is bound to a certificate', () => {
  it('is a key that is no good without it', async () => {
    const hex = fingerprintOf(partner)
      .toUpperCase()
      .replace(/(..)(?=.)/g, '$1:')
    const bound = await test.gateway.keys.create({ owner: 'bound', certificate: hex }, 'test')
    const fields = { 'x-api-key': bound.key }
    expect((await call('/any/x', partner, fields)).status).toBe(200)
    for (const client of [undefined, other, stranger])
      expect(codeOf(await call('/any/x', client, fields))).toBe('401 credential_invalid')
    const next = await test.gateway.keys.rotate(bound.id, {}, 'test')
    expect((await call('/any/x', partner, { 'x-api-key': next.key })).status).toBe(200)
    expect((await call('/any/x', other, { 'x-api-key': next.key })).status).toBe(401)
  })

  it('falls with the certificate when that is revoked, on every way, and what is open is cut', async () => {
    const lost = clientOf('urn:partner:lost')
    const certificate = fingerprintOf(lost)
    const bound = await test.gateway.keys.create({ owner: 'of-lost', certificate }, 'test')
    const thumbprint = Buffer.from(certificate, 'hex').toString('base64url')
    const ways: readonly Fields[] = [
      {},
      { 'x-api-key': bound.key },
      bearer({ sub: 'of-lost', cnf: { 'x5t#S256': thumbprint }, iat: Math.floor(Date.now() / 1000) - 60 }),
    ]
    for (const fields of ways) expect((await call('/any/x', lost, fields)).status).toBe(200)
    const open = await Promise.all([ways[0]!, ways[1]!].map((fields) => openSocket(lost, fields)))
    const from = Date.now()
    const { revocations } = await test.gateway.revocations.revoke(
      { kind: 'certificate', value: certificate },
      'test',
    )
    expect(new Set(revocations.map(({ issuer: of }) => of))).toEqual(
      new Set([issuer.issuer, keyIssuer, 'urn:portcullis:mtls']),
    )
    for (const fields of ways)
      expect(codeOf(await call('/any/x', lost, fields))).toBe('401 credential_revoked')
    await Promise.all(open.map(({ cut }) => cut))
    expect(Date.now() - from).toBeLessThan(2_500)
    expect((await call('/any/x', partner)).status).toBe(200)
  })
})

async function openSocket(client: Made, headers: Fields): Promise<{ readonly cut: Promise<void> }> {
  const agent = new Agent({ cert: client.pem, key: client.keyPem, rejectUnauthorized: false })
  const socket = new WebSocket(`${test.url.replace('https', 'wss')}/live/chat`, { agent, headers })
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => resolve())
    socket.once('error', reject)
  })
  return { cut: new Promise((resolve) => socket.once('close', () => resolve())) }
}

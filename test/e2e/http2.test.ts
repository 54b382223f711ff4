/** HTTP/2 at a whole gateway: agreed on within TLS, known beforehand without it, and the same rules as for everybody. */
import {
  connect,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { describe, expect, it, onTestFinished } from 'vitest'
import { queryAudit } from '../../src/audit/read/query.ts'
import { join } from 'node:path'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startGatewayProcess } from '../harness/process.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { until } from '../listener.ts'
import { billing, partnerIssuer, startMtlsGateway } from '../support/mtls-gateway.ts'
import { createAuthority } from '../support/certificates.ts'

const authority = createAuthority('http2 authority')
const issued = authority.issue([
  { type: 'ip', value: '127.0.0.1' },
  { type: 'dns', value: 'api.example' },
])
const files = { 'server.pem': issued.certificate, 'server.key': issued.key, 'ca.pem': authority.certificate }

interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function open(url: string, options: SecureClientSessionOptions = {}): ClientHttp2Session {
  const session = connect(url, { ca: authority.certificate, ...options })
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return session
}

function ask(session: ClientHttp2Session, headers: object, body?: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...headers }, { endStream: body === undefined })
    let head: IncomingHttpHeaders = {}
    let text = ''
    stream.on('response', (each) => (head = each))
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve({ status: Number(head[':status'] ?? 0), headers: head, text }))
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

async function gatewayWithTls(upstream: TestUpstream, more = ''): Promise<TestGateway> {
  const test = await startTestGateway(
    `
version: 1
publicUrl: https://api.example
listeners: [{ address: "127.0.0.1:0", tls: { certificate: ./server.pem, key: ./server.key } }]
authenticators: { keys: { type: api-key } }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - id: items
    match: { path: /items/*, methods: [GET, POST] }
    authenticate: [keys]
    authorize: { scopes: [items:read] }
    cors: { origins: [https://app.example], headers: [x-api-key] }
    upstream: items
${more}`,
    { files },
  )
  onTestFinished(() => test.stop())
  return test
}

describe('a listener with TLS', () => {
  it('speaks HTTP/2 to those who ask for it, and HTTP/1.1 to the others', async () => {
    await using upstream = await startTestUpstream()
    const test = await gatewayWithTls(upstream)
    const { key } = await test.gateway.keys.create({ owner: 'alice', scopes: ['items:read'] }, 'test')
    const session = open(test.url)
    const got = await ask(session, { ':path': '/items/1?a=b', 'x-api-key': key })
    expect(session.alpnProtocol).toBe('h2')
    expect(got).toMatchObject({ status: 200, text: 'hello\n' })
    expect(got.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(got.headers).not.toHaveProperty('connection')
    expect(upstream.requests[0]).toMatchObject({ method: 'GET', url: '/items/1?a=b' })
    expect(upstream.requests[0]!.headers).toMatchObject({
      'x-auth-subject': 'alice',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': `127.0.0.1:${test.port}`,
    })
    const older = await new Promise<number | undefined>((resolve, reject) => {
      httpsRequest(
        `${test.url}/items/1`,
        { ca: authority.certificate, agent: false, headers: { 'x-api-key': key } },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        },
      )
        .on('error', reject)
        .end()
    })
    expect(older).toBe(200)
  })

  it('refuses over HTTP/2 as over HTTP/1.1', async () => {
    await using upstream = await startTestUpstream()
    const test = await gatewayWithTls(upstream)
    const { key } = await test.gateway.keys.create({ owner: 'alice' }, 'test')
    const session = open(test.url)
    const missing = await ask(session, { ':path': '/items/1' })
    expect(missing.status).toBe(401)
    expect(missing.headers['www-authenticate']).toContain('ApiKey')
    expect(JSON.parse(missing.text)).toMatchObject({ code: 'credential_missing', status: 401 })
    expect((await ask(session, { ':path': '/items/1', 'x-api-key': key })).status).toBe(403)
    expect((await ask(session, { ':path': '/items/%2e%2e/%2e%2e' })).status).toBe(400)
    expect((await ask(session, { ':path': '/elsewhere' })).status).toBe(404)
    const wrong = await ask(session, { ':path': '/items/1', ':method': 'DELETE' })
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET, POST'])
    const reader = await test.gateway.keys.create({ owner: 'bob', scopes: ['items:read'] }, 'test')
    const huge = session.request({
      ':path': '/items/1',
      ':method': 'POST',
      'content-length': '99999999',
      'x-api-key': reader.key,
    })
    expect(await new Promise((resolve) => huge.on('response', (head) => resolve(head[':status'])))).toBe(413)
    expect(upstream.requests).toEqual([])
    const preflight = await ask(session, {
      ':path': '/items/1',
      ':method': 'OPTIONS',
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
    })
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([
      204,
      'https://app.example',
    ])
  })

  it('records requests that no route ever saw, and those that were let in', async () => {
    await using upstream = await startTestUpstream()
    const test = await gatewayWithTls(upstream)
    const { key } = await test.gateway.keys.create({ owner: 'alice', scopes: ['items:read'] }, 'test')
    const session = open(test.url)
    const bad = await ask(session, {
      ':path': '/items/1',
      ':authority': 'api.example',
      host: 'other.example',
    })
    expect(bad.status).toBe(400)
    const good = await ask(session, { ':path': '/items/1', 'x-api-key': key })
    const find = async (id: unknown): Promise<unknown> =>
      (await queryAudit(join(test.folder, 'audit'), { requestId: String(id) })).records[0]
    await expect
      .poll(() => find(bad.headers['x-request-id']), { timeout: 10_000 })
      .toMatchObject({ outcome: 'refuse', reason: 'host_invalid' })
    await expect
      .poll(() => find(good.headers['x-request-id']), { timeout: 10_000 })
      .toMatchObject({ outcome: 'allow', tls: { version: 'TLSv1.3' } })
  })

  it('answers health checks', async () => {
    await using upstream = await startTestUpstream()
    const test = await gatewayWithTls(upstream)
    expect((await ask(open(test.url), { ':path': '/.portcullis/livez' })).status).toBe(200)
  })
})

describe('a listener that asks for client certificates', () => {
  it('knows clients by theirs over HTTP/2, and by its name alone', async () => {
    await using gateway = await startMtlsGateway()
    const chain = [billing, partnerIssuer].map(({ pem }) => pem).join('')
    const own = { cert: chain, key: billing.keyPem, rejectUnauthorized: false, servername: 'api.example' }
    const session = open(gateway.test.url, own)
    const got = await ask(session, { ':path': '/x', ':authority': 'api.example' })
    expect(session.alpnProtocol).toBe('h2')
    expect(got.status).toBe(200)
    expect(gateway.upstream.requests[0]!.headers['x-auth-subject']).toBe('spiffe://partner.example/billing')
    // Browsers use one connection for every name that its certificate has: another name may ask for another certificate.
    const other = await ask(session, { ':path': '/x', ':authority': 'other.example' })
    expect([other.status, JSON.parse(other.text)]).toMatchObject([421, { code: 'misdirected' }])
    const stranger = open(gateway.test.url, { rejectUnauthorized: false, servername: 'api.example' })
    expect((await ask(stranger, { ':path': '/x', ':authority': 'api.example' })).status).toBe(401)
  })
})

describe('a listener without TLS', () => {
  it('speaks both where it was told to, and HTTP/1.1 alone where not', async () => {
    await using upstream = await startTestUpstream()
    const text = (h2c: string): string => `
version: 1
listeners: [{ address: "127.0.0.1:0"${h2c} }]
upstreams: { items: { targets: ["${upstream.url}"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`
    await using both = await startTestGateway(text(', h2c: true'))
    expect((await ask(open(both.url), { ':path': '/' })).status).toBe(200)
    expect((await fetch(both.url)).status).toBe(200)
    await using one = await startTestGateway(text(''))
    const session = open(one.url)
    await expect(ask(session, { ':path': '/' })).rejects.toThrow()
    expect((await fetch(one.url)).status).toBe(200)
  })
})

describe('a gateway that is told to end', () => {
  it('says so to HTTP/2 clients, and answers what is under way', async () => {
    await using upstream = await startTestUpstream()
    let release: (() => void) | undefined
    upstream.answer = (request, response) => {
      if (request.url === '/slow') release = () => response.end('at last')
      else response.end('quick')
    }
    await using gateway = await startGatewayProcess(
      `
version: 1
upstreams: { items: { targets: ["${upstream.url}"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`,
      {},
      'portcullis.yaml',
      'h2c: true',
    )
    const session = open(gateway.url)
    let isTold = false
    session.on('goaway', () => (isTold = true))
    expect((await ask(session, { ':path': '/' })).text).toBe('quick')
    const slow = ask(session, { ':path': '/slow' })
    await until(() => release !== undefined)
    const ended = gateway.end('SIGTERM')
    await until(() => isTold)
    release!()
    expect((await slow).text).toBe('at last')
    expect(await ended).toBe(0)
  })
})

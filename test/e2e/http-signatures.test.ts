/** Partners who sign their requests with a library that nobody here wrote, at a whole gateway. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as send, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { callers, digestOf, edCaller, sign, type Message, type Signing } from '../support/signed-request.ts'

const run = promisify(execFile)
let upstream: TestUpstream
let sockets: WebSocketServer
let test: TestGateway

beforeAll(async () => {
  upstream = await startTestUpstream()
  sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(sockets, 'listening')
  const keys = callers.map(
    ({ id, algorithm }) =>
      `      - { id: ${id}, algorithm: ${algorithm}, key: "\${file:${id}.key}", owner: owner-${id}, scopes: [orders:write] }`,
  )
  test = await startTestGateway(
    `
version: 1
admin: { address: "127.0.0.1:0", token: admin-token }
authenticators:
  partners:
    type: http-signature
    keys:
${keys.join('\n')}
  keys: { type: api-key }
upstreams:
  orders: { targets: ["${upstream.url}"] }
  feed: { targets: ["http://127.0.0.1:${(sockets.address() as { port: number }).port}"] }
routes:
  - id: orders
    match: { path: /orders/* }
    authenticate: [partners]
    authorize: { scopes: [orders:write] }
    limits: { body: 64KiB }
    rewrite: { stripPrefix: /orders, addPrefix: /v1 }
    upstream: orders
  - id: both
    match: { path: /both }
    authenticate: { all: [keys, partners] }
    upstream: orders
  - id: either
    match: { path: /either }
    authenticate: { optional: [keys, partners] }
    report: { authenticate: [partners] }
    upstream: orders
  - id: kept
    match: { path: /kept }
    authenticate: [partners]
    forward: { credential: keep }
    upstream: orders
  - id: feed
    match: { path: /feed }
    authenticate: [partners]
    upstream: feed
`,
    { files: Object.fromEntries(callers.map(({ id, shown }) => [`${id}.key`, shown])) },
  )
})

afterAll(async () => {
  await test.stop()
  sockets.close()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

function signNow(message: Message, how: Signing = {}): Promise<Message> {
  return sign(message, { ...how, values: { created: new Date(), ...how.values } })
}

function message(method: string, path: string, headers: Record<string, string> = {}): Message {
  return { method, url: `${test.url}${path}`, headers }
}

async function call({ method, url, headers }: Message, body?: string): Promise<Response> {
  return fetch(url, { method, headers: { ...headers }, ...(body === undefined ? {} : { body }) })
}

describe('a partner who signs', () => {
  it.each(callers.map((caller) => [caller.algorithm, caller] as const))(
    'by %s is let in, and the backend learns who it is',
    async (_algorithm, caller) => {
      const answer = await call(await signNow(message('GET', '/orders/7?full=1'), { caller }))
      expect(answer.status).toBe(200)
      expect(upstream.requests[0]).toMatchObject({
        url: '/v1/7?full=1',
        headers: {
          'x-auth-subject': `owner-${caller.id}`,
          'x-auth-issuer': 'urn:portcullis:http-signature',
          'x-auth-client': caller.id,
          'x-auth-scopes': 'orders:write',
          'x-auth-method': 'partners',
        },
      })
    },
  )

  it('keeps the signature from the backend, and lets the digest pass', async () => {
    const body = '{"amount":1}'
    const digest = digestOf(body)
    const answer = await call(await signNow(message('POST', '/orders/', { 'content-digest': digest })), body)
    expect(answer.status).toBe(200)
    const [seen] = upstream.requests
    expect(seen).toMatchObject({ body, complete: true, headers: { 'content-digest': digest } })
    expect(seen!.headers).not.toHaveProperty('signature')
    expect(seen!.headers).not.toHaveProperty('signature-input')
  })

  it('may have the whole signature passed on where a route says so', async () => {
    expect((await call(await signNow(message('GET', '/kept')))).status).toBe(200)
    expect(Object.keys(upstream.requests[0]!.headers)).toEqual(
      expect.arrayContaining(['signature', 'signature-input']),
    )
  })

  it('is told how to come in when there is no signature', async () => {
    const answer = await call(message('GET', '/orders/7'))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Signature realm="portcullis"')
    expect(await answer.json()).toMatchObject({ code: 'credential_missing' })
  })

  it.each(['signature', 'signature-input'])('is not anonymous with half a signature: %s', async (left) => {
    const { headers, ...signed } = await signNow(message('GET', '/either'))
    const answer = await call({ ...signed, headers: { [left]: headers[left]! } })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'credential_invalid' })
    expect((await call(message('GET', '/either'))).status).toBe(200)
  })

  it('comes in once, also where a report-only rule asks a second time', async () => {
    const signed = await signNow(message('GET', '/either'))
    expect((await call(signed)).status).toBe(200)
    expect(upstream.requests[0]!.headers['x-auth-subject']).toBe('owner-ed')
    const again = await call(signed)
    expect(again.status).toBe(401)
    expect(await again.json()).toMatchObject({ code: 'credential_invalid' })
  })

  it('is told when a signature is too old, but not why another one is bad', async () => {
    const old = await call(
      await signNow(message('GET', '/orders/7'), { values: { created: new Date(Date.now() - 90_000) } }),
    )
    expect(await old.json()).toMatchObject({ status: 401, code: 'credential_expired' })
    const bad = await signNow(message('GET', '/orders/7'))
    const other = await call({ ...bad, method: 'DELETE' })
    expect(await other.json()).toMatchObject({ status: 401, code: 'credential_invalid' })
  })

  it('may have to bring an API key beside it, which the signature can cover', async () => {
    const { key } = await test.gateway.keys.create({ owner: 'acme' }, 'test')
    const signed = await signNow(message('GET', '/both', { 'x-api-key': key }), {
      fields: ['@method', '@target-uri', 'x-api-key'],
    })
    expect((await call(signed)).status).toBe(200)
    expect(upstream.requests[0]!.headers).toMatchObject({
      'x-auth-subject': 'acme',
      'x-auth-method': 'keys,partners',
    })
    const without = await call(message('GET', '/both', { 'x-api-key': key }))
    expect(without.status).toBe(401)
  })

  it('has the content held to its digest beside another credential, too', async () => {
    const { key } = await test.gateway.keys.create({ owner: 'acme' }, 'test')
    const signed = await signNow(
      message('POST', '/both', { 'x-api-key': key, 'content-digest': digestOf('a') }),
    )
    expect((await call(signed, 'b')).status).toBe(401)
    expect(upstream.requests).toEqual([])
  })
})

describe('a signed body', () => {
  it('that waits for `100-continue` is asked for once the signature held', async () => {
    const body = 'x'.repeat(20_000)
    const signed = await signNow(message('PUT', '/orders/big', { 'content-digest': digestOf(body) }))
    const client = send(signed.url, {
      method: 'PUT',
      headers: { ...signed.headers, expect: '100-continue', 'content-length': body.length },
    })
    client.flushHeaders()
    await once(client, 'continue')
    expect(upstream.requests).toEqual([])
    client.end(body)
    const [answer] = (await once(client, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    await text(answer)
    expect(upstream.requests[0]).toMatchObject({ body, complete: true })
  })

  it('over the limit of its route is refused as any other', async () => {
    const body = 'x'.repeat(70_000)
    const signed = await signNow(message('PUT', '/orders/big', { 'content-digest': digestOf(body) }))
    const client = send(signed.url, { method: 'PUT', headers: { ...signed.headers } })
    client.end(body)
    const [answer] = (await once(client, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(413)
    expect(upstream.requests).toEqual([])
  })

  it('comes in by SHA-512, chunked, with trailers that go nowhere', async () => {
    const body = 'chunked body'
    const digest = `sha-512=:${createHash('sha512').update(body).digest('base64')}:`
    const signed = await signNow(message('POST', '/orders/', { 'content-digest': digest }))
    const client = send(signed.url, {
      method: 'POST',
      headers: { ...signed.headers, trailer: 'content-digest', 'transfer-encoding': 'chunked' },
    })
    client.write('chunked ')
    client.addTrailers({ 'content-digest': digestOf('other') })
    client.end('body')
    const [answer] = (await once(client, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    await text(answer)
    expect(upstream.requests[0]).toMatchObject({ body, headers: { 'content-digest': digest } })
  })
})

describe('a tunnel that a signature opened', () => {
  it('stands beyond the age of the signature, and ends when the key is revoked', async () => {
    sockets.once('connection', (socket) => socket.on('message', (data) => socket.send(data)))
    const signed = await signNow(message('GET', '/feed'), { caller: edCaller })
    const socket = new WebSocket(`${test.url.replace('http', 'ws')}/feed`, { headers: { ...signed.headers } })
    await once(socket, 'open')
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('hello')
    const closed = once(socket, 'close')
    const revoked = await fetch(`${test.gateway.adminUrl}/api/v1/revocations`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin-token', 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'client', issuer: 'urn:portcullis:http-signature', value: 'ed' }),
    })
    expect(revoked.status).toBe(201)
    await closed
    const answer = await call(await signNow(message('GET', '/orders/7'), { caller: edCaller }))
    expect(await answer.json()).toMatchObject({ status: 401, code: 'credential_revoked' })
  })
})

describe('the guide', () => {
  it('lets a partner sign with openssl and curl, as printed', async () => {
    const text = await readFile(join(import.meta.dirname, '../../docs/http-signatures.md'), 'utf8')
    const [make = '', sendIt = ''] = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!)
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-partner-'))
    const shell = (script: string): Promise<{ stdout: string }> => run('sh', ['-ec', script], { cwd: folder })
    await shell(make)
    const pem = await readFile(join(folder, 'acme.pem'), 'utf8')
    await using gateway = await startTestGateway(
      `
version: 1
authenticators:
  partners:
    type: http-signature
    keys: [{ id: acme-1, algorithm: ed25519, key: "\${file:./acme.pem}", owner: acme }]
upstreams: { orders: { targets: ["${upstream.url}"] } }
routes: [{ id: orders, match: { path: /orders/* }, authenticate: [partners], upstream: orders }]
`,
      { files: { 'acme.pem': pem } },
    )
    const { stdout } = await shell(sendIt.replace('http://127.0.0.1:8080', gateway.url))
    await rm(folder, { recursive: true })
    expect(stdout).toBe('hello\n')
    expect(upstream.requests[0]).toMatchObject({
      body: '{"amount":1}',
      headers: { 'x-auth-subject': 'acme' },
    })
  })
})

/** What stays open: event streams and WebSockets pass, and are cut when their credential ends. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'

let issuer: TestIssuer
let backend: Server
let sockets: WebSocketServer
let test: TestGateway
let upgradesSeen = 0

beforeAll(async () => {
  issuer = await startTestIssuer()
  backend = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let count = 0
    const timer = setInterval(() => response.write(`data: ${(count += 1)}\n\n`), 50)
    response.on('close', () => clearInterval(timer))
  })
  sockets = new WebSocketServer({ server: backend })
  sockets.on('connection', (socket, request) => {
    upgradesSeen += 1
    socket.send(
      `hello ${String(request.headers['x-auth-subject'])}, authorization ${String(request.headers.authorization)}`,
    )
    socket.on('message', (data: Buffer) => socket.send(data.toString().toUpperCase()))
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  test = await startTestGateway(`
version: 1
providers: { corp: { type: oidc, issuer: "${issuer.issuer}", clockSkew: 0s } }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example }
  keys: { type: api-key }
upstreams: { live: { targets: ["http://127.0.0.1:${(backend.address() as AddressInfo).port}"] } }
routes:
  - { id: live, match: { path: /live/* }, authenticate: [corp-token, keys], upstream: live }
`)
})

afterAll(async () => {
  await test.stop()
  await issuer.close()
  sockets.close()
  await new Promise<void>((resolve) => {
    backend.close(() => resolve())
    backend.closeAllConnections()
  })
})

/** Opens a socket and tells what came first: a message, or the status of a refusal. */
function open(headers: Record<string, string>): Promise<{ socket: WebSocket; first: string }> {
  const socket = new WebSocket(`${test.url.replace('http', 'ws')}/live/chat`, { headers })
  return new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer) => resolve({ socket, first: data.toString() }))
    socket.once('unexpected-response', (_request, response) =>
      resolve({ socket, first: String(response.statusCode) }),
    )
    socket.once('error', reject)
  })
}

function closed(socket: WebSocket): Promise<number> {
  const from = Date.now()
  return new Promise((resolve) => socket.once('close', () => resolve(Date.now() - from)))
}

describe('a WebSocket', () => {
  it('is authenticated before the upgrade, and the backend never hears of a refused one', async () => {
    expect((await open({})).first).toBe('401')
    expect(upgradesSeen).toBe(0)
  })

  it('passes both ways as an identity without the credential', async () => {
    const { socket, first } = await open({ authorization: `Bearer ${issuer.token()}` })
    expect(first).toBe('hello alice, authorization undefined')
    const echoed = new Promise<string>((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    )
    socket.send('shout')
    expect(await echoed).toBe('SHOUT')
    socket.close()
    await closed(socket)
  })

  it("is cut within a second or so of its token's expiry", async () => {
    const exp = Math.floor(Date.now() / 1000) + 2
    const { socket } = await open({ authorization: `Bearer ${issuer.token({ exp })}` })
    await closed(socket)
    expect(Date.now() - exp * 1000).toBeGreaterThan(-50)
    expect(Date.now() - exp * 1000).toBeLessThan(1500)
  })

  it('is cut when its key is revoked', async () => {
    const { key, id } = await test.gateway.keys.create({ owner: 'acme' }, 'test')
    const { socket, first } = await open({ 'x-api-key': key })
    expect(first).toContain('hello acme')
    const ended = closed(socket)
    await test.gateway.keys.revoke(id, undefined, 'test')
    expect(await ended).toBeLessThan(2000)
  })
})

describe('an event stream', () => {
  it('passes event by event, and is cut when its key is revoked', async () => {
    const { key, id } = await test.gateway.keys.create({ owner: 'acme' }, 'test')
    const answer = await fetch(`${test.url}/live/events`, { headers: { 'x-api-key': key } })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const reader = answer.body!.getReader()
    const first = await reader.read()
    expect(new TextDecoder().decode(first.value)).toContain('data: 1')
    await test.gateway.keys.revoke(id, undefined, 'test')
    const from = Date.now()
    await expect(drain(reader)).rejects.toThrow()
    expect(Date.now() - from).toBeLessThan(2000)
  })
})

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) if ((await reader.read()).done) return
}

/** PROXY headers say who the client is before a byte of HTTP: from the wrong mouth, or in the wrong form, they would be a disguise. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { queryAudit } from '../../src/audit/read/query.ts'
import type { DataPlane } from '../../src/server/start.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream } from '../harness/upstream.ts'
import { startListener, type TestListener } from '../listener.ts'
import { rawClient, type RawClient } from '../raw-client.ts'
import { createAuthority } from '../support/certificates.ts'
import { binaryHeader, extension, ipv4, ipv6 } from '../support/proxy-header.ts'

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const line = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n'
const described = { address: '203.0.113.7', port: 4711 }
const planes = ['wire', 'node'] as const satisfies readonly DataPlane[]

const folder = mkdtempSync(join(tmpdir(), 'portcullis-proxy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const issued = createAuthority('test authority').issue([{ type: 'ip', value: '127.0.0.1' }])
writeFileSync(join(folder, 'server.pem'), issued.certificate)
writeFileSync(join(folder, 'server.key'), issued.key)

/** Each byte in a packet of its own, as far as the system lets us. */
async function drip(client: RawClient, bytes: string | Buffer, pause = 1): Promise<void> {
  for (const byte of Buffer.from(bytes as string, 'latin1')) {
    if (client.isClosed || client.hasEnded) return
    client.send(Buffer.from([byte]))
    await delay(pause)
  }
}

/** The connection is closed, nothing was said, and nothing reached anybody. */
async function expectClosed(listener: TestListener, client: RawClient): Promise<void> {
  expect((await client.ended()).length).toBe(0)
  expect(listener.reached).toEqual([])
  expect(listener.faults).toEqual([])
}

describe.each(planes)('on the %s data plane, a listener that wants PROXY headers', (dataPlane) => {
  it.each([
    ['a line', line, described],
    ['a line of IPv6', 'PROXY TCP6 2001:DB8::7 ::1 1 2\r\n', { address: '2001:db8::7', port: 1 }],
    ['a binary header', binaryHeader(), described],
    [
      'a binary header of IPv6',
      binaryHeader({ kind: 0x21, addresses: ipv6([0x2001, 0xdb8]) }),
      { address: '2001:db8::' },
    ],
    ['one with much behind it', binaryHeader({ extensions: [extension(4, Buffer.alloc(4000))] }), described],
    [
      'one of its own',
      binaryHeader({ verb: 0x20, kind: 0, addresses: Buffer.alloc(0) }),
      { address: '127.0.0.1' },
    ],
    ['a line that names nobody', 'PROXY UNKNOWN\r\n', { address: '127.0.0.1', isUntold: true }],
    [
      'a UNIX socket',
      binaryHeader({ kind: 0x31, addresses: Buffer.alloc(216) }),
      { address: '127.0.0.1', isUntold: true },
    ],
  ])('knows the client by %s, whole or byte by byte', async (_name, header, expected) => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    const whole = await listener.client()
    whole.send(Buffer.concat([Buffer.from(header as string, 'latin1'), Buffer.from(get + get)]))
    expect((await whole.answer()).status).toBe(200)
    expect((await whole.answer()).status).toBe(200)
    const slow = await listener.client()
    await drip(slow, header.slice(0, 300))
    slow.send(header.slice(300))
    await drip(slow, get)
    expect((await slow.answer()).status).toBe(200)
    expect(listener.reached).toHaveLength(3)
    for (const { connection } of listener.reached) expect(connection).toMatchObject(expected)
    const told = listener.reached.map(({ connection }) => connection.isUntold)
    expect(told).toEqual(Array(3).fill((expected as { isUntold?: true }).isUntold))
  })

  it('takes the header apart from the request at every byte', async () => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    const bytes = Buffer.concat([binaryHeader(), Buffer.from(get)])
    for (let at = 1; at < bytes.length; at += 1) {
      const client = await listener.client()
      await client.sendPieces([bytes.subarray(0, at), bytes.subarray(at)], 1)
      expect((await client.answer()).status).toBe(200)
      client.destroy()
    }
    expect(listener.reached).toHaveLength(bytes.length - 1)
    expect(listener.reached.every(({ connection }) => connection.address === '203.0.113.7')).toBe(true)
  })

  it('closes on a stranger unread, however good the header is', async () => {
    await using listener = await startListener({
      dataPlane,
      proxyProtocol: true,
      trustsPeer: (peer) => peer === '127.0.0.2',
    })
    for (const header of [line, binaryHeader(), get]) {
      const stranger = await listener.client()
      await expectClosed(listener, stranger.send(header).send(get))
    }
    expect(listener.refused.map(({ reason }) => reason)).toEqual(Array(3).fill('proxy_not_trusted'))
    const proxy = await listener.client({ localAddress: '127.0.0.2' })
    expect((await proxy.send(line).send(get).answer()).status).toBe(200)
  })

  it.each([
    ['no header', get],
    ['a header in lower case', `proxy ${line.slice(6)}${get}`],
    ['a header behind a line break', `\r\n${line}${get}`],
    ['a header behind its request', `${get}${line}`],
    ['a line that inet_aton would take', `PROXY TCP4 0x7f.1 127.0.0.1 1 2\r\n${get}`],
    ['a port with a zero in front', `PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n${get}`],
    ['a bare line feed', `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n${get}`],
    ['a line without end', `PROXY UNKNOWN ${'x'.repeat(5000)}`],
    ['a cut-off binary header', Buffer.concat([binaryHeader({ length: 11 }), Buffer.from(get)])],
    [
      'a wrong checksum',
      Buffer.concat([binaryHeader({ extensions: [extension(3, Buffer.alloc(4))] }), Buffer.from(get)]),
    ],
    [
      'an extension that reaches into the request',
      Buffer.concat([binaryHeader({ extensions: [Buffer.from([4, 0, 90])] }), Buffer.from(get)]),
    ],
    ['a length of 64 KiB', binaryHeader({ length: 65_535 })],
  ])('closes on %s', async (_name, bytes) => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    await expectClosed(listener, (await listener.client()).send(bytes))
    expect(listener.refused).toMatchObject([{ reason: 'proxy_header_invalid' }])
  })

  it('reads one header: a second one is the client’s own, and no request', async () => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    const client = await listener.client()
    client.send(`${line}PROXY TCP4 10.0.0.1 192.0.2.1 1 2\r\n${get}`)
    expect((await client.answer()).status).toBe(400)
    expect(listener.reached).toEqual([])
    const binary = await listener.client()
    binary.send(
      Buffer.concat([binaryHeader(), binaryHeader({ addresses: ipv4([10, 0, 0, 1]) }), Buffer.from(get)]),
    )
    expect((await binary.answer()).status).toBe(400)
  })

  it('gives a header as long as the head of a request, however steadily it comes', async () => {
    await using listener = await startListener({
      dataPlane,
      proxyProtocol: true,
      limits: { headersTimeout: 300 },
    })
    const client = await listener.client()
    const began = performance.now()
    const dripping = drip(client, `PROXY UNKNOWN ${'x'.repeat(80)}`, 20)
    await Promise.all([client.ended(), dripping])
    expect(performance.now() - began).toBeLessThan(2000)
    expect(listener.refused).toMatchObject([{ reason: 'proxy_header_invalid' }])
  })

  it('says nothing of load balancers that only look whether the port is open', async () => {
    await using listener = await startListener({
      dataPlane,
      proxyProtocol: true,
      limits: { headersTimeout: 200 },
    })
    const looker = await listener.client()
    looker.end()
    const silent = await listener.client()
    await Promise.all([looker.ended(), silent.ended()])
    expect(listener.refused).toEqual([])
  })

  it('survives resets in the middle of a header', async () => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    for (const bytes of ['', 'PROXY ', line]) {
      const client = await listener.client()
      if (bytes !== '') client.send(bytes)
      await delay(20)
      client.reset()
    }
    const next = await listener.client()
    expect((await next.send(line + get).answer()).status).toBe(200)
  })

  it('ends a drain with headers that never come', async () => {
    await using listener = await startListener({ dataPlane, proxyProtocol: true })
    const silent = await listener.client()
    const slow = await listener.client()
    slow.send('PROXY')
    await delay(20)
    const began = performance.now()
    const closed = listener.running.closed(3000)
    await silent.ended()
    expect(performance.now() - began).toBeLessThan(2500)
    slow.send(line.slice(5) + get)
    const answer = await slow.answer()
    expect(answer.status).toBe(200)
    expect(answer.field('connection')).toBe('close')
    slow.end()
    await closed
  })
})

describe.each(planes)('on the %s data plane, in front of TLS', (dataPlane) => {
  const start = (trusted = true): Promise<TestListener> =>
    startListener({
      dataPlane,
      proxyProtocol: true,
      trustsPeer: () => trusted,
      tls: { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key'), also: [] },
      limits: { headersTimeout: 1000 },
    })

  async function secure(listener: TestListener, header: string | Buffer): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port: listener.running.port })
    socket.write(header)
    return rawClient({ port: listener.running.port, tls: { socket } })
  }

  it('comes the header, outside of it', async () => {
    await using listener = await start()
    for (const header of [line, binaryHeader()]) {
      const client = await secure(listener, header)
      expect((await client.send(get).answer()).status).toBe(200)
      client.destroy()
    }
    for (const { connection } of listener.reached) {
      expect(connection).toMatchObject(described)
      expect(connection.tls?.version).toBe('TLSv1.3')
    }
    expect(listener.reached).toHaveLength(2)
  })

  it('tells many connections at once apart', async () => {
    await using listener = await start()
    const clients = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const client = await secure(
          listener,
          `PROXY TCP4 203.0.113.${index} 192.0.2.1 ${1000 + index} 443\r\n`,
        )
        const answer = await client.send(`GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`).answer()
        expect(answer.status).toBe(200)
        return client
      }),
    )
    for (const { target, connection } of listener.reached) {
      expect(connection.address).toBe(`203.0.113.${target.slice(1)}`)
      expect(connection.port).toBe(1000 + Number(target.slice(1)))
    }
    for (const client of clients) client.destroy()
  })

  it('is not taken from inside, and no handshake begins without it', async () => {
    await using listener = await start()
    await expect(rawClient({ port: listener.running.port, tls: {} })).rejects.toThrow()
    const client = await secure(listener, line)
    client.send(line.replace('203.0.113.7', '10.0.0.1') + get)
    expect((await client.answer()).status).toBe(400)
    expect(listener.reached).toEqual([])
    await expect(secure(listener, '')).rejects.toThrow()
  })

  it('closes on strangers before their handshake', async () => {
    await using listener = await start(false)
    await expect(secure(listener, line)).rejects.toThrow()
    expect(listener.refused).toMatchObject([{ reason: 'proxy_not_trusted' }])
  })
})

describe.each(planes)('on the %s data plane, a listener that wants none', (dataPlane) => {
  it.each([
    ['a line', line],
    ['a binary header', binaryHeader()],
  ])('believes no %s', async (_name, header) => {
    await using listener = await startListener({ dataPlane })
    const client = await listener.client()
    expect((await client.send(header).send(get).answer()).status).toBe(400)
    expect(listener.reached).toEqual([])
  })
})

describe('a gateway behind PROXY headers', () => {
  const start = (upstream: string): Promise<TestGateway> =>
    startTestGateway(`
version: 1
trustedProxies: [127.0.0.1, 10.0.0.0/8]
listeners: [{ address: "127.0.0.1:0", proxyProtocol: true }]
upstreams: { items: { targets: ["${upstream}"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`)

  it('tells services the client of the header, and believes what that client says only where it is a trusted proxy', async () => {
    await using upstream = await startTestUpstream()
    await using test = await start(upstream.url)
    const ask = async (header: string | Buffer): Promise<string | undefined> => {
      const client = await rawClient({ port: test.port })
      client.send(header)
      client.send('GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n')
      expect((await client.answer()).status).toBe(200)
      client.destroy()
      return String(upstream.requests.at(-1)!.headers['x-forwarded-for'])
    }
    expect(await ask(line)).toBe('203.0.113.7')
    expect(upstream.requests.at(-1)!.headers['x-forwarded-proto']).toBe('http')
    // Another proxy of ours, between the client and the one that passes connections on.
    expect(await ask('PROXY TCP4 10.1.2.3 192.0.2.1 1 2\r\n')).toBe('6.6.6.6, 10.1.2.3')
    // The proxy's own word counts; that of somebody whom it does not name does not, although the address is the proxy's.
    expect(await ask(binaryHeader({ verb: 0x20, kind: 0, addresses: Buffer.alloc(0) }))).toBe(
      '6.6.6.6, 127.0.0.1',
    )
    expect(await ask('PROXY UNKNOWN\r\n')).toBe('127.0.0.1')
    expect(await ask(binaryHeader({ kind: 0, addresses: Buffer.alloc(0) }))).toBe('127.0.0.1')
  })

  it('records refused connections, a flood of them as a few', async () => {
    await using upstream = await startTestUpstream()
    await using test = await start(upstream.url)
    for (let count = 0; count < 60; count += 1) {
      const client = await rawClient({ port: test.port })
      await client.send('GET / HTTP/1.1\r\n\r\n').ended()
    }
    await test.gateway.stop()
    const events = (await queryAudit(join(test.folder, 'audit'), { reason: 'proxy_header_invalid' })).records
    expect(events.length).toBeGreaterThan(0)
    expect(events.length).toBeLessThan(50)
    expect(events[0]).toMatchObject({ clientIp: '127.0.0.1', code: 'bad_request' })
    expect(test.lines.length).toBeLessThan(20)
  })
})

import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { until } from '../../../test/listener.ts'
import { rawClient, type RawClient } from '../../../test/raw-client.ts'
import { binaryHeader } from '../../../test/support/proxy-header.ts'
import type { ListenerSettings } from '../../configuration.ts'
import type { ConnectionFacts } from '../../exchange.ts'
import type { Refusal } from '../../engine/outcome.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Plane } from '../plane.ts'
import { Acceptor } from './acceptor.ts'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Speaks nothing: it keeps what comes, and says where it ended up. */
class Recorder implements Plane {
  readonly #name: string
  readonly #sockets = new Set<Socket>()
  readonly facts: ConnectionFacts[] = []
  text = ''
  hasEnded = false

  constructor(name: string) {
    this.#name = name
  }

  serve(socket: Socket, facts: ConnectionFacts): void {
    this.#sockets.add(socket)
    this.facts.push(facts)
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
    })
    socket.on('end', () => {
      this.hasEnded = true
      socket.end()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.write(`${this.#name}\n`)
  }

  get connections(): number {
    return this.#sockets.size
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  beginDrain(): void {
    // Nothing is answered.
  }

  beginClose(): void {
    // It closes when it is cut.
  }

  stop(): void {
    // No timers.
  }
}

interface Opened extends AsyncDisposable {
  readonly acceptor: Acceptor
  readonly http1: Recorder
  readonly http2: Recorder
  readonly refused: Refusal[]
  client(): Promise<RawClient>
}

async function open(
  settings: Partial<ListenerSettings>,
  times: { readonly headersTimeout?: number; readonly idleTimeout?: number } = {},
): Promise<Opened> {
  const refused: Refusal[] = []
  const options: ListenerOptions = {
    settings: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: [],
      encodedSlashes: 'refuse',
      pathParameters: 'refuse',
      ...settings,
    },
    limits: () => ({
      headers: 16_384,
      headerCount: 100,
      body: 1024,
      headersTimeout: 5000,
      requestTimeout: 5000,
      idleTimeout: 5000,
      ...times,
    }),
    clock: { now: () => Date.now() },
    trustsPeer: () => true,
    handle: () => undefined,
    refuse(refusal) {
      refused.push(refusal)
      return { status: 400, fields: [], body: '' }
    },
    health: () => undefined,
  }
  const http1 = new Recorder('one')
  const http2 = new Recorder('two')
  const acceptor = await Acceptor.start(options, { http1, http2 })
  const clients: RawClient[] = []
  return {
    acceptor,
    http1,
    http2,
    refused,
    async client() {
      const client = await rawClient({ port: acceptor.address.port })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      for (const plane of [http1, http2]) plane.cut()
      acceptor.cut()
      acceptor.stop()
      await acceptor.ended()
    },
  }
}

describe('a listener with h2c', () => {
  it('hands connections that begin with the preface to HTTP/2, with every byte', async () => {
    await using listener = await open({ h2c: true })
    const client = await listener.client()
    client.send(`${preface}and more`)
    await until(() => listener.http2.text === `${preface}and more`)
    client.send('!')
    await until(() => listener.http2.text.endsWith('more!'))
    expect(listener.http1.connections).toBe(0)
    expect(listener.http2.facts).toMatchObject([{ address: '127.0.0.1' }])
  })

  it('looks at the preface byte by byte', async () => {
    await using listener = await open({ h2c: true })
    const client = await listener.client()
    for (const byte of preface) {
      expect(listener.http2.connections).toBe(0)
      client.send(byte)
      await delay(2)
    }
    await until(() => listener.http2.text === preface)
  })

  it.each(['GET / HTTP/1.1\r\n', 'PRI * HTTP/1.1\r\n\r\n', 'PUT', 'X', '\0', preface.replace('SM', 'SN')])(
    'hands %j to HTTP/1.1, with every byte',
    async (text) => {
      await using listener = await open({ h2c: true })
      const client = await listener.client()
      for (const byte of text) {
        client.send(byte)
        await delay(1)
      }
      await until(() => listener.http1.text === text)
      expect(listener.http2.connections).toBe(0)
      client.end()
      await until(() => listener.http1.hasEnded)
    },
  )

  it('tells the end of a connection that came with its bytes', async () => {
    await using listener = await open({ h2c: true })
    const client = await listener.client()
    client.socket.end('GET / HTTP/1.1\r\n\r\n')
    await until(() => listener.http1.hasEnded)
    expect(listener.http1.text).toBe('GET / HTTP/1.1\r\n\r\n')
  })

  it('takes a large first packet', async () => {
    await using listener = await open({ h2c: true })
    const client = await listener.client()
    const text = `POST / HTTP/1.1\r\n\r\n${'x'.repeat(500_000)}`
    client.send(text)
    await until(() => listener.http1.text.length === text.length)
    expect(listener.http1.text).toBe(text)
  })

  it('closes a connection that stops within the preface, and one that says nothing', async () => {
    await using listener = await open({ h2c: true }, { headersTimeout: 150, idleTimeout: 600 })
    const slow = await listener.client()
    slow.send('PRI * H')
    const silent = await listener.client()
    await slow.ended()
    expect(silent.hasEnded).toBe(false)
    await silent.ended()
    const ended = await listener.client()
    ended.send('PR').end()
    await ended.ended()
    expect(listener.http1.facts).toEqual([])
  })

  it('survives a reset within the preface', async () => {
    await using listener = await open({ h2c: true })
    const client = await listener.client()
    client.send('PR')
    await delay(20)
    client.socket.resetAndDestroy()
    const next = await listener.client()
    next.send('G')
    await until(() => listener.http1.text === 'G')
  })

  it('closes silent connections after a second when it closes, and lets others go on', async () => {
    await using listener = await open({ h2c: true }, { idleTimeout: 60_000, headersTimeout: 60_000 })
    const silent = await listener.client()
    const slow = await listener.client()
    slow.send('PRI')
    await delay(30)
    listener.acceptor.beginClose()
    listener.acceptor.stop()
    const began = performance.now()
    await silent.ended()
    expect(performance.now() - began).toBeGreaterThan(800)
    slow.send(preface.slice(3))
    await until(() => listener.http2.text === preface)
  })

  it('reads a PROXY header first', async () => {
    await using listener = await open({ h2c: true, proxyProtocol: true })
    const client = await listener.client()
    for (const byte of binaryHeader()) {
      client.send(Buffer.from([byte]))
      await delay(1)
    }
    client.send(preface)
    await until(() => listener.http2.text === preface)
    expect(listener.http2.facts).toMatchObject([{ address: '203.0.113.7', port: 4711 }])
    const other = await listener.client()
    other.send(Buffer.concat([binaryHeader(), Buffer.from('GET')]))
    await until(() => listener.http1.text === 'GET')
  })
})

describe('a listener without h2c', () => {
  it('hands over connections at once', async () => {
    await using listener = await open({})
    const client = await listener.client()
    await until(() => listener.http1.connections === 1)
    client.send(preface)
    await until(() => listener.http1.text === preface)
  })
})

import {
  connect,
  createServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../../test/listener.ts'
import { rawClient, type RawClient } from '../../../test/raw-client.ts'
import {
  errors,
  flags,
  frameTypes,
  goaway,
  rstStream,
  windowUpdate,
} from '../../../test/support/http2-frames.ts'
import { http2Upstream, type FrameServer } from '../../../test/support/http2-upstream.ts'
import { setUpTargets, type SetupOptions, type UpstreamSetup } from '../../../test/support/upstream-setup.ts'
import type { UpstreamSettings } from '../../configuration.ts'

const h2c = { protocol: 'h2c' } as const

function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: gateway.example\r\n${fields}\r\n`
}

async function client({ server }: UpstreamSetup): Promise<RawClient> {
  const made = await rawClient({ port: server.port })
  onTestFinished(() => made.destroy())
  return made
}

function http2Client({ server }: UpstreamSetup): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${String(server.port)}`)
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return session
}

/** A service on node:http2. */
async function service(
  handle: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: SetupOptions & { readonly limit?: number } = {},
): Promise<UpstreamSetup & { readonly sessions: () => number }> {
  let sessions = 0
  const server = createServer(
    options.limit === undefined ? {} : { settings: { maxConcurrentStreams: options.limit } },
  )
  server.on('session', () => (sessions += 1))
  server.on('sessionError', () => undefined)
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    handle(stream as ServerHttp2Stream, headers)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  const setup = await setUpTargets([url], { ...options, settings: { ...h2c, ...options.settings } })
  return { ...setup, sessions: () => sessions }
}

/** A service in raw frames. */
async function raw(
  behave: (connection: FrameServer, index: number) => Promise<void> | void,
  settings: Partial<UpstreamSettings> = {},
): Promise<UpstreamSetup & { readonly connections: FrameServer[] }> {
  const upstream = await http2Upstream(behave)
  const setup = await setUpTargets([upstream.url], { settings: { ...h2c, ...settings } })
  return { ...setup, connections: upstream.connections }
}

function echo(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  let body = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    body += chunk
  })
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify({ headers, body }))
  })
}

describe('a request to an HTTP/2 service', () => {
  it('carries what HTTP/1.1 would say, in its own words', async () => {
    const setup = await service(echo)
    const from = await client(setup)
    from.send(
      `POST /a?b=c HTTP/1.1\r\nHost: gateway.example\r\nX-One: 1\r\nx-one: 2\r\nConnection: x-gone\r\nX-Gone: 1\r\nContent-Length: 3\r\n\r\nabc`,
    )
    const answer = await from.answer()
    expect(answer.status).toBe(200)
    const { headers, body } = answer.json() as { headers: Record<string, unknown>; body: string }
    expect(body).toBe('abc')
    const authority = String(headers[':authority'])
    expect(headers).toEqual({
      ':method': 'POST',
      ':path': '/a?b=c',
      ':scheme': 'http',
      ':authority': authority,
      'x-one': '1, 2',
      'content-length': '3',
    })
    expect(authority).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('has a body without a length, and no length of its own', async () => {
    const setup = await service(echo)
    const from = await client(setup)
    from.send(
      'PUT / HTTP/1.1\r\nHost: gateway.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    )
    const { headers, body } = (await from.answer()).json() as {
      headers: Record<string, unknown>
      body: string
    }
    expect(body).toBe('abcde')
    expect(headers).not.toHaveProperty('content-length')
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  it('ends with its head where nothing follows', async () => {
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      connection.head(stream, 204, [], true)
    })
    const from = await client(setup)
    from.send(get())
    expect((await from.answer()).status).toBe(204)
    const [head] = setup.connections[0]!.frames.filter(({ type }) => type === frameTypes.headers)
    expect(head!.flags & flags.endStream).toBe(flags.endStream)
  })

  it('says that it takes trailers where it is a gRPC call, and only there', async () => {
    const setup = await service(echo)
    const session = http2Client(setup)
    const ask = (fields: object): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ...fields }, { endStream: true })
        let text = ''
        stream.setEncoding('utf8')
        stream.on('data', (chunk: string) => (text += chunk))
        stream.on('end', () => resolve((JSON.parse(text) as { headers: Record<string, unknown> }).headers))
        stream.on('error', reject)
      })
    expect(await ask({ 'content-type': 'application/grpc+proto', te: 'trailers' })).toMatchObject({
      te: 'trailers',
    })
    expect(await ask({ 'content-type': 'application/json', te: 'trailers' })).not.toHaveProperty('te')
  })

  it('whose client breaks off never looks whole', async () => {
    const { promise, resolve } = Promise.withResolvers<FrameServer>()
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      await connection.until(
        () => (connection.stream(stream).body.length === 3 ? true : undefined),
        'content',
      )
      resolve(connection)
    })
    const from = await client(setup)
    from.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    const connection = await promise
    from.reset()
    const request = await connection.whole(1)
    expect(request).toMatchObject({ isWhole: false, reset: errors.cancel })
    expect(await setup.server.result()).toMatchObject({
      outcome: 'refused',
      refusal: { reason: 'client_gone' },
    })
  })

  it('whose declared length is not met never looks whole', async () => {
    const setup = await raw(async (connection) => void (await connection.request()))
    const session = http2Client(setup)
    const stream = session.request({ ':method': 'POST', 'content-length': '5' })
    stream.on('error', () => undefined)
    stream.write('abc')
    await until(() => setup.connections[0]?.stream(1).body.length === 3)
    stream.end()
    expect(await setup.connections[0]!.whole(1)).toMatchObject({ isWhole: false, reset: errors.cancel })
  })

  it('waits for the window of the service', async () => {
    const upstream = await http2Upstream(() => undefined, { settings: [[4, 10]] })
    const setup = await setUpTargets([upstream.url], { settings: h2c })
    const from = await client(setup)
    from.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${'a'.repeat(100)}`)
    await until(() => upstream.connections[0]?.stream(1).body.length === 10)
    await delay(30)
    const [connection] = upstream.connections
    expect(connection!.stream(1).body).toHaveLength(10)
    connection!.send(windowUpdate(1, 1000))
    expect(await connection!.whole(1)).toMatchObject({ isWhole: true })
    connection!.head(1, 200, [], true)
    expect((await from.answer()).status).toBe(200)
  })

  it('that asks for a WebSocket is a request like any other', async () => {
    const setup = await service((stream) => {
      stream.respond({ ':status': 426 })
      stream.end('no')
    })
    const from = await client(setup)
    from.send(
      get(
        '/',
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      ),
    )
    expect((await from.answer()).status).toBe(426)
  })
})

describe('an answer of an HTTP/2 service', () => {
  it('reaches HTTP/1.1 clients, with and without a length', async () => {
    const setup = await service((stream, headers) => {
      stream.respond({
        ':status': 201,
        'x-one': ['1', '2'],
        ...(headers[':path'] === '/length' ? { 'content-length': '3' } : {}),
      })
      stream.end('abc')
    })
    const from = await client(setup)
    from.send(get('/length'))
    const known = await from.answer()
    expect([known.status, known.text(), known.field('content-length')]).toEqual([201, 'abc', '3'])
    expect(known.values('x-one')).toEqual(['1', '2'])
    from.send(get('/'))
    const unknown = await from.answer()
    expect([unknown.text(), unknown.field('transfer-encoding')]).toEqual(['abc', 'chunked'])
  })

  it('brings its trailers to clients of either version', async () => {
    const setup = await service((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7', 'set-cookie': 'no' }))
      stream.end('abc')
    })
    const from = await client(setup)
    from.send(get())
    expect((await from.answer()).trailers).toEqual(['x-sum', '7'])
    const stream = http2Client(setup).request({ ':path': '/' })
    const trailers = await new Promise((resolve) => stream.on('trailers', resolve).resume())
    expect(Object.entries(trailers as object)).toEqual([['x-sum', '7']])
  })

  it('has interim ones before it, for clients that know them', async () => {
    const setup = await service((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' })
      stream.additionalHeaders({ ':status': 100 })
      stream.respond({ ':status': 200 })
      stream.end('abc')
    })
    const from = await client(setup)
    from.send(get())
    const interim = await from.answer()
    expect([interim.status, interim.field('link')]).toEqual([103, '</a.css>'])
    expect((await from.answer()).status).toBe(200)
  })

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('to %s with status %i has no content', async (method, status) => {
    const setup = await service((stream) => {
      stream.respond({ ':status': status, ...(method === 'HEAD' ? { 'content-length': '3' } : {}) })
      stream.end()
    })
    const from = await client(setup)
    from.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    const answer = await from.answer(method)
    expect(answer.status).toBe(status)
    if (method === 'HEAD') expect(answer.field('content-length')).toBe('3')
    from.send(get())
    await from.answer(method === 'HEAD' ? 'GET' : method).catch(() => undefined)
  })

  it('comes no faster than the client takes it', async () => {
    let written = 0
    const setup = await service((stream) => {
      stream.respond({ ':status': 200 })
      const chunk = Buffer.alloc(16 * 1024)
      const write = (): void => {
        while (written < 64 * 1024 * 1024 && stream.write(chunk)) written += chunk.length
      }
      stream.on('drain', write)
      write()
    })
    const from = await client(setup)
    from.socket.pause()
    from.send(get())
    await until(() => written > 0)
    await delay(300)
    const held = written
    await delay(200)
    expect(written).toBe(held)
    expect(written).toBeLessThan(16 * 1024 * 1024)
  })

  it('that comes before the request is whole ends the request', async () => {
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      connection.head(stream, 413).data(stream, 'too much', true)
    })
    const from = await client(setup)
    from.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc')
    const answer = await from.answer()
    expect([answer.status, answer.text()]).toEqual([413, 'too much'])
    expect(await setup.connections[0]!.whole(1)).toMatchObject({ isWhole: false, reset: errors.cancel })
  })

  it.each([
    ['by a reset', (connection: FrameServer) => connection.send(rstStream(1, errors.internal))],
    ['by a reset without an error', (connection: FrameServer) => connection.send(rstStream(1, errors.none))],
    ['by the end of the connection', (connection: FrameServer) => connection.destroy()],
    ['by GOAWAY with an error', (connection: FrameServer) => connection.send(goaway(1, errors.internal))],
  ])('that breaks off %s never looks whole', async (_, breakOff) => {
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      connection.head(stream, 200).data(stream, 'abc')
      await delay(50)
      breakOff(connection)
    })
    const from = await client(setup)
    from.send(get())
    await from.waitFor('abc')
    await from.ended()
    expect(from.rest.toString()).not.toContain('0\r\n\r\n')
    expect(await setup.server.result()).toMatchObject({ outcome: 'answered', cut: 'upstream' })
  })
})

describe('connections to an HTTP/2 service', () => {
  it('carry many requests at once', async () => {
    const setup = await service((stream, headers) => {
      setTimeout(() => {
        stream.respond({ ':status': 200 })
        stream.end(headers[':path'])
      }, 20)
    })
    const session = http2Client(setup)
    const paths = Array.from({ length: 80 }, (_, index) => `/${String(index)}`)
    const got = await Promise.all(paths.map((path) => textOf(session, path)))
    expect(got).toEqual(paths)
    expect(setup.sessions()).toBe(1)
    expect(setup.upstream.state().targets[0]!.connections).toEqual({ open: 1, idle: 1 })
  })

  it('are as many as the service allows streams', async () => {
    const setup = await service(
      (stream, headers) => {
        setTimeout(() => {
          stream.respond({ ':status': 200 })
          stream.end(headers[':path'])
        }, 30)
      },
      { limit: 5 },
    )
    const session = http2Client(setup)
    const paths = Array.from({ length: 12 }, (_, index) => `/${String(index)}`)
    await textOf(session, '/first')
    expect(await Promise.all(paths.map((path) => textOf(session, path)))).toEqual(paths)
    expect(setup.sessions()).toBeGreaterThanOrEqual(3)
  })

  it('are left when the service says that it goes, and what is under way is answered', async () => {
    const setup = await raw(async (connection, index) => {
      const stream = await connection.request()
      if (index === 0) {
        connection.send(goaway(stream))
        await delay(100)
      }
      connection.head(stream, 200).data(stream, `from ${String(index)}`, true)
    })
    const [one, other] = [await client(setup), await client(setup)]
    one.send(get())
    await until(
      () =>
        setup.connections.length === 1 &&
        setup.connections[0]!.frames.some(({ type }) => type === frameTypes.headers),
    )
    await delay(30)
    other.send(get())
    expect((await other.answer()).text()).toBe('from 1')
    expect((await one.answer()).text()).toBe('from 0')
  })

  it.each([
    [
      'refused',
      (connection: FrameServer, stream: number) => connection.send(rstStream(stream, errors.refused)),
    ],
    ['not looked at', (connection: FrameServer, stream: number) => connection.send(goaway(stream - 2))],
  ])('that %s a request lose nothing: it is sent again, whatever its method', async (_, decline) => {
    const setup = await raw(async (connection, index) => {
      const first = await connection.request()
      connection.head(first, 200).data(first, `first on ${String(index)}`, true)
      if (index === 0) decline(connection, await connection.request())
    })
    const from = await client(setup)
    from.send(get())
    expect((await from.answer()).text()).toBe('first on 0')
    from.send('DELETE / HTTP/1.1\r\nHost: a\r\nX-Method: unsafe\r\n\r\n')
    expect((await from.answer()).text()).toBe('first on 1')
  })

  it('do not have a request sent again whose body was on its way', async () => {
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      await connection.whole(stream)
      connection.send(rstStream(stream, errors.refused))
    })
    const from = await client(setup)
    from.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')
    expect((await from.answer()).status).toBe(502)
    expect(setup.connections).toHaveLength(1)
  })

  it('do not have a request sent again that may have had an effect', async () => {
    const setup = await raw(async (connection) => {
      const stream = await connection.request()
      connection.send(rstStream(stream, errors.internal))
    })
    const from = await client(setup)
    from.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    expect((await from.answer()).status).toBe(502)
    expect(setup.connections[0]!.frames.filter(({ type }) => type === frameTypes.headers)).toHaveLength(1)
  })

  it('are not made to a service that speaks HTTP/1.1', async () => {
    const { createServer: createHttp1 } = await import('node:http')
    const http1 = createHttp1((_, response) => response.end('hello'))
    await new Promise<void>((resolve) => {
      http1.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => void http1.close())
    const url = `http://127.0.0.1:${String((http1.address() as AddressInfo).port)}`
    const setup = await setUpTargets([url], { settings: { ...h2c, retries: { attempts: 0 } } })
    const from = await client(setup)
    from.send(get())
    expect((await from.answer()).status).toBe(502)
    expect(await setup.server.result()).toMatchObject({ refusal: { reason: 'connect_failed' } })
  })

  it('are given up where the service never says what it understands', async () => {
    const upstream = await http2Upstream(() => undefined, { settings: false })
    const setup = await setUpTargets([upstream.url], {
      settings: { ...h2c, retries: { attempts: 0 }, timeouts: { connect: 200, response: 2000 } },
    })
    const from = await client(setup)
    from.send(get())
    expect((await from.answer()).status).toBe(504)
    expect(await setup.server.result()).toMatchObject({ refusal: { reason: 'connect_timeout' } })
  })

  it('that may not be used any more end with what is under way', async () => {
    const setup = await raw(async (connection, index) => {
      const stream = await connection.request()
      await delay(index === 0 ? 100 : 0)
      connection.head(stream, 200).data(stream, `from ${String(index)}`, true)
    })
    const from = await client(setup)
    from.send(get())
    await until(() => setup.connections.length === 1)
    await delay(30)
    const closed = setup.upstream.close()
    expect((await from.answer()).text()).toBe('from 0')
    await closed
    await setup.connections[0]!.ended()
    const late = await client(setup)
    late.send(get())
    expect((await late.answer()).text()).toBe('from 1')
    await setup.connections[1]!.ended()
  })

  it('are cut when the upstream is', async () => {
    const setup = await raw(async (connection) => void (await connection.request()))
    const from = await client(setup)
    from.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    await until(() => setup.connections[0]?.frames.some(({ type }) => type === frameTypes.headers) === true)
    setup.upstream.destroy()
    expect((await from.answer()).status).toBe(502)
    await setup.connections[0]!.ended()
  })

  it('are not kept by health checks', async () => {
    const setup = await service(
      (stream) => {
        stream.respond({ ':status': 200 })
        stream.end('fine')
      },
      {
        settings: {
          health: {
            path: '/healthz',
            interval: 30,
            timeout: 500,
            healthy: 1,
            unhealthy: 1,
            status: [{ from: 200, to: 299 }],
          },
        },
      },
    )
    await until(() => setup.sessions() > 4)
    const { health, connections } = setup.upstream.state().targets[0]!
    expect(health).toBe('healthy')
    expect(connections.open).toBeLessThan(3)
  })
})

function textOf(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path })
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve(text))
    stream.on('error', reject)
  })
}

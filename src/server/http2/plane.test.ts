import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import {
  echo,
  readBody,
  startListener,
  until,
  type TestListener,
  type TestListenerOptions,
} from '../../../test/listener.ts'
import {
  data,
  errors,
  frameClient,
  frameTypes,
  get,
  headers,
  post,
  request,
  rstStream,
  flags,
  windowUpdate,
  type Frame,
  type FrameClient,
  type FrameClientOptions,
} from '../../../test/support/http2-frames.ts'
import { refuse } from '../../engine/outcome.ts'
import { BodyError, type AnswerWriter, type ServerRequest } from '../../exchange.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listen(options: TestListenerOptions = {}): Promise<TestListener> {
  const listener = await startListener({ h2c: true, ...options })
  closers.push(() => listener[Symbol.asyncDispose]())
  return listener
}

async function raw(listener: TestListener, options: Partial<FrameClientOptions> = {}): Promise<FrameClient> {
  const client = await frameClient({ port: listener.running.port, ...options })
  closers.push(() => client.destroy())
  return client
}

function session(listener: TestListener): ClientHttp2Session {
  const made = connect(`http://127.0.0.1:${String(listener.running.port)}`)
  made.on('error', () => undefined)
  closers.push(() => made.destroy())
  return made
}

/** Begins a proxied answer and hands the writer out. */
function begun(
  fields: readonly string[] = [],
  status = 200,
): { handle: (request: ServerRequest) => void; writer: Promise<AnswerWriter> } {
  const { promise, resolve } = Promise.withResolvers<AnswerWriter>()
  return { handle: (request) => resolve(request.begin({ status, reason: '', fields })), writer: promise }
}

describe('a request on a stream', () => {
  it('arrives like any other, its authority as Host', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(get(1, '/a?b=c', [['x-one', '1']]))
    const answer = await client.answer(1)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      method: 'GET',
      target: '/a?b=c',
      version: '2',
    })
    expect(listener.reached[0]).toMatchObject({ hasBody: false, isUpgrade: false })
    expect(listener.reached[0]!.fields).toEqual(['host', 'gateway.example', 'x-one', '1'])
    expect(listener.reached[0]!.connection).toMatchObject({ address: '127.0.0.1' })
  })

  it('takes Host where there is no authority, or where both say the same', async () => {
    const listener = await listen()
    const client = await raw(listener)
    const bare = request('GET', '/').slice(0, 3)
    client.send(headers(1, [...bare, ['host', 'one.example']], flags.endHeaders | flags.endStream))
    client.send(get(3, '/', [['host', 'GATEWAY.example']]))
    expect((await client.answer(1)).status).toBe(200)
    expect((await client.answer(3)).status).toBe(200)
    expect(listener.reached.map(({ fields }) => fields)).toEqual([
      ['host', 'one.example'],
      ['host', 'gateway.example'],
    ])
  })

  it('has its cookies in one line, as the engine counts lines', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(
      get(1, '/', [
        ['cookie', 'a=1'],
        ['x-one', '1'],
        ['cookie', 'b=2'],
        ['cookie', 'c=3'],
      ]),
    )
    await client.answer(1)
    expect(listener.reached[0]!.fields).toEqual([
      'host',
      'gateway.example',
      'x-one',
      '1',
      'cookie',
      'a=1; b=2; c=3',
    ])
  })

  it('has a body, with and without a length', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(post(1), data(1, 'ab'), data(1, 'cd', true))
    client.send(post(3, '/', [['content-length', '4']]), data(3, 'efgh', true))
    client.send(post(5), data(5, '', true))
    expect(JSON.parse((await client.answer(1)).body.toString())).toMatchObject({ body: 'abcd' })
    expect(JSON.parse((await client.answer(3)).body.toString())).toMatchObject({ body: 'efgh' })
    expect(JSON.parse((await client.answer(5)).body.toString())).toMatchObject({ body: '' })
    expect(listener.reached.map(({ hasBody, contentLength }) => [hasBody, contentLength])).toEqual([
      [true, undefined],
      [true, 4],
      [true, undefined],
    ])
  })

  it('may end with trailers, which nobody is told of', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(post(1), data(1, 'abc'), headers(1, [['x-trailer', '1']], flags.endHeaders | flags.endStream))
    expect(JSON.parse((await client.answer(1)).body.toString())).toMatchObject({ body: 'abc' })
    expect(listener.reached[0]!.fields).not.toContain('x-trailer')
  })

  it('is told to go on where it asked, once somebody wants the body', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(post(1, '/', [['expect', '100-continue']]))
    await client.waitFor(
      ({ type, stream }) => type === frameTypes.headers && stream === 1,
      'the interim answer',
    )
    expect(client.stream(1).interim).toEqual([100])
    client.send(data(1, 'abc', true))
    const answer = await client.answer(1)
    expect(answer.interim).toEqual([100])
    expect(answer.status).toBe(200)
  })

  it('is not told to go on where its body is not wanted', async () => {
    const listener = await listen({ handle: (each) => each.answer({ status: 403, fields: [], body: 'no' }) })
    const client = await raw(listener)
    client.send(post(1, '/', [['expect', '100-continue']]))
    const answer = await client.answer(1)
    expect(answer).toMatchObject({ status: 403, interim: [], isWhole: true })
    await client.waitFor(({ type, stream }) => type === frameTypes.rstStream && stream === 1, 'the reset')
    expect(client.stream(1).reset).toBe(errors.none)
  })

  it('stands beside hundreds of others on one connection', async () => {
    const listener = await listen({
      handle: (each) => void setTimeout(() => echo(each), 20),
    })
    const client = session(listener)
    const bodies = await Promise.all(
      Array.from({ length: 300 }, (_, index) => fetchText(client.request({ ':path': `/${String(index)}` }))),
    )
    expect(bodies.map((text) => (JSON.parse(text) as { target: string }).target)).toEqual(
      bodies.map((_, index) => `/${String(index)}`),
    )
  })
})

describe('an answer', () => {
  it('leaves with the fields that HTTP/2 may have', async () => {
    const { handle, writer } = begun([
      'Content-Type',
      'text/plain',
      'Connection',
      'x-one',
      'Keep-Alive',
      'timeout=5',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'TE',
      'gzip',
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
    ])
    const client = await raw(await listen({ handle }))
    client.send(get(1))
    ;(await writer).end()
    const answer = await client.answer(1)
    expect(answer.fields.filter(([name]) => name !== 'date')).toEqual([
      [':status', '200'],
      ['content-type', 'text/plain'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    expect(answer.isWhole).toBe(true)
  })

  it('carries content as bytes and as text, and trailers behind it', async () => {
    const { handle, writer } = begun()
    const client = await raw(await listen({ handle }))
    client.send(get(1))
    const answer = await writer
    answer.write(Buffer.from('ab'))
    answer.write('\xe9c')
    answer.end(['Grpc-Status', '0', 'x-list', '1', 'x-list', '2', 'Content-Length', '7'])
    const got = await client.answer(1)
    expect(got.body.toString('latin1')).toBe('ab\xe9c')
    expect(got.trailers).toEqual([
      ['grpc-status', '0'],
      ['x-list', '1'],
      ['x-list', '2'],
    ])
  })

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 205],
    ['GET', 304],
  ])('to %s with status %i has no content, whatever the service sends', async (method, status) => {
    const { handle, writer } = begun(['content-type', 'text/plain'], status)
    const client = await raw(await listen({ handle }))
    client.send(headers(1, request(method, '/'), flags.endHeaders | flags.endStream))
    const answer = await writer
    answer.write(Buffer.from('abc'))
    answer.end(['x-trailer', '1'])
    const got = await client.answer(1)
    expect(got).toMatchObject({ status, isWhole: true, trailers: undefined })
    expect(got.body).toHaveLength(0)
  })

  it('to HEAD tells the length that GET would have', async () => {
    const listener = await listen({ handle: (each) => each.answer({ status: 200, fields: [], body: 'abc' }) })
    const client = await raw(listener)
    client.send(headers(1, request('HEAD', '/'), flags.endHeaders | flags.endStream))
    const got = await client.answer(1)
    expect(got.fields).toContainEqual(['content-length', '3'])
    expect(got.body).toHaveLength(0)
  })

  it('has interim ones before it', async () => {
    const listener = await listen({
      handle(each) {
        each.inform(103, [
          'link',
          '</a.css>; rel=preload',
          'link',
          '</b.css>',
          'connection',
          'x',
          'x-bad',
          'a\nb',
        ])
        each.inform(100, [])
        each.inform(101, [])
        each.answer({ status: 200, fields: [], body: 'abc' })
      },
    })
    const client = await raw(listener)
    client.send(get(1))
    const got = await client.answer(1)
    expect(got).toMatchObject({ status: 200, interim: [103] })
  })

  it('that is cut never looks whole', async () => {
    const { handle, writer } = begun()
    const listener = await listen({ handle })
    const client = await raw(listener)
    client.send(get(1))
    const answer = await writer
    answer.write(Buffer.from('abc'))
    answer.flush()
    await client.until(() => (client.stream(1).body.length === 3 ? true : undefined), 'the first bytes')
    answer.abort()
    const got = await client.answer(1)
    expect(got).toMatchObject({ isWhole: false, reset: errors.internal })
    expect(answer.write(Buffer.from('more'))).toBe(false)
    answer.end()
    client.send(get(3))
    await until(() => listener.reached.length === 2)
  })

  it('that is nothing but a head ends with it, as gRPC clients want it', async () => {
    const { handle, writer } = begun(['content-type', 'application/grpc', 'grpc-status', '5'])
    const client = await raw(await listen({ handle }))
    client.send(post(1, '/', [['content-type', 'application/grpc']]))
    ;(await writer).end()
    await client.answer(1)
    const [head] = client.frames.filter(({ stream }) => stream === 1)
    expect([head!.type, head!.flags]).toEqual([frameTypes.headers, flags.endHeaders | flags.endStream])
    expect(client.stream(1).fields).toContainEqual(['grpc-status', '5'])
  })

  it('may be taken back as long as nothing of it has left', async () => {
    const { handle, writer } = begun(['x-first', '1'])
    const listener = await listen({ handle })
    const client = await raw(listener)
    client.send(get(1))
    const answer = await writer
    answer.write('abc')
    expect(answer.retract?.()).toBe(true)
    answer.write('def')
    answer.end()
    listener.reached[0]!.answer({ status: 502, fields: [], body: 'sorry' })
    const got = await client.answer(1)
    expect(got).toMatchObject({ status: 502, isWhole: true })
    expect(got.body.toString()).toBe('sorry')
  })

  it('is not taken back once its head is out', async () => {
    const { handle, writer } = begun()
    const client = await raw(await listen({ handle }))
    client.send(get(1))
    const answer = await writer
    answer.flush()
    expect(answer.retract?.()).toBe(false)
    answer.end()
    expect((await client.answer(1)).isWhole).toBe(true)
  })

  it.each([
    ['more', 'abcd'],
    ['less', 'ab'],
  ])('that has %s than its declared length is cut', async (_, body) => {
    const { handle, writer } = begun(['Content-Length', '3'])
    const client = await raw(await listen({ handle }))
    client.send(get(1))
    const answer = await writer
    answer.flush()
    answer.write(body)
    answer.end()
    expect(await client.answer(1)).toMatchObject({ isWhole: false, reset: errors.internal })
  })

  it('with a field that cannot be written is not begun', async () => {
    const listener = await listen({
      handle: (each) => void each.begin({ status: 200, reason: '', fields: ['x-one', 'a\nb'] }),
    })
    const client = await raw(listener)
    client.send(get(1))
    expect(await client.answer(1)).toMatchObject({ status: 500, isWhole: true })
    expect(listener.faults).toHaveLength(1)
  })

  it('that is cut with bytes still on their way never looks whole', async () => {
    const { handle, writer } = begun()
    const client = await raw(await listen({ handle }))
    client.send(get(1))
    const answer = await writer
    answer.write(Buffer.alloc(200_000))
    answer.abort()
    expect(await client.answer(1)).toMatchObject({ isWhole: false, reset: errors.internal })
  })

  it('to a gRPC call that is cut ends with the reason', async () => {
    const { handle, writer } = begun(['content-type', 'application/grpc'])
    const client = await raw(await listen({ handle }))
    client.send(
      post(1, '/catalog.Items/List', [
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
      ]),
    )
    const answer = await writer
    answer.write(Buffer.from('abc'))
    answer.abort(refuse('credential_expired'))
    const got = await client.answer(1)
    expect(got).toMatchObject({ isWhole: true })
    expect(got.trailers).toContainEqual(['grpc-status', '16'])
    expect(got.body.toString()).toBe('abc')
  })

  it('to a gRPC call that is cut does not wait for a client that takes nothing', async () => {
    const { handle, writer } = begun(['content-type', 'application/grpc'])
    const listener = await listen({ handle, limits: { idleTimeout: 4000 } })
    const client = await raw(listener, { settings: [[4, 10]] })
    client.send(post(1, '/', [['content-type', 'application/grpc']]))
    const answer = await writer
    answer.write(Buffer.alloc(1000))
    answer.abort(refuse('credential_expired'))
    const got = await client.answer(1)
    expect(got).toMatchObject({ isWhole: false, reset: errors.cancel })
  })

  it('to another call is cut, whatever the reason', async () => {
    const { handle, writer } = begun(['content-type', 'text/event-stream'])
    const client = await raw(await listen({ handle }))
    client.send(post(1, '/', [['content-type', 'application/grpc']]))
    ;(await writer).abort(refuse('credential_expired'))
    expect(await client.answer(1)).toMatchObject({ isWhole: false, reset: errors.internal })
  })

  it('comes whole before a client that still sends is told to stop', async () => {
    const listener = await listen({
      handle: (each) => each.answer({ status: 413, fields: [], body: 'x'.repeat(30_000) }),
    })
    const client = await raw(listener)
    client.send(post(1), data(1, Buffer.alloc(10_000)))
    await client.waitFor(({ type, stream }) => type === frameTypes.rstStream && stream === 1, 'the reset')
    expect(client.stream(1)).toMatchObject({ status: 413, isWhole: true, reset: errors.none })
    expect(client.stream(1).body).toHaveLength(30_000)
    client.send(data(1, 'late'), get(3))
    expect((await client.answer(3)).status).toBe(413)
  })

  it('is given once', async () => {
    const listener = await listen()
    const client = await raw(listener)
    client.send(get(1))
    await client.answer(1)
    const [only] = listener.reached
    expect(() => only!.answer({ status: 200, fields: [], body: '' })).toThrow('once')
    expect(() => only!.begin({ status: 200, reason: '', fields: [] })).toThrow('once')
    expect(() => only!.tunnel([])).toThrow('HTTP/2')
  })

  it('is a 500 where the handler has a fault, and the connection goes on', async () => {
    const listener = await listen({
      handle(each) {
        if (each.target === '/fault') throw new Error('a bug')
        echo(each)
      },
    })
    const client = await raw(listener)
    client.send(get(1, '/fault'), get(3))
    expect((await client.answer(1)).status).toBe(500)
    expect((await client.answer(3)).status).toBe(200)
    expect(listener.faults).toHaveLength(1)
  })
})

describe('a body', () => {
  const faultOf = async (handled: Promise<unknown>): Promise<string> => {
    const error = await handled.then(
      () => undefined,
      (fault: unknown) => fault,
    )
    return error instanceof BodyError ? error.refusal.reason : 'none'
  }

  function reading(limit = 1000): { handle: (request: ServerRequest) => void; fault: Promise<string> } {
    const { promise, resolve } = Promise.withResolvers<string>()
    return {
      handle(each) {
        each.limitBody({ bytes: limit, timeout: 60_000 })
        resolve(faultOf(readBody(each)))
      },
      fault: promise,
    }
  }

  it.each([
    ['cancelled', errors.cancel],
    ['ended without an error', errors.none],
    ['broken off', errors.internal],
  ])('that is %s by a reset is not whole', async (_, code) => {
    const { handle, fault } = reading()
    const client = await raw(await listen({ handle }))
    client.send(post(1), data(1, 'abc'))
    await delay(20)
    client.send(rstStream(1, code))
    expect(await fault).toBe('client_gone')
  })

  it('that is cut with its connection is not whole', async () => {
    const { handle, fault } = reading()
    const client = await raw(await listen({ handle }))
    client.send(post(1), data(1, 'abc'))
    await delay(20)
    client.destroy()
    expect(await fault).toBe('client_gone')
  })

  it('that is reset before anybody read of it is not whole', async () => {
    const fault = Promise.withResolvers<string>()
    const listener = await listen({
      handle: (each) => void setTimeout(() => fault.resolve(faultOf(readBody(each))), 50),
    })
    const client = await raw(listener)
    client.send(post(1), data(1, 'abc'))
    await delay(20)
    client.send(rstStream(1, errors.none))
    expect(await fault.promise).toBe('client_gone')
  })

  it('that is larger than allowed is refused as it comes', async () => {
    const { handle, fault } = reading()
    const client = await raw(await listen({ handle }))
    client.send(post(1), data(1, Buffer.alloc(600)), data(1, Buffer.alloc(600)))
    expect(await fault).toBe('payload_too_large')
  })

  it.each([
    ['shorter', [data(1, 'abc', true)]],
    ['longer', [data(1, 'abc'), data(1, 'def', true)]],
  ])('that is %s than was declared is not whole', async (_, frames) => {
    const { handle, fault } = reading()
    const client = await raw(await listen({ handle }))
    client.send(post(1, '/', [['content-length', '5']]))
    await delay(20)
    client.send(...frames)
    expect(await fault).not.toBe('none')
    // The stream is reset, or the connection ends.
    await client.until(() => client.stream(1).reset ?? client.goaway?.code, 'the fault')
  })

  it('is taken no faster than somebody reads', async () => {
    let reading: ServerRequest | undefined
    const listener = await listen({
      handle(each) {
        reading = each
        each
          .body()
          .on('error', () => undefined)
          .pause()
      },
    })
    const client = session(listener)
    const upload = client.request({ ':method': 'POST' })
    let written = 0
    const chunk = Buffer.alloc(16 * 1024)
    const write = (): void => {
      while (written < 4 * 1024 * 1024 && upload.write(chunk)) written += chunk.length
    }
    upload.on('drain', write)
    write()
    await until(() => reading !== undefined)
    await delay(200)
    expect(written).toBeLessThan(512 * 1024)
  })
})

describe('back-pressure', () => {
  it('holds an answer back whose client takes nothing', async () => {
    const { handle, writer } = begun()
    const client = await raw(await listen({ handle }), { settings: [[4, 0]] })
    client.send(get(1))
    const answer = await writer
    let isDrained = false
    answer.onDrain(() => {
      isDrained = true
    })
    let written = 0
    while (written < 10 * 1024 * 1024 && answer.write(Buffer.alloc(16 * 1024))) written += 16 * 1024
    expect(written).toBeLessThan(256 * 1024)
    await delay(50)
    expect(client.stream(1).body).toHaveLength(0)
    expect(isDrained).toBe(false)
    client.send(windowUpdate(1, 1024 * 1024), windowUpdate(0, 1024 * 1024))
    await until(() => isDrained)
    answer.end()
    expect((await client.answer(1)).isWhole).toBe(true)
  })
})

describe('a client that goes', () => {
  function waiting(): { handle: (request: ServerRequest) => void; gone: Promise<true>; seen: () => boolean } {
    const { promise, resolve } = Promise.withResolvers<true>()
    let isSeen = false
    return {
      handle(each) {
        isSeen = true
        each.onAbort(() => resolve(true))
      },
      gone: promise,
      seen: () => isSeen,
    }
  }

  it.each([
    ['by a reset', (client: FrameClient) => client.send(rstStream(1))],
    ['by a reset without an error', (client: FrameClient) => client.send(rstStream(1, errors.none))],
    ['with its connection', (client: FrameClient) => client.destroy()],
    ['by ending its side', (client: FrameClient) => client.socket.end()],
  ])('%s is told of', async (_, leave) => {
    const { handle, gone, seen } = waiting()
    const client = await raw(await listen({ handle, limits: { idleTimeout: 400 } }))
    client.send(get(1))
    await until(seen)
    leave(client)
    expect(await gone).toBe(true)
  })

  it('is told of at once where it had gone before anybody asked', async () => {
    const listener = await listen({ handle: () => undefined })
    const client = await raw(listener)
    client.send(get(1))
    await until(() => listener.reached.length === 1)
    client.destroy()
    await until(() => listener.running.connections === 0)
    const isGone = await new Promise((resolve) => listener.reached[0]!.onAbort(() => resolve(true)))
    expect(isGone).toBe(true)
    // Nobody is there; nothing throws.
    listener.reached[0]!.answer({ status: 200, fields: [], body: 'late' })
  })

  it.each([
    ['HEAD', false],
    ['HEAD', true],
    ['POST', true],
  ])(
    'before the answer to %s (content: %s) is told of, and may be answered in vain',
    async (method, hasBody) => {
      const { handle, gone, seen } = waiting()
      const listener = await listen({ handle })
      const client = await raw(listener)
      client.send(
        headers(1, request(method, '/'), hasBody ? flags.endHeaders : flags.endHeaders | flags.endStream),
      )
      await until(seen)
      await delay(30)
      expect(client.stream(1).reset).toBeUndefined()
      client.send(rstStream(1))
      expect(await gone).toBe(true)
      listener.reached[0]!.answer({ status: 200, fields: [], body: '' })
    },
  )

  it('is told to stop sending once HEAD is answered', async () => {
    const { handle, writer } = begun()
    const client = await raw(await listen({ handle }))
    client.send(headers(1, request('HEAD', '/')))
    ;(await writer).end()
    await client.until(() => client.stream(1).reset, 'the reset')
    expect(client.stream(1)).toMatchObject({ status: 200, isWhole: true, reset: errors.none })
  })

  it('does not matter once its answer is out, or where nobody listens any more', async () => {
    const aborted: string[] = []
    const listener = await listen({
      handle(each) {
        const stop = each.onAbort(() => aborted.push(each.target))
        if (each.target === '/stopped') stop()
        else each.answer({ status: 200, fields: [], body: 'abc' })
      },
    })
    const client = await raw(listener)
    client.send(get(1, '/answered'), get(3, '/stopped'))
    await client.answer(1)
    client.destroy()
    await until(() => listener.running.connections === 0)
    expect(aborted).toEqual([])
  })
})

describe('a drain', () => {
  it('ends a connection with its next answer, and answers what is under way', async () => {
    const late: ServerRequest[] = []
    const listener = await listen({
      handle: (each) => (each.target === '/slow' ? late.push(each) : echo(each)),
    })
    const client = await raw(listener)
    client.send(get(1), get(3, '/slow'))
    await client.answer(1)
    listener.running.beginDrain()
    expect(client.goaway).toBeUndefined()
    client.send(get(5))
    expect((await client.answer(5)).status).toBe(200)
    expect(client.goaway).toEqual({ code: errors.none, lastStream: 5 })
    const isOver = ({ type, stream }: Frame): boolean => type === frameTypes.headers && stream === 5
    expect(client.frames.findIndex(({ type }) => type === frameTypes.goaway)).toBeLessThan(
      client.frames.findIndex(isOver),
    )
    const closed = listener.running.closed(10_000)
    late[0]!.answer({ status: 200, fields: [], body: 'at last' })
    expect((await client.answer(3)).body.toString()).toBe('at last')
    await closed
    await client.ended()
  })

  it('tells those who wait for a long answer', async () => {
    const { handle, writer } = begun()
    const listener = await listen({ handle })
    const client = await raw(listener)
    client.send(get(1))
    const answer = await writer
    const closed = listener.running.closed(10_000)
    await client.waitFor(({ type }) => type === frameTypes.goaway, 'the notice')
    answer.end()
    expect((await client.answer(1)).isWhole).toBe(true)
    await closed
  })

  it('cuts what is not answered in time', async () => {
    const listener = await listen({ handle: () => undefined })
    const client = await raw(listener)
    client.send(get(1))
    await until(() => listener.reached.length === 1)
    await listener.running.closed(100)
    await client.ended()
    expect(listener.running.connections).toBe(0)
  })

  it('ends idle connections after a moment, also those that never asked for anything', async () => {
    const listener = await listen()
    const [used, fresh] = [await raw(listener), await raw(listener)]
    used.send(get(1))
    await used.answer(1)
    await until(() => listener.running.connections === 2)
    await listener.running.closed(10_000)
    await Promise.all([used.ended(), fresh.ended()])
    expect(used.goaway).toMatchObject({ code: errors.none })
  })

  it('lets a client that comes meanwhile ask first', async () => {
    const listener = await listen()
    listener.running.beginDrain()
    const client = session(listener)
    expect(JSON.parse(await fetchText(client.request({ ':path': '/' })))).toMatchObject({ target: '/' })
    await until(() => client.closed)
  })
})

describe('connections', () => {
  it('are counted', async () => {
    const counts: number[] = []
    const listener = await listen({ onConnections: (open) => counts.push(open) })
    const client = await raw(listener)
    client.send(get(1))
    await client.answer(1)
    expect(listener.running.connections).toBe(1)
    client.destroy()
    await until(() => listener.running.connections === 0)
    expect(counts).toEqual([1, 0])
  })

  it('end after a while without a request', async () => {
    const listener = await listen({ limits: { idleTimeout: 300 } })
    const client = await raw(listener)
    client.send(get(1))
    await client.answer(1)
    await client.ended()
    expect(client.goaway).toMatchObject({ code: errors.none })
  })

  it('end where the client never says what it understands', async () => {
    const listener = await listen({ limits: { headersTimeout: 300 } })
    const client = await raw(listener, { settings: false })
    client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
    await client.ended()
  })

  it('end where a client that was told to go does not close its side', async () => {
    const listener = await listen({ limits: { idleTimeout: 300 } })
    const client = await raw(listener)
    client.socket.allowHalfOpen = true
    client.send(get(1))
    await client.answer(1)
    await client.ended()
    await until(() => listener.running.connections === 0)
  })
})

function fetchText(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('end', () => resolve(text))
    stream.on('error', reject)
    stream.on('aborted', () =>
      reject(new Error(`reset: ${String(stream.rstCode ?? constants.NGHTTP2_NO_ERROR)}`)),
    )
  })
}

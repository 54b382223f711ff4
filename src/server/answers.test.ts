import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { AnswerWriter, FieldLines, ServerRequest } from '../exchange.ts'
import { readBody, startListener, until, onEachDataPlane } from '../../test/listener.ts'

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const head = 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n'
const get10 = 'GET / HTTP/1.0\r\nHost: x\r\n\r\n'

/** Answers with a proxied head and these pieces. */
function proxied(status: number, fields: FieldLines, pieces: readonly string[] = [], trailers?: FieldLines) {
  return (request: ServerRequest): void => {
    const writer = request.begin({ status, reason: 'Fine', fields })
    for (const piece of pieces) writer.write(Buffer.from(piece))
    writer.end(trailers)
  }
}

onEachDataPlane(() => {
  describe('an answer of the gateway’s own', () => {
    const own = (request: ServerRequest): void =>
      request.answer({ status: 200, fields: ['X-A', '1', 'X-A', '2'], body: 'grüß' })

    it('has Date, Content-Length in bytes, no-store, and its fields as given', async () => {
      await using listener = await startListener({ handle: own })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.field('content-length')).toBe('6')
      expect(answer.field('cache-control')).toBe('no-store')
      expect(Date.parse(answer.field('date') ?? '')).not.toBeNaN()
      expect(answer.values('x-a')).toEqual(['1', '2'])
      expect(answer.text()).toBe('grüß')
    })

    it('keeps a Cache-Control of its own', async () => {
      await using listener = await startListener({
        handle: (each) => each.answer({ status: 200, fields: ['cache-control', 'max-age=300'], body: '' }),
      })
      const client = await listener.client()
      expect((await client.send(get).answer()).values('cache-control')).toEqual(['max-age=300'])
    })

    it('to HEAD has the length and no body', async () => {
      await using listener = await startListener({ handle: own })
      const client = await listener.client()
      const answer = await client.send(head + get).answer('HEAD')
      expect(answer.field('content-length')).toBe('6')
      expect((await client.answer()).text()).toBe('grüß')
    })

    it('of 204 has neither length nor body', async () => {
      await using listener = await startListener({
        handle: (each) => each.answer({ status: 204, fields: [], body: '' }),
      })
      const client = await listener.client()
      const answer = await client.send(get + get).answer()
      expect(answer.field('content-length')).toBeUndefined()
      expect(answer.field('transfer-encoding')).toBeUndefined()
      expect((await client.answer()).status).toBe(204)
    })

    it('is given once', async () => {
      let second: unknown
      await using listener = await startListener({
        handle(each) {
          own(each)
          try {
            own(each)
          } catch (error) {
            second = error
          }
        },
      })
      const client = await listener.client()
      await client.send(get).answer()
      expect(second).toBeInstanceOf(Error)
    })

    it('is 500 when the handler throws, and the fault is told', async () => {
      await using listener = await startListener({
        handle() {
          throw new Error('a bug')
        },
      })
      const client = await listener.client()
      expect((await client.send(get).answer()).json()).toMatchObject({ status: 500, code: 'internal_error' })
      expect((await client.send(get).answer()).status).toBe(500)
      expect(listener.faults).toHaveLength(2)
    })
  })

  describe('a fault of ours', () => {
    it('in the fields of a proxied answer leaves room for a refusal', async () => {
      await using listener = await startListener({
        handle: (each) =>
          void each.begin({ status: 200, reason: 'OK', fields: ['X-A', 'a\r\nX-Injected: b'] }),
      })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.status).toBe(500)
      expect(answer.field('x-injected')).toBeUndefined()
    })

    it('behind the head of an answer cuts it', async () => {
      await using listener = await startListener({
        handle(each) {
          each.begin({ status: 200, reason: 'OK', fields: [] }).write(Buffer.from('part'))
          throw new Error('a bug')
        },
      })
      const client = await listener.client()
      client.send(get)
      expect((await client.ended()).toString()).not.toContain('0\r\n\r\n')
      expect(listener.faults).toHaveLength(1)
    })

    it('in a write after the end is harmless', async () => {
      await using listener = await startListener({
        handle(each) {
          const writer = each.begin({ status: 200, reason: 'OK', fields: [] })
          writer.end()
          expect(writer.write(Buffer.from('late'))).toBe(false)
          writer.end()
        },
      })
      const client = await listener.client()
      expect((await client.send(get + get).answer()).text()).toBe('')
      expect((await client.answer()).text()).toBe('')
    })
  })

  describe('a proxied answer', () => {
    it('keeps field lines as they are, repeated ones too', async () => {
      const fields = ['Set-Cookie', 'a=1', 'SET-COOKIE', 'b=2', 'x-Odd', 'gr\xfc\xdf', 'Content-Length', '2']
      await using listener = await startListener({ handle: proxied(201, fields, ['ok']) })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.status).toBe(201)
      expect(answer.reason).toBe('Fine')
      expect(answer.fields.slice(0, 8)).toEqual(fields)
      expect(answer.text()).toBe('ok')
    })

    it('without a length is chunked in HTTP/1.1, and ends with the connection in HTTP/1.0', async () => {
      await using listener = await startListener({ handle: proxied(200, [], ['one', 'two']) })
      const client = await listener.client()
      const answer = await client.send(get + get).answer()
      expect(answer.field('transfer-encoding')).toBe('chunked')
      expect(answer.text()).toBe('onetwo')
      expect((await client.answer()).text()).toBe('onetwo')
      const old = await listener.client()
      const oldAnswer = await old.send(get10).answer()
      expect(oldAnswer.field('transfer-encoding')).toBeUndefined()
      expect(oldAnswer.field('connection')).toBe('close')
      expect(oldAnswer.text()).toBe('onetwo')
    })

    it('keeps an HTTP/1.0 connection that asks to stay, where the length is known', async () => {
      await using listener = await startListener({ handle: proxied(200, ['Content-Length', '2'], ['ok']) })
      const client = await listener.client()
      const staying = 'GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n'
      expect((await client.send(staying).answer()).field('connection')).toBe('keep-alive')
      expect((await client.send(staying).answer()).text()).toBe('ok')
    })

    it('has its framing from us, whatever the forwarder left in', async () => {
      const fields = [
        'Connection',
        'X-A, keep-alive',
        'Keep-Alive',
        'timeout=5',
        'Transfer-Encoding',
        'gzip, chunked',
      ]
      await using listener = await startListener({
        handle: proxied(200, [...fields, 'Upgrade', 'h2c'], ['ok']),
      })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.values('transfer-encoding')).toEqual(['chunked'])
      expect(answer.values('connection')).not.toContain('X-A')
      expect(answer.field('keep-alive')).toBeUndefined()
      expect(answer.field('upgrade')).toBeUndefined()
    })

    it.each([204, 304])('of %i has no body, and the connection goes on', async (status) => {
      await using listener = await startListener({
        handle: proxied(status, ['Content-Length', '5', 'ETag', '"a"'], ['never']),
      })
      const client = await listener.client()
      const answer = await client.send(get + get).answer()
      expect(answer.field('content-length')).toBe(status === 304 ? '5' : undefined)
      expect((await client.answer()).status).toBe(status)
    })

    it('to HEAD keeps its length and drops its body', async () => {
      await using listener = await startListener({ handle: proxied(200, ['Content-Length', '5'], ['never']) })
      const client = await listener.client()
      const answer = await client.send(head + head).answer('HEAD')
      expect(answer.field('content-length')).toBe('5')
      expect((await client.answer('HEAD')).status).toBe(200)
    })

    it('sends its head at once, before there is any body', async () => {
      let writer: AnswerWriter | undefined
      await using listener = await startListener({
        handle(each) {
          writer = each.begin({ status: 200, reason: 'OK', fields: ['Content-Type', 'text/event-stream'] })
          writer.flush()
        },
      })
      const client = await listener.client()
      expect((await client.send(get).head()).field('content-type')).toBe('text/event-stream')
      writer!.write(Buffer.from('data: 1\n\n'))
      writer!.flush()
      await client.waitFor('data: 1\n\n')
      await delay(20)
      writer!.write(Buffer.from('data: 2\n\n'))
      writer!.flush()
      await client.waitFor('data: 2\n\n')
    })

    it('carries trailers to HTTP/1.1 behind chunks, but none that would frame or authorise', async () => {
      const trailers = ['X-Sum', '1', 'Content-Length', '5', 'Set-Cookie', 'a=b', 'x-sum', '2']
      await using listener = await startListener({
        handle: proxied(200, ['Trailer', 'X-Sum'], ['ok'], trailers),
      })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.field('trailer')).toBe('X-Sum')
      expect(answer.trailers).toEqual(['X-Sum', '1', 'x-sum', '2'])
    })

    it.each([
      ['HTTP/1.0', get10, []],
      ['an answer of known length', get, ['Content-Length', '2']],
    ] as const)('drops trailers and their announcement towards %s', async (_, request, fields) => {
      await using listener = await startListener({
        handle: proxied(200, ['Trailer', 'X-Sum', ...fields], ['ok'], ['X-Sum', '1']),
      })
      const client = await listener.client()
      const answer = await client.send(request).answer()
      expect(answer.field('trailer')).toBeUndefined()
      expect(answer.text()).toBe('ok')
    })

    it('keeps the bytes of a Content-Disposition', async () => {
      const name = 'attachment; filename="gr\xc3\xbc\xc3\x9f.txt"'
      await using listener = await startListener({
        handle: proxied(200, ['Content-Length', '2', 'Content-Disposition', name], ['ok']),
      })
      const client = await listener.client()
      const answer = await client.send(get).answer()
      expect(answer.field('content-disposition')).toBe(name)
      expect(answer.text()).toBe('ok')
    })

    it('passes on back-pressure', async () => {
      let writes = 0
      let drains = 0
      let writer: AnswerWriter | undefined
      await using listener = await startListener({
        handle(each) {
          writer = each.begin({ status: 200, reason: 'OK', fields: [] })
          const chunk = Buffer.alloc(256 * 1024)
          while (writer.write(chunk)) writes += 1
          writer.onDrain(() => {
            drains += 1
            writer!.end()
          })
        },
      })
      const client = await listener.client()
      client.socket.pause()
      client.send(get)
      await until(() => writer !== undefined)
      await delay(30)
      expect(writes).toBeLessThan(200)
      client.socket.resume()
      expect((await client.answer()).status).toBe(200)
      expect(drains).toBe(1)
    })

    it.each([
      ['chunked', get, []],
      ['of known length', get, ['Content-Length', '100']],
      ['that ends with the connection', get10, []],
    ] as const)('%s is seen as incomplete when it is aborted', async (_, request, fields) => {
      let writer: AnswerWriter | undefined
      await using listener = await startListener({
        handle(each) {
          writer = each.begin({ status: 200, reason: 'OK', fields })
          writer.write(Buffer.from('part'))
          writer.flush()
        },
      })
      const client = await listener.client()
      client.send(request)
      await client.waitFor('part')
      writer!.abort()
      const left = await client.ended()
      expect(left.toString()).not.toContain('0\r\n\r\n')
      // Only a reset tells, where the end of the connection is the end of the body.
      expect(client.error?.code === 'ECONNRESET' || request !== get10).toBe(true)
    })
  })

  describe('interim answers', () => {
    const hinting = (request: ServerRequest): void => {
      request.inform(103, ['Link', '</a>', 'Link', '</b>', 'X-Bad', 'a\r\nX-Injected: b'])
      request.inform(100, [])
      request.inform(101, [])
      request.answer({ status: 200, fields: [], body: 'ok' })
      request.inform(103, [])
    }

    it('go before the answer, but for 100 and 101, which are ours', async () => {
      await using listener = await startListener({ handle: hinting })
      const client = await listener.client()
      client.send(get)
      const hint = await client.answer()
      expect(hint.status).toBe(103)
      expect(hint.fields).toEqual(['Link', '</a>', 'Link', '</b>'])
      expect((await client.answer()).text()).toBe('ok')
      await delay(20)
      expect(client.rest.length).toBe(0)
    })

    it('never go to HTTP/1.0', async () => {
      await using listener = await startListener({ handle: hinting })
      const client = await listener.client()
      expect((await client.send(get10).answer()).status).toBe(200)
    })
  })

  describe('a body', () => {
    const expecting = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n'

    it('is asked for with 100 when somebody wants it, and then the connection goes on', async () => {
      let request: ServerRequest | undefined
      await using listener = await startListener({ handle: (each) => (request = each) })
      const client = await listener.client()
      client.send(expecting)
      await until(() => request !== undefined)
      await delay(20)
      expect(client.rest.length).toBe(0)
      const reading = readBody(request!)
      expect((await client.answer()).status).toBe(100)
      client.send('hello')
      const body = await reading
      request!.answer({ status: 200, fields: [], body })
      expect((await client.answer()).text()).toBe('hello')
      client.send(expecting)
      await until(() => listener.reached.length === 2)
    })

    it('gets no 100 when it is there already', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      expect((await client.send(`${expecting}hello`).answer()).json()).toMatchObject({ body: 'hello' })
    })

    it('gets no 100 in HTTP/1.0', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send('POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
      await until(() => listener.reached.length === 1)
      client.send('hello')
      expect((await client.answer()).json()).toMatchObject({ body: 'hello' })
    })

    it('flows only as fast as it is read', async () => {
      let request: ServerRequest | undefined
      await using listener = await startListener({
        handle: (each) => (request = each),
        limits: { body: 1e9 },
      })
      const client = await listener.client()
      const size = 32 * 1024 * 1024
      client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(size)}\r\n\r\n`)
      client.send(Buffer.alloc(size))
      await until(() => request !== undefined)
      const body = request!.body()
      await delay(200)
      expect(client.socket.writableLength).toBeGreaterThan(0)
      let bytes = 0
      for await (const chunk of body) bytes += (chunk as Buffer).length
      expect(bytes).toBe(size)
      request!.answer({ status: 200, fields: [], body: '' })
      expect((await client.answer()).field('connection')).not.toBe('close')
    })

    it('says what it is', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello')
      await client.answer()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
      await client.answer()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      await client.answer()
      const told = listener.reached.map(({ hasBody, contentLength }) => ({ hasBody, contentLength }))
      expect(told).toEqual([
        { hasBody: true, contentLength: 5 },
        { hasBody: true, contentLength: undefined },
        { hasBody: false, contentLength: 0 },
      ])
    })

    it('that was not read to its end closes the connection with the answer', async () => {
      await using listener = await startListener({
        handle(each) {
          each.body().destroy()
          each.answer({ status: 502, fields: [], body: '' })
        },
      })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n')
      client.send(Buffer.alloc(100_000))
      expect((await client.answer()).field('connection')).toBe('close')
      await client.ended()
      expect(client.error).toBeUndefined()
    })
  })

  describe('a client that leaves', () => {
    const waiting = () => {
      const seen = { aborts: 0 }
      const handle = (each: ServerRequest): void => void each.onAbort(() => (seen.aborts += 1))
      return { seen, handle }
    }

    it('is noticed by a reset', async () => {
      const { seen, handle } = waiting()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(get)
      await until(() => listener.reached.length === 1)
      client.reset()
      await until(() => seen.aborts === 1)
    })

    it('is noticed by a close', async () => {
      const { seen, handle } = waiting()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(get)
      await until(() => listener.reached.length === 1)
      client.destroy()
      await until(() => seen.aborts === 1, 3000)
    })

    it('is not noticed by whoever stopped listening, nor after the answer', async () => {
      let aborts = 0
      await using listener = await startListener({
        handle(each) {
          each.onAbort(() => (aborts += 1))()
          if (each.target === '/done') {
            each.onAbort(() => (aborts += 1))
            each.answer({ status: 200, fields: [], body: '' })
          }
        },
      })
      const client = await listener.client()
      client.send('GET /done HTTP/1.1\r\nHost: x\r\n\r\n')
      await client.answer()
      client.send(get)
      await until(() => listener.reached.length === 2)
      client.reset()
      await until(() => listener.running.connections === 0)
      await delay(20)
      expect(aborts).toBe(0)
    })

    it('only on its own side still reads what comes soon', async () => {
      await using listener = await startListener({
        handle: (each) => void delay(200).then(() => each.answer({ status: 200, fields: [], body: 'soon' })),
      })
      const client = await listener.client()
      client.send(get).end()
      expect((await client.answer()).text()).toBe('soon')
      await client.ended()
      await until(() => listener.running.connections === 0)
    })

    it('only on its own side, and still reads a stream, is served on', async () => {
      await using listener = await startListener({
        async handle(each) {
          const writer = each.begin({ status: 200, reason: 'OK', fields: [] })
          for (let at = 0; at < 12; at += 1) {
            writer.write(Buffer.from(String(at % 10)))
            writer.flush()
            await delay(200)
          }
          writer.end()
        },
      })
      const client = await listener.client()
      client.send(get).end()
      expect((await client.answer()).text()).toBe('012345678901')
    })
  })

  describe('HTTP/1.0 without Host', () => {
    it.each(['GET', 'HEAD'])('reaches health by %s', async (method) => {
      await using listener = await startListener()
      const client = await listener.client()
      const answer = await client.send(`${method} /.portcullis/livez HTTP/1.0\r\n\r\n`).answer(method)
      expect(answer.status).toBe(200)
      expect(answer.field('x-request-id')).toMatch(/^[\da-f]{32}$/)
      await client.ended()
      expect(listener.reached).toHaveLength(0)
    })

    it.each(['GET /.portcullis/jwks.json', 'GET /', 'POST /.portcullis/livez'])(
      'is 400 for %s',
      async (line) => {
        await using listener = await startListener()
        const client = await listener.client()
        expect((await client.send(`${line} HTTP/1.0\r\n\r\n`).answer()).status).toBe(400)
      },
    )
  })

  describe('connections', () => {
    it('are counted', async () => {
      const counts: number[] = []
      await using listener = await startListener({ onConnections: (open) => counts.push(open) })
      const one = await listener.client()
      const two = await listener.client()
      await until(() => counts.length === 2)
      one.destroy()
      two.destroy()
      await until(() => counts.length === 4)
      expect(counts).toEqual([1, 2, 1, 0])
    })

    it('tell who is there', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      await client.send(get).answer()
      expect(listener.reached[0]!.connection).toMatchObject({
        address: '127.0.0.1',
        port: client.socket.localPort,
      })
      expect(listener.reached[0]!.connection.tls).toBeUndefined()
    })

    it('keep an id of the request in a refusal', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send('GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nX-Request-Id: mine-1\r\n\r\n')
      expect((await client.answer()).field('x-request-id')).toBe('mine-1')
    })

    it('may not name what the configuration calls an identity header', async () => {
      await using listener = await startListener({ identityNames: new Set(['x-user']) })
      const client = await listener.client()
      client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: X_User\r\n\r\n')
      expect((await client.answer()).status).toBe(400)
      expect(listener.refused).toMatchObject([{ reason: 'connection_names_protected_field' }])
    })
  })
})

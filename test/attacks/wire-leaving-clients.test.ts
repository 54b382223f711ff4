/** Clients that leave where nobody looks, or take their time: what they hold is let go of, and what they were promised still comes. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { AnswerWriter, ServerRequest } from '../../src/exchange.ts'
import { onEachDataPlane, startListener, until } from '../listener.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const getLast = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const large = 'x'.repeat(8 * 1024 * 1024)

/** Counts those who left, and never answers. */
function counting(): { readonly handle: (request: ServerRequest) => void; readonly left: string[] } {
  const left: string[] = []
  return { left, handle: (request) => void request.onAbort(() => left.push(request.target)) }
}

/** Writes as fast as it is taken, and then ends. */
function pour(writer: AnswerWriter, body: string): void {
  let at = 0
  const go = (): void => {
    while (at < body.length) {
      const takesMore = writer.write(body.slice(at, at + 64 * 1024))
      at += 64 * 1024
      if (!takesMore) {
        writer.onDrain(go)
        return
      }
    }
    writer.end()
  }
  go()
}

onEachDataPlane(() => {
  describe('a client that leaves', () => {
    it('while its second pipelined request is served is noticed', async () => {
      const { left, handle } = counting()
      await using listener = await startListener({
        handle(request) {
          if (request.target === '/second') handle(request)
          else setTimeout(() => request.answer({ status: 200, fields: [], body: '' }), 50)
        },
      })
      const client = await listener.client()
      client.send(`${get}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.answer()
      await until(() => listener.reached.length === 2)
      client.send('GET /third')
      await delay(50)
      client.destroy()
      await until(() => left.length > 0)
      expect(left).toEqual(['/second'])
    })

    it('behind requests that it sent ahead is noticed after the idle timeout, though nobody reads them', async () => {
      const { left, handle } = counting()
      await using listener = await startListener({ limits: { idleTimeout: 600 }, handle })
      const client = await listener.client()
      client.send(get)
      await until(() => listener.reached.length === 1)
      for (let count = 0; count < 3; count += 1) {
        client.send(get)
        await delay(30)
      }
      client.destroy()
      await until(() => left.length === 1)
      await until(() => listener.running.connections === 0)
      expect(listener.reached).toHaveLength(1)
    })

    it('behind bytes after its last request is noticed at once', async () => {
      const { left, handle } = counting()
      await using listener = await startListener({
        handle(request) {
          request.begin({ status: 200, reason: '', fields: ['Content-Type', 'text/event-stream'] }).flush()
          handle(request)
        },
      })
      const client = await listener.client()
      client.send(getLast)
      await client.head()
      for (let count = 0; count < 3; count += 1) {
        client.send(get)
        await delay(30)
      }
      client.destroy()
      await until(() => left.length === 1, 3000)
      expect(listener.reached).toHaveLength(1)
    })

    it('after the answer, behind bytes that nobody asked for, is not waited for', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send(getLast + get)
      await client.answer()
      await client.ended()
      for (let count = 0; count < 3; count += 1) {
        client.send(get)
        await delay(20)
      }
      client.end()
      await until(() => listener.running.connections === 0, 1000)
      expect(listener.reached).toHaveLength(1)
    })

    it('is told only to whoever still listens', async () => {
      const called: string[] = []
      await using listener = await startListener({
        handle(request) {
          const stops = ['first', 'second', 'third'].map((name) =>
            request.onAbort(() => void called.push(name)),
          )
          stops[0]!()
          stops[2]!()
        },
      })
      const client = await listener.client()
      client.send(get)
      await until(() => listener.reached.length === 1)
      client.reset()
      await until(() => called.length > 0)
      expect(called).toEqual(['second'])
    })
  })

  describe('a client that takes its time', () => {
    it.each([
      ['with the last answer of a connection', getLast, false],
      ['with an answer after it has ended its side', get, true],
    ])('%s gets all of it', async (_, request, isEnding) => {
      await using listener = await startListener({
        limits: { idleTimeout: 20_000 },
        handle: (each) => each.answer({ status: 200, fields: [], body: large }),
      })
      const client = await listener.client({ patience: 15_000 })
      client.socket.pause()
      client.send(request)
      if (isEnding) client.end()
      // Longer than a connection lingers behind its last answer, and than one that is half closed may be silent.
      await delay(3000)
      client.socket.resume()
      expect((await client.answer()).body.length).toBe(large.length)
    })

    it('with a streamed answer after it has ended its side gets all of it', async () => {
      await using listener = await startListener({
        limits: { idleTimeout: 20_000 },
        handle: (request) =>
          pour(
            request.begin({ status: 200, reason: '', fields: ['Content-Length', String(large.length)] }),
            large,
          ),
      })
      const client = await listener.client({ patience: 15_000 })
      client.socket.pause()
      client.send(get).end()
      await delay(3000)
      client.socket.resume()
      expect((await client.answer()).body.length).toBe(large.length)
    })

    it('with many answers after it has ended its side gets all of them', async () => {
      const body = 'x'.repeat(100_000)
      await using listener = await startListener({
        handle: (request) => request.answer({ status: 200, fields: [], body }),
      })
      const client = await listener.client()
      client.socket.pause()
      client.send(get.repeat(100)).end()
      await delay(100)
      client.socket.resume()
      for (let count = 0; count < 100; count += 1) expect((await client.answer()).status).toBe(200)
      expect((await client.ended()).length).toBe(0)
    })

    it('but takes nothing at all of its last answer is cut after the idle timeout', async () => {
      await using listener = await startListener({
        limits: { idleTimeout: 500 },
        handle: (each) => each.answer({ status: 200, fields: [], body: large }),
      })
      const client = await listener.client()
      client.socket.pause()
      client.send(getLast)
      await until(() => listener.reached.length === 1)
      await until(() => listener.running.connections === 0)
    })
  })

  describe('whoever reads a body', () => {
    it('hears that the answer was given before all of it had come', async () => {
      const errors: Error[] = []
      await using listener = await startListener({
        handle(request) {
          const body = request.body()
          body.on('error', (error) => errors.push(error)).resume()
          setTimeout(() => request.answer({ status: 200, fields: [], body: '' }), 20)
        },
      })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nxxx')
      expect((await client.answer()).field('connection')).toBe('close')
      await until(() => errors.length > 0)
      expect(errors.map(({ name }) => name)).toEqual(['BodyError'])
    })
  })
})

describe('on the wire data plane: a client that sends on behind its last request', () => {
  it('is cut after a mebibyte, were its answer endless', async () => {
    const { left, handle } = counting()
    await using listener = await startListener({
      dataPlane: 'wire',
      handle(request) {
        request.begin({ status: 200, reason: '', fields: ['Content-Type', 'text/event-stream'] }).flush()
        handle(request)
      },
    })
    const client = await listener.client()
    client.send(getLast)
    await client.head()
    const block = Buffer.alloc(64 * 1024, 'x')
    let sent = 0
    while (left.length === 0 && sent < 64 * 1024 * 1024) {
      client.send(block)
      sent += block.length
      await delay(1)
    }
    expect(left).toHaveLength(1)
    expect(sent).toBeGreaterThan(1024 * 1024)
    expect(listener.reached).toHaveLength(1)
  })
})

describe('on the wire data plane: a body in chunks of one byte', () => {
  it.each(['before anybody reads it', 'while it is read'])('costs few objects %s', async (when) => {
    const size = 256 * 1024
    const pieces: number[] = []
    await using listener = await startListener({
      dataPlane: 'wire',
      handle(request) {
        const read = (): void => {
          const body = request.body()
          body.on('data', (piece: Buffer) => pieces.push(piece.length))
          body.on('end', () => request.answer({ status: 200, fields: [], body: '' }))
        }
        if (when === 'while it is read') read()
        else setTimeout(read, 100)
      },
    })
    const client = await listener.client()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    client.send(`${'1\r\nx\r\n'.repeat(size)}0\r\n\r\n`)
    expect((await client.answer()).status).toBe(200)
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(size)
    expect(pieces.length).toBeLessThan(size / 256)
  })
})

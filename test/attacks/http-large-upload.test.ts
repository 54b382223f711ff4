/** Uploads that are refused: the client must be able to read why, and we must not read on for ever. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../../src/exchange.ts'
import { startListener, until, onEachDataPlane } from '../listener.ts'

const refuseAll = (request: ServerRequest): void => request.answer({ status: 403, fields: [], body: 'no' })
const megabyte = 1024 * 1024

onEachDataPlane(() => {
  describe('an upload that is refused unread', () => {
    it.each([
      ['declared', `Content-Length: ${String(megabyte)}`],
      ['chunked', 'Transfer-Encoding: chunked'],
    ])('%s: says close, and the answer can be read while the client still sends', async (_, framing) => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      client.send(`POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`)
      if (framing.startsWith('Transfer')) client.send(`${megabyte.toString(16)}\r\n`)
      client.send(Buffer.alloc(megabyte - 100, 'a'))
      const answer = await client.answer()
      expect(answer.status).toBe(403)
      expect(answer.field('connection')).toBe('close')
      expect(answer.text()).toBe('no')
      await client.ended()
      expect(client.error).toBeUndefined()
    })

    it('is drained for a mebibyte, and cut after it', async () => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n')
      expect((await client.answer()).status).toBe(403)
      let sent = 0
      const chunk = Buffer.alloc(256 * 1024)
      const started = performance.now()
      while (!client.isClosed && performance.now() - started < 8000) {
        if (client.socket.writableLength === 0) {
          client.send(chunk)
          sent += chunk.length
        }
        await delay(1)
      }
      expect(client.isClosed).toBe(true)
      // What we took, and what fits into the system's buffers.
      expect(sent).toBeLessThan(16 * megabyte)
      await until(() => listener.running.connections === 0)
    })

    it('is drained for two seconds, and cut after them', async () => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n')
      expect((await client.answer()).status).toBe(403)
      const started = performance.now()
      await client.ended()
      expect(listener.running.connections).toBe(1)
      while (listener.running.connections > 0 && performance.now() - started < 8000) {
        client.send('a')
        await delay(20)
      }
      const took = performance.now() - started
      expect(took).toBeGreaterThan(1000)
      expect(took).toBeLessThan(5000)
    })

    it('ends at once when the client ends its side', async () => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
      expect((await client.answer()).status).toBe(403)
      const started = performance.now()
      client.end()
      await until(() => listener.running.connections === 0)
      expect(performance.now() - started).toBeLessThan(1800)
    })

    it('is no request where it continues', async () => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
      client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`)
      expect((await client.answer()).status).toBe(403)
      client.send(`hello${inner}`)
      await client.ended()
      expect(listener.reached.map(({ target }) => target)).toEqual(['/'])
    })

    it('gets no 100 when it expects one, and the refusal instead', async () => {
      await using listener = await startListener({ handle: refuseAll })
      const client = await listener.client()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
      const answer = await client.answer()
      expect(answer.status).toBe(403)
      expect(answer.field('connection')).toBe('close')
    })
  })

  describe('a request refused by its head alone', () => {
    it('with a large body behind it: the refusal can be read', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send(`POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: ${String(megabyte)}\r\n\r\n`)
      client.send(Buffer.alloc(megabyte - 100, 'a'))
      expect((await client.answer()).status).toBe(400)
      await client.ended()
      expect(client.error).toBeUndefined()
    })

    it('with a head far too large: the refusal can be read', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send(`GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(megabyte / 2)}`)
      expect((await client.answer()).status).toBe(431)
      await client.ended()
      expect(client.error).toBeUndefined()
    })
  })
})

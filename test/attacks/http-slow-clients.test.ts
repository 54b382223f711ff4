/** Clients that hold a connection by being slow: each kind of slowness has its end. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startListener, until, onEachDataPlane } from '../listener.ts'
import type { RawClient } from '../raw-client.ts'

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const quick = { headersTimeout: 400, requestTimeout: 800, idleTimeout: 600 }

/** Sends a byte every now and then until the connection is over. */
async function drip(client: RawClient, bytes: string, pause: number): Promise<void> {
  for (const byte of bytes) {
    if (client.isClosed || client.hasEnded) return
    client.send(byte)
    await delay(pause)
  }
}

onEachDataPlane(() => {
  describe('a head that comes byte by byte', () => {
    it('is 408 when it is not whole in time, however steadily it comes', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      const started = performance.now()
      const dripping = drip(client, `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(200)}`, 20)
      const answer = await client.answer()
      const took = performance.now() - started
      expect(answer.status).toBe(408)
      expect(answer.json()['code']).toBe('request_timeout')
      expect(answer.field('connection')).toBe('close')
      expect(took).toBeGreaterThanOrEqual(400)
      expect(took).toBeLessThan(4000)
      expect(listener.reached).toHaveLength(0)
      await dripping
    })

    it('is 408 on a connection that was served before', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      client.send(request)
      expect((await client.answer()).status).toBe(200)
      client.send('GET / HTTP/1.1\r\nHo')
      expect((await client.answer()).status).toBe(408)
      expect((await client.ended()).length).toBe(0)
    })

    it('does not hold back the answer to the request before it', async () => {
      await using listener = await startListener({
        limits: quick,
        handle: (each) => void delay(900).then(() => each.answer({ status: 200, fields: [], body: 'late' })),
      })
      const client = await listener.client()
      client.send(request)
      await until(() => listener.reached.length === 1)
      client.send('GET / HTTP/1.1\r\nHo')
      expect((await client.answer()).text()).toBe('late')
      expect((await client.answer()).status).toBe(408)
    })

    it('passes when it is whole in time', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      await drip(client, request, 4)
      expect((await client.answer()).status).toBe(200)
    })
  })

  describe('a connection without a byte', () => {
    it('is closed without a word after the idle timeout', async () => {
      await using listener = await startListener({ limits: quick })
      const started = performance.now()
      const client = await listener.client()
      expect((await client.ended()).length).toBe(0)
      expect(performance.now() - started).toBeGreaterThanOrEqual(600)
      expect(client.error).toBeUndefined()
    })

    it('is closed after an answer too', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      client.send(request)
      await client.answer()
      const answered = performance.now()
      expect((await client.ended()).length).toBe(0)
      expect(performance.now() - answered).toBeGreaterThanOrEqual(550)
    })

    it('is kept by requests, each before the timeout', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      for (let at = 0; at < 4; at += 1) {
        client.send(request)
        expect((await client.answer()).status).toBe(200)
        await delay(350)
      }
    })

    it('does not end while an answer is being made', async () => {
      await using listener = await startListener({
        limits: quick,
        handle: (each) => void delay(1500).then(() => each.answer({ status: 200, fields: [], body: 'late' })),
      })
      const client = await listener.client()
      client.send(request)
      expect((await client.answer()).text()).toBe('late')
    })

    it('and with line breaks instead of a head is closed all the same', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      const dripping = drip(client, '\r\n'.repeat(100), 20)
      await client.ended()
      await dripping
      expect(listener.reached).toHaveLength(0)
    })
  })

  describe('a body that comes byte by byte', () => {
    it('is 408 when it is not whole in time', async () => {
      await using listener = await startListener({ limits: quick })
      const client = await listener.client()
      const started = performance.now()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
      const dripping = drip(client, 'a'.repeat(200), 20)
      const answer = await client.answer()
      expect(answer.status).toBe(408)
      expect(answer.field('connection')).toBe('close')
      expect(performance.now() - started).toBeGreaterThanOrEqual(800)
      expect(performance.now() - started).toBeLessThan(5000)
      await dripping
    })

    it('has the time that its route gives', async () => {
      await using listener = await startListener({
        handle(each) {
          each.limitBody({ bytes: 1000, timeout: 300 })
          each.body().on('error', () => each.answer({ status: 408, fields: [], body: '' }))
        },
      })
      const client = await listener.client()
      const started = performance.now()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
      expect((await client.answer()).status).toBe(408)
      expect(performance.now() - started).toBeGreaterThanOrEqual(300)
      expect(performance.now() - started).toBeLessThan(5000)
    })
  })

  describe('a client that does not read its answer', () => {
    it('is cut when it has taken no byte for the idle timeout', async () => {
      let isGone = false
      await using listener = await startListener({
        limits: quick,
        handle(each) {
          each.onAbort(() => {
            isGone = true
          })
          const writer = each.begin({ status: 200, reason: 'OK', fields: [] })
          const chunk = Buffer.alloc(64 * 1024)
          const fill = (): void => {
            while (writer.write(chunk));
          }
          writer.onDrain(fill)
          fill()
        },
      })
      const client = await listener.client()
      client.socket.pause()
      client.send(request)
      await until(() => isGone)
      expect(listener.running.connections).toBe(0)
    })

    it('but takes some now and then is served on', async () => {
      let isGone = false
      const size = 24 * 1024 * 1024
      await using listener = await startListener({
        limits: quick,
        handle(each) {
          each.onAbort(() => {
            isGone = true
          })
          let left = size
          const writer = each.begin({ status: 200, reason: 'OK', fields: ['Content-Length', String(size)] })
          const chunk = Buffer.alloc(64 * 1024)
          const fill = (): void => {
            while (left > 0) {
              left -= chunk.length
              if (!writer.write(chunk) && left > 0) return
            }
            writer.end()
          }
          writer.onDrain(fill)
          fill()
        },
      })
      const client = await listener.client({ patience: 20_000 })
      client.send(request)
      await client.head()
      let taken = client.rest.length
      client.socket.removeAllListeners('data')
      client.socket.on('data', (chunk: Buffer) => {
        taken += chunk.length
        client.socket.pause()
        setTimeout(() => client.socket.resume(), 5)
      })
      await until(() => taken === size, 15_000)
      expect(isGone).toBe(false)
    })
  })
})

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../exchange.ts'
import { startListener, until, onEachDataPlane } from '../../test/listener.ts'
import { rawClient } from '../../test/raw-client.ts'
import { startListener as startServer } from './start.ts'

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

onEachDataPlane(() => {
  describe('a drain', () => {
    it('says close on answers while connections are still accepted', async () => {
      await using listener = await startListener()
      const open = await listener.client()
      expect((await open.send(get).answer()).field('connection')).not.toBe('close')
      listener.running.beginDrain()
      const answer = await open.send(get).answer()
      expect(answer.status).toBe(200)
      expect(answer.field('connection')).toBe('close')
      expect((await open.ended()).length).toBe(0)
      const fresh = await listener.client()
      expect((await fresh.send(get).answer()).status).toBe(200)
    })

    it('serves a request on an open connection after the listener has stopped, and refuses new connections', async () => {
      await using listener = await startListener()
      const open = await listener.client()
      await open.send(get).answer()
      listener.running.stopAccepting()
      await delay(30)
      const answer = await open.send(get).answer()
      expect(answer.status).toBe(200)
      expect(answer.field('connection')).toBe('close')
      await expect(rawClient({ port: listener.running.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })

    it('waits for answers in flight', async () => {
      let held: ServerRequest | undefined
      await using listener = await startListener({ handle: (each) => (held = each) })
      const client = await listener.client()
      client.send(get)
      await until(() => held !== undefined)
      let isClosed = false
      const closed = listener.running.closed(10_000).then(() => (isClosed = true))
      await delay(200)
      expect(isClosed).toBe(false)
      held!.answer({ status: 200, fields: [], body: 'in time' })
      expect((await client.answer()).text()).toBe('in time')
      client.end()
      await closed
    })

    it('serves what was pipelined, and says close on the last', async () => {
      const held: ServerRequest[] = []
      await using listener = await startListener({ handle: (each) => held.push(each) })
      const client = await listener.client()
      client.send(get + get + get)
      await until(() => held.length === 1)
      listener.running.beginDrain()
      for (let at = 0; at < 3; at += 1) {
        await until(() => held.length === at + 1)
        held[at]!.answer({ status: 200, fields: [], body: String(at) })
        const answer = await client.answer()
        expect(answer.text()).toBe(String(at))
        expect(answer.field('connection') === 'close').toBe(at === 2)
      }
    })

    it('closes idle connections after a second of silence, not at once', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      await client.send(get).answer()
      const never = await listener.client()
      const started = performance.now()
      const closed = listener.running.closed(10_000)
      await delay(300)
      expect(client.hasEnded || never.hasEnded).toBe(false)
      await Promise.all([client.ended(), never.ended()])
      client.end()
      never.end()
      await closed
      const took = performance.now() - started
      expect(took).toBeGreaterThan(400)
      expect(took).toBeLessThan(8000)
    })

    it('cuts what is left when its time is over', async () => {
      let aborts = 0
      await using listener = await startListener({ handle: (each) => void each.onAbort(() => (aborts += 1)) })
      const client = await listener.client()
      client.send(get)
      await until(() => listener.reached.length === 1)
      const started = performance.now()
      await listener.running.closed(300)
      expect(performance.now() - started).toBeGreaterThanOrEqual(290)
      expect(aborts).toBe(1)
      await client.ended()
    })

    it('cuts tunnels when its time is over', async () => {
      await using listener = await startListener({ handle: (each) => void each.tunnel([]).resume() })
      const client = await listener.client()
      client.send(
        'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
      )
      expect((await client.answer()).status).toBe(101)
      await listener.running.closed(200)
      await client.ended()
    })

    it('loses no request of clients that keep their connections busy', async () => {
      await using listener = await startListener({
        handle: (each) => void delay(2).then(() => each.answer({ status: 200, fields: [], body: 'ok' })),
      })
      let served = 0
      const workers = Array.from({ length: 20 }, async () => {
        const client = await listener.client()
        for (;;) {
          const answer = await client.send(get).answer()
          expect(answer.text()).toBe('ok')
          served += 1
          if (answer.field('connection') === 'close') return client.destroy()
          await delay(Math.random() * 40)
        }
      })
      await until(() => served > 100)
      await Promise.all([listener.running.closed(10_000), ...workers])
      expect(served).toBeGreaterThan(100)
    })

    it('can be asked for twice', async () => {
      await using listener = await startListener()
      listener.running.stopAccepting()
      await Promise.all([listener.running.closed(1000), listener.running.closed(1000)])
    })
  })

  describe('a listener', () => {
    it('says why it cannot have its address', async () => {
      await using listener = await startListener()
      const again = startServer({
        dataPlane: 'node',
        settings: {
          host: '127.0.0.1',
          port: listener.running.port,
          publicUrl: [],
          encodedSlashes: 'refuse',
          pathParameters: 'refuse',
        },
        limits: () => ({
          headers: 1,
          headerCount: 1,
          body: 1,
          headersTimeout: 1,
          requestTimeout: 1,
          idleTimeout: 1,
        }),
        clock: { now: () => 0 },
        handle: () => undefined,
        refuse: () => ({ status: 400, fields: [], body: '' }),
        health: () => undefined,
      })
      await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' })
    })
  })
})

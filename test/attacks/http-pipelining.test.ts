/** Several requests on one connection: one at a time, answers in order, and no refusal overtakes an answer. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../../src/exchange.ts'
import { startListener, until, onEachDataPlane } from '../listener.ts'

const request = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`

/** Holds every request until it is released by its target. */
function holding() {
  const held = new Map<string, ServerRequest>()
  return {
    held,
    handle: (each: ServerRequest): void => void held.set(each.target, each),
    release: (target: string): void => held.get(target)!.answer({ status: 200, fields: [], body: target }),
  }
}

onEachDataPlane(() => {
  describe('pipelined requests', () => {
    it('are answered in order', async () => {
      await using listener = await startListener({
        handle: (each) => each.answer({ status: 200, fields: [], body: each.target }),
      })
      const client = await listener.client()
      client.send(request('/1') + request('/2') + request('/3'))
      for (const target of ['/1', '/2', '/3']) expect((await client.answer()).text()).toBe(target)
    })

    it('reach the pipeline one at a time', async () => {
      const { held, handle, release } = holding()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(request('/1') + request('/2'))
      await until(() => held.has('/1'))
      await delay(30)
      expect(held.has('/2')).toBe(false)
      release('/1')
      expect((await client.answer()).text()).toBe('/1')
      await until(() => held.has('/2'))
      release('/2')
      expect((await client.answer()).text()).toBe('/2')
    })

    it('of a flood wait in the system’s buffers: no more is read than one packet holds', async () => {
      const { held, handle, release } = holding()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      const flood = request('/flood').repeat(600_000)
      client.send(request('/first'))
      await until(() => held.has('/first'))
      client.send(flood)
      await delay(200)
      const memory = process.memoryUsage().heapUsed
      await delay(200)
      // The client could not get rid of all of it: we stopped reading.
      expect(client.socket.writableLength).toBeGreaterThan(0)
      expect(process.memoryUsage().heapUsed - memory).toBeLessThan(20 * 1024 * 1024)
      expect(listener.reached.length).toBe(1)
      release('/first')
      expect((await client.answer()).text()).toBe('/first')
    })

    it('of a flood with bodies wait too, while bodies are read', async () => {
      let served = 0
      await using listener = await startListener({
        handle(each) {
          if (served === 300) return
          served += 1
          each
            .body()
            .on('end', () => each.answer({ status: 200, fields: [], body: '' }))
            .resume()
        },
      })
      const client = await listener.client()
      client.socket.resume()
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na'.repeat(600_000))
      await until(() => listener.reached.length > 300, 15_000)
      await delay(100)
      // Far less than a read for each request that was served.
      expect(client.socket.writableLength).toBeGreaterThan(16 * 1024 * 1024)
    })

    it('of a flood are all answered', async () => {
      await using listener = await startListener({
        handle: (each) => each.answer({ status: 200, fields: [], body: each.target }),
      })
      const client = await listener.client({ patience: 15_000 })
      const count = 5000
      client.send(Array.from({ length: count }, (_, at) => request(`/${String(at)}`)).join(''))
      for (let at = 0; at < count; at += 1) expect((await client.answer()).text()).toBe(`/${String(at)}`)
    })

    it('with bodies keep their order and their bodies', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      const post = (body: string): string =>
        `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`
      client.send(post('one') + post('two') + request('/3') + post('x'.repeat(200_000)) + post('five'))
      const lengths = []
      for (let at = 0; at < 5; at += 1) lengths.push((await client.answer()).json()['length'])
      expect(lengths).toEqual([3, 3, 0, 200_000, 4])
    })

    it('of HTTP/1.0 end with the first, which does not ask to stay', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send(`GET /1 HTTP/1.0\r\nHost: x\r\n\r\n${request('/2')}`)
      expect((await client.answer()).json()['target']).toBe('/1')
      expect((await client.ended()).length).toBe(0)
      expect(listener.reached).toHaveLength(1)
    })

    it('behind one that says close are not looked at', async () => {
      await using listener = await startListener()
      const client = await listener.client()
      client.send(`GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${request('/2')}`)
      expect((await client.answer()).field('connection')).toBe('close')
      expect((await client.ended()).length).toBe(0)
      expect(listener.reached).toHaveLength(1)
      expect(listener.refused).toHaveLength(0)
    })
  })

  describe('a malformed request behind a good one', () => {
    it.each([
      ['in the parser', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'],
      ['by our rules', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
      ['as CONNECT', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n'],
      ['as an oversized head', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`],
      ['as a bad first chunk', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ])('refused %s, waits for the answers before it', async (_, malformed) => {
      const { held, handle, release } = holding()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(request('/1') + request('/2') + malformed + request('/canary'))
      await until(() => held.has('/1'))
      await delay(30)
      expect(client.rest.length).toBe(0)
      release('/1')
      await until(() => held.has('/2'))
      release('/2')
      expect((await client.answer()).text()).toBe('/1')
      expect((await client.answer()).text()).toBe('/2')
      expect((await client.answer()).status).toBeGreaterThanOrEqual(400)
      expect((await client.ended()).length).toBe(0)
      expect(held.has('/canary')).toBe(false)
    })

    it('does not cut a streamed answer before it', async () => {
      let writer: ReturnType<ServerRequest['begin']> | undefined
      await using listener = await startListener({
        handle: (each) => (writer = each.begin({ status: 200, reason: 'OK', fields: [] })),
      })
      const client = await listener.client()
      client.send(request('/stream'))
      await until(() => writer !== undefined)
      writer!.write(Buffer.from('one '))
      writer!.flush()
      client.send('rubbish\r\n\r\n')
      await until(() => client.rest.includes('one'))
      writer!.write(Buffer.from('two'))
      writer!.end()
      expect((await client.answer()).text()).toBe('one two')
      expect((await client.answer()).status).toBe(400)
      expect((await client.ended()).length).toBe(0)
    })
  })
})

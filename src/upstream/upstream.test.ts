import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import { exchange, get, RawClient } from '../../test/support/raw-client.ts'
import type { RawConnection } from '../../test/support/raw-upstream.ts'
import { setUp, setUpRaw, setUpTargets, upstreamSettings } from '../../test/support/upstream-setup.ts'
import { isSameUpstream } from './upstream.ts'

async function answerAll(connection: RawConnection): Promise<void> {
  for (;;) {
    await connection.head()
    connection.answer('ok')
  }
}

onEachDataPlane(() => {
  describe('an upstream that is closed after a reload', () => {
    it('finishes what is in flight, then is closed', async () => {
      const mayAnswer = Promise.withResolvers<void>()
      const { server, upstream, raw } = await setUp(async (connection) => {
        await connection.head()
        await mayAnswer.promise
        connection.answer('late')
      })
      const answer = exchange(server.port, get())
      await expect.poll(() => raw.connections[0]?.received).toContain('GET /')
      const closed = upstream.close()
      const soon = new Promise((resolve) => setImmediate(resolve, 'still open'))
      expect(await Promise.race([closed, soon])).toBe('still open')
      mayAnswer.resolve()
      expect(await answer).toContain('late')
      await closed
      await raw.connections[0]!.gone()
    })

    it('closes its idle connections at once', async () => {
      const { server, upstream, raw } = await setUp(answerAll)
      await exchange(server.port, get())
      await upstream.close()
      await raw.connections[0]!.gone()
    })

    it('serves a request that was matched before the reload and comes after it', async () => {
      const { server, upstream, raw } = await setUp(answerAll)
      await upstream.close()
      expect(await exchange(server.port, get())).toContain('200 OK')
      await raw.connections[0]!.gone()
    })
  })

  describe('an upstream that is destroyed at the end of a drain', () => {
    it('cuts answers under way, visibly', async () => {
      const { server, upstream } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
      })
      const client = new RawClient(server.port).send(get())
      await client.until((received) => received.endsWith('ok\r\n'))
      upstream.destroy()
      expect(await client.all()).toMatch(/ok\r\n$/)
    })

    it('refuses what was waiting for an answer', async () => {
      const { server, upstream, raw } = await setUp(async (connection) => {
        await connection.head()
      })
      const answer = exchange(server.port, get())
      await expect.poll(() => raw.connections[0]?.received).toContain('GET /')
      upstream.destroy()
      expect(await answer).toContain('502')
    })
  })

  describe('the state of an upstream', () => {
    it('tells what is in flight, for each target too', async () => {
      const mayAnswer = Promise.withResolvers<void>()
      const { server, upstream, raw } = await setUp(async (connection) => {
        await connection.head()
        await mayAnswer.promise
        connection.answer('ok')
      })
      const answer = exchange(server.port, get())
      await expect.poll(() => raw.connections[0]?.received).toContain('GET /')
      expect(upstream.state()).toEqual({
        name: 'catalog',
        inFlight: 1,
        targets: [
          { url: raw.url, weight: 1, health: 'healthy', inFlight: 1, connections: { idle: 0, open: 1 } },
        ],
      })
      mayAnswer.resolve()
      await answer
      await expect.poll(() => upstream.state().targets[0]?.connections).toEqual({ idle: 1, open: 1 })
      expect(upstream.state().inFlight).toBe(0)
    })
  })

  describe('a reload', () => {
    it('keeps an upstream whose settings are the same', () => {
      const settings = upstreamSettings(['http://a', 'http://b'])
      expect(isSameUpstream(settings, structuredClone(settings))).toBe(true)
      expect(isSameUpstream(settings, { ...settings, balance: 'hash' })).toBe(false)
      expect(isSameUpstream(settings, { ...settings, targets: settings.targets.slice(1) })).toBe(false)
    })
  })

  describe('a target with a name', () => {
    it('is found at the next address when the first is dead', async () => {
      const raw = await setUpRaw(answerAll)
      const { server } = await setUpTargets([`http://catalog.internal:${raw.port}`], {
        deps: {
          names: {
            addresses: async () => [
              { address: '127.0.0.2', family: 4 },
              { address: '127.0.0.1', family: 4 },
            ],
            timeToLive: async () => 30,
          },
        },
      })
      for (let count = 0; count < 3; count += 1) {
        expect(await exchange(server.port, get())).toContain('200 OK')
      }
      expect(raw.connections[0]!.received).toContain(`Host: catalog.internal:${raw.port}\r\n`)
    })

    it('is 502 when it has no address', async () => {
      const { server } = await setUpTargets(['http://nowhere.invalid'], {
        deps: {
          names: {
            addresses: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
            timeToLive: async () => undefined,
          },
        },
      })
      expect(await exchange(server.port, get())).toContain('502')
      expect(await server.result()).toMatchObject({
        refusal: { reason: 'connect_failed', detail: 'http://nowhere.invalid: ENOTFOUND' },
      })
    })

    it('is left at an address that it lost, kept connections too', async () => {
      const raw = await setUpRaw(answerAll)
      const clock = { time: 0, now: () => clock.time }
      const table = { address: '127.0.0.1' }
      const { server } = await setUpTargets([`http://catalog.internal:${raw.port}`], {
        deps: {
          clock,
          names: {
            addresses: async () => [{ address: table.address, family: 4 }],
            timeToLive: async () => 1,
          },
        },
      })
      await exchange(server.port, get())
      expect(raw.connections).toHaveLength(1)
      table.address = '127.0.0.5'
      clock.time = 2_000
      // The kept connection serves while the name is looked up, and then no more.
      expect(await exchange(server.port, get())).toContain('200 OK')
      await raw.connections[0]!.gone()
      expect(await exchange(server.port, get())).toContain('502')
    })
  })

  describe('many requests at once', () => {
    it('share connections one after another, and never two at a time', async () => {
      const { server, raw } = await setUp(async (connection) => {
        for (;;) {
          const head = await connection.head()
          await new Promise((resolve) => setImmediate(resolve))
          // A second head before the answer would be pipelining.
          expect(connection.received.endsWith(head)).toBe(true)
          connection.answer(/^GET (\S+)/.exec(head)?.[1] ?? '')
        }
      })
      const paths = Array.from({ length: 400 }, (_, index) => `/item-${index}`)
      const answers = await Promise.all(
        Array.from({ length: 8 }, async (_, lane) => {
          const own: string[] = []
          for (const path of paths.slice(lane * 50, lane * 50 + 50)) {
            own.push(await exchange(server.port, get(path)))
          }
          return own
        }),
      )
      expect(answers.flat().map((answer) => answer.split('\r\n\r\n')[1])).toEqual(paths)
      expect(raw.connections.length).toBeLessThanOrEqual(20)
    })
  })
})

import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import type { HealthSettings } from '../configuration.ts'
import { exchange, get } from '../../test/support/raw-client.ts'
import { setUpRaw, setUpTargets } from '../../test/support/upstream-setup.ts'
import type { RawConnection } from '../../test/support/raw-upstream.ts'

const health: HealthSettings = {
  path: '/healthz',
  interval: 20,
  timeout: 200,
  healthy: 1,
  unhealthy: 3,
  status: [{ from: 200, to: 399 }],
}

/** Serves, and answers checks as the test says. */
function service(name: string, condition: { answer: (connection: RawConnection) => void; checks: number }) {
  return async (connection: RawConnection): Promise<void> => {
    for (;;) {
      const head = await connection.head()
      if (head.startsWith('GET /healthz HTTP/1.1\r\n')) {
        condition.checks += 1
        condition.answer(connection)
      } else {
        connection.answer(name)
      }
    }
  }
}

const fine = (connection: RawConnection): void => connection.answer('fine')
const ill = (connection: RawConnection): void =>
  connection.send('HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n')

async function setUp(settings: Partial<HealthSettings> = {}) {
  const first = { answer: fine, checks: 0 }
  const second = { answer: fine, checks: 0 }
  const one = await setUpRaw(service('one', first))
  const two = await setUpRaw(service('two', second))
  const changes: string[] = []
  const { server, upstream } = await setUpTargets([one.url, two.url], {
    settings: { health: { ...health, ...settings } },
    deps: {
      onHealth: (target, state) => changes.push(`${target === one.url ? 'one' : 'two'} ${state}`),
      random: () => 0.5,
    },
  })
  const bodies = async (): Promise<Set<string>> => {
    const seen = new Set<string>()
    for (let count = 0; count < 4; count += 1) {
      seen.add((await exchange(server.port, get())).slice(-3))
    }
    return seen
  }
  return { first, second, changes, bodies, server, upstream, one }
}

onEachDataPlane(() => {
  describe('active health checks', () => {
    it('take a target out after three failures in a row, and back in after one success', async () => {
      const { first, changes, bodies, upstream } = await setUp()
      await expect.poll(() => first.checks).toBeGreaterThan(1)
      expect(await bodies()).toEqual(new Set(['one', 'two']))
      first.answer = ill
      await expect.poll(() => changes).toEqual(['one unhealthy'])
      expect(upstream.state().targets[0]).toMatchObject({ health: 'unhealthy', lastFailure: 'status 500' })
      expect(await bodies()).toEqual(new Set(['two']))
      first.answer = fine
      await expect.poll(() => changes).toEqual(['one unhealthy', 'one healthy'])
      expect(await bodies()).toEqual(new Set(['one', 'two']))
    })

    it.each<[string, (connection: RawConnection) => void]>([
      ['silence', () => undefined],
      ['a closed connection', (connection) => connection.socket.destroy()],
      [
        'a status outside the range',
        (connection) => connection.send('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'),
      ],
      ['a malformed answer', (connection) => connection.send('nonsense\r\n\r\n')],
    ])('count %s as a failure', async (_name, answer) => {
      const { first, changes } = await setUp({ timeout: 30 })
      first.answer = answer
      await expect.poll(() => changes, { timeout: 3_000 }).toEqual(['one unhealthy'])
    })

    it('take as healthy what the configuration says', async () => {
      const { first, changes } = await setUp({
        status: [
          { from: 200, to: 299 },
          { from: 500, to: 500 },
        ],
      })
      first.answer = ill
      const { checks } = first
      await expect.poll(() => first.checks).toBeGreaterThan(checks + 4)
      expect(changes).toEqual([])
    })

    it('leave nobody to ask when all targets are down: 503 with Retry-After', async () => {
      const { first, second, changes, server } = await setUp()
      first.answer = ill
      second.answer = ill
      await expect.poll(() => changes).toHaveLength(2)
      const answer = await exchange(server.port, get())
      expect(answer).toMatch(/^HTTP\/1.1 503 .*upstream_unavailable/s)
      expect(answer).toContain('Retry-After: 1\r\n')
      expect(await server.result()).toMatchObject({ refusal: { reason: 'no_healthy_target' } })
    })

    it('end with the upstream', async () => {
      const { first, upstream } = await setUp()
      await expect.poll(() => first.checks).toBeGreaterThan(0)
      await upstream.close()
      await new Promise((resolve) => setTimeout(resolve, 50))
      const { checks } = first
      await new Promise((resolve) => setTimeout(resolve, 150))
      expect(first.checks).toBe(checks)
    })
  })

  describe('passive ejection', () => {
    it('passes over a target that cannot be reached, and uses it all the same when there is no other', async () => {
      const changes: string[] = []
      const live = await setUpRaw(service('one', { answer: fine, checks: 0 }))
      const dead = await setUpRaw((connection) => {
        connection.socket.destroy()
      })
      const { server, upstream } = await setUpTargets([dead.url, live.url], {
        deps: {
          onHealth: (target, state) => changes.push(`${target === dead.url ? 'dead' : 'live'} ${state}`),
        },
      })
      for (let count = 0; count < 12; count += 1) {
        expect(await exchange(server.port, get())).toContain('200 OK')
      }
      expect(changes).toEqual(['dead ejected'])
      expect(upstream.state().targets[0]?.health).toBe('ejected')
      const { length } = dead.connections
      for (let count = 0; count < 4; count += 1) {
        await exchange(server.port, get())
      }
      expect(dead.connections).toHaveLength(length)

      const alone = await setUpTargets([dead.url], { settings: { retries: { attempts: 0 } } })
      for (let count = 1; count <= 8; count += 1) {
        expect(await exchange(alone.server.port, get())).toContain('502')
        expect(dead.connections).toHaveLength(length + count)
      }
    })
  })
})

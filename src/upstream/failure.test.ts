import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import { exchange, get, RawClient } from '../../test/support/raw-client.ts'
import type { RawConnection } from '../../test/support/raw-upstream.ts'
import { setUp, setUpRaw, setUpTargets } from '../../test/support/upstream-setup.ts'

const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'

/** An address where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

async function answerAll(connection: RawConnection): Promise<void> {
  for (;;) {
    await connection.head()
    connection.answer('ok')
  }
}

/** Answers each request with this status. */
function answersWith(status: number): (connection: RawConnection) => Promise<void> {
  return async (connection) => {
    for (;;) {
      await connection.head()
      connection.send(`HTTP/1.1 ${status} Sorry\r\nContent-Length: 5\r\n\r\nsorry`)
    }
  }
}

onEachDataPlane(() => {
  describe('an upstream that cannot be reached', () => {
    it('is 502', async () => {
      const { server } = await setUpTargets([await closedPort()])
      expect(await exchange(server.port, get())).toMatch(/^HTTP\/1.1 502 .*upstream_unavailable/s)
      const result = await server.result()
      expect(result).toMatchObject({ outcome: 'refused', refusal: { reason: 'connect_failed' } })
      expect(JSON.stringify(result)).toContain('ECONNREFUSED')
    })

    it('is 504 when connecting takes too long, the TLS handshake included', async () => {
      const silent = await setUpRaw(() => undefined)
      const { server } = await setUpTargets([silent.url.replace('http:', 'https:')], {
        settings: { timeouts: { connect: 100, response: 1_000 }, retries: { attempts: 0 } },
      })
      expect(await exchange(server.port, get())).toMatch(/^HTTP\/1.1 504 .*upstream_timeout/s)
      expect(await server.result()).toMatchObject({ refusal: { reason: 'connect_timeout' } })
    })

    it('is passed over for another target, for any method, since nobody saw the request', async () => {
      const live = await setUpRaw(answerAll)
      const { server } = await setUpTargets([await closedPort(), live.url])
      for (let count = 0; count < 4; count += 1) {
        expect(await exchange(server.port, post)).toContain('200 OK')
      }
    })

    it('is not retried where the configuration allows no tries', async () => {
      const live = await setUpRaw(answerAll)
      const { server } = await setUpTargets([await closedPort(), live.url], {
        settings: { retries: { attempts: 0 } },
      })
      expect(await exchange(server.port, get())).toContain('502')
      expect(await exchange(server.port, get())).toContain('200 OK')
    })
  })

  describe('an upstream that does not answer', () => {
    it('is 504 after the response timeout, and not asked twice', async () => {
      const { server, raw } = await setUp(() => undefined, {
        settings: { timeouts: { connect: 1_000, response: 100 } },
      })
      expect(await exchange(server.port, get())).toMatch(/^HTTP\/1.1 504 .*upstream_timeout/s)
      expect(raw.connections).toHaveLength(1)
      await raw.connections[0]!.gone()
    })

    it('is given its time from the end of the upload, not from its start', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.until((received) => received.endsWith('0\r\n\r\n'))
          connection.answer('ok')
        },
        { settings: { timeouts: { connect: 1_000, response: 200 } } },
      )
      const client = new RawClient(server.port).send(
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      for (let count = 0; count < 5; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, 80))
        client.send('1\r\nx\r\n')
      }
      client.send('0\r\n\r\n')
      expect(await client.all()).toContain('200 OK')
    })

    it('is 504 when it takes no more of an upload', async () => {
      const { server } = await setUp(
        ({ socket }) => {
          socket.removeAllListeners('data')
          socket.pause()
        },
        { settings: { timeouts: { connect: 1_000, response: 200 } } },
      )
      const client = new RawClient(server.port).send(
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\n',
      )
      client.send('x'.repeat(20_000_000))
      expect(await client.until((received) => received.includes('\r\n\r\n'))).toContain('504')
      client.close()
    })
  })

  describe('an upstream that closes before it answers', () => {
    const behaviours: Record<string, (connection: RawConnection) => void> = {
      'in order': ({ socket }) => socket.end(),
      'with a reset': ({ socket }) => socket.resetAndDestroy(),
      'within the head of its answer': (connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-')
        connection.socket.end()
      },
    }
    for (const [name, behave] of Object.entries(behaviours)) {
      it(`${name} is asked again for GET, within the configured tries, and is 502 then`, async () => {
        const { server, raw } = await setUp(async (connection) => {
          await connection.head()
          behave(connection)
        })
        expect(await exchange(server.port, get())).toMatch(/^HTTP\/1.1 502 .*upstream_unavailable/s)
        expect(raw.connections).toHaveLength(2)
        expect(await server.result()).toMatchObject({ refusal: { reason: 'connection_lost' } })
      })

      it(`${name} is never asked again for POST`, async () => {
        const { server, raw } = await setUp(async (connection) => {
          await connection.head()
          behave(connection)
        })
        expect(await exchange(server.port, post)).toContain('502')
        expect(raw.connections).toHaveLength(1)
      })
    }

    it('is not asked again for PUT, whose body is gone', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.socket.end()
      })
      expect(await exchange(server.port, post.replace('POST', 'PUT'))).toContain('502')
      expect(raw.connections).toHaveLength(1)
    })

    it('is left for another target', async () => {
      const dying = await setUpRaw(async (connection) => {
        await connection.head()
        connection.socket.destroy()
      })
      const live = await setUpRaw(answerAll)
      const { server } = await setUpTargets([dying.url, live.url])
      for (let count = 0; count < 4; count += 1) {
        expect(await exchange(server.port, get())).toContain('200 OK')
      }
      expect(dying.connections).toHaveLength(2)
    })
  })

  describe('a connection that the upstream closes as idle', () => {
    it('just when a GET is sent on it costs no answer and no configured try', async () => {
      const { server, raw } = await setUp(
        async (connection, index) => {
          await connection.head()
          connection.answer('ok')
          if (index === 0) {
            await connection.head()
            connection.socket.resetAndDestroy()
          }
        },
        { settings: { retries: { attempts: 0 } } },
      )
      expect(await exchange(server.port, get())).toContain('200 OK')
      expect(await exchange(server.port, get())).toContain('200 OK')
      expect(raw.connections).toHaveLength(2)
    })

    it('just when a POST is sent on it is 502: the upstream may have acted on it', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.answer('ok')
        await connection.head()
        connection.socket.resetAndDestroy()
      })
      expect(await exchange(server.port, get())).toContain('200 OK')
      expect(await exchange(server.port, post)).toContain('502')
      expect(raw.connections).toHaveLength(1)
    })

    it('before a request comes is not used, whatever the method', async () => {
      const { server, raw, upstream } = await setUp(async (connection) => {
        await connection.head()
        connection.answer('ok')
        connection.socket.end()
      })
      for (let count = 1; count <= 3; count += 1) {
        expect(await exchange(server.port, post)).toContain('200 OK')
        await expect.poll(() => upstream.state().targets[0]?.connections.open).toBe(0)
        expect(raw.connections).toHaveLength(count)
      }
    })

    it('is closed by the gateway a second before the time that Keep-Alive announced', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.answer('ok', 'Keep-Alive: timeout=2\r\n')
      })
      expect(await exchange(server.port, get())).toContain('200 OK')
      const since = performance.now()
      await raw.connections[0]!.gone()
      expect(performance.now() - since).toBeGreaterThan(700)
      expect(performance.now() - since).toBeLessThan(1_900)
    })
  })

  describe('an answer of 502, 503 or 504', () => {
    it('is dropped for the answer of another target', async () => {
      const failing = await setUpRaw(answersWith(503))
      const live = await setUpRaw(answerAll)
      const { server } = await setUpTargets([failing.url, live.url])
      for (let count = 0; count < 4; count += 1) {
        expect(await exchange(server.port, get())).toContain('200 OK')
      }
      // The dropped answers were short: their connection lives.
      expect(failing.connections).toHaveLength(1)
    })

    it('reaches the client when it is the last one', async () => {
      const { server, raw } = await setUp(answersWith(503))
      expect(await exchange(server.port, get())).toMatch(/^HTTP\/1.1 503 Sorry.*sorry$/s)
      const all = raw.connections.map(({ received }) => received).join('')
      expect(all.match(/GET/g)).toHaveLength(2)
    })

    it('reaches the client at once for POST, and for other statuses', async () => {
      for (const [status, request] of [
        [503, post],
        [500, get()],
        [429, get()],
      ] as const) {
        const { server, raw } = await setUp(answersWith(status))
        expect(await exchange(server.port, request)).toContain(`HTTP/1.1 ${status} Sorry`)
        expect(raw.connections[0]!.received.match(/(GET|POST)/g)).toHaveLength(1)
      }
    })

    it('that is long is dropped with its connection', async () => {
      const failing = await setUpRaw(async (connection) => {
        await connection.head()
        connection.send(`HTTP/1.1 502 Sorry\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(1_000_000)}`)
      })
      const live = await setUpRaw(answerAll)
      const { server } = await setUpTargets([failing.url, live.url])
      expect(await exchange(server.port, get())).toContain('200 OK')
      await failing.connections[0]!.gone()
    })
  })

  describe('an upstream that fails within its answer', () => {
    const heads = {
      'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc',
      chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      'up to its end': 'HTTP/1.1 200 OK\r\n\r\nabc',
    }
    for (const [name, head] of Object.entries(heads)) {
      it(`(${name}) by a reset leaves the client with a visibly incomplete answer`, async () => {
        const { server } = await setUp(async (connection) => {
          await connection.head()
          connection.send(head)
          await new Promise((resolve) => setTimeout(resolve, 50))
          connection.socket.resetAndDestroy()
        })
        const answer = await exchange(server.port, get())
        expect(answer).toContain('abc')
        // Neither a last chunk nor all the bytes that were announced.
        expect(answer).not.toMatch(/0\r\n\r\n$/)
        expect(await server.result()).toMatchObject({ outcome: 'answered', cut: 'upstream', bytes: 3 })
      })
    }
  })
})

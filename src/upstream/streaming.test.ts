import { once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import { refuse } from '../engine/outcome.ts'
import { BodyError } from '../exchange.ts'
import { exchange, get, RawClient } from '../../test/support/raw-client.ts'
import type { RawConnection } from '../../test/support/raw-upstream.ts'
import { setUp, setUpRaw, setUpTargets } from '../../test/support/upstream-setup.ts'

const MiB = 1024 * 1024
const size = 200 * MiB
const block = Buffer.alloc(64 * 1024, 'x')

/** The most memory that buffers took above what they took at the start. */
function watchBuffers(): () => number {
  const base = process.memoryUsage()
  let most = 0
  const timer = setInterval(() => {
    const { arrayBuffers, rss } = process.memoryUsage()
    most = Math.max(most, arrayBuffers - base.arrayBuffers, rss - base.rss)
  }, 10)
  return () => {
    clearInterval(timer)
    return most
  }
}

/** Writes blocks until all is written or the other side takes no more for a while. @returns the bytes written */
async function pour(
  connection: { readonly socket: RawConnection['socket'] },
  bytes: number,
  patience: number,
): Promise<number> {
  let written = 0
  while (written < bytes) {
    written += block.length
    if (!connection.socket.write(block)) {
      const drained = await Promise.race([
        once(connection.socket, 'drain').then(
          () => true,
          () => false,
        ),
        new Promise((resolve) => setTimeout(resolve, patience, false)),
      ])
      if (drained === false) {
        return written
      }
    }
  }
  return written
}

onEachDataPlane(() => {
  describe('a large answer', () => {
    it('waits for a client that does not read, and then comes whole in bounded memory', async () => {
      let poured = 0
      const isStalled = Promise.withResolvers<void>()
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
        poured = await pour(connection, size, 500)
        isStalled.resolve()
        await pour(connection, size - poured, 60_000)
      })
      const most = watchBuffers()
      const client = new RawClient(server.port)
      client.socket.removeAllListeners('data')
      client.socket.pause()
      client.send(get())
      await isStalled.promise
      // Socket buffers of the system on three hops, and a little of ours.
      expect(poured).toBeLessThan(40 * MiB)

      let taken = 0
      client.socket.on('data', (chunk: Buffer) => {
        taken += chunk.length
      })
      client.socket.resume()
      await once(client.socket, 'end')
      expect(taken).toBeGreaterThan(size)
      // What the collector has not taken back yet counts too: both ends of the transfer live in this process.
      expect(most()).toBeLessThan(size * 0.8)
      expect(await server.result()).toMatchObject({ outcome: 'answered', bytes: size })
    }, 60_000)
  })

  describe('a large upload', () => {
    it('waits for an upstream that does not read, and then arrives whole in bounded memory', async () => {
      let taken = 0
      const mayRead = Promise.withResolvers<void>()
      const { server } = await setUp(
        async ({ socket }) => {
          socket.removeAllListeners('data')
          socket.pause()
          await mayRead.promise
          socket.on('data', (chunk: Buffer) => {
            taken += chunk.length
            if (taken > size) {
              socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
            }
          })
          socket.resume()
        },
        { settings: { timeouts: { connect: 1_000, response: 60_000 } } },
      )
      const most = watchBuffers()
      const client = new RawClient(server.port)
      client.send(`PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`)
      const poured = await pour(client, size, 500)
      expect(poured).toBeLessThan(40 * MiB)
      mayRead.resolve()
      await pour(client, size - poured, 60_000)
      expect(await client.all()).toContain('200 OK')
      expect(most()).toBeLessThan(size * 0.8)
      expect(taken).toBeGreaterThan(size)
    }, 60_000)
  })

  describe('an event stream', () => {
    it('passes each event at once, and may be silent for longer than other answers', async () => {
      const events = new (class {
        send: ((text: string) => void) | undefined
      })()
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n',
          )
          events.send = (text) => connection.send(`${text.length.toString(16)}\r\n${text}\r\n`)
        },
        { hooks: { idleTimeout: 100 } },
      )
      const client = new RawClient(server.port).send(get('/events'))
      await client.until((received) => received.includes('text/event-stream'))
      events.send?.('data: 1\n\n')
      await client.until((received) => received.includes('data: 1'))
      await new Promise((resolve) => setTimeout(resolve, 400))
      events.send?.('data: 2\n\n')
      await client.until((received) => received.includes('data: 2'))
      client.close()
    })
  })

  describe('an answer without a byte', () => {
    it('is cut after the idle timeout, visibly incomplete', async () => {
      const { server, raw } = await setUp(
        async (connection) => {
          await connection.head()
          connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
        },
        { hooks: { idleTimeout: 100 } },
      )
      const answer = await exchange(server.port, get())
      expect(answer).toMatch(/2\r\nok\r\n$/)
      expect(await server.result()).toMatchObject({ outcome: 'answered', status: 200, cut: 'upstream' })
      await raw.connections[0]!.gone()
    })

    it('is not cut while bytes come now and then', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
          for (let count = 0; count < 10; count += 1) {
            await new Promise((resolve) => setTimeout(resolve, 60))
            connection.send('x')
          }
        },
        { hooks: { idleTimeout: 300 } },
      )
      expect(await exchange(server.port, get())).toMatch(/xxxxxxxxxx$/)
    })
  })

  describe('a client that goes away', () => {
    it('ends the work of an upstream that has not answered yet', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
      })
      const client = new RawClient(server.port).send(get())
      await expect.poll(() => raw.connections[0]?.received).toContain('GET /')
      client.close()
      await raw.connections[0]!.gone()
      expect(await server.result()).toMatchObject({ outcome: 'refused', refusal: { reason: 'client_gone' } })
    })

    it('while the upstream is connected to leaves nothing behind', async () => {
      const isFound = Promise.withResolvers<void>()
      const raw = await setUpRaw(() => undefined)
      const { server, upstream } = await setUpTargets([`http://catalog.internal:${raw.port}`], {
        deps: {
          names: {
            async addresses() {
              await isFound.promise
              return [{ address: '127.0.0.1', family: 4 }]
            },
            timeToLive: async () => undefined,
          },
        },
      })
      const client = new RawClient(server.port).send(get())
      await expect.poll(() => upstream.state().targets[0]?.inFlight).toBe(1)
      client.socket.resetAndDestroy()
      await expect.poll(() => server.connections).toBe(0)
      isFound.resolve()
      expect(await server.result()).toMatchObject({ refusal: { reason: 'client_gone' } })
      await raw.connections[0]?.gone()
      expect(raw.connections.map(({ received }) => received).join('')).toBe('')
      expect(upstream.state().targets[0]).toMatchObject({ inFlight: 0, connections: { open: 0, idle: 0 } })
    })

    it('ends an answer under way', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
      })
      const client = new RawClient(server.port).send(get())
      await client.until((received) => received.includes('ok'))
      client.close()
      await raw.connections[0]!.gone()
      expect(await server.result()).toMatchObject({ outcome: 'answered', cut: 'client' })
    })

    it('within an upload leaves the upstream an incomplete request', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
      })
      const client = new RawClient(server.port).send(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      )
      await expect.poll(() => raw.connections[0]?.received).toContain('abc')
      client.close()
      await raw.connections[0]!.gone()
      expect(raw.connections[0]!.received).toMatch(/3\r\nabc\r\n$/)
    })
  })

  describe('a body that stops', () => {
    for (const framing of [
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      'Content-Length: 100\r\n\r\nabc',
    ]) {
      it(`(${framing.slice(0, 14)}) is refused as the server says, and never looks complete to the upstream`, async () => {
        const { server, raw } = await setUp(
          async (connection) => {
            await connection.head()
          },
          {
            body: (body) =>
              Readable.from(
                (async function* () {
                  for await (const chunk of body) {
                    yield chunk
                    throw new BodyError(refuse('payload_too_large'))
                  }
                })(),
              ),
          },
        )
        const answer = await exchange(
          server.port,
          `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}`,
        )
        expect(answer).toMatch(/^HTTP\/1.1 413 .*payload_too_large/s)
        await raw.connections[0]!.gone()
        expect(raw.connections[0]!.received).toMatch(/abc(\r\n)?$/)
      })
    }
  })

  describe('an answer that comes before the upload is over', () => {
    it('reaches the client, and the rest of the upload is given up', async () => {
      const { server, raw } = await setUp(async (connection, index) => {
        await connection.head()
        if (index === 0) {
          connection.send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
        } else {
          connection.answer('ok')
        }
      })
      const client = new RawClient(server.port).send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000)}`,
      )
      await client.until((received) => received.includes('413 Too Large') && received.endsWith('big'))
      // The half-sent request ends with its connection: the next one has a connection of its own.
      await raw.connections[0]!.gone()
      expect(await exchange(server.port, get())).toContain('200 OK')
      expect(raw.connections).toHaveLength(2)
      client.close()
    })

    it('reaches the client even if the upstream cuts the connection behind it', async () => {
      for (let round = 0; round < 20; round += 1) {
        const { server } = await setUp(async (connection) => {
          await connection.head()
          connection.send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig')
          connection.socket.destroy()
        })
        const client = new RawClient(server.port).send(
          `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 * MiB}\r\n\r\n`,
        )
        void pour(client, 8 * MiB, 100)
        await client.until((received) => received.includes('\r\n\r\n'))
        expect(client.received).toMatch(/^HTTP\/1.1 413/)
        client.close()
      }
    })
  })
})

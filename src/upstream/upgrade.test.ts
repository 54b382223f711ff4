import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import { WebSocket, WebSocketServer } from 'ws'
import { RawClient } from '../../test/support/raw-client.ts'
import type { RawConnection } from '../../test/support/raw-upstream.ts'
import { setUp, setUpTargets } from '../../test/support/upstream-setup.ts'

const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const upgrade = `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nKeep-Alive: timeout=5\r\n\r\n`

/** Agrees to the upgrade and hands the connection over. */
function agrees(then: (connection: RawConnection) => Promise<void> | void) {
  return async (connection: RawConnection): Promise<void> => {
    await connection.head()
    connection.send(switching)
    await then(connection)
  }
}

onEachDataPlane(() => {
  describe('a WebSocket', () => {
    it('of a real client and a real server carries messages both ways, and closes in order', async () => {
      const http = createServer()
      const sockets = new WebSocketServer({ server: http })
      sockets.on('connection', (socket) => {
        socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
      })
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
      onTestFinished(() => {
        sockets.close()
        http.close()
      })
      const { server } = await setUpTargets([`http://127.0.0.1:${(http.address() as AddressInfo).port}`])
      const client = new WebSocket(`ws://127.0.0.1:${server.port}/chat`)
      await once(client, 'open')
      const large = Buffer.alloc(5_000_000, 'w')
      for (const message of ['hello', large]) {
        client.send(message)
        const [echo] = (await once(client, 'message')) as [Buffer]
        expect(createHash('sha256').update(echo).digest('hex')).toBe(
          createHash('sha256').update(message).digest('hex'),
        )
      }
      client.close(1000, 'bye')
      const [code] = await once(client, 'close')
      expect(code).toBe(1000)
      const result = await server.result()
      expect(result).toMatchObject({ outcome: 'answered', status: 101 })
      expect(result).not.toHaveProperty('cut')
    })

    it('asks the upstream with the fields of the handshake and nothing else that is hop-by-hop', async () => {
      const { server, raw } = await setUp(agrees(() => undefined))
      const client = new RawClient(server.port).send(upgrade)
      expect(await client.until((received) => received.endsWith('\r\n\r\n'))).toBe(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      expect(raw.connections[0]!.received).toBe(
        `GET /chat HTTP/1.1\r\nHost: 127.0.0.1:${raw.port}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      )
      client.close()
      await raw.connections[0]!.gone()
    })

    it('passes bytes that come in one packet with the 101', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(`${switching}first bytes`)
      })
      const client = new RawClient(server.port).send(upgrade)
      await client.until((received) => received.endsWith('\r\n\r\nfirst bytes'))
      client.close()
    })

    it('sends nothing of what the client says ahead before the upstream agreed', async () => {
      const mayAgree = Promise.withResolvers<void>()
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        await mayAgree.promise
        expect(connection.received).toMatch(/\r\n\r\n$/)
        connection.send(switching)
        await connection.until((received) => received.endsWith('eager'))
        connection.send('seen')
      })
      const client = new RawClient(server.port).send(`${upgrade}eager`)
      await expect.poll(() => raw.connections[0]?.received).toContain('Upgrade: websocket')
      mayAgree.resolve()
      await client.until((received) => received.endsWith('seen'))
      client.close()
    })

    it('lets one side end and the other finish', async () => {
      const { server, raw } = await setUp(
        agrees(async (connection) => {
          await connection.until((received) => received.endsWith('last words'))
          while (!connection.isEnded) {
            await new Promise((resolve) => setImmediate(resolve))
          }
          connection.send('farewell')
          connection.socket.end()
        }),
      )
      const client = new RawClient(server.port).send(upgrade)
      await client.until((received) => received.endsWith('\r\n\r\n'))
      client.socket.end('last words')
      expect(await client.all()).toMatch(/farewell$/)
      await raw.connections[0]!.gone()
      const result = await server.result()
      expect(result).toMatchObject({ outcome: 'answered', status: 101, bytes: 8 })
      expect(result).not.toHaveProperty('cut')
    })

    it('closes the client when the upstream is reset, and the upstream when the client is', async () => {
      const { server } = await setUp(
        agrees(async (connection) => {
          await connection.until((received) => received.endsWith('go'))
          connection.socket.resetAndDestroy()
        }),
      )
      const client = new RawClient(server.port).send(upgrade)
      await client.until((received) => received.endsWith('\r\n\r\n'))
      client.send('go')
      await client.all()
      expect(await server.result()).toMatchObject({ status: 101, cut: 'upstream' })

      const other = await setUp(agrees(() => undefined))
      const leaving = new RawClient(other.server.port).send(upgrade)
      await leaving.until((received) => received.endsWith('\r\n\r\n'))
      leaving.socket.resetAndDestroy()
      await other.raw.connections[0]!.gone()
      expect(await other.server.result()).toMatchObject({ status: 101, cut: 'client' })
    })

    it('does not outrun a side that does not read', async () => {
      let written = 0
      const isStalled = Promise.withResolvers<void>()
      const { server } = await setUp(
        agrees(async ({ socket }) => {
          const block = Buffer.alloc(256 * 1024, 'x')
          while (written < 200_000_000) {
            written += block.length
            if (!socket.write(block)) {
              const isDrained = await Promise.race([
                once(socket, 'drain').then(() => true),
                new Promise((resolve) => setTimeout(resolve, 300, false)),
              ])
              if (isDrained === false) {
                break
              }
            }
          }
          isStalled.resolve()
        }),
      )
      const client = new RawClient(server.port)
      client.socket.removeAllListeners('data')
      client.socket.pause()
      client.send(upgrade)
      await isStalled.promise
      expect(written).toBeLessThan(40_000_000)
      client.close()
    })

    it('has no idle timeout', async () => {
      const { server } = await setUp(
        agrees(async (connection) => {
          await new Promise((resolve) => setTimeout(resolve, 300))
          connection.send('late')
        }),
        { hooks: { idleTimeout: 50 }, settings: { timeouts: { connect: 1_000, response: 100 } } },
      )
      const client = new RawClient(server.port).send(upgrade)
      await client.until((received) => received.endsWith('late'))
      client.close()
    })
  })

  describe('an upgrade that the upstream declines', () => {
    it('is answered like any other request, body and all', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(
          'HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsore\r\n0\r\n\r\n',
        )
      })
      const client = new RawClient(server.port).send(upgrade)
      expect(await client.all()).toMatch(/^HTTP\/1.1 403 No\r\nContent-Type: text\/plain\r\n.*sore/s)
      expect(await server.result()).toMatchObject({ outcome: 'answered', status: 403, bytes: 4 })
    })

    it('by silence is 504', async () => {
      const { server } = await setUp(() => undefined, {
        settings: { timeouts: { connect: 1_000, response: 100 } },
      })
      const client = new RawClient(server.port).send(upgrade)
      expect(await client.all()).toMatch(/^HTTP\/1.1 504/)
    })
  })

  describe('an upgrade without a proper key', () => {
    it('is 400 and reaches nobody', async () => {
      const { server, raw } = await setUp(() => undefined)
      const client = new RawClient(server.port).send(upgrade.replace(key, 'short'))
      expect(await client.all()).toMatch(/^HTTP\/1.1 400/)
      expect(raw.connections).toHaveLength(0)
    })
  })

  describe('the credential of an open stream', () => {
    it('cuts a tunnel once it is revoked', async () => {
      let isGood = true
      const { server, raw } = await setUp(
        agrees(() => undefined),
        { plan: { stillGood: () => isGood } },
      )
      const client = new RawClient(server.port).send(upgrade)
      await client.until((received) => received.endsWith('\r\n\r\n'))
      isGood = false
      const since = performance.now()
      await client.all()
      await raw.connections[0]!.gone()
      expect(performance.now() - since).toBeLessThan(1_000)
      expect(await server.result()).toMatchObject({ status: 101, cut: 'credential' })
    })

    it('cuts an event stream once it has expired', async () => {
      const { server, raw } = await setUp(
        async (connection) => {
          await connection.head()
          connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n:a\r\n',
          )
        },
        { plan: { deadline: Date.now() + 300 } },
      )
      const client = new RawClient(server.port).send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
      const since = performance.now()
      expect(await client.all()).not.toMatch(/0\r\n\r\n$/)
      expect(performance.now() - since).toBeLessThan(1_300)
      await raw.connections[0]!.gone()
      expect(await server.result()).toMatchObject({ outcome: 'answered', status: 200, cut: 'credential' })
    })

    it('cuts an upload under way, with a refusal', async () => {
      const { server, raw } = await setUp(
        async (connection) => {
          await connection.head()
        },
        { plan: { stillGood: () => false } },
      )
      const client = new RawClient(server.port).send(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n',
      )
      expect(await client.until((received) => received.includes('\r\n\r\n'))).toMatch(
        /^HTTP\/1.1 401 .*credential_revoked/s,
      )
      await raw.connections[0]!.gone()
      client.close()
    })

    it('does not take the answer from a request that is merely waiting for it', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          await new Promise((resolve) => setTimeout(resolve, 1_200))
          connection.answer('slow')
        },
        { plan: { stillGood: () => false } },
      )
      const client = new RawClient(server.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      expect(await client.until((received) => received.endsWith('slow'))).toContain('200 OK')
      client.close()
    })
  })
})

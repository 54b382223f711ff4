/** Nobody may get a raw connection through the gateway but by a WebSocket handshake that the upstream answered. */
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../listener.ts'
import { exchange, get, RawClient } from '../support/raw-client.ts'
import { setUp } from '../support/upstream-setup.ts'

const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const upgrade = `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
const hidden = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle'

const unasked: Record<string, string> = {
  'in full': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${hidden}`,
  'without Upgrade': `HTTP/1.1 101 Switching Protocols\r\n\r\n${hidden}`,
  'behind early hints': `HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${hidden}`,
}

onEachDataPlane(() => {
  describe('a 101 that nobody asked for', () => {
    it.each(Object.entries(unasked))('(%s) is 502, and its connection is closed', async (_name, answer) => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.send(answer)
      })
      const received = await exchange(server.port, get())
      expect(received).toContain('HTTP/1.1 502')
      expect(received).not.toContain('smuggle')
      expect(await server.result()).toMatchObject({ refusal: { reason: 'response_invalid' } })
      await raw.connections[0]!.gone()
    })

    it('to a request with a body is 502', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(unasked['in full']!)
      })
      const received = await exchange(
        server.port,
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi',
      )
      expect(received).toContain('HTTP/1.1 502')
    })
  })

  const handshakes: Record<string, string> = {
    'without a proof': 'Connection: Upgrade\r\nUpgrade: websocket\r\n',
    'with the proof of another key': `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept.replace('s', 'S')}\r\n`,
    'with two proofs': `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Accept: ${accept}\r\n`,
    'to another protocol': `Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: ${accept}\r\n`,
    'to two protocols': `Connection: Upgrade\r\nUpgrade: websocket, h2c\r\nSec-WebSocket-Accept: ${accept}\r\n`,
    'without Connection': `Upgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`,
    'without Upgrade': `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`,
  }

  describe('a 101 to a WebSocket handshake', () => {
    it.each(Object.entries(handshakes))('%s is 502 and no tunnel', async (_name, fields) => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.send(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`)
      })
      const client = new RawClient(server.port).send(`${upgrade}GET /admin HTTP/1.1\r\n\r\n`)
      expect(await client.all()).toMatch(/^HTTP\/1.1 502/)
      await raw.connections[0]!.gone()
      expect(raw.connections[0]!.received).not.toContain('/admin')
    })
  })

  describe('a client that speaks before a declined upgrade is answered', () => {
    it('reaches the upstream with none of it', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        await new Promise((resolve) => setTimeout(resolve, 50))
        connection.send('HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n')
      })
      const client = new RawClient(server.port).send(`${upgrade}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(await client.all()).toMatch(/^HTTP\/1.1 426/)
      await raw.connections[0]!.gone()
      expect(raw.connections[0]!.received).not.toContain('/admin')
      client.close()
    })
  })
})

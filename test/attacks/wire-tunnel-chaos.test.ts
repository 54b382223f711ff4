/** Hundreds of tunnels whose ends say much or nothing, read or do not, end, vanish or stay: when their credential falls, none is left. */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createStreamWatch } from '../../src/upstream/stream-watch.ts'
import { onEachDataPlane, until } from '../listener.ts'
import { RawClient } from '../support/raw-client.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUp } from '../support/upstream-setup.ts'

const handshake =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** 0 ≤ n < below. Nothing that follows from a number is expected, so none has to come again. */
function any(below: number): number {
  return Math.floor(Math.random() * below)
}

interface Side {
  readonly socket: RawConnection['socket']
  readonly send: (text: string) => unknown
}

async function talk({ socket, send }: Side): Promise<void> {
  for (let left = any(6); left > 0 && !socket.destroyed; left -= 1) {
    send('x'.repeat(any(50_000)))
    await delay(any(5))
  }
  const ending = any(4)
  if (ending === 0) socket.end()
  else if (ending === 1) socket.resetAndDestroy()
  else if (ending === 2) socket.destroy()
}

async function serve(connection: RawConnection): Promise<void> {
  const key = /sec-websocket-key: (\S+)/i.exec(await connection.head())![1]!
  await delay(any(10))
  if (any(8) === 0) {
    connection.answer('no')
    return
  }
  const accept = hash('sha1', key + guid, 'base64')
  const early = any(3) === 0 ? 'x'.repeat(any(100_000)) : ''
  connection.send(
    `HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n${early}`,
  )
  await talk({ socket: connection.socket, send: (text) => connection.send(text) })
}

onEachDataPlane(() => {
  describe('tunnels of all kinds', () => {
    it('are all cut when their credential falls, and leave nothing behind', async () => {
      let stands = true
      const watch = createStreamWatch({ now: () => Date.now() }, 20)
      const { server, upstream } = await setUp(serve, {
        deps: { watch },
        plan: { stillGood: () => stands },
      })
      const clients: RawClient[] = []
      const lane = async (): Promise<void> => {
        for (let count = 0; count < 20; count += 1) {
          const client = new RawClient(server.port)
          clients.push(client)
          if (any(10) === 0) client.socket.pause()
          client.send(handshake + (any(2) === 0 ? 'x'.repeat(any(200_000)) : ''))
          await talk({ socket: client.socket, send: (text) => client.send(text) })
        }
      }
      await Promise.all(Array.from({ length: 12 }, lane))
      await until(() => watch.size > 0)
      stands = false
      await until(() => watch.size === 0)
      await until(() => upstream.state().inFlight === 0)
      await until(() => upstream.state().targets[0]!.connections.open === 0)
      for (const { socket } of clients) socket.resume()
      await until(() => server.connections === 0)
      expect(clients).toHaveLength(240)
      for (const client of clients) client.close()
    }, 60_000)
  })
})

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../test/listener.ts'
import type { ConnectionFault, Receiver, RequestFacts } from './connection.ts'
import { WireConnection } from './wire-connection.ts'

interface Exchange extends Receiver {
  readonly told: string[]
  fault: ConnectionFault | undefined
}

/** Hears of one exchange, and throws where it is told to. */
function receiver(throwing?: keyof Receiver): Exchange {
  const told: string[] = []
  const tell = (what: keyof Receiver) => (): void => {
    told.push(what)
    if (what === throwing) throw new Error('a bug')
  }
  const exchange: Exchange = {
    told,
    fault: undefined,
    sent: tell('sent'),
    interim: tell('interim'),
    head: tell('head'),
    data: tell('data'),
    flush: () => undefined,
    end: tell('end'),
    upgraded: tell('upgraded'),
    failed(fault) {
      told.push('failed')
      exchange.fault = fault
    },
  }
  return exchange
}

function request(facts: Partial<RequestFacts> = {}): RequestFacts {
  return { method: 'GET', target: '/', host: 'a', fields: [], body: 'none', isUpgrade: false, ...facts }
}

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** @returns a connection, our end of it, and the upstream's, which does not read by itself */
async function connected(): Promise<{ connection: WireConnection; socket: Socket; peer: Socket }> {
  const server = createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const connection = new WireConnection()
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', onread: connection.onread() })
  await once(socket, 'connect')
  connection.attach(socket, false)
  const [peer] = await accepted
  peer.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
    peer.destroy()
    server.close()
  })
  return { connection, socket, peer }
}

describe('a connection to an upstream', () => {
  it('serves again when both messages ended where they should', async () => {
    const { connection, peer } = await connected()
    const exchange = receiver()
    connection.send(request({ method: 'POST', body: 4 }), exchange)
    connection.write('body')
    peer.write(answer)
    await until(() => exchange.told.at(-1) === 'end')
    expect(connection.isOpen).toBe(true)
  })

  it('does not serve again when the answer came before the system had taken all of the request', async () => {
    const { connection, socket, peer } = await connected()
    const exchange = receiver()
    const chunk = Buffer.alloc(16 * 1024, 'x')
    connection.send(request({ method: 'POST', body: 1024 * chunk.length }), exchange)
    // Until the buffers of the system are full and a little waits in ours.
    while (socket.writableLength === 0) {
      connection.write(chunk)
      await new Promise((resolve) => setImmediate(resolve))
    }
    peer.write(answer)
    await until(() => exchange.told.at(-1) === 'end')
    expect(connection.isOpen).toBe(false)
  })

  it('is not kept when the upstream would keep it for no time at all', async () => {
    const { connection, peer } = await connected()
    const exchange = receiver()
    connection.send(request(), exchange)
    await new Promise((resolve) => setImmediate(resolve))
    peer.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n')
    await until(() => exchange.told.at(-1) === 'end')
    expect(connection.isOpen).toBe(false)
  })

  it.each([
    ['bytes', (peer: Socket) => peer.write(answer)],
    ['the end', (peer: Socket) => peer.end()],
    ['a reset', (peer: Socket) => peer.resetAndDestroy()],
  ])('that brings %s before the request has left says that nothing was sent', async (_, act) => {
    const { connection, socket, peer } = await connected()
    const exchange = receiver()
    // From a timer's turn: what comes is read before what is written leaves.
    await delay(5)
    act(peer)
    connection.send(request({ method: 'POST', body: 0 }), exchange)
    await until(() => exchange.fault !== undefined)
    expect(exchange.fault).toMatchObject({ kind: 'unsent', isHeard: false })
    expect(exchange.told).toEqual(['sent', 'failed'])
    expect(connection.isOpen).toBe(false)
    expect(socket.bytesWritten).toBe(0)
  })

  it.each(['head', 'data', 'end'] as const)(
    'whose receiver throws when it is told of the %s tells it that the exchange failed',
    async (what) => {
      const { connection, peer } = await connected()
      const exchange = receiver(what)
      connection.send(request(), exchange)
      await new Promise((resolve) => setImmediate(resolve))
      peer.write(answer)
      await until(() => exchange.fault !== undefined)
      expect(exchange.fault).toMatchObject({ kind: 'invalid', detail: 'a bug' })
      expect(connection.isOpen).toBe(false)
    },
  )
})

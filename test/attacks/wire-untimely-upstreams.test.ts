/** Upstreams that speak, end or hang where nobody expects it: no client gets what was not meant for it, and nothing is held for ever. */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { onEachDataPlane, until } from '../listener.ts'
import { exchange, get, RawClient } from '../support/raw-client.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUp, setUpRaw, setUpTargets } from '../support/upstream-setup.ts'

/** Answers with the path that was asked for. */
async function honest(connection: RawConnection): Promise<void> {
  for (;;) {
    const head = await connection.head()
    connection.answer(/^\S+ (\S+)/.exec(head)?.[1] ?? '')
  }
}

const handshake =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

async function switches(connection: RawConnection, more = ''): Promise<void> {
  const key = /sec-websocket-key: (\S+)/i.exec(await connection.head())![1]!
  const accept = hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64')
  connection.send(
    `HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`,
  )
}

const untimely: Record<string, (connection: RawConnection) => unknown> = {
  'resets it': ({ socket }) => socket.resetAndDestroy(),
  'ends it': ({ socket }) => socket.end(),
  'sends an answer': (connection) => connection.answer('stale'),
  'sends half an answer': (connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Le'),
  'sends a 100': (connection) => connection.send('HTTP/1.1 100 Continue\r\n\r\n'),
}

const one = 'HTTP/1.1 200 OK\r\n'
const old = 'HTTP/1.0 200 OK\r\n'
const two = 'Content-Length: 2\r\n\r\nok'
const again: Record<string, string> = {
  'with a length': one + two,
  'in chunks': `${one}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'in chunks, with trailers': `${one}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: 1\r\n\r\n`,
  'of 204': 'HTTP/1.1 204 No Content\r\n\r\n',
  'behind interim ones': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${one}${two}`,
  'with five seconds to stay': `${one}Keep-Alive: timeout=5\r\n${two}`,
}
const never: Record<string, string> = {
  'that says close': `${one}Connection: close\r\n${two}`,
  'that says keep-alive and close': `${one}Connection: Keep-Alive, Close\r\n${two}`,
  'with no time to stay': `${one}Keep-Alive: timeout=0\r\n${two}`,
  'with a second to stay': `${one}Keep-Alive: timeout=1\r\n${two}`,
  'of HTTP/1.0': old + two,
  'and a byte more': `${one}${two}H`,
  'of 204 with a body': `HTTP/1.1 204 No Content\r\n\r\nok`,
  'in chunks, and a byte more': `${one}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nH`,
}

/** undici sees these otherwise, and nothing comes of it. */
const onTheWire: Record<string, readonly [number, string]> = {
  'of 304 that tells a length': [1, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n'],
  'of HTTP/1.0 that says keep-alive': [1, `${old}Connection: Keep-Alive\r\n${two}`],
  'of HTTP/1.0 that says keep-alive and close': [2, `${old}Connection: keep-alive, close\r\n${two}`],
  'and an empty line behind it': [2, `${one}${two}\r\n`],
}

onEachDataPlane((dataPlane) => {
  describe('a connection on which an upstream gave an answer', () => {
    /** @returns how many connections it took to be answered twice */
    async function connections(answer: string): Promise<number> {
      const { server, raw, upstream } = await setUp(async (connection) => {
        for (;;) {
          await connection.head()
          connection.send(answer)
        }
      })
      for (let count = 0; count < 2; count += 1) {
        expect(await exchange(server.port, get())).toMatch(/^HTTP\/1\.1 (?:200|204|304|103) /)
        await until(() => {
          const { idle, open } = upstream.state().targets[0]!.connections
          return idle === open
        })
      }
      return raw.connections.length
    }

    it.each(Object.entries(again))('%s is used again', async (_, answer) => {
      expect(await connections(answer)).toBe(1)
    })

    it.each(Object.entries(dataPlane === 'wire' ? onTheWire : {}))(
      '%s is used again only where that is safe',
      async (_, [count, answer]) => {
        expect(await connections(answer)).toBe(count)
      },
    )

    it.each(Object.entries(never))('%s is not used again', async (_, answer) => {
      expect(await connections(answer)).toBe(2)
    })
  })

  describe('an upstream that, in the very turn in which an idle connection is taken,', () => {
    it.each(
      Object.entries(untimely).flatMap(([name, act]) =>
        [
          ['GET', ''],
          ['DELETE', ''],
          ['POST', ''],
          ['POST', 'body'],
          ['PUT', 'x'.repeat(100_000)],
        ].map(([method, body = '']) => ({ name, method, body, length: body.length, act })),
      ),
    )('$name, gets the $method with $length bytes on another one', async ({ method, body, act }) => {
      const { server, raw, upstream } = await setUp(honest, { settings: { retries: { attempts: 0 } } })
      const client = new RawClient(server.port)
      client.send('GET /one HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until((received) => received.endsWith('/one'))
      await until(() => upstream.state().targets[0]!.connections.idle === 1)
      client.received = ''
      client.send(`${method} /two HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      act(raw.connections[0]!)
      const answer = await client.until((received) => /\r\n\r\n[^]/.test(received))
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\/two$/)
      expect(raw.connections[0]!.received).not.toContain('/two')
      expect(raw.connections).toHaveLength(2)
      expect(upstream.state()).toMatchObject({ inFlight: 0, targets: [{ inFlight: 0 }] })
      client.close()
    })
  })

  describe('an event stream that is dropped for another target’s answer', () => {
    it('and then is silent is let go of after the idle timeout', async () => {
      const silent = await setUpRaw(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 503 Later\r\nContent-Type: text/event-stream\r\n\r\n')
      })
      const good = await setUpRaw(honest)
      const { server, upstream } = await setUpTargets([silent.url, good.url], {
        hooks: { idleTimeout: 200 },
      })
      for (let count = 0; count < 4; count += 1)
        expect(await exchange(server.port, get('/good'))).toMatch(/\/good$/)
      expect(silent.connections.length).toBeGreaterThan(0)
      await until(() => upstream.state().targets[0]!.connections.open === 0)
    })
  })

  describe('an interim answer', () => {
    it('passes on hints, and nothing that belongs into a head', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(
          'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: __Host-portcullis=planted\r\nX-Request-Id: 1\r\n' +
            `Access-Control-Allow-Origin: *\r\nX-Auth-Subject: root\r\nWWW-Authenticate: Basic\r\n\r\n${one}${two}`,
        )
      })
      const answer = await exchange(server.port, get())
      expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
    })
  })

  describe('a tunnel', () => {
    it('tells of no body', async () => {
      const { server } = await setUp(async (connection) => {
        await switches(connection, 'Content-Length: 5\r\nSec-WebSocket-Protocol: chat\r\n')
        connection.send('hello')
      })
      const client = new RawClient(server.port).send(handshake)
      const received = await client.until((text) => text.endsWith('\r\n\r\nhello'))
      expect(received).toMatch(/^HTTP\/1\.1 101 /)
      expect(received).toContain('Sec-WebSocket-Protocol: chat')
      expect(received).not.toMatch(/content-length/i)
      client.close()
    })

    it('whose upstream ends its side first still carries what the client says', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await switches(connection)
        connection.send('hello')
        connection.socket.end()
      })
      const client = new RawClient(server.port).send(handshake)
      expect(await client.all()).toMatch(/\r\n\r\nhello$/)
      client.send('goodbye')
      client.socket.end()
      const [upstream] = raw.connections
      await until(() => upstream!.isEnded)
      expect(upstream!.received).toMatch(/\r\n\r\ngoodbye$/)
      expect(await server.result()).toEqual(
        expect.objectContaining({ outcome: 'answered', status: 101, bytes: 5 }),
      )
    })

    it('for a client that has ended its side before tells the upstream so', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await delay(200)
        await switches(connection)
      })
      const client = new RawClient(server.port).send(handshake)
      client.socket.end()
      await client.until((received) => received.endsWith('\r\n\r\n'))
      await raw.connections[0]!.gone()
      client.close()
    })

    it('that cannot be made is a 500, and leaves nothing in flight', async () => {
      const { server, raw, upstream } = await setUp((connection) => switches(connection), {
        hooks: {
          decorate() {
            throw new Error('a bug')
          },
        },
      })
      const client = new RawClient(server.port).send(handshake)
      expect(await client.all()).toMatch(/^HTTP\/1\.1 500 /)
      await raw.connections[0]!.gone()
      expect(upstream.state()).toMatchObject({ inFlight: 0, targets: [{ inFlight: 0 }] })
      client.close()
    })
  })
})

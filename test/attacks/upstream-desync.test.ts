/** Bytes that an upstream sends where none belong must not become the answer to somebody else's request. */
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../listener.ts'
import { exchange, get, RawClient } from '../support/raw-client.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUp } from '../support/upstream-setup.ts'

const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle'

/** The first connection misbehaves on its first request; everything else is answered with the path that was asked for. */
function misbehaving(first: (connection: RawConnection) => Promise<void> | void) {
  return async (connection: RawConnection, index: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const head = await connection.head()
      if (index === 0 && count === 0) {
        await first(connection)
      } else {
        connection.answer(/^\S+ (\S+)/.exec(head)?.[1] ?? '')
      }
    }
  }
}

const attacks: Record<
  string,
  { readonly request?: string; readonly first: (connection: RawConnection) => void }
> = {
  'a second answer behind the first': {
    first: (connection) => connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${smuggled}`),
  },
  'a second answer behind the last chunk': {
    first: (connection) =>
      connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${smuggled}`),
  },
  'half an answer behind the first': {
    first: (connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 20'),
  },
  'a body behind a 204': { first: (connection) => connection.send(`HTTP/1.1 204 No\r\n\r\n${smuggled}`) },
  'a declared body behind a 204': {
    first: (connection) =>
      connection.send(`HTTP/1.1 204 No\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`),
  },
  'a body behind a 304': {
    first: (connection) =>
      connection.send(`HTTP/1.1 304 No\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`),
  },
  'a body behind the answer to HEAD': {
    request: 'HEAD /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    first: (connection) =>
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`),
  },
  'a body behind the answer to HEAD, later': {
    request: 'HEAD /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    first: (connection) => {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${smuggled.length}\r\n\r\n`)
      setTimeout(() => connection.send(smuggled), 20)
    },
  },
  'a second answer on the idle connection': {
    first: (connection) => {
      connection.answer('ok')
      setTimeout(() => connection.send(smuggled), 20)
    },
  },
  'an empty line on the idle connection': {
    first: (connection) => {
      connection.answer('ok')
      setTimeout(() => connection.send('\r\n'), 20)
    },
  },
  'a 100 on the idle connection': {
    first: (connection) => {
      connection.answer('ok')
      setTimeout(() => connection.send('HTTP/1.1 100 Continue\r\n\r\n'), 20)
    },
  },
}

function isWhole(answer: string): boolean {
  const [head = '', body] = answer.split('\r\n\r\n')
  return body !== undefined && body.length === Number(/content-length: (\d+)/i.exec(head)?.[1])
}

onEachDataPlane(() => {
  describe('an upstream that sends', () => {
    it.each(Object.entries(attacks))(
      '%s loses its connection, and the next client gets its own answer',
      async (_name, { request, first }) => {
        const { server, raw } = await setUp(misbehaving(first))
        await exchange(server.port, request ?? get('/first'))
        const since = performance.now()
        await raw.connections[0]!.gone()
        // Long before it would be closed as idle.
        expect(performance.now() - since).toBeLessThan(2_000)
        for (const path of ['/second', '/third']) {
          expect((await exchange(server.port, get(path))).split('\r\n\r\n')[1]).toBe(path)
        }
        expect(raw.connections[0]!.received.match(/HTTP\/1.1/g)).toHaveLength(1)
      },
    )

    it('a second answer at any moment never has it taken for the next request', async () => {
      // Each connection sends surplus a little later than the one before: before, while and after the next request is sent.
      let delay = 0
      const { server } = await setUp(async (connection) => {
        for (;;) {
          const head = await connection.head()
          connection.answer(/^GET (\S+)/.exec(head)?.[1] ?? '')
          for (let turn = 0; turn < delay; turn += 1) {
            await new Promise((resolve) => setImmediate(resolve))
          }
          delay = (delay + 1) % 12
          connection.send('HTTP/1.1 200 OK\r\n')
        }
      })
      const client = new RawClient(server.port)
      for (let count = 0; count < 200; count += 1) {
        const path = `/turn-${count}-`
        client.received = ''
        client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
        const answer = await client.until(isWhole)
        // The surplus may cost an answer (502), never exchange one for another.
        expect(answer.includes(path) || answer.startsWith('HTTP/1.1 502')).toBe(true)
        expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
        if (answer.startsWith('HTTP/1.1 502')) {
          break
        }
      }
      client.close()
    })
  })
})

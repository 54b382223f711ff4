import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import { exchange, get, RawClient } from '../../test/support/raw-client.ts'
import { setUp } from '../../test/support/upstream-setup.ts'

/** Sent by the upstream, so that the listener adds none. */
const date = 'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n'

onEachDataPlane(() => {
  describe('a request without a body', () => {
    it('reaches the upstream as it was planned, and the answer comes back', async () => {
      const { server, raw } = await setUp(async (connection) => {
        expect(await connection.head()).toBe(
          `GET /items?page=2 HTTP/1.1\r\nHost: 127.0.0.1:${raw.port}\r\nAccept: text/plain\r\n\r\n`,
        )
        connection.answer('hello', `${date}X-From: upstream\r\nKeep-Alive: timeout=5\r\n`)
      })
      const answer = await exchange(
        server.port,
        get('/items?page=2', 'Accept: text/plain\r\nTE: trailers\r\n'),
      )
      expect(answer).toBe(
        `HTTP/1.1 200 OK\r\n${date}X-From: upstream\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
      )
      expect(await server.result()).toMatchObject({ outcome: 'answered', status: 200, bytes: 5 })
    })

    it('uses the connection again', async () => {
      const { server, raw, upstream } = await setUp(async (connection) => {
        for (;;) {
          await connection.head()
          connection.answer('ok')
        }
      })
      for (let count = 0; count < 3; count += 1) {
        expect(await exchange(server.port, get())).toContain('200 OK')
      }
      expect(raw.connections).toHaveLength(1)
      expect(upstream.state().targets[0]?.connections).toEqual({ idle: 1, open: 1 })
    })
  })

  describe('a request with a body', () => {
    it('keeps a declared length', async () => {
      const { server } = await setUp(async (connection) => {
        const head = await connection.head()
        expect(head).toContain('Content-Length: 5\r\n')
        expect(head).not.toMatch(/transfer-encoding/i)
        await connection.until((received) => received.endsWith('\r\n\r\nhello'))
        connection.answer('ok')
      })
      const answer = await exchange(
        server.port,
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
      )
      expect(answer).toContain('200 OK')
    })

    it('is chunked anew, without the chunk extensions and trailers of the client', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        await connection.until((received) => received.endsWith('0\r\n\r\n'))
        connection.answer('ok')
      })
      const answer = await exchange(
        server.port,
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n',
      )
      expect(answer).toContain('200 OK')
      const [head, body] = raw.connections[0]!.received.split('\r\n\r\n', 1).concat(
        raw.connections[0]!.received.split('\r\n\r\n').slice(1).join('\r\n\r\n'),
      )
      expect(head).toContain('\r\nTransfer-Encoding: chunked')
      expect(body).toMatch(/^(2\r\nhe\r\n3\r\nllo|5\r\nhello)\r\n0\r\n\r\n$/)
    })

    it('shows its head to the upstream before its first byte is there', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n')
        await connection.until((received) => received.endsWith('2\r\nhi\r\n0\r\n\r\n'))
        connection.send('4\r\ndone\r\n0\r\n\r\n')
      })
      const client = new RawClient(server.port)
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
      await client.until((received) => received.includes('\r\ngo\r\n'))
      client.send('2\r\nhi\r\n0\r\n\r\n')
      await client.until((received) => received.includes('done'))
      client.close()
    })
  })

  describe('the framing of a request', () => {
    it('says that a POST without a body has none', async () => {
      const { server } = await setUp(async (connection) => {
        expect(await connection.head()).toContain('Content-Length: 0\r\n')
        connection.answer('ok')
      })
      expect(
        await exchange(server.port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ).toContain('200 OK')
    })

    it('closes the connection after HEAD, and passes the length that a GET would have', async () => {
      const { server, raw } = await setUp(async (connection) => {
        expect(await connection.head()).toContain('Connection: close\r\n')
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n')
      })
      const answer = await exchange(server.port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Length: 12345\r\n.*\r\n\r\n$/s)
      await raw.connections[0]!.gone()
    })

    it('never passes Expect, Connection or other hop-by-hop fields, whoever planned them', async () => {
      const { server } = await setUp(
        async (connection) => {
          expect(await connection.head()).toMatch(/^GET \/ HTTP\/1.1\r\nHost: [^\r]+\r\nX-Kept: 1\r\n\r\n$/)
          connection.answer('ok')
        },
        {
          plan: {
            fields: [
              'Expect',
              '100-continue',
              'Connection',
              'x',
              'Content-Length',
              '3',
              'X-Kept',
              '1',
              'TE',
              'a',
              'Host',
              'b',
            ],
          },
        },
      )
      expect(await exchange(server.port, get())).toContain('200 OK')
    })
  })

  describe('answers', () => {
    it('without a body (204, 304) end at their head', async () => {
      for (const status of [204, 304]) {
        const { server } = await setUp(async (connection) => {
          await connection.head()
          connection.send(`HTTP/1.1 ${status} Fine\r\n${date}\r\n`)
        })
        const answer = await exchange(server.port, get())
        expect(answer).toBe(`HTTP/1.1 ${status} Fine\r\n${date}Connection: close\r\n\r\n`)
      }
    })

    it('that end with the connection are passed on whole', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.0 200 OK\r\n\r\nas long as it lasts')
        connection.socket.end()
      })
      expect(await exchange(server.port, get())).toContain('as long as it lasts\r\n0\r\n\r\n')
      expect(await server.result()).toMatchObject({ outcome: 'answered', bytes: 19 })
    })

    it('lose their hop-by-hop fields and what Connection names', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.answer(
          'ok',
          `${date}Connection: X-Gone, keep-alive\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nTrailer: x\r\nX-Stays: 1\r\n`,
        )
      })
      expect(await exchange(server.port, get())).toBe(
        `HTTP/1.1 200 OK\r\n${date}X-Stays: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
      )
    })

    it('carry the edits of the gateway', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          connection.answer('ok', 'X-Secret: 1\r\n')
        },
        {
          hooks: {
            decorate: (status, fields) => [
              ...fields.filter((_, index) => fields[index - (index % 2)] !== 'X-Secret'),
              'X-Request-Id',
              `r-${status}`,
            ],
          },
        },
      )
      const answer = await exchange(server.port, get())
      expect(answer).toContain('X-Request-Id: r-200\r\n')
      expect(answer).not.toContain('X-Secret')
    })

    it('become a 500 when the edit fails, before anything was sent', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          connection.answer('ok')
        },
        {
          hooks: {
            decorate() {
              throw new Error('a bug')
            },
          },
        },
      )
      expect(await exchange(server.port, get())).toContain('HTTP/1.1 500')
      expect(await server.result()).toMatchObject({ outcome: 'refused', refusal: { code: 'internal_error' } })
    })
  })

  describe('interim answers', () => {
    it('pass, but for 100, which the gateway answers itself', async () => {
      const { server, raw } = await setUp(async (connection) => {
        for (;;) {
          await connection.head()
          connection.send(
            'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-y\r\nX-Y: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
          )
          connection.answer('ok')
        }
      })
      for (let count = 0; count < 2; count += 1) {
        const answer = await exchange(server.port, get())
        expect(answer).toMatch(/^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200 OK\r\n/)
      }
      expect(raw.connections).toHaveLength(1)
    })

    it('do not reach an HTTP/1.0 client, which would take one for the answer', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
        connection.answer('ok')
      })
      expect(await exchange(server.port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK/)
    })
  })

  describe('trailers of an answer', () => {
    const trailed =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\nX-Auth-Subject: eve\r\n\r\n'

    it('reach an HTTP/1.1 client, but for those that a recipient would act on', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(trailed)
      })
      expect(await exchange(server.port, get())).toMatch(/2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n$/)
    })

    it('do not reach an HTTP/1.0 client', async () => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(trailed)
      })
      expect(await exchange(server.port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n')).toMatch(/\r\n\r\nok$/)
    })
  })
})

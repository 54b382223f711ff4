/** Whatever a plan holds and however a client's body ends, the upstream must see exactly one request, or an aborted one. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../listener.ts'
import { exchange, get, RawClient } from '../support/raw-client.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUp, type SetupOptions } from '../support/upstream-setup.ts'

async function answerAll(connection: RawConnection): Promise<void> {
  for (;;) {
    await connection.head()
    connection.answer('ok')
  }
}

const injection = 'a\r\n\r\nGET /admin HTTP/1.1\r\nHost: b\r\n\r\n'

const plans: Record<string, SetupOptions['plan']> = {
  'in a value': { fields: ['X-Auth-Subject', injection] },
  'in a name': { fields: [injection, 'a'] },
  'in the target': { target: `/${injection}` },
  'in the method': { method: `GET /admin HTTP/1.1\r\nHost: b\r\n\r\nGET` },
  'in the host': { host: injection },
  'as characters that end in CR and LF when cut to a byte': {
    fields: ['X-Auth-Subject', 'a\u560d\u560aX-Admin: 1'],
  },
}

onEachDataPlane(() => {
  describe('a request within a plan', () => {
    it.each(Object.entries(plans))('(%s) is 500, and nothing is sent', async (_name, plan) => {
      const { server, raw } = await setUp(answerAll, plan === undefined ? {} : { plan })
      const received = await exchange(server.port, get())
      expect(received).toMatch(/^HTTP\/1.1 500 .*internal_error/s)
      expect(raw.connections.map((connection) => connection.received).join('')).toBe('')
      expect(JSON.stringify(await server.result())).not.toContain('admin')
    })
  })

  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n'

  describe('a body that does not fit its declared length', () => {
    const bodies = {
      'is longer': () => Readable.from([Buffer.from('helloGET /admin HTTP/1.1\r\n\r\n')]),
      'grows longer': () => Readable.from([Buffer.from('hello'), Buffer.from('GET /admin HTTP/1.1\r\n\r\n')]),
      'is shorter': () => Readable.from([Buffer.from('hel')]),
    }
    it.each(Object.entries(bodies))('(%s) ends with the connection', async (_name, body) => {
      const { server, raw } = await setUp(
        async (connection) => {
          await connection.head()
        },
        { body },
      )
      await exchange(server.port, `${post}hello`)
      await raw.connections[0]!.gone()
      const all = raw.connections.map((connection) => connection.received).join('')
      expect(all).not.toContain('/admin')
      expect(raw.connections).toHaveLength(1)
    })
  })

  describe('a body that breaks off after the answer has come', () => {
    it('takes its connection with it: the next request is not read as its rest', async () => {
      const { server, raw } = await setUp(async (connection, index) => {
        await connection.head()
        if (index === 0) {
          await connection.until((received) => received.endsWith('hel'))
          connection.answer('early')
        } else {
          connection.answer('ok')
        }
      })
      const client = new RawClient(server.port).send(`${post}hel`)
      await client.until((received) => received.includes('early'))
      client.close()
      expect(await exchange(server.port, get('/next'))).toContain('ok')
      expect(raw.connections[0]!.received).not.toContain('/next')
      await raw.connections[0]!.gone()
    })
  })
})

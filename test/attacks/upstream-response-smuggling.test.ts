/** An upstream whose answer can be read in two ways, or that is no HTTP: nothing of it may reach a client, nor may its connection serve again. */
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../listener.ts'
import { exchange, get } from '../support/raw-client.ts'
import { setUp } from '../support/upstream-setup.ts'

const chunks = '2\r\nok\r\n0\r\n\r\n'

const answers: Record<string, string> = {
  'Content-Length before Transfer-Encoding': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  'Transfer-Encoding before Content-Length': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n${chunks}`,
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'two equal lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'a list of lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
  'a negative length': 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
  'a hexadecimal length': 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok',
  'an endless length': 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok',
  'a space before the colon of a length': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
  'gzip, chunked': `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunks}`,
  'chunked, gzip': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n${chunks}`,
  'chunked twice': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  identity: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok',
  'a coding that ends in "chunked"': `HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n${chunks}`,
  'chunked in HTTP/1.0': `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a bare line feed in the head': 'HTTP/1.1 200 OK\r\nX: a\nContent-Length: 2\r\n\r\nok',
  'a bare carriage return in a value': 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok',
  'an obsolete line fold': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
  'a line without a colon': 'HTTP/1.1 200 OK\r\nX\r\nContent-Length: 2\r\n\r\nok',
  'a NUL in a value': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok',
  'a DEL in a value': 'HTTP/1.1 200 OK\r\nX: a\x7fb\r\nContent-Length: 2\r\n\r\nok',
  'a malformed name': 'HTTP/1.1 200 OK\r\nX(y): a\r\nContent-Length: 2\r\n\r\nok',
  'an empty name': 'HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/2.0': 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/0.9': 'HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'RTSP/1.0': 'RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'an empty line ahead': '\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'the status 099': 'HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok',
  'the status 600': 'HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok',
  'the status 999': 'HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok',
  'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok',
  'a head of 100 KiB': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100 * 1024)}\r\nContent-Length: 2\r\n\r\nok`,
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  'a body without a head (HTTP/0.9)': '<html>ok</html>\r\n\r\n',
  'a malformed interim answer': `HTTP/1.1 103 Early\r\nX\x7f: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  'a 100 with bare line feeds': 'HTTP/1.1 100 Go\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
}

onEachDataPlane(() => {
  describe('an answer with', () => {
    it.each(Object.entries(answers))('%s is 502 and closes the connection', async (_name, answer) => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.send(answer)
      })
      const received = await exchange(server.port, get('/', 'X-Probe: 1\r\n'))
      expect(received).toMatch(/^HTTP\/1.1 502 .*upstream_unavailable/s)
      expect(received).not.toContain('ok')
      expect(await server.result()).toMatchObject({
        outcome: 'refused',
        refusal: { reason: 'response_invalid' },
      })
      await raw.connections[0]!.gone()
      // A bad answer is no reason to send a request again.
      expect(raw.connections).toHaveLength(1)
    })
  })

  const bodies: Record<string, string> = {
    'a chunk size ended by a bare line feed': 'Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n',
    'a chunk size with a space': 'Transfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n',
    'a chunk longer than its size': 'Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n',
    'a chunk size that is no number': 'Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n',
    'a chunk size beyond 64 bits': 'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n0\r\n\r\n',
    'a length in its trailers': 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n',
    'a chunked body that breaks off': 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
    'a body shorter than its length': 'Content-Length: 5\r\n\r\nok',
  }

  describe('an answer whose head is fine, but that has', () => {
    it.each(Object.entries(bodies))('%s never looks complete to the client', async (_name, rest) => {
      const { server } = await setUp(async (connection) => {
        await connection.head()
        connection.send(`HTTP/1.1 200 OK\r\n${rest}`)
        connection.socket.end()
      })
      const received = await exchange(server.port, get())
      // Where nothing has left yet there is still room to say so.
      if (received.startsWith('HTTP/1.1 502 ')) {
        expect(await server.result()).toMatchObject({ outcome: 'refused' })
        return
      }
      expect(received).toContain('200 OK')
      expect(received).not.toMatch(/0\r\n(.*\r\n)?\r\n$/)
      expect(await server.result()).toMatchObject({ outcome: 'answered', cut: 'upstream' })
    })
  })

  describe('interim answers without end', () => {
    it('are 502 rather than a flood for the client', async () => {
      const { server, raw } = await setUp(async (connection) => {
        await connection.head()
        connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000))
      })
      const received = await exchange(server.port, get())
      expect(received.match(/103 Early Hints/g)!.length).toBeLessThan(50)
      expect(received).toContain('HTTP/1.1 502')
      await raw.connections[0]!.gone()
    })

    it('do not prolong the wait for the answer', async () => {
      const { server } = await setUp(
        async (connection) => {
          await connection.head()
          while (!connection.isClosed && !connection.isEnded) {
            connection.send('HTTP/1.1 100 Continue\r\n\r\n')
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
        },
        { settings: { timeouts: { connect: 1_000, response: 200 } } },
      )
      expect(await exchange(server.port, get())).toContain('HTTP/1.1 504')
    })
  })
})

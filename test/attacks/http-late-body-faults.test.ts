/** A body that goes wrong after its request is on its way: whoever reads it must see it broken, never whole. */
import { describe, expect, it } from 'vitest'
import { BodyError, type ServerRequest } from '../../src/exchange.ts'
import { startListener, until, onEachDataPlane } from '../listener.ts'

const head = 'POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
const canary = 'GET /canary HTTP/1.1\r\nHost: x\r\n\r\n'

/** Reads bodies, remembers how each one ended, and answers only when told. */
function reader() {
  const ends: { how: 'whole' | 'broken'; error?: unknown; bytes: string }[] = []
  const handle = (request: ServerRequest): void => {
    if (!request.hasBody) {
      request.answer({ status: 200, fields: [], body: request.target })
      return
    }
    let bytes = ''
    const body = request.body()
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
    })
    body.on('end', () => {
      ends.push({ how: 'whole', bytes })
      request.answer({ status: 200, fields: [], body: 'whole' })
    })
    body.on('error', (error) => {
      ends.push({ how: 'broken', error, bytes })
      const status = error instanceof BodyError ? error.refusal.status : 500
      request.answer({ status, fields: [], body: 'broken' })
    })
  }
  return { ends, handle }
}

onEachDataPlane(() => {
  describe('a body that breaks in a later packet', () => {
    const faults: Record<string, string> = {
      'a chunk size that is none': 'zz\r\n',
      'a chunk that is longer than it says': '3\r\nhello\r\n0\r\n\r\n',
      'a bare line feed behind the size': '5\nhello\r\n0\r\n\r\n',
      'a bare line feed behind the chunk': '5\r\nhello\n0\r\n\r\n',
      'a last chunk ended by a bare line feed': '0\n\r\n',
      'a malformed trailer': '0\r\nX : y\r\n\r\n',
      'a new request where a chunk should be': canary,
    }

    it.each(Object.entries(faults))('%s', async (_, fault) => {
      const { ends, handle } = reader()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(`${head}5\r\nfirst\r\n`)
      await until(() => listener.reached.length === 1)
      client.send(fault + canary)
      const answer = await client.answer()
      expect(answer.status).toBe(400)
      expect(answer.field('connection')).toBe('close')
      expect((await client.ended()).length).toBe(0)
      expect(ends).toHaveLength(1)
      expect(ends[0]).toMatchObject({ how: 'broken', error: { refusal: { reason: 'body_malformed' } } })
      expect(listener.reached).toHaveLength(1)
    })

    it('by the client that goes away', async () => {
      const { ends, handle } = reader()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(`${head}5\r\nfirst\r\n`)
      await until(() => listener.reached.length === 1)
      client.reset()
      await until(() => ends.length === 1)
      expect(ends[0]).toMatchObject({ how: 'broken', error: { refusal: { reason: 'client_gone' } } })
    })

    it.each(['Content-Length: 10\r\n\r\nfive.', 'Transfer-Encoding: chunked\r\n\r\n5\r\nfive.\r\n'])(
      'by the client that ends its side in the middle: %j',
      async (rest) => {
        const { ends, handle } = reader()
        await using listener = await startListener({ handle })
        const client = await listener.client()
        client.send(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`)
        await until(() => listener.reached.length === 1)
        client.end()
        expect((await client.answer()).status).toBe(400)
        expect(ends).toMatchObject([{ how: 'broken' }])
      },
    )

    it('before anybody reads it: the reader is told at once', async () => {
      let request: ServerRequest | undefined
      await using listener = await startListener({ handle: (each) => (request = each) })
      const client = await listener.client()
      client.send(head)
      await until(() => request !== undefined)
      client.send('zz\r\n')
      // Something that the fault must have preceded.
      const other = await listener.client()
      other.send('POST / HTTP/1.1\r\nHost: x\r\n\r\n')
      await until(() => listener.reached.length === 2)
      const stream = listener.reached[0]!.body()
      const error = await new Promise((resolve) => stream.once('error', resolve))
      expect(error).toMatchObject({ refusal: { reason: 'body_malformed' } })
    })
  })

  describe('a fault behind a whole body', () => {
    it('does not touch that body', async () => {
      const { ends, handle } = reader()
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(`${head}5\r\nfirst\r\n0\r\n\r\nGET / HTTP/9.9\r\nHost: x\r\n\r\n`)
      expect((await client.answer()).text()).toBe('whole')
      expect((await client.answer()).status).toBe(400)
      expect(ends).toEqual([{ how: 'whole', bytes: 'first' }])
      expect((await client.ended()).length).toBe(0)
    })
  })

  describe('a body over its limit', () => {
    it('ends with 413 when it declared nothing', async () => {
      const { ends, handle } = reader()
      await using listener = await startListener({ handle, limits: { body: 10 } })
      const client = await listener.client()
      client.send(`${head}5\r\nfirst\r\n`)
      await until(() => listener.reached.length === 1)
      client.send('6\r\nsecond\r\n0\r\n\r\n')
      const answer = await client.answer()
      expect(answer.status).toBe(413)
      expect(answer.field('connection')).toBe('close')
      expect(ends).toMatchObject([{ how: 'broken', error: { refusal: { reason: 'payload_too_large' } } }])
    })

    it('may be as large as the limit, and the limit may be the route’s', async () => {
      const { ends, handle } = reader()
      await using listener = await startListener({
        limits: { body: 1 },
        handle(request) {
          request.limitBody({ bytes: 11, timeout: 1000 })
          handle(request)
        },
      })
      const client = await listener.client()
      client.send(`${head}5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n`)
      expect((await client.answer()).status).toBe(200)
      expect(ends).toEqual([{ how: 'whole', bytes: 'firstsecond' }])
    })
  })
})

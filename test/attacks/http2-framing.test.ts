/** Requests that HTTP/2 allows to be written and nobody may read in two ways: nothing of them reaches a service, nor what decides. */
import { afterEach, describe, expect, it } from 'vitest'
import { startListener, type TestListener } from '../listener.ts'
import { encodeFields, type Fields } from '../support/hpack.ts'
import {
  data,
  errors,
  flags,
  frame,
  frameClient,
  frameTypes,
  get,
  headers,
  request,
  type FrameClient,
} from '../support/http2-frames.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(): Promise<{ listener: TestListener; client: FrameClient }> {
  const listener = await startListener({ h2c: true })
  closers.push(() => listener[Symbol.asyncDispose]())
  const client = await frameClient({ port: listener.running.port })
  closers.push(() => client.destroy())
  return { listener, client }
}

const last = flags.endHeaders | flags.endStream
const base = request('GET', '/')
const without = (name: string): Fields => base.filter(([each]) => each !== name)
const withValue = (name: string, value: string): Fields =>
  base.map(([each, was]) => [each, each === name ? value : was])

describe('a head that we refuse', () => {
  const cases: Record<string, { readonly fields: Fields; readonly status?: number }> = {
    'whose Host is not its authority': { fields: [...base, ['host', 'other.example']] },
    'whose Host has another port': { fields: [...base, ['host', 'gateway.example:443']] },
    'that asks for CONNECT': {
      fields: [
        [':method', 'CONNECT'],
        [':authority', 'db.internal:5432'],
      ],
    },
    'that asks for TRACE': { fields: withValue(':method', 'TRACE'), status: 405 },
    'with a lower-case method': { fields: withValue(':method', 'get') },
    'with a method of strange bytes': { fields: withValue(':method', 'G*T') },
    'for another scheme': { fields: withValue(':scheme', 'ftp') },
    'for a scheme in another spelling': { fields: withValue(':scheme', 'HTTP') },
    'for no resource': { fields: [[':method', 'OPTIONS'], ...withValue(':path', '*').slice(1)] },
    'with white space before a value': { fields: [...base, ['authorization', ' Bearer abc']] },
    'with white space behind a value': { fields: [...base, ['authorization', 'Bearer abc\t']] },
    'with a length in disguise': { fields: [...base, ['content_length', '5']] },
    'with a coding in disguise': { fields: [...base, ['transfer_encoding', 'chunked']] },
    'with an expectation that nobody knows': { fields: [...base, ['expect', 'a miracle']] },
    'with two expectations': {
      fields: [...base, ['expect', '100-continue'], ['expect', '100-continue']],
    },
    'with a host that is none': { fields: withValue(':authority', 'a..b') },
    'with a port that is none': { fields: withValue(':authority', 'a.example:0') },
  }

  it.each(Object.entries(cases))('%s', async (_, { fields, status = 400 }) => {
    const { listener, client } = await open()
    client.send(headers(1, fields, last))
    expect(await client.answer(1)).toMatchObject({ status, isWhole: true })
    expect(listener.reached).toEqual([])
    expect(listener.refused).toHaveLength(1)
    // The stream alone was at fault.
    client.send(get(3))
    expect((await client.answer(3)).status).toBe(200)
  })
})

describe('a head that is reset', () => {
  const cases: Record<string, Fields> = {
    'with Connection': [...base, ['connection', 'x-one']],
    'with Keep-Alive': [...base, ['keep-alive', 'timeout=5']],
    'with Proxy-Connection': [...base, ['proxy-connection', 'keep-alive']],
    'with Transfer-Encoding': [...base, ['transfer-encoding', 'chunked']],
    'with Upgrade': [...base, ['upgrade', 'websocket']],
    'with TE other than trailers': [...base, ['te', 'gzip']],
    'with an upper-case name': [...base, ['X-One', '1']],
    'with a length that is no number': [...base, ['content-length', '1x']],
    'with a length in a list': [...base, ['content-length', '1, 1']],
    'with a negative length': [...base, ['content-length', '-1']],
    'with a signed length': [...base, ['content-length', '+1']],
    'with two equal lengths': [...base, ['content-length', '0'], ['content-length', '0']],
    'with a length and nothing behind it': [...base, ['content-length', '5']],
    'with two hosts': [...base, ['host', 'gateway.example'], ['host', 'gateway.example']],
    'with user information in its authority': withValue(':authority', 'root@gateway.example'),
    'with a path in its authority': withValue(':authority', 'gateway.example/admin'),
    'with an empty authority': withValue(':authority', ''),
    'without any host': without(':authority'),
    'without a method': without(':method'),
    'without a path': without(':path'),
    'without a scheme': without(':scheme'),
    'with an empty path': withValue(':path', ''),
    'with a path that does not begin with a slash': withValue(':path', 'admin'),
    'with a whole URL for a path': withValue(':path', 'http://other.example/'),
    'with a space in its path': withValue(':path', '/ HTTP/1.1'),
    'with a line break in its path': withValue(':path', '/ HTTP/1.1\r\nx-auth-subject: root'),
    'with a line break in its method': withValue(':method', 'GET / HTTP/1.1\r\nx: '),
    'with a line break in its authority': withValue(':authority', 'gateway.example\r\nx-one: 1'),
    'with a line break in its scheme': withValue(':scheme', 'http\r\nx: 1'),
    'with two methods': [...base, [':method', 'POST']],
    'with two paths': [...base.slice(0, 3), [':path', '/admin'], ...base.slice(3)],
    'with two authorities': [...base, [':authority', 'other.example']],
    'with a pseudo-field behind fields': [...without(':path'), ['x-one', '1'], [':path', '/']],
    'with the pseudo-field of an answer': [...base, [':status', '200']],
    'with a pseudo-field that nobody knows': [...base, [':admin', '1']],
    'that would extend CONNECT': [[':method', 'CONNECT'], [':protocol', 'websocket'], ...base.slice(1)],
  }

  it.each(Object.entries(cases))('%s', async (_, fields) => {
    const { listener, client } = await open()
    client.send(headers(1, fields, last))
    const reset = await client.until(() => client.stream(1).reset, 'the reset')
    expect(reset).toBe(errors.protocol)
    expect(listener.reached).toEqual([])
    client.send(get(3))
    expect((await client.answer(3)).status).toBe(200)
  })
})

describe('a field that vanishes with all that it would have brought', () => {
  const cases: Record<string, readonly [name: string, value: string]> = {
    'with a line break in its value': ['x-one', 'a\r\nx-auth-subject: root'],
    'with a bare LF in its value': ['x-one', 'a\nx-auth-subject: root'],
    'with a bare CR in its value': ['x-one', 'a\rx-auth-subject: root'],
    'with NUL in its value': ['x-one', 'a\0b'],
    'with a control byte in its value': ['x-one', 'a\x01b'],
    'with a colon in its name': ['x-one: 1\r\nx-auth-subject', 'root'],
    'with a space in its name': ['x one', '1'],
    'with a space behind its name': ['transfer-encoding ', 'chunked'],
    'with a line break in its name': ['x-one\r\ntransfer-encoding', 'chunked'],
    'with NUL in its name': ['x-one\0', '1'],
    'with a byte of no alphabet in its name': ['x-\xe9', '1'],
    'with an empty name': ['', '1'],
    'that is a Host with strange bytes': ['host', 'other.example/admin'],
  }

  it.each(Object.entries(cases))('%s', async (_, field) => {
    const { listener, client } = await open()
    client.send(headers(1, [...base, field], last))
    await client.answer(1)
    // Refused whole or without the field: either way nothing of it goes on.
    for (const { fields } of listener.reached) expect(fields).toEqual(['host', 'gateway.example'])
  })
})

describe('what follows a head', () => {
  it('is no second head', async () => {
    const { listener, client } = await open()
    client.send(headers(1, request('POST', '/')), headers(1, request('POST', '/admin')))
    await client.until(() => client.stream(1).reset ?? client.goaway?.code, 'the fault')
    expect(listener.reached.map(({ target }) => target)).not.toContain('/admin')
  })

  it.each([
    ['a pseudo-field', [[':path', '/admin']]],
    ['a connection-specific field', [['connection', 'close']]],
    ['an upper-case name', [['X-One', '1']]],
  ] as const)('is no trailer with %s', async (_, fields) => {
    const { client } = await open()
    client.send(headers(1, request('POST', '/')), data(1, 'abc'), headers(1, fields, last))
    await client.until(() => client.stream(1).reset ?? client.goaway?.code, 'the fault')
    expect(client.stream(1).status).not.toBe(200)
  })

  it('is no content behind the end', async () => {
    const { client } = await open()
    client.send(get(1), data(1, 'GET /admin HTTP/1.1\r\n\r\n'))
    await client.until(() => client.stream(1).reset ?? client.goaway?.code, 'the fault')
  })

  it('is no more than the head said, and no less', async () => {
    const { listener, client } = await open()
    const announced: Fields = [...request('POST', '/'), ['content-length', '3']]
    client.send(headers(1, announced), data(1, 'ab', true))
    await client.until(() => client.stream(1).reset ?? client.goaway?.code, 'the fault')
    expect(client.stream(1).status).not.toBe(200)
    expect(listener.refused).toEqual([])
  })
})

describe('a head in pieces', () => {
  it('is the same head', async () => {
    const { listener, client } = await open()
    const block = encodeFields([...base, ['x-one', '1']])
    client.send(frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 10)))
    client.send(frame(frameTypes.continuation, 0, 1, block.subarray(10, 20)))
    client.send(frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(20)))
    expect((await client.answer(1)).status).toBe(200)
    expect(listener.reached[0]!.fields).toEqual(['host', 'gateway.example', 'x-one', '1'])
  })

  it('lets nothing in between', async () => {
    const { listener, client } = await open()
    const block = encodeFields(base)
    client.send(frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 10)))
    client.send(get(3, '/admin'))
    client.send(frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(10)))
    await client.ended()
    expect(listener.reached).toEqual([])
  })
})

/**
 * HTTP/2 requests whose bytes would be something else in HTTP/1.1: at a whole gateway in front of a service that speaks HTTP/1.1 and
 * keeps every byte. What reaches it is one message for each stream that was answered by it, with the same meaning.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startRecordingUpstream, subjectOf, type RecordingUpstream } from '../harness/recording-upstream.ts'
import { values } from '../harness/strict-reader.ts'
import { until } from '../listener.ts'
import { planes } from '../support/corpus-gateway.ts'
import type { Fields } from '../support/hpack.ts'
import {
  data,
  flags,
  frameClient,
  headers,
  request,
  rstStream,
  type FrameClient,
  type StreamAnswer,
} from '../support/http2-frames.ts'

const last = flags.endHeaders | flags.endStream
/** What an attacker would want to be read as a request of its own. */
const smuggled = 'GET /admin HTTP/1.1\r\nHost: gateway.example\r\nX-Auth-Subject: root\r\n\r\n'

describe.each(planes)('dataPlane: %s', (plane) => {
  let upstream: RecordingUpstream
  let gateway: TestGateway
  let key: Fields
  beforeAll(async () => {
    upstream = await startRecordingUpstream()
    gateway = await startTestGateway(`
version: 1
dataPlane: ${plane}
audit: off
listeners: [{ address: "127.0.0.1:0", h2c: true }]
authenticators: { keys: { type: api-key } }
upstreams: { recorder: { targets: ["http://127.0.0.1:${upstream.port}"], retries: { attempts: 0 } } }
routes: [{ id: all, match: { path: /* }, authenticate: [keys], authorize: {}, upstream: recorder }]
`)
    const made = await gateway.gateway.keys.create({ owner: 'alice' }, 'test')
    key = [['x-api-key', made.key]]
  })
  afterAll(async () => {
    await gateway.stop()
    await upstream.close()
  })
  beforeEach(() => void upstream.messages.splice(0))

  async function open(): Promise<FrameClient> {
    return frameClient({ port: gateway.port })
  }

  /** Sends the frames, and looks at what the service got: never a fault, never a second message, never another's name. */
  async function send(frames: readonly Uint8Array[], stream = 1): Promise<StreamAnswer> {
    const client = await open()
    client.send(...frames)
    await client.until(() => {
      const { isWhole, reset } = client.stream(stream)
      return isWhole || reset !== undefined || client.goaway !== undefined ? true : undefined
    }, 'an answer')
    const answer = client.stream(stream)
    client.destroy()
    expect(upstream.faults).toEqual([])
    expect(upstream.messages.length).toBeLessThanOrEqual(1)
    for (const message of upstream.messages) {
      expect(subjectOf(message)).toBe('alice')
      expect(message.target).not.toContain('admin')
      expect(message.hasExtensions).toBe(false)
      expect(message.trailers).toEqual([])
    }
    return answer
  }

  const post = (fields: Fields = []): Uint8Array =>
    headers(1, [...request('POST', '/items'), ...key, ...fields])
  const get = (fields: Fields = [], path = '/items'): Uint8Array =>
    headers(1, [...request('GET', path), ...key, ...fields], last)

  it('a request is the same request', async () => {
    expect(
      (
        await send([
          get(
            [
              ['x-one', 'a'],
              ['cookie', 'a=1'],
              ['cookie', 'b=2'],
            ],
            '/items?a=b%20c',
          ),
        ])
      ).status,
    ).toBe(200)
    const [message] = upstream.messages
    expect(message).toMatchObject({ method: 'GET', target: '/items?a=b%20c', framing: 'none', body: '' })
    expect(values(message!.fields, 'x-one')).toEqual(['a'])
    expect(values(message!.fields, 'cookie')).toEqual(['a=1; b=2'])
    expect(values(message!.fields, 'x-forwarded-host')).toEqual(['gateway.example'])
    expect(values(message!.fields, 'x-api-key')).toEqual([])
  })

  it('content without a length is sent in chunks of our own', async () => {
    expect((await send([post(), data(1, '0\r\n\r\n'), data(1, ''), data(1, smuggled, true)])).status).toBe(
      200,
    )
    expect(upstream.messages[0]).toMatchObject({ framing: 'chunked', body: `0\r\n\r\n${smuggled}` })
  })

  it('content with a length has exactly that', async () => {
    const body = `${smuggled}${smuggled}`
    expect((await send([post([['content-length', String(body.length)]]), data(1, body, true)])).status).toBe(
      200,
    )
    expect(upstream.messages[0]).toMatchObject({ framing: 'length', body })
  })

  it.each([
    ['a length of nothing before content', [['content-length', '0']]],
    ['a length that ends within the content', [['content-length', '4']]],
    ['a length beyond the content', [['content-length', '4000']]],
    [
      'two lengths',
      [
        ['content-length', '4'],
        ['content-length', String(smuggled.length)],
      ],
    ],
    ['a length in a list', [['content-length', `4, ${String(smuggled.length)}`]]],
    ['a length with a sign', [['content-length', '+4']]],
    ['a length beyond counting', [['content-length', '99999999999999999999']]],
    ['a length with a blank', [['content-length', ' 4']]],
    ['a length in disguise', [['content_length', '4']]],
    ['a coding', [['transfer-encoding', 'chunked']]],
    [
      'a coding beside a length',
      [
        ['content-length', '4'],
        ['transfer-encoding', 'chunked'],
      ],
    ],
    ['a coding in disguise', [['transfer_encoding', 'chunked']]],
    ['a coding by another name', [['te', 'chunked']]],
    [
      'a connection that names the length',
      [
        ['connection', 'content-length'],
        ['content-length', '4'],
      ],
    ],
    [
      'an upgrade',
      [
        ['upgrade', 'h2c'],
        ['http2-settings', 'AAMAAABkAAQAAP__'],
      ],
    ],
  ] as const)('%s is no way to two messages', async (_, fields) => {
    await send([post(fields), data(1, smuggled, true)])
    // Whatever of it was passed on was passed on whole.
    for (const { body } of upstream.messages) expect(body).toBe(smuggled)
  })

  it('a body that stops short is not whole for the service', async () => {
    const client = await open()
    client.send(post([['content-length', '10']]), data(1, '12345'))
    await until(() => upstream.unfinished().length > 0)
    client.send(rstStream(1))
    await until(() => upstream.unfinished().every(({ isOver }) => isOver))
    for (const connection of upstream.unfinished()) upstream.drop(connection)
    expect(upstream.messages).toEqual([])
    client.destroy()
  })

  it('a body in chunks that stops short is not whole for the service', async () => {
    const client = await open()
    client.send(post(), data(1, '12345'))
    await until(() => upstream.unfinished().length > 0)
    client.destroy()
    await until(() => upstream.unfinished().every(({ isOver }) => isOver))
    for (const connection of upstream.unfinished()) upstream.drop(connection)
    expect(upstream.messages).toEqual([])
  })

  it.each([
    ['line breaks in a value', [['x-one', `a\r\n\r\n${smuggled}`]]],
    ['a bare LF in a value', [['x-one', 'a\nx-auth-subject: root']]],
    ['NUL in a value', [['x-one', 'a\0x-auth-subject: root']]],
    ['line breaks in a name', [['x-one: a\r\nx-auth-subject', 'root']]],
    ['a colon in a name', [['x-auth-subject:', 'root']]],
    ['a blank in a name', [['x-auth-subject ', 'root']]],
    [
      'an identity of its own',
      [
        ['x-auth-subject', 'root'],
        ['x_auth_subject', 'root'],
        ['x.auth.subject', 'root'],
      ],
    ],
    ['trailers announced', [['trailer', 'x-auth-subject']]],
    [
      'another host',
      [
        ['x-forwarded-host', 'other.example'],
        ['forwarded', 'host=other.example'],
      ],
    ],
  ] as const)('%s bring nobody else in', async (_, fields) => {
    await send([get(fields)])
    for (const { fields: got } of upstream.messages) {
      expect(values(got, 'x-auth-subject')).toEqual(['alice'])
      expect(JSON.stringify(got)).not.toContain('root')
      expect(JSON.stringify(got)).not.toContain('other.example')
    }
  })

  it.each([
    ['a path', [[':path', `/items HTTP/1.1\r\nX-Auth-Subject: root\r\n\r\n${smuggled}`]]],
    ['a path with a blank', [[':path', '/items HTTP/1.1']]],
    ['a path with a fragment', [[':path', '/items#/admin']]],
    ['a path beyond ASCII', [[':path', '/items\xff']]],
    ['a path with NUL', [[':path', '/items\0']]],
    ['a method', [[':method', `GET /admin HTTP/1.1\r\nx: `]]],
    ['an authority', [[':authority', 'gateway.example\r\nx-auth-subject: root']]],
    ['an authority with a path', [[':authority', 'gateway.example/admin']]],
    ['a scheme', [[':scheme', 'http://gateway.example/admin?']]],
  ] as const)('%s that would be more than one line is refused', async (_, [[name, value]]) => {
    const fields = request('GET', '/items').map(([each, was]) => [each, each === name ? value : was] as const)
    const answer = await send([headers(1, [...fields, ...key], last)])
    expect(answer.status === 400 || answer.reset !== undefined).toBe(true)
    expect(upstream.messages).toEqual([])
  })

  it('trailers do not arrive as anything', async () => {
    const trailers: Fields = [
      ['x-auth-subject', 'root'],
      ['content-length', '4'],
      ['x-one', '1'],
    ]
    await send([post(), data(1, 'abc'), headers(1, trailers, last)])
    for (const message of upstream.messages) expect(JSON.stringify(message.fields)).not.toContain('root')
  })

  it('many requests at once are as many messages, each with its own content', async () => {
    const client = await open()
    const streams = Array.from({ length: 60 }, (_, index) => index * 2 + 1)
    for (const stream of streams) {
      client.send(headers(stream, [...request('POST', `/items/${String(stream)}`), ...key]))
      client.send(data(stream, `${smuggled}${String(stream)}`, true))
    }
    const answers = await Promise.all(streams.map((stream) => client.answer(stream)))
    client.destroy()
    expect(answers.map(({ body }) => (JSON.parse(body.toString()) as { target: string }).target)).toEqual(
      streams.map((stream) => `/items/${String(stream)}`),
    )
    expect(upstream.faults).toEqual([])
    expect(upstream.messages).toHaveLength(60)
    for (const { target, body } of upstream.messages) expect(body).toBe(`${smuggled}${target.slice(7)}`)
  })
})

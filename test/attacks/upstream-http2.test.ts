/** A service that speaks HTTP/2 and lies: nothing of what it says becomes another answer, or somebody else's, for clients of either version. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../listener.ts'
import { rawClient, type RawClient } from '../raw-client.ts'
import { encodeFields, encodeIndexed, encodeReference, type Fields } from '../support/hpack.ts'
import {
  data,
  flags,
  frame,
  frameClient,
  frameTypes,
  get,
  ping,
  settings,
  uint32,
  windowUpdate,
  type StreamAnswer,
} from '../support/http2-frames.ts'
import { http2Upstream, type FrameServer } from '../support/http2-upstream.ts'
import { setUpTargets, type UpstreamSetup } from '../support/upstream-setup.ts'

const last = flags.endHeaders | flags.endStream
const request = 'GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n'
/** What a client would take for the answer to its next request. */
const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstolen'

async function service(
  behave: (connection: FrameServer, stream: number) => unknown,
): Promise<UpstreamSetup & { readonly connections: FrameServer[] }> {
  const upstream = await http2Upstream(async (connection) => {
    for (;;) await behave(connection, await connection.request())
  })
  const setup = await setUpTargets([upstream.url], {
    settings: { protocol: 'h2c', retries: { attempts: 0 }, timeouts: { connect: 500, response: 1000 } },
  })
  return { ...setup, connections: upstream.connections }
}

async function older({ server }: UpstreamSetup): Promise<RawClient> {
  const client = await rawClient({ port: server.port })
  onTestFinished(() => client.destroy())
  return client
}

async function newer({ server }: UpstreamSetup): Promise<StreamAnswer> {
  const client = await frameClient({ port: server.port })
  onTestFinished(() => client.destroy())
  client.send(get(1))
  return client.answer(1)
}

function head(fields: Fields, isLast = false): (connection: FrameServer, stream: number) => unknown {
  return (connection, stream) =>
    connection.send(
      frame(
        frameTypes.headers,
        flags.endHeaders | (isLast ? flags.endStream : 0),
        stream,
        encodeFields(fields),
      ),
    )
}

const ok: Fields = [[':status', '200']]

describe('a head that cannot be', () => {
  const cases: Record<string, Fields> = {
    'without a status': [['content-type', 'text/plain']],
    'with an empty status': [[':status', '']],
    'with a status that is no number': [[':status', '2OO']],
    'with a status of four digits': [[':status', '2000']],
    'with a status below all': [[':status', '099']],
    'with a status above all': [[':status', '600']],
    'with two statuses': [...ok, [':status', '404']],
    'with a status behind fields': [['x-one', '1'], ...ok],
    'with a line break in its status': [[':status', '200\r\n']],
    'with the pseudo-field of requests': [...ok, [':path', '/']],
    'with a switch of protocols': [[':status', '101']],
    'with Connection': [...ok, ['connection', 'close']],
    'with Keep-Alive': [...ok, ['keep-alive', 'timeout=5']],
    'with Transfer-Encoding': [...ok, ['transfer-encoding', 'chunked']],
    'with Upgrade': [...ok, ['upgrade', 'websocket']],
    'with an upper-case name': [...ok, ['X-One', '1']],
    'with two lengths': [...ok, ['content-length', '3'], ['content-length', '3']],
    'with a length that is no number': [...ok, ['content-length', '3, 3']],
    'with a length that is signed': [...ok, ['content-length', '+3']],
  }

  it.each(Object.entries(cases))('%s is no answer', async (_, fields) => {
    const setup = await service((connection, stream) => {
      head(fields)(connection, stream)
      connection.data(stream, 'abc', true)
    })
    const client = await older(setup)
    client.send(request)
    const answer = await client.answer()
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(answer.text()).not.toContain('abc')
    expect(await newer(setup)).toMatchObject({ status: answer.status, isWhole: true })
  })
})

describe('fields that would be lines of their own', () => {
  it.each([
    ['a value with line breaks', 'x-one', `1\r\n\r\n${smuggled}`],
    ['a value with LF', 'x-one', '1\nset-cookie: a=stolen'],
    ['a value with NUL', 'x-one', '1\0stolen'],
    ['a name with a colon', 'x-one: 1\r\nset-cookie', 'a=stolen'],
    ['a name with a blank', 'x-one ', 'stolen'],
    ['an empty name', '', 'stolen'],
  ])('%s does not reach a client', async (_, name, value) => {
    const setup = await service((connection, stream) => {
      head([...ok, [name, value]])(connection, stream)
      connection.data(stream, 'abc', true)
    })
    const client = await older(setup)
    client.send(request)
    const answer = await client.answer()
    expect(JSON.stringify(answer.fields)).not.toContain('stolen')
    expect(client.rest).toHaveLength(0)
    expect(JSON.stringify((await newer(setup)).fields)).not.toContain('stolen')
  })

  it('white space around a value is not passed on', async () => {
    const setup = await service((connection, stream) => {
      head([...ok, ['x-one', ' \t 1 \t ']], true)(connection, stream)
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).field('x-one')).toBe('1')
    expect((await newer(setup)).fields).toContainEqual(['x-one', '1'])
  })

  it('trailers that would decide something do not pass', async () => {
    const setup = await service((connection, stream) => {
      head(ok)(connection, stream)
      connection.data(stream, 'abc')
      connection.trailers(stream, [
        ['x-sum', '1'],
        ['set-cookie', 'a=stolen'],
        ['content-length', '3'],
        ['x-auth-subject', 'stolen'],
      ])
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).trailers).toEqual(['x-sum', '1'])
    expect((await newer(setup)).trailers).toEqual([['x-sum', '1']])
  })
})

describe('content that is not what was announced', () => {
  it.each([
    ['more', '10', 'abcdefghijklmnop'],
    ['less', '10', 'abc'],
    ['something for a HEAD that would be an answer', '200', smuggled],
  ])('%s never looks whole, and is never the next answer', async (_, length, body) => {
    const setup = await service((connection, stream) => {
      head([...ok, ['content-length', length]])(connection, stream)
      connection.data(stream, body, true)
    })
    const client = await older(setup)
    client.send(request)
    const answer = await client.answer().catch(() => undefined)
    expect(answer?.status ?? 502).toBeGreaterThanOrEqual(500)
    const other = await newer(setup)
    expect(other.status >= 500 || !other.isWhole).toBe(true)
  })

  it('where there must be none is not passed on', async () => {
    const setup = await service((connection, stream) => {
      head([[':status', '204']])(connection, stream)
      connection.data(stream, smuggled, true)
    })
    const client = await older(setup)
    client.send(request)
    const answer = await client.answer().catch(() => undefined)
    expect(answer?.status ?? 502).not.toBe(200)
    expect(client.rest.toString()).not.toContain('stolen')
  })

  it('of one stream is never in the answer of another', async () => {
    const setup = await service(async (connection, stream) => {
      head(ok)(connection, stream)
      // To a stream that nobody has opened, and to one that is over.
      connection.send(data(stream, 'mine', true))
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).text()).toBe('mine')
    setup.connections[0]!.send(data(1, 'late'), frame(frameTypes.headers, last, 1, encodeFields(ok)))
    client.send(request)
    const second = await client.answer()
    expect(second.status === 200 ? second.text() : 'refused').toMatch(/^(?:mine|refused)$/)
  })
})

describe('what nobody asked for', () => {
  it.each([
    [
      'an answer on a stream of its own',
      (connection: FrameServer) => connection.send(frame(frameTypes.headers, last, 2, encodeFields(ok))),
    ],
    [
      'an answer to a request that was not sent',
      (connection: FrameServer) => connection.send(frame(frameTypes.headers, last, 99, encodeFields(ok))),
    ],
    [
      'a window that overflows',
      (connection: FrameServer) =>
        connection.send(windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)),
    ],
    [
      'a frame that is too large',
      (connection: FrameServer) => connection.send(frame(frameTypes.data, 0, 1, Buffer.alloc(20_000))),
    ],
    ['HTTP/1.1', (connection: FrameServer) => connection.send(Buffer.from(smuggled))],
  ])('%s ends the connection, and the next request has another', async (_, act) => {
    let isFirst = true
    const setup = await service((connection, stream) => {
      if (isFirst) {
        isFirst = false
        act(connection)
        return
      }
      head(ok)(connection, stream)
      connection.data(stream, 'fine', true)
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).status).toBeGreaterThanOrEqual(500)
    client.send(request)
    expect((await client.answer()).text()).toBe('fine')
    await setup.connections[0]!.ended()
  })

  it('a promise is no answer, to nobody', async () => {
    const promised: Fields = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/next'],
      [':authority', 'a'],
    ]
    const setup = await service((connection, stream) => {
      connection.send(
        frame(
          frameTypes.pushPromise,
          flags.endHeaders,
          stream,
          Buffer.concat([uint32(2), encodeFields(promised)]),
        ),
        frame(frameTypes.headers, flags.endHeaders, 2, encodeFields(ok)),
        data(2, 'stolen', true),
      )
    })
    const client = await older(setup)
    client.send(request)
    const answer = await client.answer()
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(answer.text()).not.toContain('stolen')
  })

  it('interim answers without end are not passed on without end', async () => {
    const setup = await service((connection, stream) => {
      for (let index = 0; index < 200; index += 1)
        head([
          [':status', '103'],
          ['x-one', String(index)],
        ])(connection, stream)
      head(ok, true)(connection, stream)
    })
    expect((await newer(setup)).interim.length).toBeLessThanOrEqual(32)
  })

  it('an interim answer that frames anything is no answer', async () => {
    const setup = await service((connection, stream) => {
      head([
        [':status', '103'],
        ['content-length', '5'],
      ])(connection, stream)
      head(ok, true)(connection, stream)
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).status).toBe(502)
  })
})

describe('heads and floods', () => {
  it.each([
    [
      'one large field',
      (stream: number) => [
        frame(
          frameTypes.headers,
          flags.endStream,
          stream,
          encodeFields([...ok, ['x-one', 'a'.repeat(10_000)]]),
        ),
        ...Array.from({ length: 6 }, (_, index) =>
          frame(
            frameTypes.continuation,
            index === 5 ? flags.endHeaders : 0,
            stream,
            encodeFields([[`x-${String(index)}`, 'a'.repeat(15_000)]]),
          ),
        ),
      ],
    ],
    [
      'many small ones',
      (stream: number) => [
        frame(
          frameTypes.headers,
          last,
          stream,
          encodeFields([
            ...ok,
            ...Array.from({ length: 600 }, (_, index) => [`x-${String(index)}`, 'a'] as const),
          ]),
        ),
      ],
    ],
    [
      'what unfolds from a few bytes',
      (stream: number) => [
        frame(
          frameTypes.headers,
          last,
          stream,
          Buffer.concat([
            encodeFields(ok),
            encodeIndexed('x-one', 'a'.repeat(4000)),
            ...Array.from({ length: 5000 }, () => encodeReference(62)),
          ]),
        ),
      ],
    ],
  ])('%s is not taken', async (_, frames) => {
    const setup = await service((connection, stream) => connection.send(...frames(stream)))
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).status).toBeGreaterThanOrEqual(500)
  })

  it.each([
    ['PING', () => ping()],
    ['SETTINGS', () => settings([[3, 100]])],
  ])('%s without end does not keep a request waiting for ever', async (_, make) => {
    const setup = await service(async (connection) => {
      const many = Buffer.concat(Array.from({ length: 500 }, make))
      while (!connection.isClosed && connection.push(many)) await delay(1)
    })
    const client = await older(setup)
    client.send(request)
    expect((await client.answer()).status).toBeGreaterThanOrEqual(500)
  })

  it('a fault in one answer costs no request of others that is sent again', async () => {
    let isFirst = true
    const setup = await service((connection, stream) => {
      if (isFirst) {
        isFirst = false
        head([...ok, ['connection', 'close']])(connection, stream)
        return
      }
      head(ok)(connection, stream)
      connection.data(stream, 'fine', true)
    })
    const clients = await Promise.all([older(setup), older(setup), older(setup)])
    for (const client of clients) client.send(request)
    const answers = await Promise.all(clients.map((client) => client.answer()))
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(2)
    await until(() => setup.upstream.state().inFlight === 0)
  })
})

/** Frames that cost the server more than the client: a connection that sends too many is ended, and others never notice. */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { echo, startListener, until, type TestListener, type TestListenerOptions } from '../listener.ts'
import { encodeFields, encodeIndexed, encodeReference } from '../support/hpack.ts'
import {
  data,
  errors,
  flags,
  frame,
  frameClient,
  frameTypes,
  get,
  ping,
  post,
  priority,
  request,
  rstStream,
  settings,
  windowUpdate,
  type FrameClient,
} from '../support/http2-frames.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listen(options: TestListenerOptions = {}): Promise<TestListener> {
  const listener = await startListener({ h2c: true, ...options })
  closers.push(() => listener[Symbol.asyncDispose]())
  return listener
}

async function attacker(listener: TestListener): Promise<FrameClient> {
  const client = await frameClient({ port: listener.running.port })
  closers.push(() => client.destroy())
  return client
}

/** Sends what is made again and again, no faster than the connection takes it. @returns how much was sent when the connection ended */
async function flood(client: FrameClient, make: () => Buffer, most: number): Promise<number> {
  let sent = 0
  const isOver = (): boolean => client.isClosed || client.hasEnded
  while (sent < most && !isOver()) {
    const bytes = make()
    sent += bytes.length
    if (!client.push(bytes) && !isOver()) {
      await new Promise<void>((resolve) => {
        client.socket.once('drain', resolve)
        client.socket.once('close', () => resolve())
      })
    }
    await nextTurn()
  }
  return sent
}

function many(count: number, make: () => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, make))
}

/** Numbers of streams, as a client gives them out. */
function numbers(): () => number {
  let next = -1
  return () => (next += 2)
}

async function isServed(listener: TestListener): Promise<void> {
  const other = await attacker(listener)
  other.send(get(1))
  expect((await other.answer(1)).status).toBe(200)
}

/** More than any of these floods brings through loopback until a tick of the sweeper has noticed it. */
const plenty = 4 * 1024 ** 3

/** The word may be lost: what a client still sends makes the system reset the connection, and what it has not read goes with it. */
function expectCalm(client: FrameClient): void {
  expect([errors.calm, undefined]).toContain(client.goaway?.code)
}

/** Answers a moment later, as a service would. */
const later = { handle: (each: Parameters<typeof echo>[0]) => void setTimeout(() => echo(each), 5) }

describe('streams that are begun to be given up', () => {
  it('in the same packet: none of them is worked for (rapid reset)', async () => {
    const listener = await listen(later)
    const client = await attacker(listener)
    const number = numbers()
    const one = (): Buffer => {
      const stream = number()
      return Buffer.concat([get(stream), rstStream(stream)])
    }
    await flood(client, () => many(20, one), plenty)
    await client.ended()
    expectCalm(client)
    expect(listener.reached.length).toBeLessThan(250)
    await isServed(listener)
  })

  it('a moment later, when work has begun', async () => {
    const listener = await listen({ handle: () => undefined })
    const client = await attacker(listener)
    const number = numbers()
    for (let round = 0; round < 100 && !client.hasEnded && !client.isClosed; round += 1) {
      const streams = Array.from({ length: 20 }, number)
      client.send(...streams.map((stream) => get(stream)))
      await delay(2)
      client.send(...streams.map((stream) => rstStream(stream)))
    }
    await client.ended()
    expectCalm(client)
    expect(listener.reached.length).toBeLessThan(400)
  })

  const provocations: Record<string, (stream: number) => Buffer> = {
    'a window that does not grow': (stream) => windowUpdate(stream, 0),
    'a window that grows too large': (stream) => windowUpdate(stream, 2 ** 31 - 1),
    'content behind the end': (stream) => data(stream, 'a'),
    'a stream that depends on itself': (stream) => priority(stream, stream),
  }
  it.each(Object.entries(provocations))('by the server, for %s (made you reset)', async (_, provoke) => {
    const listener = await listen({ handle: () => undefined })
    const client = await attacker(listener)
    const number = numbers()
    for (let round = 0; round < 100 && !client.hasEnded && !client.isClosed; round += 1) {
      const streams = Array.from({ length: 20 }, number)
      client.send(...streams.map((stream) => get(stream)))
      await delay(2)
      client.send(...streams.map(provoke))
      if (round === 20) client.send(...Array.from({ length: 1500 }, () => provoke(number())))
    }
    client.socket.end()
    await client.ended()
    expect(listener.reached.length).toBeLessThan(600)
  })

  it('but not those of a client that is answered as often', async () => {
    const listener = await listen({
      handle: (each) => {
        if (each.target !== '/given-up') echo(each)
      },
    })
    const client = await attacker(listener)
    const number = numbers()
    for (let round = 0; round < 100; round += 1) {
      const [answered, given] = [Array.from({ length: 6 }, number), Array.from({ length: 5 }, number)]
      client.send(...answered.map((stream) => get(stream)))
      client.send(...given.map((stream) => get(stream, '/given-up')))
      await Promise.all(answered.map((stream) => client.answer(stream)))
      client.send(...given.map((stream) => rstStream(stream)))
    }
    client.send(get(number()))
    expect(client.goaway).toBeUndefined()
    expect(listener.reached.length).toBeGreaterThan(1000)
  })
})

describe('uploads that are given up', () => {
  it('do not end the connection of a client that changes its mind now and then', async () => {
    const listener = await listen({ handle: (each) => void each.body().on('error', () => undefined) })
    const client = await attacker(listener)
    await client.waitFor(({ type }) => type === frameTypes.settings, 'SETTINGS')
    client.send(settings().fill(1, 4, 5))
    const number = numbers()
    for (let round = 0; round < 12; round += 1) {
      const stream = number()
      client.send(post(stream), ...Array.from({ length: 7 }, () => data(stream, Buffer.alloc(16_000))))
      await delay(5)
      client.send(rstStream(stream))
    }
    await delay(600)
    expect(client.goaway).toBeUndefined()
    await isServed(await listen())
  })
})

describe('streams beyond what was agreed', () => {
  it('are refused, and end the connection when there are many', async () => {
    const listener = await listen({ handle: () => undefined })
    const client = await attacker(listener)
    const number = numbers()
    client.send(many(120, () => post(number())))
    const refused = await client.waitFor(({ type }) => type === frameTypes.rstStream, 'a refusal')
    expect(refused.payload.readUInt32BE(0)).toBe(errors.refused)
    await flood(client, () => many(20, () => post(number())), plenty)
    await client.ended()
    expect(listener.reached.length).toBeLessThanOrEqual(100)
  })
})

describe('frames that carry nothing', () => {
  const kinds: Record<string, () => () => Buffer> = {
    PING: () => () => ping(),
    SETTINGS: () => () => settings([[3, 100]]),
    'SETTINGS that change every window': () => {
      let size = 0
      return () => settings([[4, (size += 1)]])
    },
    PRIORITY: () => {
      const number = numbers()
      return () => priority(number(), 0)
    },
    'WINDOW_UPDATE for the connection': () => () => windowUpdate(0, 1),
    'WINDOW_UPDATE for a stream': () => () => windowUpdate(1, 1),
    'empty DATA': () => () => data(1, ''),
    'DATA of nothing but padding': () => {
      const padded = frame(
        frameTypes.data,
        flags.padded,
        1,
        Buffer.concat([Buffer.of(255), Buffer.alloc(255)]),
      )
      return () => padded
    },
    'unknown frames': () => () => frame(0x77, 0, 0, Buffer.alloc(8)),
    'ALTSVC and ORIGIN': () => () => Buffer.concat([frame(10, 0, 0, Buffer.alloc(4)), frame(12, 0, 0)]),
    'acknowledgements of nothing': () => () => settings().fill(1, 4, 5),
  }

  it.each(Object.entries(kinds))('end the connection: %s', async (_, kind) => {
    const listener = await listen({ handle: () => undefined })
    const client = await attacker(listener)
    client.send(post(1))
    const make = kind()
    expect(await flood(client, () => many(500, make), plenty)).toBeLessThan(plenty)
    await client.ended()
    expect(listener.running.connections).toBe(0)
  })

  it('end the connection also where they come slower, and each answer is read', async () => {
    const listener = await listen()
    const client = await attacker(listener)
    const begun = performance.now()
    while (!client.hasEnded && !client.isClosed && performance.now() - begun < 15_000) {
      client.send(many(300, () => ping()))
      await delay(10)
    }
    await client.ended()
    expectCalm(client)
  })

  it('do not end the connection of a client that acknowledges each message it gets', async () => {
    const listener = await listen({
      handle(each) {
        const writer = each.begin({ status: 200, reason: '', fields: ['content-type', 'application/grpc'] })
        let left = 4000
        const next = (): void => {
          for (let burst = 0; burst < 10 && left > 0; burst += 1, left -= 1) writer.write(Buffer.alloc(20))
          if (left > 0) setTimeout(next, 1)
          else writer.end()
        }
        next()
      },
    })
    const client = await attacker(listener)
    const answered = new Set<object>()
    const acknowledge = setInterval(() => {
      for (const each of client.frames) {
        if (each.type !== frameTypes.data || answered.has(each)) continue
        answered.add(each)
        const size = Math.max(1, each.payload.length)
        client.send(windowUpdate(1, size), windowUpdate(0, size), ping())
      }
    }, 1)
    client.send(get(1))
    const answer = await client.answer(1).finally(() => clearInterval(acknowledge))
    expect(answer).toMatchObject({ isWhole: true, reset: undefined })
    expect(client.goaway).toBeUndefined()
  })
})

describe('heads without end', () => {
  it.each([
    ['full ones', () => encodeFields([['x-one', 'a'.repeat(1000)]])],
    ['tiny ones', () => encodeFields([['a', 'b']])],
    ['empty ones', () => Buffer.alloc(0)],
  ])('in %s (CONTINUATION flood) end the connection', async (_, make) => {
    const listener = await listen()
    const client = await attacker(listener)
    client.send(frame(frameTypes.headers, flags.endStream, 1, encodeFields(request('GET', '/'))))
    const sent = await flood(client, () => frame(frameTypes.continuation, 0, 1, make()), plenty)
    expect(sent).toBeLessThan(4 * 1024 * 1024)
    await client.ended()
    expect(listener.reached).toEqual([])
  })

  it('that unfold from a few bytes are not unfolded (HPACK bomb)', async () => {
    const listener = await listen()
    const client = await attacker(listener)
    const number = numbers()
    const head = encodeFields(request('GET', '/'))
    const planted = encodeIndexed('x-one', 'a'.repeat(4000))
    client.send(
      frame(frameTypes.headers, flags.endHeaders | flags.endStream, number(), Buffer.concat([head, planted])),
    )
    const bomb = Buffer.concat([head, ...Array.from({ length: 16_000 }, () => encodeReference(62))])
    const before = process.memoryUsage().rss
    await flood(
      client,
      () => frame(frameTypes.headers, flags.endHeaders | flags.endStream, number(), bomb),
      64 * 1024 * 1024,
    )
    await until(() => client.hasEnded || client.isClosed)
    expect(listener.reached.length).toBeLessThanOrEqual(1)
    // Unfolded it would have been 64 MB for each of hundreds of streams.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
  })

  it('with many small fields are refused with 431', async () => {
    const listener = await listen()
    const client = await attacker(listener)
    client.send(
      get(
        1,
        '/',
        Array.from({ length: 120 }, (_, index) => [`x-${String(index)}`, 'a'] as const),
      ),
    )
    expect((await client.answer(1)).status).toBe(431)
    expect(listener.refused.map(({ code }) => code)).toEqual(['headers_too_large'])
  })

  it('with many small fields beyond that are not even kept', async () => {
    const listener = await listen()
    const client = await attacker(listener)
    client.send(
      get(
        1,
        '/',
        Array.from({ length: 900 }, (_, index) => [`x-${String(index)}`, 'a'] as const),
      ),
    )
    expect((await client.answer(1)).reset).toBe(errors.calm)
    expect(listener.reached).toEqual([])
  })
})

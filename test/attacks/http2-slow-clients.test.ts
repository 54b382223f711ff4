/** Clients of HTTP/2 that send little by little, or take nothing: what they hold is little, and not for long. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerRequest } from '../../src/exchange.ts'
import {
  echo,
  readBody,
  startListener,
  until,
  type TestListener,
  type TestListenerOptions,
} from '../listener.ts'
import { encodeFields } from '../support/hpack.ts'
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
  preface,
  request,
  settings,
  windowUpdate,
  type FrameClient,
  type FrameClientOptions,
} from '../support/http2-frames.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listen(options: TestListenerOptions): Promise<TestListener> {
  const listener = await startListener({ h2c: true, ...options })
  closers.push(() => listener[Symbol.asyncDispose]())
  return listener
}

async function connectTo(
  listener: TestListener,
  options: Partial<FrameClientOptions> = {},
): Promise<FrameClient> {
  const client = await frameClient({ port: listener.running.port, ...options })
  closers.push(() => client.destroy())
  return client
}

/** Sends the frame again and again until the connection or the wait is over. */
async function drip(
  client: FrameClient,
  every: number,
  make: () => Buffer,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver() && !client.hasEnded && !client.isClosed) {
    client.send(make())
    await delay(every)
  }
}

/** Gives as much as is taken. */
function endless(each: ServerRequest, fields: readonly string[] = []): void {
  const writer = each.begin({ status: 200, reason: '', fields })
  const fill = (): void => {
    while (writer.write(Buffer.alloc(16 * 1024)));
  }
  writer.onDrain(fill)
  fill()
}

describe('a head', () => {
  it('that never ends, ends its connection', async () => {
    const listener = await listen({ limits: { headersTimeout: 400 } })
    const client = await connectTo(listener)
    client.send(frame(frameTypes.headers, flags.endStream, 1, encodeFields(request('GET', '/'))))
    await client.ended()
    expect(listener.reached).toEqual([])
  })

  it('that comes byte by byte, ends its connection', async () => {
    const listener = await listen({ limits: { headersTimeout: 400 } })
    const client = await connectTo(listener)
    const bytes = frame(
      frameTypes.headers,
      flags.endStream,
      1,
      encodeFields(request('GET', '/long'.repeat(300))),
    )
    client.send(bytes.subarray(0, 20))
    let at = 20
    await drip(
      client,
      20,
      () => bytes.subarray(at, (at += 1)),
      () => at >= bytes.length,
    )
    expect(at).toBeLessThan(bytes.length)
  })

  it('that never begins, ends its connection when others would be idle', async () => {
    const listener = await listen({ limits: { idleTimeout: 400 } })
    const client = await connectTo(listener)
    await drip(
      client,
      20,
      () => ping(),
      () => false,
    )
    await client.ended()
  })

  it('behind half a preface ends its connection', async () => {
    const listener = await listen({ limits: { headersTimeout: 400 } })
    const client = await connectTo(listener, { settings: false })
    client.send(preface.subarray(0, 20))
    await client.ended()
  })

  it('behind a preface without SETTINGS ends its connection', async () => {
    const listener = await listen({ limits: { headersTimeout: 400 } })
    const client = await connectTo(listener, { settings: false })
    client.send(preface)
    await client.ended()
  })

  it('that was refused does not cost those who are being answered', async () => {
    const { promise, resolve } = Promise.withResolvers<ServerRequest>()
    const listener = await listen({ limits: { headersTimeout: 300 }, handle: resolve })
    const client = await connectTo(listener)
    client.send(get(1), get(3, '/', [['connection', 'x']]))
    const waiting = await promise
    await client.waitFor(({ type }) => type === frameTypes.goaway, 'the notice')
    waiting.answer({ status: 200, fields: [], body: 'in the end' })
    expect((await client.answer(1)).body.toString()).toBe('in the end')
  })
})

describe('a body', () => {
  it('that comes byte by byte is not waited for longer than was said', async () => {
    const listener = await listen({ limits: { requestTimeout: 400 } })
    const client = await connectTo(listener)
    client.send(post(1))
    await drip(
      client,
      20,
      () => data(1, 'a'),
      () => client.stream(1).status !== 0,
    )
    expect(await client.answer(1)).toMatchObject({ status: 408, isWhole: true })
    await client.until(() => client.stream(1).reset, 'the reset')
    expect(client.stream(1).reset).toBe(errors.none)
  })

  it('of a call without a time limit may take longer, but not in silence', async () => {
    const reasons: string[] = []
    const listener = await listen({
      limits: { requestTimeout: 300, idleTimeout: 600 },
      handle(each) {
        each.limitBody({ bytes: 1_000_000, timeout: Infinity })
        readBody(each).then(
          (body) => each.answer({ status: 200, fields: [], body }),
          (fault: { refusal: { reason: string } }) => {
            reasons.push(fault.refusal.reason)
            each.answer({ status: 408, fields: [], body: '' })
          },
        )
      },
    })
    const client = await connectTo(listener)
    client.send(post(1), post(3))
    const begun = performance.now()
    await drip(
      client,
      50,
      () => data(1, 'a'),
      () => performance.now() - begun > 1200,
    )
    expect(client.stream(3).status).toBe(408)
    expect(client.stream(1).status).toBe(0)
    client.send(data(1, 'b', true))
    expect((await client.answer(1)).status).toBe(200)
    expect(reasons).toEqual(['request_timeout'])
  })
})

describe('an answer', () => {
  it('that is not taken is cut, and little of it was held', async () => {
    let written = 0
    const listener = await listen({
      limits: { idleTimeout: 500 },
      handle(each) {
        const writer = each.begin({ status: 200, reason: '', fields: [] })
        while (writer.write(Buffer.alloc(16 * 1024))) written += 16 * 1024
      },
    })
    const client = await connectTo(listener, { settings: [[4, 0]] })
    client.send(get(1))
    expect(await client.answer(1)).toMatchObject({ isWhole: false, reset: errors.cancel })
    expect(written).toBeLessThan(256 * 1024)
    expect(client.isClosed).toBe(false)
  })

  it('of our own that is not taken is cut, too', async () => {
    const listener = await listen({ limits: { idleTimeout: 500 } })
    const client = await connectTo(listener, { settings: [[4, 0]] })
    client.send(get(1))
    expect(await client.answer(1)).toMatchObject({ isWhole: false, reset: errors.cancel })
  })

  it('that is taken byte by byte is cut', async () => {
    const listener = await listen({ limits: { idleTimeout: 500 }, handle: (each) => endless(each) })
    const client = await connectTo(listener, { settings: [[4, 1]] })
    client.send(get(1))
    await drip(
      client,
      30,
      () => windowUpdate(1, 1),
      () => client.stream(1).reset !== undefined,
    )
    expect(client.stream(1)).toMatchObject({ isWhole: false, reset: errors.cancel })
  })

  it('that is taken slowly, but taken, is not cut', async () => {
    const listener = await listen({ limits: { idleTimeout: 500 }, handle: (each) => endless(each) })
    const client = await connectTo(listener)
    client.send(get(1))
    const begun = performance.now()
    const grow = (): Buffer => Buffer.concat([windowUpdate(1, 40_000), windowUpdate(0, 40_000)])
    await drip(client, 100, grow, () => performance.now() - begun > 1500)
    expect(client.stream(1).reset).toBeUndefined()
    expect(client.stream(1).body.length).toBeGreaterThan(400_000)
  })

  it('that piles up in the connection ends it', async () => {
    const listener = await listen({ limits: { idleTimeout: 500 }, handle: (each) => endless(each) })
    const client = await connectTo(listener, { settings: [[4, 2 ** 31 - 1]] })
    client.send(windowUpdate(0, 2 ** 30), get(1), get(3), get(5))
    client.socket.pause()
    await until(() => listener.running.connections === 1)
    await until(() => listener.running.connections === 0, 10_000)
  })

  it.each([100, 20])('on each of %i streams at once is held within bounds', async (count) => {
    const listener = await listen({ limits: { idleTimeout: 5000 }, handle: (each) => endless(each) })
    const client = await connectTo(listener, { settings: [[4, 0]] })
    const before = process.memoryUsage()
    client.send(...Array.from({ length: count }, (_, index) => get(index * 2 + 1)))
    await until(() => listener.reached.length === count)
    await delay(100)
    const after = process.memoryUsage()
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(count * 256 * 1024)
  })
})

describe('a connection', () => {
  it('without requests ends, whatever else is said on it', async () => {
    const listener = await listen({ limits: { idleTimeout: 400 }, handle: echo })
    const client = await connectTo(listener)
    client.send(get(1))
    await client.answer(1)
    await drip(
      client,
      20,
      () => settings(),
      () => false,
    )
    await client.ended()
    expect(client.goaway?.code).toBe(errors.none)
  })
})

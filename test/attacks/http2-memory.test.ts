/** What a client can have kept by a server that does not read its requests: their bytes, and little more. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  data,
  flags,
  frame,
  frameClient,
  frameTypes,
  post,
  type FrameClient,
} from '../support/http2-frames.ts'

let server: ChildProcess
let port: number
beforeAll(async () => {
  server = fork(join(import.meta.dirname, '..', 'support', 'http2-memory-server.ts'), {
    execArgv: ['--expose-gc'],
  })
  port = await told()
})
afterAll(() => server.kill())

function told(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('message', (message) => resolve(message as number))
    server.once('exit', () => reject(new Error('the server is gone')))
  })
}

function held(): Promise<number> {
  server.send('')
  return told()
}

const mebibyte = 1024 * 1024

/** @returns a client for whose streams the windows hold that the server wants */
async function connect(): Promise<FrameClient> {
  const client = await frameClient({ port })
  await client.waitFor(({ type }) => type === frameTypes.settings, 'SETTINGS')
  return client.send(frame(frameTypes.settings, flags.ack, 0))
}

/** Sends no more than the windows allow. */
class Sender {
  readonly #client: FrameClient
  readonly #windows = new Map<number, number>()
  #seen = 0

  constructor(client: FrameClient) {
    this.#client = client
  }

  /**
   * Sends all of it in one piece.
   *
   * @param patience milliseconds to wait for room
   * @returns false when there was none
   */
  async send(
    bodies: readonly (readonly [stream: number, body: Buffer])[],
    patience: number,
  ): Promise<boolean> {
    const deadline = performance.now() + patience
    const whole = bodies.reduce((sum, [, body]) => sum + body.length, 0)
    const hasRoom = (): boolean => {
      this.#look()
      return this.#left(0) >= whole && bodies.every(([stream, body]) => this.#left(stream) >= body.length)
    }
    while (!hasRoom()) {
      if (performance.now() > deadline) return false
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    this.#windows.set(0, this.#left(0) - whole)
    for (const [stream, body] of bodies) this.#windows.set(stream, this.#left(stream) - body.length)
    this.#client.send(...bodies.map(([stream, body]) => data(stream, body)))
    return true
  }

  #left(stream: number): number {
    return this.#windows.get(stream) ?? (stream === 0 ? 65_535 : 128 * 1024)
  }

  #look(): void {
    for (; this.#seen < this.#client.frames.length; this.#seen += 1) {
      const { type, stream, payload } = this.#client.frames[this.#seen]!
      if (type === frameTypes.windowUpdate)
        this.#windows.set(stream, this.#left(stream) + payload.readUInt32BE(0))
    }
  }
}

it('keeps a window for each stream, and not more', async () => {
  const client = await connect()
  const sender = new Sender(client)
  const streams = Array.from({ length: 100 }, (_, index) => index * 2 + 1)
  client.send(...streams.map((stream) => post(stream)))
  const before = await held()
  let sent = 0
  const refused = new Set<number>()
  while (refused.size < streams.length) {
    for (const stream of streams) {
      if (refused.has(stream)) continue
      if (await sender.send([[stream, Buffer.alloc(13_000)]], 20)) sent += 13_000
      else refused.add(stream)
    }
  }
  expect(sent).toBeGreaterThan(10 * mebibyte)
  expect((await held()) - before).toBeLessThan(20 * mebibyte)
  expect(client.goaway).toBeUndefined()
  client.destroy()
})

it('keeps nothing of what came in the same packets', async () => {
  const client = await connect()
  const sender = new Sender(client)
  client.send(post(1, '/wait'), post(3, '/read'))
  const before = await held()
  const large = Buffer.alloc(16_000)
  for (let round = 0; round < 4000; round += 1) {
    const both = [
      [1, Buffer.of(1)],
      [3, large],
    ] as const
    expect(await sender.send(both, 5000)).toBe(true)
  }
  // 64 MB came by with those 4000 bytes.
  expect((await held()) - before).toBeLessThan(6 * mebibyte)
  expect(client.goaway).toBeUndefined()
  client.destroy()
})

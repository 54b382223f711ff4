/**
 * Clients and a service that send any frame at any time, on both sides of a listener in a process of its own: node:http2 ends the whole
 * process where streams are given up in a way that it did not think of. Afterwards it must live, have let go of everything, and serve.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../listener.ts'
import { encodeFields } from '../support/hpack.ts'
import {
  data,
  errors,
  flags,
  frame,
  frameClient,
  FrameClient,
  frameTypes,
  get,
  goaway,
  headers,
  ping,
  post,
  preface,
  rstStream,
  settings,
  windowUpdate,
} from '../support/http2-frames.ts'

/** The same choices for the same seed, as far as the timing of packets lets them. */
class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  next(): number {
    this.#state = (this.#state * 1_103_515_245 + 12_345) & 0x7fffffff
    return this.#state / 0x7fffffff
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  happens(share: number): boolean {
    return this.next() < share
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

const codes = Object.values(errors)
const seed = Number(process.env['PORTCULLIS_CHAOS_SEED'] ?? 20_261_129)
const chance = new Chance(seed)
const duration = Number(process.env['PORTCULLIS_CHAOS_MS'] ?? 4000)

let service: Server
let isCalm = false
let listener: ChildProcess
let port: number
let ended: string | undefined
beforeAll(async () => {
  service = createServer((socket) => void misbehave(socket))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const url = `http://127.0.0.1:${String((service.address() as AddressInfo).port)}`
  listener = fork(join(import.meta.dirname, '..', 'support', 'http2-chaos-server.ts'), [url], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  listener.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()))
  listener.once('exit', (code, signal) => (ended = `${String(code ?? signal)}: ${said.slice(0, 600)}`))
  ;[port] = (await once(listener, 'message')) as [number]
})
afterAll(() => {
  listener.kill()
  service.close()
})

async function misbehave(socket: Socket): Promise<void> {
  const connection = new FrameClient(socket, 5000, preface.length)
  connection.send(settings(isCalm ? [] : chance.of([[], [], [[4, 5]], [[3, 3]], [[4, 0]]])))
  let seen = 0
  const begun = new Set<number>()
  while (!connection.isClosed) {
    for (; seen < connection.frames.length; seen += 1) {
      const { type, stream } = connection.frames[seen]!
      if (type !== frameTypes.headers || begun.has(stream)) continue
      begun.add(stream)
      void answer(connection, stream)
    }
    await delay(1)
  }
}

async function answer(connection: FrameClient, stream: number): Promise<void> {
  const head = (fields: readonly (readonly [string, string])[], isLast: boolean): Buffer =>
    frame(frameTypes.headers, flags.endHeaders | (isLast ? flags.endStream : 0), stream, encodeFields(fields))
  if (isCalm) {
    connection.send(head([[':status', '200']], false), data(stream, 'calm', true))
    return
  }
  const acts: (() => void)[] = [
    () =>
      connection.send(
        head(
          [
            [':status', chance.of(['200', '200', '404', '503'])],
            ['content-type', chance.of(['text/plain', 'application/grpc'])],
          ],
          chance.happens(0.3),
        ),
      ),
    () =>
      connection.send(
        head(
          [
            [':status', '200'],
            ['content-length', String(chance.below(10))],
          ],
          false,
        ),
      ),
    () => connection.send(data(stream, Buffer.alloc(chance.of([0, 1, 3, 100, 16_000])), chance.happens(0.3))),
    () => connection.send(data(stream, Buffer.alloc(chance.of([0, 1, 3, 100])), chance.happens(0.3))),
    () => connection.send(head([['grpc-status', '0']], true)),
    () => connection.send(rstStream(stream, chance.of(codes))),
    () =>
      connection.send(
        windowUpdate(stream, chance.of([1, 10, 100_000])),
        windowUpdate(0, chance.of([1, 100_000])),
      ),
    () =>
      chance.happens(0.1) &&
      connection.send(goaway(chance.of([stream, Math.max(0, stream - 2), 0]), chance.of([0, 0, 2]))),
    () => chance.happens(0.05) && connection.destroy(),
  ]
  for (let left = 1 + chance.below(6); left > 0 && !connection.isClosed; left -= 1) {
    chance.of(acts)()
    if (chance.happens(0.5)) await delay(chance.below(4))
  }
}

async function provoke(until: number): Promise<void> {
  while (performance.now() < until && listener.exitCode === null && listener.signalCode === null) {
    const client = await frameClient({ port, settings: chance.of([[], [], [[4, 3]], [[4, 0]]]) })
    let next = 1
    const open: number[] = []
    const recent = (): number => chance.of(open.slice(-6))
    const acts: (() => void)[] = [
      () => {
        const fields = chance.of([
          [],
          [
            ['content-type', 'application/grpc'],
            ['te', 'trailers'],
          ],
          [['content-length', String(chance.below(8))]],
        ] as const)
        const path = `/${'a'.repeat(chance.below(5))}`
        client.send(chance.happens(0.5) ? post(next, path, fields) : get(next, path))
        open.push(next)
        next += 2
        if (chance.happens(0.15)) client.send(rstStream(next - 2, chance.of(codes)))
      },
      () => client.send(data(recent(), Buffer.alloc(chance.of([0, 1, 3, 8, 1000])), chance.happens(0.4))),
      () => client.send(rstStream(recent(), chance.of(codes))),
      () =>
        client.send(
          windowUpdate(recent(), chance.of([1, 5, 100_000])),
          windowUpdate(0, chance.of([1, 10_000])),
        ),
      () => client.send(headers(recent(), [['x-trailer', '1']], flags.endHeaders | flags.endStream)),
      () => client.send(ping()),
      () => chance.happens(0.02) && client.send(goaway(0, chance.of([0, 2]))),
    ]
    for (let left = 40 + chance.below(100); left > 0 && !client.isClosed; left -= 1) {
      const act = open.length === 0 || chance.happens(0.35) ? acts[0]! : chance.of(acts)
      act()
      if (chance.happens(0.6)) await delay(chance.below(3))
    }
    if (chance.happens(0.3)) client.socket.resetAndDestroy()
    else client.destroy()
  }
}

it(`any frame at any time (seed ${String(seed)})`, { timeout: duration + 60_000 }, async () => {
  const end = performance.now() + duration
  await Promise.all(Array.from({ length: 6 }, () => provoke(end)))
  expect(ended).toBeUndefined()

  isCalm = true
  // What is under way runs into its time limits; what the service left half-said is over with its connections.
  const served = async (): Promise<boolean> => {
    const client = await frameClient({ port })
    client.send(get(1))
    const { status, body } = await client.answer(1)
    client.destroy()
    return status === 200 && body.toString() === 'calm'
  }
  const deadline = performance.now() + 20_000
  while (!(await served()) && performance.now() < deadline) await delay(100)
  expect(await served()).toBe(true)
  let state: { connections: number; inFlight: number } | undefined
  listener.on('message', (message) => (state = message as typeof state))
  const isIdle = (): boolean => {
    listener.send('state')
    return state?.connections === 0 && state.inFlight === 0
  }
  await until(isIdle, 20_000)
  expect(ended).toBeUndefined()
})

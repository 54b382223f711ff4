/** An end of an HTTP/2 connection that sends exactly the frames it is told to. For tests of what well-behaved peers never send. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { encodeFields, HpackReader, type Fields } from './hpack.ts'

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

export const errors = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const

/** A connection preface, without the SETTINGS that must follow it. */
export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** @returns the bytes of a frame; `length` may lie */
export function frame(
  type: number,
  flagBits: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
  length: number = payload.length,
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head[3] = type
  head[4] = flagBits
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export function settings(entries: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(entries.length * 6)
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  })
  return frame(frameTypes.settings, 0, 0, payload)
}

export function headers(stream: number, fields: Fields, flagBits: number = flags.endHeaders): Buffer {
  return frame(frameTypes.headers, flagBits, stream, encodeFields(fields))
}

/** A request without a body. */
export function get(stream: number, path = '/', more: Fields = []): Buffer {
  return headers(stream, [...request('GET', path), ...more], flags.endHeaders | flags.endStream)
}

/** The beginning of a request with a body. */
export function post(stream: number, path = '/', more: Fields = []): Buffer {
  return headers(stream, [...request('POST', path), ...more])
}

export function request(method: string, path: string): Fields {
  return [
    [':method', method],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'gateway.example'],
  ]
}

export function data(stream: number, body: string | Uint8Array, isLast = false): Buffer {
  const payload = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  return frame(frameTypes.data, isLast ? flags.endStream : 0, stream, payload)
}

export function rstStream(stream: number, code: number = errors.cancel): Buffer {
  return frame(frameTypes.rstStream, 0, stream, uint32(code))
}

export function ping(payload = 'pingpong', flagBits = 0): Buffer {
  return frame(frameTypes.ping, flagBits, 0, Buffer.from(payload, 'latin1'))
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(frameTypes.windowUpdate, 0, stream, uint32(increment))
}

export function priority(stream: number, parent: number, weight = 15): Buffer {
  return frame(frameTypes.priority, 0, stream, Buffer.concat([uint32(parent), Buffer.of(weight)]))
}

export function goaway(lastStream: number, code: number = errors.none): Buffer {
  return frame(frameTypes.goaway, 0, 0, Buffer.concat([uint32(lastStream), uint32(code)]))
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface FrameClientOptions {
  readonly port: number
  /** Speaks TLS with these options. */
  readonly tls?: ConnectionOptions
  /** What the client's first SETTINGS say; `false`: it sends no preface at all. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | false
  /** Milliseconds that any wait may take. */
  readonly patience?: number
}

/** @returns a connected client that has sent its preface */
export async function frameClient(options: FrameClientOptions): Promise<FrameClient> {
  const { port, tls } = options
  const socket =
    tls === undefined
      ? connectTcp({ host: '127.0.0.1', port })
      : connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...tls })
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve)
    socket.once('error', reject)
  })
  const client = new FrameClient(socket, options.patience ?? 5000)
  if (options.settings !== false) client.send(preface, settings(options.settings ?? []))
  return client
}

/** What the other end said on one stream, as far as it has come. */
export interface StreamAnswer {
  /** 0 of a request. */
  readonly status: number
  readonly fields: [string, string][]
  readonly body: Buffer
  readonly trailers: [string, string][] | undefined
  /** Interim answers before it. */
  readonly interim: number[]
  /** It ended in order. */
  readonly isWhole: boolean
  /** Code of the RST_STREAM that came for the stream. */
  readonly reset: number | undefined
}

export class FrameClient {
  readonly socket: Socket
  /** Whatever came, in order. */
  readonly frames: Frame[] = []
  /** Blocks of fields, by the frame that began them; decoded in order, as HPACK wants it. */
  readonly #blocks = new Map<Frame, [string, string][]>()
  readonly #reader = new HpackReader()
  readonly #patience: number
  #rest: Buffer = Buffer.alloc(0)
  #skipped: number
  #open: { readonly first: Frame; readonly parts: Buffer[] } | undefined = undefined
  readonly #waiting = new Set<() => void>()
  isClosed = false
  hasEnded = false

  /** @param skipped bytes of the other end's preface */
  constructor(socket: Socket, patience: number, skipped = 0) {
    this.socket = socket
    this.#patience = patience
    this.#skipped = skipped
    socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      this.#read()
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('end', () => {
      this.hasEnded = true
      this.#wake()
    })
    socket.on('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  send(...frames: readonly Uint8Array[]): this {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames))
    return this
  }

  /** @returns false: the connection takes no more for now */
  push(bytes: Uint8Array): boolean {
    return this.socket.writable && this.socket.write(bytes)
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** What has come on the stream. */
  stream(id: number): StreamAnswer {
    const own = this.frames.filter(({ stream }) => stream === id)
    const heads = own
      .filter(({ type }) => type === frameTypes.headers)
      .map((each) => ({ frame: each, fields: this.#blocks.get(each) ?? [] }))
    const statusOf = (fields: readonly (readonly [string, string])[]): number =>
      Number(fields.find(([name]) => name === ':status')?.[1] ?? 0)
    const interim = heads.filter(({ fields }) => statusOf(fields) >= 100 && statusOf(fields) < 200)
    const [final, trailers] = heads.filter((head) => !interim.includes(head))
    const reset = own.find(({ type }) => type === frameTypes.rstStream)
    return {
      status: statusOf(final?.fields ?? []),
      fields: final?.fields ?? [],
      body: Buffer.concat(own.filter(({ type }) => type === frameTypes.data).map(({ payload }) => payload)),
      trailers: trailers?.fields,
      interim: interim.map(({ fields }) => statusOf(fields)),
      isWhole: own.some(
        (each) =>
          (each.type === frameTypes.data || each.type === frameTypes.headers) &&
          hasFlag(each, flags.endStream),
      ),
      reset: reset?.payload.readUInt32BE(0),
    }
  }

  /** Code and last stream of the last GOAWAY that came. */
  get goaway(): { readonly code: number; readonly lastStream: number } | undefined {
    const last = this.frames.findLast(({ type }) => type === frameTypes.goaway)
    return last === undefined
      ? undefined
      : { lastStream: last.payload.readUInt32BE(0), code: last.payload.readUInt32BE(4) }
  }

  /** Waits until the answer on the stream is over, in order or by reset. */
  async answer(stream: number): Promise<StreamAnswer> {
    return this.until(
      () => {
        const answer = this.stream(stream)
        return answer.isWhole || answer.reset !== undefined ? answer : undefined
      },
      `the answer on stream ${String(stream)}`,
    )
  }

  /** Waits for the frame. */
  async waitFor(test: (each: Frame) => boolean, what: string): Promise<Frame> {
    return this.until(() => this.frames.find(test), what)
  }

  /** Waits until the connection is over. */
  async ended(): Promise<this> {
    return this.until(() => (this.isClosed || this.hasEnded ? this : undefined), 'the end')
  }

  async until<T>(probe: () => T | undefined, what: string): Promise<T> {
    const deadline = performance.now() + this.#patience
    for (;;) {
      const found = probe()
      if (found !== undefined) return found
      if (this.isClosed) throw new Error(`the connection ended before ${what}; ${this.#told()}`)
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`waited in vain for ${what}; ${this.#told()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  #told(): string {
    const last = this.frames.slice(-8).map(({ type, flags: bits, stream }) => `${type}/${bits}/${stream}`)
    return `frames: ${last.join(' ')}${this.goaway === undefined ? '' : `, goaway ${String(this.goaway.code)}`}`
  }

  #read(): void {
    if (this.#rest.length < this.#skipped) return
    this.#rest = this.#rest.subarray(this.#skipped)
    this.#skipped = 0
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      this.#take({
        type: this.#rest[3]!,
        flags: this.#rest[4]!,
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: this.#rest.subarray(9, 9 + length),
      })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }

  #take(each: Frame): void {
    this.frames.push(each)
    if (each.type === frameTypes.headers) this.#open = { first: each, parts: [each.payload] }
    else if (each.type === frameTypes.continuation) this.#open?.parts.push(each.payload)
    if (this.#open === undefined || !hasFlag(each, flags.endHeaders)) return
    this.#blocks.set(this.#open.first, this.#reader.read(Buffer.concat(this.#open.parts)))
    this.#open = undefined
  }
}

function hasFlag(each: Frame, flag: number): boolean {
  return (each.flags & flag) !== 0
}

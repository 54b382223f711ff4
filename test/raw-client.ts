/** An HTTP/1.1 client that sends exactly the bytes it is told to, and reads answers by their framing. For tests of what well-behaved clients never send. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

export interface RawAnswer {
  readonly version: string
  readonly status: number
  readonly reason: string
  /** Field lines, flat, as they came. */
  readonly fields: readonly string[]
  readonly body: Buffer
  /** Behind a chunked body; flat. */
  readonly trailers: readonly string[]
  /** The first value of the field, by any case of its name. */
  field(name: string): string | undefined
  /** Each value of the field. */
  values(name: string): string[]
  text(): string
  /** The body as JSON. */
  json(): Record<string, unknown>
}

export interface RawClientOptions {
  readonly port: number
  readonly host?: string
  /** Speaks TLS with these options. */
  readonly tls?: ConnectionOptions
  /** Milliseconds that any wait may take. */
  readonly patience?: number
  /** Local address to connect from. */
  readonly localAddress?: string
}

/** Taken by node:tls too, though its types do not say so. */
const halfOpen: object = { allowHalfOpen: true }

/** @returns a connected client */
export async function rawClient(options: RawClientOptions): Promise<RawClient> {
  const host = options.host ?? '127.0.0.1'
  const { port, patience = 5000 } = options
  const local = options.localAddress === undefined ? {} : { localAddress: options.localAddress }
  const socket =
    options.tls === undefined
      ? connectTcp({ host, port, allowHalfOpen: true, ...local })
      : connectTls({ host, port, rejectUnauthorized: false, ...halfOpen, ...local, ...options.tls })
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', resolve)
    socket.once('error', reject)
  })
  return new RawClient(socket, patience)
}

export class RawClient {
  readonly socket: Socket
  readonly #patience: number
  #buffer: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined = undefined
  /** The server ended its side. */
  hasEnded = false
  isClosed = false
  error: NodeJS.ErrnoException | undefined = undefined

  constructor(socket: Socket, patience: number) {
    this.socket = socket
    this.#patience = patience
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#wake?.()
    })
    socket.on('end', () => {
      this.hasEnded = true
      this.#wake?.()
    })
    socket.on('error', (error) => {
      this.error = error
      this.#wake?.()
    })
    socket.on('close', () => {
      this.isClosed = true
      this.#wake?.()
    })
  }

  /** Bytes that have come and that no answer has taken. */
  get rest(): Buffer {
    return this.#buffer
  }

  /** Latin-1, so that any byte can be written down. */
  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** Sends in pieces, each in a packet of its own as far as the system lets us. */
  async sendPieces(pieces: readonly (string | Uint8Array)[], pause = 5): Promise<this> {
    for (const piece of pieces) {
      this.send(piece)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return this
  }

  /** Ends our side; the server may still answer. */
  end(): this {
    this.socket.end()
    return this
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Closes with a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /**
   * Reads the next answer, interim ones too.
   *
   * @param method of the request that it answers: an answer to HEAD has no body
   * @throws when the connection ends before the answer does
   */
  async answer(method = 'GET'): Promise<RawAnswer> {
    const head = await this.#until(() => this.#takeHead(), 'an answer')
    const { status } = head
    const coding = valuesOf(head.fields, 'transfer-encoding').at(-1)
    const length = valuesOf(head.fields, 'content-length')[0]
    let body: Buffer = Buffer.alloc(0)
    let trailers: string[] = []
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
      // No body, whatever the fields say.
    } else if (coding === 'chunked') ({ body, trailers } = await this.#chunks())
    else if (length !== undefined) body = await this.#bytes(Number(length))
    else body = await this.#toTheEnd()
    return answerOf(head, body, trailers)
  }

  /** Reads the head of the next answer, and leaves its body to `waitFor`. */
  async head(): Promise<RawAnswer> {
    return answerOf(await this.#until(() => this.#takeHead(), 'a head'), Buffer.alloc(0), [])
  }

  /** Waits until the text has come, and takes everything up to its end. */
  async waitFor(text: string): Promise<string> {
    return this.#until(() => {
      const at = this.#buffer.indexOf(text)
      return at === -1 ? undefined : this.#take(at + text.length).toString('latin1')
    }, JSON.stringify(text))
  }

  /** Waits until the server has ended its side or reset the connection. @returns what came before and was not taken */
  async ended(): Promise<Buffer> {
    await this.#until(() => (this.#isOver() ? true : undefined), 'the end')
    return this.#buffer
  }

  #isOver(): boolean {
    return this.hasEnded || this.isClosed || this.error !== undefined
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }

  #takeHead(): Head | undefined {
    const end = this.#buffer.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [line = '', ...lines] = this.#take(end + 4)
      .toString('latin1')
      .slice(0, -4)
      .split('\r\n')
    const match = /^HTTP\/(\d\.\d) (\d{3}) ?(.*)$/.exec(line)
    if (match === null) throw new Error(`not a status line: ${JSON.stringify(line)}`)
    return { version: match[1]!, status: Number(match[2]), reason: match[3]!, fields: lines.flatMap(fieldOf) }
  }

  async #bytes(length: number): Promise<Buffer> {
    return this.#until(
      () => (this.#buffer.length >= length ? this.#take(length) : undefined),
      `${String(length)} bytes`,
    )
  }

  async #line(): Promise<string> {
    return (await this.waitFor('\r\n')).slice(0, -2)
  }

  async #chunks(): Promise<{ body: Buffer; trailers: string[] }> {
    const chunks: Buffer[] = []
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16)
      if (Number.isNaN(size)) throw new Error('not a chunk size')
      if (size === 0) break
      chunks.push(await this.#bytes(size))
      if ((await this.#line()) !== '') throw new Error('a chunk does not end where it said')
    }
    const trailers: string[] = []
    for (let line = await this.#line(); line !== ''; line = await this.#line())
      trailers.push(...fieldOf(line))
    return { body: Buffer.concat(chunks), trailers }
  }

  async #toTheEnd(): Promise<Buffer> {
    await this.ended()
    return this.#take(this.#buffer.length)
  }

  async #until<T>(probe: () => T | undefined, what: string): Promise<T> {
    const deadline = performance.now() + this.#patience
    for (;;) {
      const found = probe()
      if (found !== undefined) return found
      if (this.#isOver())
        throw new Error(
          `the connection ended before ${what} (${this.error?.code ?? 'in order'}); left: ${this.#left()}`,
        )
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`waited in vain for ${what}; left: ${this.#left()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #left(): string {
    return JSON.stringify(this.#buffer.subarray(0, 300).toString('latin1'))
  }
}

/** @returns the bytes cut in two at each position */
export function splits(bytes: string): (readonly [string, string])[] {
  return Array.from(
    { length: bytes.length - 1 },
    (_, at) => [bytes.slice(0, at + 1), bytes.slice(at + 1)] as const,
  )
}

interface Head {
  readonly version: string
  readonly status: number
  readonly reason: string
  readonly fields: string[]
}

function fieldOf(line: string): string[] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new Error(`not a field line: ${JSON.stringify(line)}`)
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < fields.length; index += 2)
    if (fields[index]!.toLowerCase() === name.toLowerCase()) values.push(fields[index + 1]!)
  return values
}

function answerOf(head: Head, body: Buffer, trailers: readonly string[]): RawAnswer {
  return {
    ...head,
    body,
    trailers,
    field: (name) => valuesOf(head.fields, name)[0],
    values: (name) => valuesOf(head.fields, name),
    text: () => body.toString(),
    json: () => JSON.parse(body.toString()) as Record<string, unknown>,
  }
}

/**
 * A connection on undici's HTTP/1.1 parser: one `Client` for one socket of ours.
 *
 * The socket is ours, so that connecting, its timeout and its retries are ours, and so that two habits of undici can be
 * turned off where they would hurt: it writes a request's head only together with the first byte of its body (an upload
 * that begins slowly would not reach the upstream at all), and it drops the connection on an interim 100. The head that
 * undici writes is therefore replaced by the one we made, the body goes to the socket directly, and what is read passes
 * `InterimFilter`. Response parsing, connection state, idle timeouts and `Keep-Alive` hints stay undici's.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Client, errors, type buildConnector, type Dispatcher } from 'undici'
import { InterimFilter } from './interim-filter.ts'
import type { Connection, ConnectionFault, RawHead, Receiver, RequestFacts } from './connection.ts'
import { writeRequestHead } from './request-head.ts'
import { judgeResponseHead } from './response-head.ts'
import { guardWrites, unguardWrites } from './write-guard.ts'

/** An idle connection is closed before the usual five seconds of servers, or a second before what `Keep-Alive` announced. */
const idle = { usual: 4_000, longest: 60_000, margin: 1_000 }
const largestHead = 64 * 1024
type Controller = Dispatcher.DispatchController

/** Wraps a socket that is connected (and, for TLS, verified). */
export class UndiciConnection implements Connection, Dispatcher.DispatchHandler {
  readonly address: string
  uses = -1
  isReset = false
  readonly #socket: Socket
  readonly #client: Client
  readonly #filter = new InterimFilter()
  readonly #rawWrite: Socket['write']
  #receiver: Receiver | undefined
  #controller: Controller | undefined
  #head: string | undefined
  #method = ''
  #isHeard = false
  /** A write failed; what the upstream sent before may still be read. */
  #isMute = false
  #drained: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.address = socket.remoteAddress ?? ''
    this.#rawWrite = socket.write.bind(socket)
    socket.on('error', () => {
      this.isReset = true
    })
    socket.on('drain', () => this.#drained?.())
    this.#coverReading()
    this.#coverWriting()
    this.#client = new Client('http://upstream', {
      connect: this.#handOver(),
      allowH2: false,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: largestHead,
      keepAliveTimeout: idle.usual,
      keepAliveMaxTimeout: idle.longest,
      keepAliveTimeoutThreshold: idle.margin,
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  send(facts: RequestFacts, receiver: Receiver): void {
    this.#head = writeRequestHead(facts)
    this.uses += 1
    this.#receiver = receiver
    this.#method = facts.method
    this.#isHeard = false
    // Path and fields are in the head that replaces undici's; it needs the method to know what kind of answer to expect.
    this.#client.dispatch(
      {
        path: '/',
        method: facts.method,
        ...(facts.isUpgrade ? { upgrade: 'websocket' } : {}),
      },
      this,
    )
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#socket.destroyed || this.#isMute ? false : this.#rawWrite(chunk, 'latin1')
  }

  onDrain(callback: (() => void) | undefined): void {
    this.#drained = callback
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  destroy(): void {
    this.#settle()
    this.#socket.destroy()
  }

  abort(): void {
    this.#fail('lost', 'the upstream is closed')
  }

  onClose(callback: () => void): void {
    this.#socket.once('close', callback)
  }

  // What undici tells of the exchange.

  onRequestStart(controller: Controller): void {
    this.#controller = controller
  }

  onRequestSent(): void {
    this.#receiver?.sent()
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, reason?: string): void {
    const head = this.#rawHead(controller, status, reason)
    if (status >= 200) {
      this.#begin(head)
    } else if (status === 101 || status < 100) {
      this.#fail('invalid', `status ${status} was not asked for`)
    } else {
      this.#receiver?.interim(head)
    }
  }

  #begin(raw: RawHead): void {
    const head = judgeResponseHead(raw, this.#method)
    if (typeof head === 'string') {
      this.#fail('invalid', head)
      return
    }
    this.#receiver?.head(head)
    // After what came of the body in the same packet.
    process.nextTick(flush, this.#receiver)
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#receiver?.data(chunk)
    this.#receiver?.flush()
  }

  onResponseEnd(controller: Controller): void {
    const receiver = this.#settle()
    this.#tellLast(receiver, () => receiver?.end(latin1(controller.rawTrailers)))
  }

  onRequestUpgrade(controller: Controller, status: number, _headers: unknown, socket: Duplex): void {
    this.#uncoverSocket()
    const receiver = this.#settle()
    this.#tellLast(receiver, () => receiver?.upgraded(this.#rawHead(controller, status, ''), socket))
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#head !== undefined) {
      this.#fail('unsent', 'the connection was closed before the request was sent')
    } else {
      this.#fail(isProtocolError(error) ? 'invalid' : 'lost', describe(error))
    }
  }

  /** undici has nobody left to tell when its last call throws: without this the exchange would never end. */
  #tellLast(receiver: Receiver | undefined, tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#socket.destroy()
      receiver?.failed({ kind: 'invalid', detail: (error as Error).message, isHeard: true })
    }
  }

  #fail(kind: ConnectionFault['kind'], detail: string): void {
    const receiver = this.#settle()
    this.#socket.destroy()
    receiver?.failed({ kind, detail, isHeard: this.#isHeard })
  }

  /** Ends the exchange: what undici still tells of it reaches nobody. */
  #settle(): Receiver | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#drained = undefined
    return receiver
  }

  #rawHead(controller: Controller, status: number, reason: string | undefined): RawHead {
    const fields = latin1(controller.rawHeaders)
    return { status, reason: reason ?? '', version: this.#filter.version, fields, isChecked: false }
  }

  #coverReading(): void {
    const socket = this.#socket
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null
    socket.read = (size) => {
      for (;;) {
        const chunk = read(size)
        if (chunk === null) {
          return chunk
        }
        if (this.#receiver === undefined) {
          // Nothing was asked: these bytes would be taken for the answer to the next request.
          socket.destroy()
          return null
        }
        this.#isHeard = true
        const passed = this.#filter.push(chunk)
        if (passed !== undefined) {
          return passed
        }
      }
    }
  }

  #coverWriting(): void {
    const socket = this.#socket
    socket.write = ((...args: Parameters<Socket['write']>) => {
      const head = this.#head
      if (head === undefined) {
        return this.#rawWrite(...args)
      }
      this.#head = undefined
      this.#filter.expect()
      return this.#rawWrite(head, 'latin1')
    }) as Socket['write']
    guardWrites(
      socket,
      () => this.#receiver !== undefined,
      () => {
        this.#isMute = true
        this.isReset = true
        this.#drained = undefined
      },
    )
  }

  #uncoverSocket(): void {
    Reflect.deleteProperty(this.#socket, 'read')
    Reflect.deleteProperty(this.#socket, 'write')
    unguardWrites(this.#socket)
  }

  /** undici asks for a connection once; when it asks again, the socket is gone and so is this connection. */
  #handOver(): buildConnector.connector {
    let isHandedOver = false
    return (_options, callback) => {
      const isGone = isHandedOver
      isHandedOver = true
      process.nextTick(() => {
        if (isGone) {
          callback(new Error('the connection is closed'), null)
        } else {
          callback(null, this.#socket)
        }
      })
    }
  }
}

function flush(receiver: Receiver | undefined): void {
  receiver?.flush()
}

function isProtocolError(error: Error): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    error.name === 'AssertionError' ||
    (error instanceof errors.SocketError && error.message.startsWith('bad '))
  )
}

/** For the operator: which kind of failure, without the bytes that undici attaches. */
function describe(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? error.message : `${error.message} (${code})`
}

function latin1(raw: Controller['rawHeaders']): string[] {
  return Array.isArray(raw)
    ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
    : []
}

/**
 * A connection to a target on the wire. It goes back to the pool only when the answer ended exactly where its framing says; a
 * byte too many, a byte that nobody asked for, anything that can be read in two ways, and it is closed.
 */
import type { Socket, OnReadOpts } from 'node:net'
import { BodyReader } from '../wire/body.ts'
import { wireFaults } from '../wire/faults.ts'
import { leaveSoon, type Sender } from '../wire/outbox.ts'
import { PartialHead } from '../wire/partial-head.ts'
import { ResponseHeadParser } from '../wire/response-head.ts'
import type { Connection, ConnectionFault, RawHead, Receiver, RequestFacts } from './connection.ts'
import { writeRequestHead } from './request-head.ts'
import { judgeInterim, judgeResponseHead } from './response-head.ts'
import { guardWrites } from './write-guard.ts'

/** Milliseconds. An idle connection is closed before the usual five seconds of servers, or a second before what `Keep-Alive` announced. */
const idle = { usual: 4_000, longest: 60_000, margin: 1_000 } as const
const bounds = { headers: 64 * 1024, headerCount: 500 } as const
/** More of them say nothing but that somebody wants us busy. */
const mostContinues = 32
/** Bytes up to which a piece of a body is told as text, which joins the client's head in one write. */
const mostText = 16 * 1024

/** One buffer for what all sockets read, and one parser for heads that come whole: they hold nothing from one call to the next. */
let buffer: Buffer | undefined
let parserOfAll: ResponseHeadParser | undefined

const none: readonly string[] = Object.freeze([])

export class WireConnection implements Connection, Sender {
  address = ''
  uses = -1
  isReset = false
  #socket!: Socket
  #receiver: Receiver | undefined = undefined
  #request: RequestFacts | undefined = undefined
  /** A head that leaves at the end of this turn of the loop. */
  #out = ''
  #isInBody = false
  readonly #body = new BodyReader()
  #partial: PartialHead<ResponseHeadParser> | undefined = undefined
  #persists = false
  #continues = 0
  #isHeard = false
  /** The peer has ended nothing, and nothing has failed. */
  #isLive = true
  #isGuarded = false
  #isPaused = false
  #isHandedOn = false
  #expiresAt = Infinity
  #idleFor: number = idle.usual
  #onDrain: (() => void) | undefined = undefined

  /** For `net.connect`: reads into the shared buffer, past the stream. Not for sockets that are handed on. */
  onread(): OnReadOpts {
    const shared = (buffer ??= Buffer.allocUnsafeSlow(64 * 1024))
    return {
      buffer: shared,
      callback: (length) => {
        this.#read(shared, length, false)
        return !this.#isPaused
      },
    }
  }

  /** @param isStream the socket reads by `data` events, not by `onread` */
  attach(socket: Socket, isStream: boolean): void {
    this.#socket = socket
    this.address = socket.remoteAddress ?? ''
    if (isStream) socket.on('data', this.#onData)
    socket.on('error', () => {
      this.isReset = true
      this.#isLive = false
    })
    socket.on('end', () => this.#ended())
    socket.on('close', () => {
      this.#fail('lost', this.isReset ? 'the connection was reset' : 'the connection was closed')
    })
    socket.on('drain', () => this.#onDrain?.())
  }

  get isOpen(): boolean {
    return this.#isLive && !this.#socket.destroyed
  }

  get isExpired(): boolean {
    return performance.now() >= this.#expiresAt
  }

  send(facts: RequestFacts, receiver: Receiver): void {
    const head = writeRequestHead(facts)
    this.uses += 1
    this.#receiver = receiver
    this.#request = facts
    this.#isInBody = false
    this.#partial = undefined
    this.#continues = 0
    this.#isHeard = false
    if (!this.isOpen) {
      process.nextTick(() => this.#fail('unsent', 'the connection was closed before the request was sent'))
      return
    }
    this.#out = head
    leaveSoon(this)
    if (facts.body === 'none' || facts.body === 0) receiver.sent()
    else if (!this.#isGuarded) this.#guard()
  }

  leave(): void {
    // What a dead socket cannot take was not sent: it may still be, on another.
    if (this.#out === '' || this.#socket.destroyed) return
    this.#socket.write(this.#out, 'latin1')
    this.#out = ''
    const { body } = this.#request!
    if (body === 'none' || body === 0) return
    try {
      // Only now: a request whose body was begun could not be sent again.
      this.#receiver!.sent()
    } catch (error) {
      this.#fail('invalid', (error as Error).message)
    }
  }

  #guard(): void {
    this.#isGuarded = true
    guardWrites(
      this.#socket,
      () => this.#receiver !== undefined,
      () => {
        // What the upstream sent before may still be read.
        this.#isLive = false
        this.isReset = true
        this.#onDrain = undefined
      },
    )
  }

  write(chunk: Uint8Array | string): boolean {
    return this.isOpen && this.#socket.write(chunk, 'latin1')
  }

  onDrain(callback: (() => void) | undefined): void {
    this.#onDrain = callback
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
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

  // What the socket tells.

  readonly #onData = (bytes: Buffer): void => this.#read(bytes, bytes.length, true)

  /** @param isOwn whether the bytes stay as they are after this call */
  #read(bytes: Buffer, end: number, isOwn: boolean): void {
    const receiver = this.#receiver
    if (receiver === undefined || this.#out !== '') {
      // Nothing was asked, or it has not left: these bytes would be taken for the answer.
      this.#fail('unsent', 'bytes came before the request was sent')
      return
    }
    this.#isHeard = true
    let at = 0
    try {
      while (at < end && this.#receiver === receiver) {
        at = this.#isInBody
          ? this.#readBody(receiver, bytes, at, end, isOwn)
          : this.#readHead(receiver, bytes, at, end, isOwn)
      }
      if (this.#receiver === receiver) receiver.flush()
    } catch (error) {
      // A bug behind the receiver must not leave its exchange open for ever.
      this.#receiver = receiver
      this.#fail('invalid', (error as Error).message)
    }
  }

  /** @returns the first byte that was not read */
  #readHead(receiver: Receiver, bytes: Buffer, from: number, end: number, isOwn: boolean): number {
    const partial = this.#partial
    let parser = (parserOfAll ??= new ResponseHeadParser())
    let at: number
    let progress: ReturnType<ResponseHeadParser['parse']>
    if (partial === undefined) {
      parser.reset()
      progress = parser.parse(bytes, from, end, bounds)
      at = from + parser.size
      if (progress === 'more') {
        this.#keep(bytes.subarray(from, end))
        return end
      }
    } else {
      const before = partial.length
      partial.add(bytes.subarray(from, end))
      parser = partial.parser
      progress = parser.parse(partial.bytes, 0, partial.length, bounds)
      at = from + parser.size - before
      if (progress === 'more') return end
      this.#partial = undefined
    }
    if (progress === 'fault') {
      this.#fail('invalid', wireFaults[parser.fault!])
      return end
    }
    const { status, reason, version, fields } = parser
    const head: RawHead = { status, reason, version, fields, isChecked: true }
    return status >= 200
      ? this.#begin(receiver, head, bytes, at, end, isOwn)
      : this.#interim(receiver, head, bytes, at, end)
  }

  #keep(bytes: Buffer): void {
    const partial = new PartialHead(new ResponseHeadParser())
    partial.add(bytes)
    partial.parser.parse(partial.bytes, 0, partial.length, bounds)
    this.#partial = partial
  }

  #interim(receiver: Receiver, head: RawHead, bytes: Buffer, at: number, end: number): number {
    if (head.status === 101 && this.#request!.isUpgrade) {
      this.#upgrade(receiver, head, bytes.subarray(at, end))
      return end
    }
    if (head.status <= 101 && head.status !== 100) {
      this.#fail('invalid', `status ${head.status} was not asked for`)
    } else if (head.status === 100) {
      this.#continues += 1
      if (this.#continues > mostContinues) this.#fail('invalid', 'too many interim answers')
      else if (judgeInterim(head) === undefined) this.#fail('invalid', 'a malformed interim answer')
    } else receiver.interim(head)
    return at
  }

  #begin(receiver: Receiver, raw: RawHead, bytes: Buffer, at: number, end: number, isOwn: boolean): number {
    const request = this.#request!
    const head = judgeResponseHead(raw, request.method)
    if (typeof head === 'string') {
      this.#fail('invalid', head)
      return end
    }
    // An upstream that sends a body to HEAD all the same must not have it taken for the next answer.
    this.#persists = head.persists && !request.isUpgrade && request.method !== 'HEAD'
    this.#idleFor =
      head.idleSeconds === undefined
        ? idle.usual
        : Math.min(idle.longest, head.idleSeconds * 1_000 - idle.margin)
    receiver.head(head)
    if (this.#receiver !== receiver) return end
    if (head.body === 'none' || (head.body === 'length' && head.length === 0)) {
      this.#finish(receiver, at === end, none)
      return end
    }
    this.#body.begin(head.body === 'length' ? head.length : head.body)
    this.#isInBody = true
    return this.#readBody(receiver, bytes, at, end, isOwn)
  }

  #readBody(receiver: Receiver, bytes: Buffer, from: number, end: number, isOwn: boolean): number {
    const body = this.#body
    let at = from
    for (;;) {
      const progress = body.next(bytes, at, end)
      at = body.at
      if (progress === 'data') {
        const { start, end: stop } = body
        if (stop - start <= mostText) receiver.data(bytes.toString('latin1', start, stop))
        else receiver.data(isOwn ? bytes.subarray(start, stop) : Buffer.from(bytes.subarray(start, stop)))
        if (this.#receiver !== receiver) return end
      } else if (progress === 'more') return at
      else if (progress === 'fault') {
        this.#fail('invalid', wireFaults[body.fault!])
        return end
      } else {
        this.#finish(receiver, at === end, body.trailers)
        return end
      }
    }
  }

  /** @param isClean whether no byte came behind the answer */
  #finish(receiver: Receiver, isClean: boolean, trailers: readonly string[]): void {
    this.#settle()
    // An upstream that answers before it has taken all of the request may read the rest as another.
    const isEarly = this.#isGuarded && this.#socket.writableLength > 0
    if (!isClean || isEarly || !this.#persists || this.#idleFor <= 0) this.#socket.destroy()
    else if (this.#isPaused) this.resume()
    this.#expiresAt = performance.now() + this.#idleFor
    receiver.end(trailers)
  }

  #upgrade(receiver: Receiver, head: RawHead, early: Buffer): void {
    const socket = this.#socket
    this.#settle()
    this.#isHandedOn = true
    socket.off('data', this.#onData)
    socket.pause()
    if (early.length > 0) socket.unshift(early)
    receiver.upgraded(head, socket)
  }

  #ended(): void {
    if (this.#isHandedOn) return
    this.#isLive = false
    const receiver = this.#receiver
    if (receiver === undefined) {
      this.#socket.destroy()
    } else if (this.#isInBody && this.#body.endsWithConnection) {
      this.#settle()
      this.#socket.destroy()
      receiver.end(none)
    } else this.#fail('lost', 'the connection was closed before the answer was whole')
  }

  #fail(kind: ConnectionFault['kind'], detail: string): void {
    const isUnsent = this.#out !== ''
    const receiver = this.#settle()
    this.#socket.destroy()
    receiver?.failed({ kind: isUnsent ? 'unsent' : kind, detail, isHeard: this.#isHeard })
  }

  /** Ends the exchange: what still comes reaches nobody. */
  #settle(): Receiver | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#request = undefined
    this.#out = ''
    this.#onDrain = undefined
    return receiver
  }
}

/** A request on the wire, and the ways to answer it. */
import type { Duplex, Readable } from 'node:stream'
import { isFieldName, isFieldValue, isNamed } from '../../engine/fields.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, AnswerWriter, ConnectionFacts, FieldLines, ServerRequest } from '../../exchange.ts'
import { BodyReader } from '../../wire/body.ts'
import { wireFaults } from '../../wire/faults.ts'
import { responseHead } from '../../wire/write.ts'
import type { Head } from '../head.ts'
import { recover, refusalOfRequest } from '../recover.ts'
import { RequestBody } from './body.ts'
import type { Connection } from './connection.ts'
import { beginAnswer, type WireAnswerWriter } from './writer.ts'
import { ownAnswer } from './write-answer.ts'

/** Bytes of a packet up to which it may be kept in memory by a part of it, however small. */
const smallPacket = 4096
/** Bytes of a body that are read before anybody wants them: so a fault in it, or a client that leaves, is seen meanwhile. */
const readAhead = 16 * 1024
const continueHead = 'HTTP/1.1 100 Continue\r\n\r\n'

export class WireRequest implements ServerRequest {
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly fields: FieldLines
  readonly connection: ConnectionFacts
  readonly hasBody: boolean
  declare readonly contentLength?: number
  readonly isUpgrade: boolean
  readonly receivedAt: number
  /** False while body bytes are missing. */
  isWhole: boolean
  readonly #connection: Connection
  readonly #head: Head
  /** The sweeper's time at which the head began to arrive. */
  readonly #began: number
  readonly #reader: BodyReader | undefined
  /** Body bytes that came before somebody wanted them. */
  #early: Buffer[] | undefined = undefined
  #earlyBytes = 0
  #body: RequestBody | undefined = undefined
  #bodyFault: Refusal | undefined = undefined
  #bodyLimit = -1
  #bodyTimeout = -1
  #writer: WireAnswerWriter | undefined = undefined
  #onAbort: (() => void) | undefined = undefined
  #moreOnAbort: Set<() => void> | undefined = undefined
  #isAnswered = false
  #isOver = false

  /** @param began the sweeper's time at which its head began to arrive */
  constructor(
    connection: Connection,
    raw: { readonly method: string; readonly fields: FieldLines },
    head: Head,
    began: number,
  ) {
    this.method = raw.method
    this.target = head.target
    this.version = head.version
    this.fields = raw.fields
    this.connection = connection.facts
    this.hasBody = head.hasBody
    // Set in any case, so that all requests have one shape.
    this.contentLength = head.contentLength as number
    this.isUpgrade = head.isWebSocket
    this.receivedAt = connection.state.options.clock.now()
    this.isWhole = !head.hasBody
    this.#connection = connection
    this.#head = head
    this.#began = began
    this.#reader = head.hasBody ? new BodyReader() : undefined
    this.#reader?.begin(head.contentLength ?? 'chunked')
  }

  limitBody(limits: { readonly bytes: number; readonly timeout: number }): void {
    this.#bodyLimit = limits.bytes
    this.#bodyTimeout = limits.timeout
    this.#connection.state.sweeper.quicken(limits.timeout)
  }

  body(): Readable {
    if (this.#body !== undefined) throw new Error('the body of a request is read once')
    const { socket, state } = this.#connection
    const limits = state.options.limits()
    if (this.#bodyTimeout === -1) this.#bodyTimeout = limits.requestTimeout
    const body = new RequestBody(this, this.#bodyLimit === -1 ? limits.body : this.#bodyLimit)
    this.#body = body
    const early = this.#early
    this.#early = undefined
    if (this.#bodyFault !== undefined) body.fail(this.#bodyFault)
    else if (socket.destroyed) body.fail(refuse('client_gone'))
    else if (this.#head.expectsContinue && early === undefined && !this.isWhole && !this.#isAnswered) {
      this.#connection.output.write(continueHead)
    }
    early?.forEach((bytes) => body.feed(bytes))
    if (this.isWhole) body.finish()
    return body
  }

  onAbort(callback: () => void): () => void {
    if (this.#connection.socket.destroyed) {
      process.nextTick(callback)
      return () => undefined
    }
    if (this.#onAbort === undefined) this.#onAbort = callback
    else (this.#moreOnAbort ??= new Set()).add(callback)
    return () => {
      if (this.#onAbort === callback) this.#onAbort = undefined
      else this.#moreOnAbort?.delete(callback)
    }
  }

  answer(answer: Answer): void {
    this.#assertUnanswered()
    const { state } = this.#connection
    const isClosing = this.#closes(true)
    const date = state.date.at(state.options.clock.now())
    const parts = ownAnswer(answer, this.method, date, {
      isClosing,
      saysKeepAlive: this.#saysKeepAlive(isClosing),
    })
    // Only now: an answer that could not be written leaves room for another.
    this.#isAnswered = true
    if (isClosing) this.#connection.seal()
    for (const { text, encoding } of parts) {
      if (encoding === 'latin1') this.#connection.output.send(text)
      else this.#connection.output.write(text, encoding)
    }
    this.finish(isClosing)
  }

  inform(status: number, fields: FieldLines): void {
    // HTTP/1.0 knows none: its reader would take the first head for the answer.
    if (this.version === '1.0' || this.#isAnswered || status <= 101 || status > 199) return
    const lines: string[] = []
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index]!
      const value = fields[index + 1]!
      if (isFieldName(name) && isFieldValue(value)) lines.push(name, value)
    }
    this.#connection.output.write(responseHead(status, '', lines, '', undefined))
  }

  begin(head: {
    readonly status: number
    readonly reason: string
    readonly fields: FieldLines
  }): AnswerWriter {
    this.#assertUnanswered()
    const { state } = this.#connection
    const date = state.date.at(state.options.clock.now())
    const writer = beginAnswer(this, this.#connection.output, head, {
      date,
      closes: (hasKnownEnd) => this.#closes(hasKnownEnd),
      saysKeepAlive: (isClosing) => this.#saysKeepAlive(isClosing),
    })
    this.#isAnswered = true
    if (writer.isClosing) this.#connection.seal()
    this.#writer = writer
    return writer
  }

  tunnel(fields: FieldLines): Duplex {
    if (!this.isUpgrade) throw new Error('only an upgrade becomes a tunnel')
    this.#assertUnanswered()
    const lines = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index]!
      if (!isNamed(name, 'connection') && !isNamed(name, 'upgrade')) lines.push(name, fields[index + 1]!)
    }
    const head = responseHead(101, '', lines, '', undefined)
    this.#isAnswered = true
    this.#isOver = true
    const socket = this.#connection.becomeTunnel()
    if (socket.writable) socket.write(head, 'latin1')
    return socket
  }

  retract(): void {
    this.#isAnswered = false
    this.#writer = undefined
  }

  /** The answer's last byte is written. */
  finish(isClosing: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onAbort = undefined
    this.#moreOnAbort = undefined
    this.#connection.finished(isClosing)
  }

  #assertUnanswered(): void {
    if (this.#isAnswered) throw new Error('a request is answered once')
  }

  /**
   * Whether the answer that leaves now is the connection's last; nothing after it is looked at then.
   *
   * @param hasKnownEnd whether the client can tell where the answer ends
   */
  #closes(hasKnownEnd: boolean): boolean {
    const { state, hasWaiting, isSealed } = this.#connection
    return (
      !hasKnownEnd ||
      isSealed ||
      // What is not read of a body stands where the next head would.
      (this.hasBody && this.#body?.isWhole !== true) ||
      // The client may speak another language already.
      this.#head.asksUpgrade ||
      !this.#head.persists ||
      (state.isDraining && !hasWaiting)
    )
  }

  #saysKeepAlive(isClosing: boolean): boolean {
    return this.version === '1.0' && !isClosing
  }

  // What its connection tells it.

  /** Hands it over to be handled. Whatever of the body came with the head was read: a fault in it is told instead. */
  dispatch(): void {
    const { options } = this.#connection.state
    try {
      if (this.#bodyFault === undefined) options.handle(this)
      else this.answer(refusalOfRequest(this, this.#bodyFault, options))
    } catch (fault) {
      const { output } = this.#connection
      recover(this, fault, options, { isAnswered: this.#isAnswered, cut: () => output.cut() })
    }
  }

  /** @returns the first byte behind the body, or behind what came of it */
  take(bytes: Buffer, from: number): number {
    // Behind a fault nobody knows what the bytes are.
    if (this.#bodyFault !== undefined) return bytes.length
    const reader = this.#reader!
    let at = from
    let start = from
    let end = from
    let progress = reader.next(bytes, at, bytes.length)
    while (progress === 'data') {
      at = reader.at
      if (start === end) {
        start = reader.start
        end = reader.end
      } else {
        // Chunks are put together where they stand: a client that sends one for each byte must not cost an object for each.
        bytes.copyWithin(end, reader.start, reader.end)
        end += reader.end - reader.start
      }
      progress = reader.next(bytes, at, bytes.length)
    }
    if (end > start && !this.#push(part(bytes, start, end)) && progress === 'more')
      this.#connection.pauseReading()
    if (progress === 'fault') {
      this.#connection.seal()
      this.failBody(refuse('body_malformed', { detail: wireFaults[reader.fault!] }))
      return bytes.length
    }
    if (progress === 'done') {
      this.isWhole = true
      this.#body?.finish()
    }
    return reader.at
  }

  /** @returns whether more is taken */
  #push(bytes: Buffer): boolean {
    if (this.#body !== undefined) return this.#body.feed(bytes)
    ;(this.#early ??= []).push(bytes)
    this.#earlyBytes += bytes.length
    return this.#earlyBytes < readAhead
  }

  /** The body's reader takes more. */
  wantMore(): void {
    if (!this.isWhole && !this.#isOver) this.#connection.resumeReading()
  }

  failBody(refusal: Refusal): void {
    if (this.isWhole) return
    this.#bodyFault ??= refusal
    this.#early = undefined
    this.#body?.fail(refusal)
  }

  drained(): void {
    this.#writer?.drained()
  }

  /** The client is gone before the answer left. */
  abandon(): void {
    this.failBody(refuse('client_gone'))
    const onAbort = this.#onAbort
    const more = this.#moreOnAbort
    this.#onAbort = undefined
    this.#moreOnAbort = undefined
    onAbort?.()
    more?.forEach((callback) => callback())
  }

  /** @param now the sweeper's time */
  sweep(now: number): void {
    if (this.#body === undefined || this.isWhole || this.#bodyFault !== undefined) return
    if (now - this.#began >= this.#bodyTimeout) this.failBody(refuse('request_timeout'))
  }
}

/** @returns the bytes; copied where they would keep more than twice as much in memory */
function part(packet: Buffer, start: number, end: number): Buffer {
  const bytes = packet.subarray(start, end)
  return packet.length > smallPacket && bytes.length * 2 < packet.length ? Buffer.from(bytes) : bytes
}

/** A stream's request, and the ways to answer it. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Duplex, Readable } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, AnswerWriter, ConnectionFacts, FieldLines, ServerRequest } from '../../exchange.ts'
import { Content } from '../../http2/content.ts'
import { cutStream } from '../../http2/cut.ts'
import { isGrpc } from '../problem.ts'
import { RequestBody } from './body.ts'
import type { Http2Head } from './head.ts'
import type { Http2Session } from './session.ts'
import { beginAnswer, writeAnswer, writeInterim, type StreamWriter } from './writer.ts'

/** How long the rest of an answer that was cut may take to leave, in milliseconds. */
const farewell = 1000

export class Http2Request implements ServerRequest {
  readonly method: string
  readonly target: string
  readonly version = '2'
  readonly fields: FieldLines
  readonly connection: ConnectionFacts
  readonly hasBody: boolean
  declare readonly contentLength?: number
  readonly isUpgrade = false
  readonly receivedAt: number
  readonly #session: Http2Session
  readonly #stream: ServerHttp2Stream
  readonly #content: Content | undefined
  readonly #expectsContinue: boolean
  readonly #isGrpc: boolean
  /** The sweeper's time at which the head was there. */
  readonly #began: number
  #bodyLimit = -1
  #bodyTimeout = -1
  #body: RequestBody | undefined = undefined
  #bodyFault: Refusal | undefined = undefined
  #writer: StreamWriter | undefined = undefined
  #aborts: (() => void)[] | undefined = undefined
  #isAnswered = false
  /** All of the answer is on its way. */
  #isOver = false
  /** node:http2 ends the answer to HEAD before there is one. */
  readonly #isEndedEarly: boolean
  #isGone = false
  // For the sweeper to compare with.
  #queued = -1
  #queuedAt: number
  #moved = -1
  #movedAt: number
  #cutAt = -1

  /** @param endsHere no body follows */
  constructor(session: Http2Session, stream: ServerHttp2Stream, head: Http2Head, endsHere: boolean) {
    this.method = head.method
    this.target = head.target
    this.fields = head.fields
    this.connection = session.facts
    this.hasBody = !endsHere
    // Set in any case, so that all requests have one shape.
    this.contentLength = head.contentLength as number
    this.receivedAt = session.options.clock.now()
    this.#session = session
    this.#stream = stream
    this.#content = endsHere ? undefined : new Content(stream)
    this.#isEndedEarly = head.method === 'HEAD'
    this.#expectsContinue = head.expectsContinue
    this.#isGrpc = isGrpc(fieldOf(head.fields, 'content-type') ?? '')
    this.#began = session.sweeper.soon
    this.#queuedAt = this.#began
    this.#movedAt = this.#began
    // The client went, or nghttp2 found a fault in what it sent: either way nobody waits for an answer.
    stream.on('aborted', () => this.leave())
    stream.once('close', () => this.leave())
    stream.once('finish', () => this.#finish())
  }

  /** Bytes of the body that have come. */
  get received(): number {
    return (this.#body?.taken ?? 0) + this.#stream.readableLength
  }

  /** Bytes of a proxied answer's body. */
  get sent(): number {
    return this.#writer?.written ?? 0
  }

  limitBody(limits: { readonly bytes: number; readonly timeout: number }): void {
    this.#bodyLimit = limits.bytes
    this.#bodyTimeout = limits.timeout
    this.#session.sweeper.quicken(limits.timeout)
  }

  body(): Readable {
    if (this.#body !== undefined) throw new Error('the body of a request is read once')
    const limits = this.#session.options.limits()
    if (this.#bodyLimit === -1) this.#bodyLimit = limits.body
    if (this.#bodyTimeout === -1) this.#bodyTimeout = limits.requestTimeout
    const body = new RequestBody(this.#stream, this.#content, this.#bodyLimit, this.contentLength)
    this.#body = body
    if (this.#bodyFault !== undefined) body.fail(this.#bodyFault)
    else if (this.#isGone) body.fail(refuse('client_gone'))
    else if (this.hasBody && this.#expectsContinue && !this.#isAnswered) writeInterim(this.#stream, 100, [])
    return body
  }

  onAbort(callback: () => void): () => void {
    if (this.#isGone) {
      process.nextTick(callback)
      return () => undefined
    }
    ;(this.#aborts ??= []).push(callback)
    return () => {
      const at = this.#aborts?.indexOf(callback) ?? -1
      if (at !== -1) this.#aborts?.splice(at, 1)
    }
  }

  answer(answer: Answer): void {
    this.#assertUnanswered()
    this.#session.beforeAnswer()
    if (!this.#isGone) writeAnswer(this.#stream, this.method, answer)
    // Only now: an answer that could not be written leaves room for another.
    this.#isAnswered = true
    if (this.#isEndedEarly) this.#finish()
  }

  inform(status: number, fields: FieldLines): void {
    if (!this.#isAnswered && status > 101 && status <= 199) writeInterim(this.#stream, status, fields)
  }

  begin(head: { readonly status: number; readonly fields: FieldLines }): AnswerWriter {
    this.#assertUnanswered()
    const writer = beginAnswer(this.#stream, head, {
      method: this.method,
      isGrpc: this.#isGrpc,
      onHead: () => this.#session.beforeAnswer(),
      onBodiless: () => {
        if (this.#isEndedEarly) this.#finish()
      },
      onRetract: () => {
        this.#isAnswered = false
        this.#writer = undefined
      },
    })
    this.#writer = writer
    this.#isAnswered = true
    return writer
  }

  tunnel(): Duplex {
    throw new Error('HTTP/2 knows no upgrade')
  }

  /** Refuses what is well-formed in itself no more: only where nothing was answered yet. */
  refuse(refusal: Refusal): void {
    this.answer(this.#session.refusalOf(refusal, this))
  }

  /** Not all of it has come. */
  get isUnfinished(): boolean {
    return this.hasBody && this.#body?.isWhole !== true
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  #assertUnanswered(): void {
    if (this.#isAnswered) throw new Error('a request is answered once')
  }

  /** All of the answer has left. A client that still sends is told to stop: RFC 9113, section 8.1. */
  #finish(): void {
    if (!this.#isAnswered || this.#isOver) return
    this.#isOver = true
    if (!this.isUnfinished) return
    this.#failBody(refuse('client_gone', { detail: 'answered before the body had come' }))
    // A turn later: the last bytes are handed to nghttp2 in this one.
    setImmediate(closeQuietly, this.#stream)
  }

  /** The client is gone, or the stream is over. */
  leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#session.forget(this, !this.#isOver && this.#writer?.isAborted !== true)
    this.#failBody(refuse('client_gone'))
    const aborts = this.#aborts
    this.#aborts = undefined
    if (!this.#isOver) aborts?.forEach((callback) => callback())
  }

  #failBody(refusal: Refusal): void {
    this.#bodyFault ??= refusal
    this.#body?.fail(refusal)
  }

  /** @param now the sweeper's time */
  sweep(now: number): void {
    this.#sweepBody(now)
    if (this.#cutAt === -1) this.#sweepAnswer(now)
    // Not even the end of the stream could be told: nothing leaves the connection.
    else if (now - this.#cutAt >= farewell) this.#session.cut()
  }

  #sweepBody(now: number): void {
    if (this.#body === undefined || this.#body.isWhole || this.#bodyFault !== undefined) return
    const isLate = now - this.#began >= this.#bodyTimeout
    if (isLate || this.#isSilent(now)) this.#failBody(refuse('request_timeout'))
  }

  /** A call without a time limit, and not a byte of it, neither way, for as long as an idle connection may last. */
  #isSilent(now: number): boolean {
    const moved = this.received + this.sent
    if (moved !== this.#moved) {
      this.#moved = moved
      this.#movedAt = now
    }
    return this.#bodyTimeout === Infinity && now - this.#movedAt >= this.#session.options.limits().idleTimeout
  }

  /** Bytes wait for the client's window, and none of them found room for as long as an idle connection may last. */
  #sweepAnswer(now: number): void {
    const writer = this.#writer
    const queued = this.#stream.bufferSize
    // The end of an answer waits, too, where nghttp2 does not get to it.
    const isWaiting = queued > 0 || (this.#isAnswered && !this.#isOver && writer?.isOver !== false)
    if (!isWaiting || queued !== this.#queued) {
      this.#queued = queued
      this.#queuedAt = now
    }
    const patience = writer?.isAborted === true ? farewell : this.#session.options.limits().idleTimeout
    if (!isWaiting || now - this.#queuedAt < patience) return
    this.#cutAt = now
    cutStream(this.#stream, constants.NGHTTP2_CANCEL)
  }
}

/** Ends what is left of a stream, and lets go of what came and nobody read. */
function closeQuietly(stream: ServerHttp2Stream): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR)
  stream.resume()
}

function fieldOf(fields: FieldLines, name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}

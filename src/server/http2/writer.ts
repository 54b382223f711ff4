/** Answers on a stream. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isFieldName, isFieldValue } from '../../engine/fields.ts'
import type { Refusal } from '../../engine/outcome.ts'
import type { Answer, AnswerWriter, FieldLines } from '../../exchange.ts'
import { cutStream } from '../../http2/cut.ts'
import { grpcStatusFields, isGrpc } from '../problem.ts'
import { ownLines, proxiedLines, trailerPairs } from '../respond.ts'

/** Writes an answer of the gateway's own. */
export function writeAnswer(stream: ServerHttp2Stream, method: string, answer: Answer): void {
  const lines = ownLines(answer, Buffer.byteLength(answer.body), false)
  const isEmpty = method === 'HEAD' || answer.body === ''
  stream.respond(headOf(answer.status, lines), { endStream: isEmpty })
  if (!isEmpty) stream.end(answer.body)
}

/** Writes an interim answer. Fields that could not be written safely are left out. */
export function writeInterim(stream: ServerHttp2Stream, status: number, fields: FieldLines): void {
  if (stream.closed || stream.destroyed || stream.headersSent) return
  const headers: OutgoingHttpHeaders = { ':status': status }
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase()
    const value = fields[index + 1]!
    if (isFieldName(name) && isFieldValue(value) && !unsendable.has(name)) append(headers, name, value)
  }
  stream.additionalHeaders(headers)
}

/** Where an answer goes, and what the request says of its form. */
export interface AnswerContext {
  readonly method: string
  /** The request was a gRPC call: its client wants a status, even of an answer that is cut. */
  readonly isGrpc: boolean
  /** Called before the first byte leaves. */
  readonly onHead: () => void
  /** Called when a head is out that is all of the answer. */
  readonly onBodiless: () => void
  /** Called when the answer was taken back. */
  readonly onRetract: () => void
}

/** Begins a proxied answer. @throws when its head cannot be written; then nothing was */
export function beginAnswer(
  stream: ServerHttp2Stream,
  head: { readonly status: number; readonly fields: FieldLines },
  context: AnswerContext,
): StreamWriter {
  const { status } = head
  const { method } = context
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
  const lines = proxiedLines(head.fields, { status, method, version: '2', isClosing: false })
  return new StreamWriter(stream, headOf(status, lines), hasBody, context)
}

/** What may wait for the end of an answer, to leave with its head. */
const mostTogether = 16 * 1024

export class StreamWriter implements AnswerWriter {
  readonly #stream: ServerHttp2Stream
  readonly #head: string[]
  readonly #hasBody: boolean
  readonly #context: AnswerContext
  /** Bytes that the body must have; Infinity where nothing says. */
  #left: number
  #parts: (Uint8Array | string)[] = []
  #held = 0
  #trailers: FieldLines = []
  #drained: (() => void) | undefined = undefined
  #isHeadOut = false
  #isOver = false
  /** Bytes of the body that were handed over. */
  written = 0
  /** It was cut; what leaves now are at most bytes that were on their way, and a status. */
  isAborted = false

  constructor(stream: ServerHttp2Stream, head: string[], hasBody: boolean, context: AnswerContext) {
    this.#stream = stream
    this.#head = head
    this.#hasBody = hasBody
    this.#context = context
    this.#left = hasBody ? lengthOf(head) : Infinity
  }

  write(chunk: Uint8Array | string): boolean {
    const stream = this.#stream
    // Nobody takes these bytes. After the end they would even be an error that nobody catches.
    if (this.#isOver || stream.destroyed || stream.writableEnded) return false
    const { length } = chunk
    if (!this.#hasBody || length === 0) return true
    this.#left -= length
    if (this.#left < 0) {
      // More than was declared: clients differ about what that is.
      this.abort()
      return false
    }
    this.written += length
    if (this.#isHeadOut) return writeTo(stream, chunk)
    this.#parts.push(chunk)
    this.#held += length
    if (this.#held > mostTogether) this.flush()
    return !stream.writableNeedDrain
  }

  /** Nothing follows, whole or cut. */
  get isOver(): boolean {
    return this.#isOver
  }

  flush(): void {
    if (this.#isHeadOut || this.#isOver) return
    this.#open(false)
  }

  onDrain(callback: () => void): void {
    if (this.#drained === undefined) this.#stream.on('drain', () => this.#drained?.())
    this.#drained = callback
  }

  end(trailers?: FieldLines): void {
    if (this.#isOver) return
    if (this.#hasBody && this.#left !== Infinity && this.#left !== 0) {
      this.abort()
      return
    }
    this.#isOver = true
    if (trailers !== undefined) this.#trailers = trailers
    if (!this.#isHeadOut) this.#open(true)
    this.#stream.end()
  }

  /** Also where only the head was cut off: a gRPC status may be all of an answer. */
  abort(why?: Refusal): void {
    const stream = this.#stream
    if (this.isAborted || stream.closed || stream.destroyed) return
    this.isAborted = true
    if (why !== undefined && this.#canTellGrpcStatus()) {
      this.#trailers = grpcStatusFields(why)
      this.flush()
      this.#isOver = true
      stream.end()
      return
    }
    this.#isOver = true
    cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR)
  }

  #canTellGrpcStatus(): boolean {
    return this.#context.isGrpc && this.#hasBody && !this.#isOver && isGrpcAnswer(this.#head)
  }

  retract(): boolean {
    if (this.#isHeadOut || this.#isOver) return false
    this.#isOver = true
    this.#context.onRetract()
    return true
  }

  /** @param isAll nothing follows what is held */
  #open(isAll: boolean): void {
    const stream = this.#stream
    this.#isHeadOut = true
    const parts = this.#parts
    this.#parts = []
    if (stream.closed || stream.destroyed) return
    this.#context.onHead()
    // A head that is all there is says so: to gRPC clients it is another form of answer than one with an end of its own.
    const isEmpty = !this.#hasBody || (isAll && parts.length === 0 && this.#trailers.length === 0)
    // Without trailers to wait for, a stream that is closed ends as if all had been said.
    stream.respond(this.#head, isEmpty ? { endStream: true } : { waitForTrailers: true })
    if (isEmpty) {
      this.#context.onBodiless()
      return
    }
    stream.once('wantTrailers', () => this.#sendTrailers())
    for (const part of parts) writeTo(stream, part)
  }

  #sendTrailers(): void {
    const stream = this.#stream
    if (stream.closed || stream.destroyed) return
    const headers: OutgoingHttpHeaders = {}
    for (const [name, value] of trailerPairs(this.#trailers)) append(headers, name.toLowerCase(), value)
    // Without any, an empty DATA frame ends the stream.
    stream.sendTrailers(headers)
  }
}

function writeTo(stream: ServerHttp2Stream, chunk: Uint8Array | string): boolean {
  return typeof chunk === 'string' ? stream.write(chunk, 'latin1') : stream.write(chunk)
}

/** node:http2 throws where it meets them: they belong to HTTP/1.1 connections. */
const unsendable: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** @throws when a field cannot be written */
function headOf(status: number, lines: FieldLines): string[] {
  const head: string[] = [':status', String(status)]
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!.toLowerCase()
    const value = lines[index + 1]!
    if (unsendable.has(name) || (status === 205 && name === 'content-length')) continue
    if (!isFieldName(name) || !isFieldValue(value)) throw new Error('a field of the answer is malformed')
    head.push(name, value)
  }
  return head
}

function lengthOf(head: FieldLines): number {
  const declared = fieldOf(head, 'content-length')
  return declared === undefined ? Infinity : Number(declared)
}

function isGrpcAnswer(head: FieldLines): boolean {
  return isGrpc(fieldOf(head, 'content-type') ?? '')
}

function fieldOf(head: FieldLines, name: string): string | undefined {
  for (let index = 0; index < head.length; index += 2) if (head[index] === name) return head[index + 1]
  return undefined
}

function append(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const before = headers[name]
  if (before === undefined) headers[name] = value
  else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value]
}

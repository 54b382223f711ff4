/** Answers on a stream. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isFieldName, isFieldValue } from '../../engine/fields.ts'
import type { Refusal } from '../../engine/outcome.ts'
import type { Answer, AnswerWriter, FieldLines } from '../../exchange.ts'
import { grpcStatusFields, isGrpc } from '../problem.ts'
import { ownLines, proxiedLines, trailerPairs } from '../respond.ts'

/** Writes an answer of the gateway's own. */
export function writeAnswer(stream: ServerHttp2Stream, method: string, answer: Answer): void {
  const lines = ownLines(answer, Buffer.byteLength(answer.body), false)
  const isEmpty = method === 'HEAD' || answer.body === ''
  respond(stream, answer.status, lines, { endStream: isEmpty })
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
}

/** Begins a proxied answer. */
export function beginAnswer(
  stream: ServerHttp2Stream,
  head: { readonly status: number; readonly fields: FieldLines },
  context: AnswerContext,
): StreamWriter {
  const { status } = head
  const { method } = context
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
  const lines = proxiedLines(head.fields, { status, method, version: '2', isClosing: false })
  respond(stream, status, lines, { waitForTrailers: hasBody })
  return new StreamWriter(stream, hasBody, context.isGrpc && isGrpcAnswer(lines))
}

function isGrpcAnswer(lines: FieldLines): boolean {
  for (let index = 0; index < lines.length; index += 2)
    if (lines[index]!.toLowerCase() === 'content-type') return isGrpc(lines[index + 1]!)
  return false
}

export class StreamWriter implements AnswerWriter {
  readonly #stream: ServerHttp2Stream
  readonly #hasBody: boolean
  readonly #isGrpc: boolean
  #trailers: FieldLines = []
  #drained: (() => void) | undefined = undefined
  /** Bytes of the body that were handed over. */
  written = 0
  /** It was cut; what leaves now are at most bytes that were on their way, and a status. */
  isAborted = false

  constructor(stream: ServerHttp2Stream, hasBody: boolean, isGrpc: boolean) {
    this.#stream = stream
    this.#hasBody = hasBody
    this.#isGrpc = isGrpc
    // Without it a stream ends by itself after its last byte, and an answer that is cut would look like a whole one.
    if (hasBody) stream.once('wantTrailers', () => this.#sendTrailers())
  }

  write(chunk: Uint8Array | string): boolean {
    // Nobody takes these bytes. After the end they would even be an error that nobody catches.
    if (this.#stream.destroyed || this.#stream.writableEnded) return false
    if (!this.#hasBody) return true
    this.written += chunk.length
    return typeof chunk === 'string' ? this.#stream.write(chunk, 'latin1') : this.#stream.write(chunk)
  }

  flush(): void {
    // nghttp2 writes once a turn of the loop whatever has gathered by then: nothing is held back here.
  }

  onDrain(callback: () => void): void {
    if (this.#drained === undefined) this.#stream.on('drain', () => this.#drained?.())
    this.#drained = callback
  }

  end(trailers?: FieldLines): void {
    if (trailers !== undefined) this.#trailers = trailers
    this.#stream.end()
  }

  abort(why?: Refusal): void {
    const stream = this.#stream
    if (stream.closed || stream.destroyed) return
    this.isAborted = true
    if (why !== undefined && this.#isGrpc && this.#hasBody && !stream.writableEnded) {
      this.#trailers = grpcStatusFields(why)
      stream.end()
    } else stream.close(constants.NGHTTP2_INTERNAL_ERROR)
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

function respond(
  stream: ServerHttp2Stream,
  status: number,
  lines: FieldLines,
  options: { readonly endStream?: boolean; readonly waitForTrailers?: boolean },
): void {
  const headers: string[] = [':status', String(status)]
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!.toLowerCase()
    if (!unsendable.has(name) && !(status === 205 && name === 'content-length'))
      headers.push(name, lines[index + 1]!)
  }
  stream.respond(headers, options)
}

function append(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const before = headers[name]
  if (before === undefined) headers[name] = value
  else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value]
}

/**
 * A proxied answer on the wire. Framing is ours: the length that the upstream declared, or chunks of our own making, or, for
 * HTTP/1.0, the end of the connection. A small answer leaves as one write, head and body together.
 */
import { isNamed } from '../../engine/fields.ts'
import type { AnswerWriter, FieldLines, ServerRequest } from '../../exchange.ts'
import { chunkStart, lastChunk, responseHead } from '../../wire/write.ts'
import { proxiedLines, trailerPairs } from '../respond.ts'
import type { Output } from './output.ts'

/** Bytes up to which parts are put together as text; beyond, a copy costs more than a write of its own. */
const mostTogether = 16 * 1024

export interface AnswerFacts {
  readonly date: string
  closes(hasKnownEnd: boolean): boolean
  saysKeepAlive(isClosing: boolean): boolean
}

interface Owner extends Pick<ServerRequest, 'method' | 'version'> {
  finish(isClosing: boolean): void
  /** The answer that was begun is none. */
  retract(): void
}

const chunkedLine = 'Transfer-Encoding: chunked\r\n'
const keepAliveLine = 'Connection: keep-alive\r\n'

/** @throws WriteError when a field cannot be written; then nothing was */
export function beginAnswer(
  request: Owner,
  output: Output,
  head: { readonly status: number; readonly reason: string; readonly fields: FieldLines },
  facts: AnswerFacts,
): WireAnswerWriter {
  const { status } = head
  const { method, version } = request
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
  const length = hasBody ? declaredLength(head.fields) : 0
  const isChunked = length === undefined && version === '1.1'
  const isClosing = facts.closes(length !== undefined || isChunked)
  const lines = proxiedLines(head.fields, { status, method, version, isClosing })
  const extra = (isChunked ? chunkedLine : '') + (facts.saysKeepAlive(isClosing) ? keepAliveLine : '')
  const text = responseHead(status, head.reason, lines, extra, facts.date)
  return new WireAnswerWriter(request, output, text, {
    hasBody,
    left: isChunked || length === undefined ? Infinity : length,
    isChunked,
    isClosing,
  })
}

function declaredLength(fields: FieldLines): number | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    if (isNamed(fields[index]!, 'content-length')) return Number(fields[index + 1])
  }
  return undefined
}

interface Shape {
  readonly hasBody: boolean
  /** Bytes that the body must have; Infinity where nothing says. */
  readonly left: number
  readonly isChunked: boolean
  readonly isClosing: boolean
}

export class WireAnswerWriter implements AnswerWriter {
  readonly isClosing: boolean
  readonly #request: Owner
  readonly #output: Output
  readonly #hasBody: boolean
  readonly #isChunked: boolean
  #left: number
  /** What waits to go out together. */
  #pending: string
  #onDrain: (() => void) | undefined = undefined
  #isOver = false
  #isHeadOut = false

  constructor(request: Owner, output: Output, head: string, shape: Shape) {
    this.#request = request
    this.#output = output
    this.#pending = head
    this.#hasBody = shape.hasBody
    this.#isChunked = shape.isChunked
    this.#left = shape.left
    this.isClosing = shape.isClosing
  }

  write(chunk: Uint8Array | string): boolean {
    const { socket } = this.#output
    if (this.#isOver || socket.destroyed) return false
    const { length } = chunk
    if (!this.#hasBody || length === 0) return true
    this.#left -= length
    if (this.#left < 0) {
      // More than was declared would be read as the next answer.
      this.abort()
      return false
    }
    if (this.#isChunked) this.#pending += chunkStart(length)
    if (length > mostTogether) {
      this.#writeApart(chunk)
    } else {
      this.#pending += typeof chunk === 'string' ? chunk : latin1(chunk)
      if (this.#isChunked) this.#pending += '\r\n'
      if (this.#pending.length > mostTogether) this.flush()
    }
    return !socket.writableNeedDrain
  }

  #writeApart(chunk: Uint8Array | string): void {
    const output = this.#output
    output.socket.cork()
    this.flush()
    output.write(chunk)
    if (this.#isChunked) this.#pending = '\r\n'
    output.socket.uncork()
  }

  flush(): void {
    const pending = this.#pending
    if (pending === '' || this.#isOver) return
    this.#pending = ''
    this.#isHeadOut = true
    this.#output.send(pending)
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback
  }

  drained(): void {
    this.#onDrain?.()
  }

  end(trailers?: FieldLines): void {
    if (this.#isOver) return
    if (this.#left !== Infinity && this.#left > 0 && this.#hasBody) {
      this.abort()
      return
    }
    if (this.#isChunked)
      this.#pending += lastChunk(trailers === undefined ? [] : trailerPairs(trailers).flat())
    this.flush()
    this.#isOver = true
    this.#request.finish(this.isClosing)
  }

  retract(): boolean {
    if (this.#isHeadOut || this.#isOver) return false
    this.#isOver = true
    this.#request.retract()
    return true
  }

  abort(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { socket } = this.#output
    // Where the end of the connection is the end of the body, only a reset tells a cut answer from a whole one.
    if (this.#left === Infinity && !this.#isChunked && !('encrypted' in socket)) socket.resetAndDestroy()
    else this.#output.cut()
  }
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
}

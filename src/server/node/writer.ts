/** The only place where answers become bytes. */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isFieldName, isFieldValue, isNamed } from '../../engine/fields.ts'
import type { Answer, AnswerWriter, FieldLines } from '../../exchange.ts'
import { ownLines, proxiedLines, trailerPairs, type Framing } from '../respond.ts'

/** Writes an answer of the gateway's own. */
export function writeAnswer(
  response: ServerResponse,
  method: string,
  answer: Answer,
  isClosing: boolean,
): void {
  const length = Buffer.byteLength(answer.body)
  response.writeHead(answer.status, ownLines(answer, length, isClosing))
  if (method === 'HEAD' || length === 0) response.end()
  else response.end(answer.body)
}

/**
 * Writes an answer past node:http, which has no response object for what it could not parse. Always the last of its connection.
 *
 * @param time milliseconds since the epoch, for `Date`
 */
export function writeRawAnswer(
  socket: Socket,
  method: string | undefined,
  answer: Answer,
  time: number,
): void {
  const lines = ownLines(answer, Buffer.byteLength(answer.body), true)
  lines.push('Date', new Date(time).toUTCString())
  socket.write(rawHead(answer.status, lines), 'latin1')
  if (method !== 'HEAD' && answer.body !== '') socket.write(answer.body)
}

/**
 * Writes an interim answer past node:http, whose own way to do so came late in its life. Only where it is the connection's turn,
 * and before the answer's head. Fields that could not be written safely are left out.
 */
export function writeInterim(socket: Socket, status: number, fields: FieldLines): void {
  const lines: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]!
    if (isFieldName(name) && isFieldValue(value)) lines.push(name, value)
  }
  if (socket.writable) socket.write(rawHead(status, lines), 'latin1')
}

/** Writes the 101 of a WebSocket. What the forwarder says of `Connection` and `Upgrade` is replaced. */
export function writeSwitch(socket: Socket, fields: FieldLines): void {
  const lines = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    if (!isNamed(name, 'connection') && !isNamed(name, 'upgrade')) lines.push(name, fields[index + 1]!)
  }
  if (socket.writable) socket.write(rawHead(101, lines), 'latin1')
}

function rawHead(status: number, lines: FieldLines): string {
  let text = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let index = 0; index < lines.length; index += 2) text += `${lines[index]!}: ${lines[index + 1]!}\r\n`
  return `${text}\r\n`
}

/** Begins a proxied answer on node:http's response. */
export function beginAnswer(
  response: ServerResponse,
  head: { readonly status: number; readonly reason: string; readonly fields: FieldLines },
  framing: Framing,
): AnswerWriter {
  const lines = proxiedLines(head.fields, framing) as string[]
  response.writeHead(head.status, isFieldValue(head.reason) ? head.reason : '', lines)
  return new NodeAnswerWriter(response, framing)
}

class NodeAnswerWriter implements AnswerWriter {
  readonly #response: ServerResponse
  readonly #framing: Framing
  #drained: (() => void) | undefined = undefined
  #isHeadOut = false

  constructor(response: ServerResponse, framing: Framing) {
    this.#response = response
    this.#framing = framing
    // The head goes out with the first bytes of the body when these come in the same turn of the loop, else by itself:
    // an event stream may be silent for long after its head.
    process.nextTick(flush, this)
  }

  write(chunk: Uint8Array | string): boolean {
    // Nobody takes these bytes. After the end they would even be an error that nobody catches.
    if (this.#response.destroyed || this.#response.writableEnded) return false
    if (!hasBody(this.#framing)) return true
    this.#isHeadOut = true
    return typeof chunk === 'string' ? this.#response.write(chunk, 'latin1') : this.#response.write(chunk)
  }

  onDrain(callback: () => void): void {
    if (this.#drained === undefined) this.#response.on('drain', () => this.#drained?.())
    this.#drained = callback
  }

  flush(): void {
    if (!this.#isHeadOut && !this.#response.writableEnded && !this.#response.destroyed)
      this.#response.flushHeaders()
  }

  end(trailers?: FieldLines): void {
    const response = this.#response
    if (trailers !== undefined && trailers.length > 0 && response.chunkedEncoding)
      response.addTrailers(trailerPairs(trailers))
    response.end()
  }

  abort(): void {
    const { socket } = this.#response
    if (socket === null) return
    // Where the end of the connection is the end of the body, only a reset tells a cut answer from a whole one.
    if (this.#framing.version === '1.0' && !('encrypted' in socket)) socket.resetAndDestroy()
    else socket.destroy()
  }
}

function flush(writer: NodeAnswerWriter): void {
  writer.flush()
}

/** @see RFC 9110, section 6.4.1 */
function hasBody({ method, status }: Framing): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304
}

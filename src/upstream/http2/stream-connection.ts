/** A stream for one request. To those who send it, it is a connection that is used once. */
import { constants, type ClientHttp2Stream } from 'node:http2'
import type { FieldLines } from '../../exchange.ts'
import { Content } from '../../http2/content.ts'
import { cutStream } from '../../http2/cut.ts'
import type { Connection, ConnectionFault, Receiver, RequestFacts } from '../connection.ts'
import type { ResponseHead } from '../response-head.ts'
import { judgeAnswerHead, splitHead } from './answer-head.ts'
import { writeRequestLines } from './request-lines.ts'
import type { Session } from './session.ts'

const none: readonly string[] = Object.freeze([])

/** The answer broke a rule, and not the connection. */
const broken: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
])

export class StreamConnection implements Connection {
  readonly address: string
  readonly uses: number
  readonly isReset = false
  readonly #session: Session
  readonly #closesSession: boolean
  #stream: ClientHttp2Stream | undefined = undefined
  #content: Content | undefined = undefined
  #receiver: Receiver | undefined = undefined
  #hasBody = false
  #isHeard = false
  #head: ResponseHead | undefined = undefined
  #received = 0
  #trailers: FieldLines = none
  #corks = 0
  #onDrain: (() => void) | undefined = undefined
  #onClose: (() => void)[] = []
  #isOver = false

  /** @param closesSession nobody else uses it */
  constructor(session: Session, uses: number, closesSession: boolean) {
    this.address = session.address
    this.uses = uses
    this.#session = session
    this.#closesSession = closesSession
  }

  get isOpen(): boolean {
    return this.#stream === undefined && !this.#isOver && this.#session.isUsable
  }

  send(facts: RequestFacts, receiver: Receiver): void {
    const lines = writeRequestLines(facts, this.#session.scheme)
    this.#receiver = receiver
    if (!this.isOpen) {
      process.nextTick(() => {
        this.#fail('unsent', 'the connection was closed before the request was sent')
        this.#over()
      })
      return
    }
    this.#hasBody = facts.body !== 'none' && facts.body !== 0
    const stream = this.#session.request(lines, !this.#hasBody)
    this.#stream = stream
    this.#content = new Content(stream)
    for (; this.#corks > 0; this.#corks -= 1) stream.cork()
    this.#listen(stream, facts.method)
    receiver.sent()
  }

  #listen(stream: ClientHttp2Stream, method: string): void {
    stream.on('error', ignore)
    stream.on('headers', (_headers, _flags, lines) => this.#interim(lines ?? none))
    stream.on('response', (_headers, flags, lines) => {
      this.#begin(lines ?? none, method, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0)
    })
    stream.on('trailers', (_headers, _flags, lines) => {
      this.#trailers = lines ?? none
    })
    stream.on('end', () => this.#end())
    stream.on('drain', () => this.#onDrain?.())
    stream.once('wantTrailers', () => {
      if (!stream.closed && !stream.destroyed) stream.sendTrailers({})
    })
    stream.once('close', () => this.#closed())
  }

  // What the stream tells.

  #interim(lines: FieldLines): void {
    this.#isHeard = true
    const raw = splitHead(lines)
    if (raw === undefined) this.#fail('invalid', 'an interim answer is too large')
    else if (raw.status > 100 && raw.status < 200) this.#receiver?.interim(raw)
  }

  #begin(lines: FieldLines, method: string, endsHere: boolean): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    this.#isHeard = true
    const head = judgeAnswerHead(splitHead(lines), method, endsHere)
    if (typeof head === 'string') {
      this.#fail('invalid', head)
      return
    }
    this.#head = head
    receiver.head(head)
    if (this.#receiver !== receiver) return
    this.#stream!.on('data', (chunk: Buffer) => this.#data(chunk))
    // Whatever came with the head is told in this turn of the loop.
    if (!endsHere) setImmediate(() => this.#flush())
  }

  #data(chunk: Buffer): void {
    this.#received += chunk.length
    this.#receiver?.data(chunk)
    this.#flush()
  }

  #flush(): void {
    this.#receiver?.flush()
  }

  #end(): void {
    const head = this.#head
    // A stream that was reset is told of when it is closed: its answer must not pass for a whole one.
    if (this.#receiver === undefined || head === undefined || this.#content?.isWhole !== true) return
    if (head.body === 'length' && this.#received !== head.length) {
      this.#fail('invalid', 'an answer that is not as long as it announced')
      return
    }
    this.#settle()?.end(this.#trailers)
  }

  #closed(): void {
    const stream = this.#stream!
    const code = stream.rstCode ?? constants.NGHTTP2_NO_ERROR
    this.#fail(this.#faultOf(code), this.#detailOf(code))
    this.#over()
  }

  #faultOf(code: number): ConnectionFault['kind'] {
    if (broken.has(code)) return 'invalid'
    // What of its body went out is gone: such a request cannot be sent again, whatever the target made of it.
    if (this.#hasBody || this.#isHeard) return 'lost'
    const id = this.#stream!.id
    const isUntouched =
      code === constants.NGHTTP2_REFUSED_STREAM || id === undefined || this.#session.isUntouched(id)
    return isUntouched ? 'unsent' : 'lost'
  }

  #detailOf(code: number): string {
    return code === constants.NGHTTP2_NO_ERROR || !this.#session.isUsable
      ? this.#session.closeDetail
      : `the stream was reset (${code})`
  }

  #fail(kind: ConnectionFault['kind'], detail: string): void {
    this.#settle()?.failed({ kind, detail, isHeard: this.#isHeard })
  }

  /** Ends the exchange: what still comes reaches nobody. */
  #settle(): Receiver | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#onDrain = undefined
    return receiver
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#session.release(this)
    if (this.#closesSession) this.#session.retire()
    for (const callback of this.#onClose) callback()
  }

  // What those who send a request do with it.

  write(chunk: Uint8Array | string): boolean {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed || stream.writableEnded) return false
    return typeof chunk === 'string' ? stream.write(chunk, 'latin1') : stream.write(chunk)
  }

  finish(): void {
    this.#stream?.end()
  }

  onDrain(callback: (() => void) | undefined): void {
    this.#onDrain = callback
  }

  cork(): void {
    if (this.#stream === undefined) this.#corks += 1
    else this.#stream.cork()
  }

  uncork(): void {
    this.#stream?.uncork()
  }

  pause(): void {
    this.#stream?.pause()
  }

  resume(): void {
    this.#stream?.resume()
  }

  destroy(): void {
    this.#settle()
    this.#reset()
  }

  abort(): void {
    this.#fail('lost', 'the upstream is closed')
    this.#reset()
  }

  onClose(callback: () => void): void {
    if (this.#isOver) process.nextTick(callback)
    else this.#onClose.push(callback)
  }

  #reset(): void {
    const stream = this.#stream
    if (stream === undefined) this.#over()
    else {
      cutStream(stream, constants.NGHTTP2_CANCEL)
      // What came and nobody read would keep the stream.
      stream.resume()
    }
  }
}

function ignore(): void {
  // Told by 'close' too.
}

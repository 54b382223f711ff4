/** One client connection: its streams, how long it may be silent, how much noise it may make, and how it ends. */
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, ConnectionFacts, FieldLines } from '../../exchange.ts'
import { cutStream } from '../../http2/cut.ts'
import { handleOf, keepSessionOf, type SessionHandle } from '../../http2/keeper.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Sweeper } from '../../wire/sweeper.ts'
import { requestIdOf } from '../request-id.ts'
import { Budget } from './budget.ts'
import { readHead } from './head.ts'
import { Http2Request } from './request.ts'
import { sessionOptions, windows } from './settings.ts'
import { writeAnswer } from './writer.ts'

/** What the sessions of one listener share. */
export interface PlaneState {
  readonly options: ListenerOptions
  readonly sweeper: Sweeper
  readonly sessions: Set<Http2Session>
  /** The next answer of each session is its last: clients send new requests elsewhere. */
  isDraining: boolean
  /** The sweeper's time since when sessions end after a second, answers under way or not; -1: they do not. */
  closingSince: number
}

/** Silence after which nothing is taken to be on its way, in milliseconds. */
const settled = 1000
/** How long a client may take to close its side, in milliseconds. */
const lingering = 2000

/**
 * Streams that end before their answer does, whoever ends them: each costs a whole request, and none counts as open. Answers
 * earn more of them, so that a proxy that sends the requests of many, some of whom leave, is not taken for an attacker.
 * @see CVE-2023-44487 (rapid reset), CVE-2025-8671 (made you reset)
 */
const resets = { most: 200, perSecond: 10 } as const
/**
 * Bytes that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, padding, frames of a byte each. Earned by requests (their
 * heads are in it), by those that end before all of them was there (what was on its way for them is nothing now), and by content:
 * clients acknowledge each message that they get.
 * @see CVE-2019-9512, CVE-2019-9513, CVE-2019-9515
 */
const noise = {
  most: 256 * 1024,
  perSecond: 32 * 1024,
  perStream: 16 * 1024,
  perUnfinished: windows.stream,
  perByteReceived: 1,
  perByteSent: 4,
} as const

export class Http2Session {
  readonly options: ListenerOptions
  readonly sweeper: Sweeper
  readonly facts: ConnectionFacts
  readonly #plane: PlaneState
  readonly #socket: Socket
  readonly #session: ServerHttp2Session
  readonly #handle: SessionHandle
  readonly #requests = new Set<Http2Request>()
  readonly #resets: Budget
  readonly #noise: Budget
  #isEnding = false
  #endsAt = 0
  #idleSince: number
  #hasSettings = false
  /** More was too much: whatever still comes is not looked at. */
  #isCalmed = false
  #halfClosedAt = -1
  #streams = 0
  #lastStream = 0
  #headSince = -1
  #bytesRead = 0
  /** Of requests that are over. */
  #received = 0
  #sent = 0
  #unfinished = 0
  /** Noise that was earned at the last tick. */
  #earned = 0

  constructor(socket: Socket, facts: ConnectionFacts, plane: PlaneState) {
    const { options, sweeper } = plane
    this.options = options
    this.sweeper = sweeper
    this.facts = facts
    this.#plane = plane
    this.#socket = socket
    this.#idleSince = sweeper.soon
    this.#resets = new Budget(resets.most, resets.perSecond, sweeper.time)
    this.#noise = new Budget(noise.most, noise.perSecond, sweeper.time)
    // Not a server that never listens: a session has all that is needed, and takes the limits of now.
    const session = performServerHandshake(socket, sessionOptions(options.limits()))
    this.#session = session
    this.#handle = handleOf(session)
    session.setLocalWindowSize(windows.connection)
    session.on('error', ignore)
    session.on('stream', (stream, _headers, flags, lines) => this.#receive(stream, flags, lines))
    session.once('remoteSettings', () => {
      this.#hasSettings = true
    })
    session.once('close', () => this.#end())
    socket.once('end', () => this.#halfClose())
    socket.once('close', () => this.#closed())
  }

  /**
   * An answer is about to leave: while clients are to go elsewhere, GOAWAY goes before it, as `Connection: close` goes with it in
   * HTTP/1.1. Not sooner: node:http2 hears of no stream after a GOAWAY, so a notice in advance (RFC 9113, section 6.8) is none.
   */
  beforeAnswer(): void {
    if (this.#plane.isDraining) this.#end()
  }

  /** Cuts the connection. */
  cut(): void {
    this.#session.destroy()
    this.#socket.destroy()
  }

  /** @param isReset it ended before its answer did, and not by us */
  forget(request: Http2Request, isReset: boolean): void {
    this.#requests.delete(request)
    this.#received += request.received
    this.#sent += request.sent
    if (request.isUnfinished) this.#unfinished += 1
    if (isReset) this.#countReset()
    else this.#resets.earn(1)
    if (this.#requests.size === 0) this.#idleSince = this.sweeper.soon
  }

  #countReset(): void {
    if (!this.#resets.spend(1, this.sweeper.time)) this.#calm()
  }

  refusalOf(
    refusal: Refusal,
    head: { readonly method: string; readonly target: string; readonly fields: FieldLines },
  ): Answer {
    const { method, target, fields } = head
    const facts = { requestId: requestIdOf(fields), connection: this.facts, method, target, fields }
    return this.options.refuse(refusal, facts)
  }

  #receive(stream: ServerHttp2Stream, flags: number, lines: FieldLines): void {
    stream.on('error', ignore)
    keepSessionOf(stream, this.#handle)
    this.#streams += 1
    this.#lastStream = stream.id ?? this.#lastStream
    if (this.#isCalmed) return
    // Reset in the same packet: nobody works for it.
    if (stream.closed || stream.destroyed) {
      this.#countReset()
      return
    }
    const head = readHead(lines, this.options.limits())
    if ('refusal' in head) this.#answerRefusal(stream, head)
    else {
      const endsHere = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      const request = new Http2Request(this, stream, head, endsHere)
      this.#requests.add(request)
      this.#dispatch(request, stream)
    }
  }

  #answerRefusal(
    stream: ServerHttp2Stream,
    head: {
      readonly refusal: Refusal
      readonly method: string
      readonly target: string
      readonly fields: FieldLines
    },
  ): void {
    try {
      this.beforeAnswer()
      writeAnswer(stream, head.method, this.refusalOf(head.refusal, head))
    } catch (fault) {
      // Who renders refusals should not throw; if they do, the stream ends without a word, and the process goes on.
      this.options.onFault?.(fault)
      cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR)
    }
  }

  #dispatch(request: Http2Request, stream: ServerHttp2Stream): void {
    try {
      this.options.handle(request)
    } catch (fault) {
      this.#recover(request, stream, fault)
    }
  }

  /** A bug must neither hang the client nor end the process. */
  #recover(request: Http2Request, stream: ServerHttp2Stream, fault: unknown): void {
    this.options.onFault?.(fault, requestIdOf(request.fields))
    try {
      if (request.isAnswered) cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR)
      else request.refuse(refuse('internal_error'))
    } catch {
      cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR)
    }
  }

  /** @param now the sweeper's time */
  sweep(now: number): void {
    if (this.#session.destroyed) {
      // Its last bytes may wait for a client that takes none.
      if (!this.#isEnding) this.#ending()
      if (now >= this.#endsAt) this.#socket.destroy()
      return
    }
    if (this.#isEnding && now >= this.#endsAt && this.#requests.size === 0) this.cut()
    if (this.#halfClosedAt !== -1 && now - this.#halfClosedAt >= settled) {
      this.cut()
      return
    }
    this.#listen(now)
    for (const request of this.#requests) request.sweep(now)
    if (this.#plane.closingSince !== -1 && now - this.#plane.closingSince >= settled) this.#end()
    if (this.#requests.size === 0) this.#sweepIdle(now)
  }

  #sweepIdle(now: number): void {
    const { idleTimeout, headersTimeout } = this.options.limits()
    const patience = this.#plane.closingSince === -1 ? idleTimeout : Math.min(settled, idleTimeout)
    const silence = now - this.#idleSince
    // A client says at once what it understands, whether or not it has a request.
    const isMute = !this.#hasSettings && silence >= headersTimeout
    if (isMute || silence >= patience) this.#end()
  }

  /** A FIN is all that is seen of a client that left. HTTP/2 knows no half-closed connection, but the acceptor's sockets do. */
  #halfClose(): void {
    this.#halfClosedAt = this.sweeper.soon
    this.#end()
  }

  /** Compares what was read with what it was good for. */
  #listen(now: number): void {
    const { bytesRead } = this.#socket
    if (bytesRead === this.#bytesRead && this.#headSince === -1) return
    this.#sweepHead(now)
    let received = this.#received
    let sent = this.#sent
    for (const request of this.#requests) {
      received += request.received
      sent += request.sent
    }
    const earned =
      received * (1 + noise.perByteReceived) +
      sent * noise.perByteSent +
      this.#streams * noise.perStream +
      this.#unfinished * noise.perUnfinished
    // What was received for a stream that is gone is not known any more: that is no reason to take back what it earned.
    const heard = bytesRead - this.#bytesRead - Math.max(0, earned - this.#earned)
    this.#bytesRead = bytesRead
    this.#earned = Math.max(earned, this.#earned)
    if (!this.#noise.spend(Math.max(0, heard), now)) this.#calm()
  }

  /**
   * A head that began and does not end: nghttp2 knows of a stream that we were not told of. So it does after a head that it
   * refused; to end such a connection, too, harms nobody, since requests under way are answered.
   */
  #sweepHead(now: number): void {
    const begun = this.#session.state.lastProcStreamID ?? 0
    if (begun <= this.#lastStream) this.#headSince = -1
    else if (this.#headSince === -1) this.#headSince = now
    else {
      const { headersTimeout, requestTimeout } = this.options.limits()
      if (now - this.#headSince >= Math.min(headersTimeout, requestTimeout)) this.#end()
    }
  }

  #calm(): void {
    if (this.#isCalmed) return
    this.#isCalmed = true
    this.#ending()
    // Not now: nghttp2 may be in the middle of what it read, and call into a session that is gone.
    setImmediate(() => this.#session.destroy(new Error('calm'), constants.NGHTTP2_ENHANCE_YOUR_CALM))
  }

  /** Takes no more requests; ends when those under way are answered. */
  #end(): void {
    if (this.#isEnding) return
    this.#ending()
    this.#session.close()
  }

  #ending(): void {
    this.#isEnding = true
    this.#endsAt = this.sweeper.soon + lingering
  }

  #closed(): void {
    this.#session.destroy()
    for (const request of this.#requests) request.leave()
    this.#plane.sessions.delete(this)
    this.options.onConnections?.(this.#plane.sessions.size)
  }
}

function ignore(): void {
  // Told by 'close' too; without a listener it would end the process.
}

/**
 * One client connection on the wire: reads one request at a time, lets its answer leave, reads the next. What came behind a
 * request waits unread until then, so answers leave in order by themselves, and a client cannot fill memory by pipelining. Nor
 * can it keep the process to itself: after a few requests others have their turn.
 */
import type { Socket } from 'node:net'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, ConnectionFacts } from '../../exchange.ts'
import { wireFaults, type WireFaultKind } from '../../wire/faults.ts'
import { PartialHead } from '../../wire/partial-head.ts'
import { RequestHeadParser } from '../../wire/request-head.ts'
import { inspectHead, type Head } from '../head.ts'
import { requestIdOf } from '../request-id.ts'
import { Output } from './output.ts'
import { answerTo, refusalOf, type RefusedHead } from './refusals.ts'
import { WireRequest } from './request.ts'
import { listenTo, stopListening, type SocketListener } from './socket-events.ts'
import type { WireState } from './state.ts'
import { ownAnswer } from './write-answer.ts'

/** Silence after which an idle connection is taken to have nothing on its way, in milliseconds. */
const settled = 1000
/** How long a client that has ended its side may wait without a byte until it counts as gone. */
const halfOpen = 1000
const lingering = { time: 2000, bytes: 1024 * 1024 } as const

/** Requests that came together and are answered in one turn of the loop; then others have theirs. */
const mostInTurn = 32

const noNames: ReadonlySet<string> = new Set()

export class Connection implements SocketListener {
  readonly socket: Socket
  readonly output: Output
  readonly facts: ConnectionFacts
  readonly state: WireState
  #phase: 'open' | 'lingering' | 'tunnel' = 'open'
  /** The one request that is being read or answered. */
  #request: WireRequest | undefined = undefined
  /** A head that came in pieces. */
  #partial: PartialHead<RequestHeadParser> | undefined = undefined
  /** Bytes behind the request, not looked at yet. */
  #rest: Buffer | undefined = undefined
  #isSealed = false
  #isReading = false
  #isPaused = false
  #hasEnded = false
  /** Of bytes that belong to no request, until the connection is cut. */
  #unwantedLeft: number = lingering.bytes
  // Sweeper times.
  #since: number
  /** Since when bytes wait behind the request. */
  #heldSince = 0

  constructor(socket: Socket, facts: ConnectionFacts, state: WireState) {
    this.socket = socket
    this.output = new Output(socket)
    this.facts = facts
    this.state = state
    this.#since = state.sweeper.soon
    listenTo(socket, this)
  }

  /** Whether requests wait behind the present one. */
  get hasWaiting(): boolean {
    return this.#rest !== undefined
  }

  /** True when nothing that follows on the connection will be answered. */
  get isSealed(): boolean {
    return this.#isSealed
  }

  // What the socket tells.

  read(bytes: Buffer): void {
    const request = this.#request
    if (this.#phase !== 'open') this.#discard(bytes.length)
    else if (request === undefined) this.#readHeads(bytes)
    else {
      const at = request.isWhole ? 0 : request.take(bytes, 0)
      if (at < bytes.length) this.#hold(at === 0 ? bytes : bytes.subarray(at))
    }
  }

  ended(): void {
    this.#hasEnded = true
    if (this.#phase !== 'open') return
    const request = this.#request
    if (request !== undefined) {
      this.#since = this.state.sweeper.soon
      if (!request.isWhole) {
        this.seal()
        request.failBody(refuse('body_malformed', { detail: 'the connection ended within the body' }))
      }
    } else if (this.#rest !== undefined) return
    else if (this.#partial === undefined) this.close()
    else this.#refuse(refuse('malformed_head', { detail: 'the connection ended within the head' }))
  }

  drained(): void {
    if (this.#request !== undefined) this.#request.drained()
    else this.#readOn()
  }

  /** Another turn has come for what waits. */
  goOn(): void {
    if (this.#request === undefined) this.#readOn()
  }

  closed(): void {
    this.#isSealed = true
    this.#rest = undefined
    const request = this.#request
    this.#request = undefined
    request?.abandon()
    this.state.connections.delete(this)
    this.state.options.onConnections?.(this.state.connections.size)
  }

  // What a request asks of it.

  /** Takes no further request, and forgets what waits behind the present one. */
  seal(): void {
    this.#isSealed = true
    if (this.#rest === undefined) return
    this.#rest = undefined
    this.resumeReading()
  }

  /** What comes while it lingers is read, and thrown away. */
  pauseReading(): void {
    if (this.#isPaused || this.#phase !== 'open') return
    this.#isPaused = true
    this.socket.pause()
  }

  resumeReading(): void {
    if (!this.#isPaused || this.#rest !== undefined) return
    this.#isPaused = false
    this.socket.resume()
  }

  /** The answer's last byte is written. */
  finished(isClosing: boolean): void {
    const request = this.#request
    this.#request = undefined
    this.#since = this.state.sweeper.time
    if (isClosing) {
      this.close()
      request?.failBody(refuse('client_gone', { detail: 'answered before the body had come' }))
    } else if (!this.#isReading) this.#readOn()
  }

  /** Hands the socket over: from now on it is not ours to time or to close, but at the end of a drain. */
  becomeTunnel(): Socket {
    const { socket } = this
    this.output.leave()
    this.#phase = 'tunnel'
    this.#isSealed = true
    this.#request = undefined
    stopListening(socket)
    socket.pause()
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) socket.unshift(rest)
    return socket
  }

  // Reading.

  #readHeads(bytes: Buffer): void {
    let at = 0
    let left = mostInTurn
    this.#isReading = true
    try {
      while (at < bytes.length) {
        const isFree = this.#request === undefined && !this.#isSealed && !this.socket.writableNeedDrain
        if (!isFree || left === 0) {
          this.#hold(at === 0 ? bytes : bytes.subarray(at))
          if (isFree) setImmediate(goOn, this)
          break
        }
        at = this.#readHead(bytes, at)
        left -= 1
      }
    } catch (fault) {
      // A bug must not end the process: it costs this connection, and answers that were given before still leave.
      this.state.options.onFault?.(fault)
      this.output.cut()
    }
    this.#isReading = false
    if (this.#hasEnded && this.#request === undefined && this.#rest === undefined) this.ended()
  }

  /** @returns the first byte that was not read */
  #readHead(bytes: Buffer, from: number): number {
    const { options, parser: shared } = this.state
    const limits = options.limits()
    const partial = this.#partial
    if (partial !== undefined) {
      const before = partial.length
      partial.add(from === 0 ? bytes : bytes.subarray(from))
      const { parser } = partial
      const progress = parser.parse(partial.bytes, 0, partial.length, limits)
      if (progress === 'more') return bytes.length
      this.#partial = undefined
      return progress === 'fault'
        ? this.#fail(parser.fault!, bytes)
        : this.#begin(parser, bytes, from + parser.size - before, this.#since)
    }
    shared.reset()
    const progress = shared.parse(bytes, from, bytes.length, limits)
    if (progress === 'done') return this.#begin(shared, bytes, from + shared.size, this.state.sweeper.soon)
    if (progress === 'fault') return this.#fail(shared.fault!, bytes)
    this.#keep(bytes.subarray(from))
    return bytes.length
  }

  /** The shared parser belongs to whoever reads next: what came of a head goes on in one of its own. */
  #keep(bytes: Buffer): void {
    const partial = new PartialHead(new RequestHeadParser())
    partial.add(bytes)
    partial.parser.parse(partial.bytes, 0, partial.length, this.state.options.limits())
    this.#partial = partial
    this.#since = this.state.sweeper.soon
  }

  #fail(fault: WireFaultKind, bytes: Buffer): number {
    this.#refuse(refusalOf(fault, wireFaults[fault]))
    return bytes.length
  }

  #begin(parser: RequestHeadParser, bytes: Buffer, at: number, began: number): number {
    const { options } = this.state
    const { method, target, fields } = parser
    const head = inspectHead(parser, options.limits(), options.identityNames?.() ?? noNames)
    if ('reason' in head) {
      this.#refuse(head, { method, target, fields })
      return bytes.length
    }
    if (!head.hasHost) {
      this.#answerHostless(parser, head)
      return bytes.length
    }
    const request = new WireRequest(this, parser, head, began)
    this.#request = request
    let next = head.hasBody ? request.take(bytes, at) : at
    if (head.isWebSocket && next < bytes.length) {
      // Of the other language already: the tunnel's, if there will be one.
      this.#hold(bytes.subarray(next))
      next = bytes.length
    }
    request.dispatch()
    return next
  }

  #answerHostless({ method, target, fields }: RequestHeadParser, head: Head): void {
    const path = head.target.split('?', 1)[0]!
    const isRead = method === 'GET' || method === 'HEAD'
    const answer = isRead ? this.state.options.health(path, head.version) : undefined
    if (answer === undefined)
      this.#refuse(refuse('host_invalid', { detail: 'no Host' }), { method, target, fields })
    else
      this.#answerLast(method, { ...answer, fields: [...answer.fields, 'X-Request-Id', requestIdOf(fields)] })
  }

  /** Answers a refusal of step 1, and closes. */
  #refuse(refusal: Refusal, head?: RefusedHead): void {
    const answer = answerTo(refusal, this.state.options, this.facts, head)
    if (answer === undefined) this.close()
    else this.#answerLast(head?.method, answer)
  }

  #answerLast(method: string | undefined, answer: Answer): void {
    const { socket, state } = this
    this.seal()
    this.#partial = undefined
    if (socket.writable) {
      const date = state.date.at(state.options.clock.now())
      for (const part of ownAnswer(answer, method ?? '', date, { isClosing: true, saysKeepAlive: false })) {
        this.output.write(part.text, part.encoding)
      }
    }
    this.close()
  }

  /** What comes behind the last request is read all the same: a connection that is not read hides that its client is gone. */
  #hold(bytes: Buffer): void {
    if (this.#isSealed) {
      this.#discard(bytes.length)
      return
    }
    this.pauseReading()
    this.#heldSince = this.state.sweeper.soon
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
  }

  /** The next request, if it is there already. */
  #readOn(): void {
    const rest = this.#rest
    if (rest !== undefined && !this.socket.writableNeedDrain) {
      this.#rest = undefined
      this.#readHeads(rest)
    } else if (this.#hasEnded && rest === undefined && this.#phase === 'open') this.close()
    if (this.#isSealed) return
    // Behind a whole request, too: what follows is for later, but a client that leaves is to be seen.
    if (this.#request === undefined ? !this.socket.writableNeedDrain : this.#request.isWhole)
      this.resumeReading()
  }

  // Ending.

  /** Ends our side once all is written, and drains what the client still sends, bounded, so that it can read the answer. */
  close(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'lingering'
    this.seal()
    this.#partial = undefined
    this.#since = this.state.sweeper.time
    this.output.leave()
    this.socket.end()
    this.#isPaused = false
    if (!this.#hasEnded) this.socket.resume()
  }

  #discard(length: number): void {
    this.#unwantedLeft -= length
    if (this.#unwantedLeft < 0) this.socket.destroy()
  }

  // Time.

  /** @param now the sweeper's time */
  sweep(now: number): void {
    if (this.#phase === 'tunnel') return
    const { idleTimeout } = this.state.options.limits()
    if (this.output.isStalled(now, idleTimeout)) this.socket.destroy()
    else if (this.#phase === 'lingering') {
      // Its time begins when the client has taken the answer, however long that takes.
      if (this.socket.writableLength > 0) this.#since = now
      else if (now - this.#since >= lingering.time) this.socket.destroy()
    } else if (this.#request !== undefined) this.#sweepRequest(this.#request, now, idleTimeout)
    else this.#sweepIdle(now)
  }

  #sweepRequest(request: WireRequest, now: number, idleTimeout: number): void {
    request.sweep(now)
    if (this.#hidesItsEnd(request) && now - this.#heldSince >= idleTimeout) this.seal()
    // A FIN is all that is seen of a client that left; one that only ended its side reads what comes soon.
    if (!this.#hasEnded || this.socket.writableLength > 0) return
    if (now - Math.max(this.#since, this.output.sentAt) >= halfOpen) this.socket.destroy()
  }

  /**
   * Nobody sees a client leave behind bytes that it sent ahead and that are not read. When that lasts, the present request is its
   * last; it may ask again.
   */
  #hidesItsEnd(request: WireRequest): boolean {
    return this.#rest !== undefined && this.socket.readableLength > 0 && !request.isUpgrade
  }

  #sweepIdle(now: number): void {
    const limits = this.state.options.limits()
    if (this.#partial === undefined) {
      const patience = this.state.isClosing ? Math.min(settled, limits.idleTimeout) : limits.idleTimeout
      if (this.socket.writableLength > 0) this.#since = now
      else if (now - this.#since >= patience) this.close()
    } else if (now - this.#since >= Math.min(limits.headersTimeout, limits.requestTimeout)) {
      this.#refuse(refuse('request_timeout'))
    }
  }
}

function goOn(connection: Connection): void {
  connection.goOn()
}

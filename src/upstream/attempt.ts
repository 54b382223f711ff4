/**
 * One try of a request on one connection: sends it, judges the answer's head, and moves the answer to the client.
 * Ends exactly once, by `settle`. Nothing that fails after the head went out can look like a whole answer to the client.
 */
import type { Duplex } from 'node:stream'
import type { Reason } from '../engine/errors.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import { BodyError, type AnswerWriter, type FieldLines } from '../exchange.ts'
import type { AttemptHooks, AttemptResult, Cut } from './attempt-result.ts'
import type { Job } from './job.ts'
import type { Waiting } from './patience.ts'
import { sendBody } from './request-body.ts'
import { judgeInterim, switchFields, type ResponseHead } from './response-head.ts'
import type { OpenStream } from './stream-watch.ts'
import { passableBeside } from './trailers.ts'
import { joinTunnel } from './tunnel.ts'
import { acceptsHandshake } from './websocket.ts'
import type { Connection, ConnectionFault, RawHead, Receiver, RequestFacts } from './connection.ts'

/** An answer that is dropped is read to its end if it is short, so that the connection survives. */
const discardable = 64 * 1024
/** An upstream that sends more of them floods the client. */
const mostInterim = 32

/** What an attempt tells its target. */
export interface AttemptTarget {
  /** Takes a connection back that can serve again. */
  give(connection: Connection): void
  /** A head came: the target lives. */
  succeeded(): void
}

export class Attempt implements Receiver, Waiting, OpenStream {
  readonly #job: Job
  readonly #request: RequestFacts
  readonly #connection: Connection
  readonly #target: AttemptTarget
  readonly #hooks: AttemptHooks
  #head: ResponseHead | undefined
  #writer: AnswerWriter | undefined
  #isDiscarding = false
  #isSettled = false
  #isClosed = false
  #bytes = 0
  #interims = 0
  seat = -1
  #waitsFor: 'head' | 'bytes' | undefined = undefined
  /** The patience's time. */
  #lateAt = 0
  #stopBody: (() => void) | undefined
  #isWatched = false
  #cutTunnel: ((cut: Cut) => void) | undefined
  #isPaused = false

  constructor(
    job: Job,
    request: RequestFacts,
    connection: Connection,
    target: AttemptTarget,
    hooks: AttemptHooks,
  ) {
    this.#job = job
    this.#request = request
    this.#connection = connection
    this.#target = target
    this.#hooks = hooks
  }

  start(): void {
    if (this.#job.server.hasBody) {
      // The head goes with what is there of the body, or alone when nothing is.
      this.#connection.cork()
    }
    this.#connection.send(this.#request, this)
    if (!this.#isClosed) this.#job.patience.add(this)
  }

  /** The client is gone: the upstream's work for it ends. */
  abandon(): void {
    // A tunnel sees for itself when a side is gone, and whether it left in order.
    if (this.#cutTunnel === undefined) {
      this.#breakOff('client', refuse('client_gone'))
    }
  }

  // What the connection tells.

  sent(): void {
    if (!this.#job.server.hasBody) {
      this.#awaitHead()
      return
    }
    // Until its body is over a request is an open stream, too.
    this.#watch()
    this.#stopBody = sendBody(this.#job.takeBody(), this.#connection, this.#request.body, {
      done: () => {
        this.#stopBody = undefined
        if (this.#head === undefined) {
          this.#unwatch()
          this.#awaitHead()
        }
      },
      stalled: (isStalled) => {
        if (this.#head !== undefined) {
          return
        }
        if (isStalled) {
          this.#awaitHead()
        } else {
          this.#waitsFor = undefined
        }
      },
      failed: (error) => {
        this.#stopBody = undefined
        this.#breakOff('client', error instanceof BodyError ? error.refusal : refuse('client_gone'))
      },
    })
    process.nextTick(() => this.#connection.uncork())
  }

  interim(raw: RawHead): void {
    this.#interims += 1
    const fields = judgeInterim(raw)
    if (fields === undefined || this.#interims > mostInterim) {
      this.#refuseAnswer(fields === undefined ? 'a malformed interim answer' : 'too many interim answers')
    } else if (this.#job.server.version !== '1.0' && raw.status !== 100) {
      this.#job.server.inform(raw.status, passableBeside(fields) ?? [])
    }
  }

  head(head: ResponseHead): void {
    this.#waitsFor = undefined
    this.#target.succeeded()
    this.#hooks.headed()
    this.#head = head
    if (this.#hooks.declines(head.status)) {
      this.#isDiscarding = true
      this.#awaitBytes()
      this.#settle({ kind: 'declined', status: head.status })
      return
    }
    try {
      const fields = this.#job.hooks.decorate(head.status, head.fields)
      this.#writer = this.#job.server.begin({ status: head.status, reason: head.reason, fields })
      this.#job.hooks.onHead?.(head.status)
    } catch (error) {
      this.#breakOff('upstream', refuse('internal_error', { detail: (error as Error).message }))
      return
    }
    this.#awaitBytes()
  }

  data(chunk: Uint8Array | string): void {
    this.#bytes += chunk.length
    if (this.#isDiscarding) {
      if (this.#bytes > discardable) {
        this.#close()
      }
      return
    }
    if (this.#writer?.write(chunk) === false && !this.#isClosed) {
      this.#connection.pause()
      this.#isPaused = true
      this.#writer.onDrain(() => {
        if (!this.#isClosed) {
          this.#isPaused = false
          this.#awaitBytes()
          this.#connection.resume()
        }
      })
    }
  }

  /** The answer takes longer than one read: from now on it is an open stream. */
  flush(): void {
    if (this.#isClosed) return
    if (this.#head !== undefined && !this.#isDiscarding) this.#watch()
    this.#awaitBytes()
    this.#writer?.flush()
  }

  end(trailers: FieldLines): void {
    if (this.#head?.body === 'close' && this.#connection.isReset) {
      // The end of this body is the end of the connection, and that was no orderly one (RFC 9112, section 8).
      this.failed({
        kind: 'lost',
        detail: 'reset within a body that ends with the connection',
        isHeard: true,
      })
      return
    }
    const isWhole = this.#stopBody === undefined
    const { version } = this.#job.server
    if (!this.#isDiscarding) {
      this.#writer?.end(version === '1.0' ? undefined : passableBeside(trailers))
    }
    this.#settle(this.#answered())
    if (isWhole) {
      this.#release()
    } else {
      // The rest of the request's body would be read as the next request.
      this.#close()
    }
  }

  upgraded(raw: RawHead, socket: Duplex): void {
    this.#waitsFor = undefined
    const fields = switchFields(raw)
    const { server, handshakeKey, hooks } = this.#job
    if (fields === undefined || !acceptsHandshake(raw, handshakeKey)) {
      socket.destroy()
      this.#refuseAnswer('a 101 that does not answer the WebSocket handshake')
      return
    }
    this.#target.succeeded()
    this.#hooks.headed()
    let client: Duplex
    try {
      const switched = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
      client = server.tunnel([...hooks.decorate(101, fields), ...switched])
      hooks.onHead?.(101)
    } catch (error) {
      this.#breakOff('upstream', refuse('internal_error', { detail: (error as Error).message }))
      return
    }
    let why: Cut | undefined
    const tunnel = joinTunnel(client, socket, (bytes, brokenBy) => {
      why ??= brokenBy
      this.#settle({ kind: 'answered', status: 101, bytes, ...(why === undefined ? {} : { cut: why }) })
      this.#close()
    })
    this.#cutTunnel = (cut) => {
      why ??= cut
      tunnel.cut()
    }
    this.#watch()
  }

  failed(fault: ConnectionFault): void {
    if (fault.kind === 'invalid') {
      this.#refuseAnswer(fault.detail)
    } else if (this.#writer !== undefined) {
      this.#breakOff('upstream', refuse('connection_lost', { detail: fault.detail }))
    } else {
      this.#settle({ kind: 'lost', fault })
      this.#close()
    }
  }

  /** @param now the patience's time */
  sweep(now: number): void {
    if (this.#waitsFor !== undefined && now >= this.#lateAt) this.#giveUp(this.#waitsFor === 'head')
  }

  /** From now on the upstream is waited for, and nobody else. */
  #awaitHead(): void {
    this.#waitsFor = 'head'
    this.#lateAt = this.#job.patience.soon + this.#job.timeouts.response
  }

  /** From the head on: the time without a byte, which event streams may take at will. */
  #awaitBytes(): void {
    if (this.#head === undefined || (this.#head.isEventStream && !this.#isDiscarding)) return
    this.#waitsFor = 'bytes'
    this.#lateAt = this.#job.patience.soon + this.#job.idleTimeout
  }

  #giveUp(isHeadMissing: boolean): void {
    const detail = isHeadMissing ? `no answer within ${this.#job.timeouts.response} ms` : 'no further byte'
    this.#breakOff(this.#isPaused ? 'client' : 'upstream', refuse('response_timeout', { detail }))
  }

  // An open stream, watched.

  get deadline(): number {
    return this.#job.plan.deadline
  }

  stillGood(): boolean {
    return this.#job.plan.stillGood()
  }

  cut(reason: 'expired' | 'revoked'): void {
    this.#isWatched = false
    const word: Reason = reason === 'expired' ? 'credential_expired' : 'credential_revoked'
    this.#breakOff('credential', refuse(word))
  }

  #watch(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.#job.watch.add(this)
  }

  #unwatch(): void {
    if (!this.#isWatched) return
    this.#isWatched = false
    this.#job.watch.delete(this)
  }

  #refuseAnswer(detail: string): void {
    this.#breakOff('upstream', refuse('response_invalid', { detail }))
  }

  /** Ends the try early: the client sees the refusal if nothing was sent yet, else an answer that is visibly incomplete. */
  #breakOff(cut: Cut, refusal: Refusal): void {
    if (this.#cutTunnel !== undefined) {
      this.#cutTunnel(cut)
      return
    }
    this.#close()
    if (this.#isSettled) {
      return
    }
    if (this.#writer === undefined || this.#writer.retract?.() === true) {
      this.#settle({ kind: 'refused', refusal })
    } else {
      this.#writer.abort(refusal)
      this.#settle({ ...this.#answered(), cut })
    }
  }

  #answered(): AttemptResult & { kind: 'answered' } {
    return { kind: 'answered', status: this.#head?.status ?? 0, bytes: this.#bytes }
  }

  #settle(result: AttemptResult): void {
    if (!this.#isSettled) {
      this.#isSettled = true
      this.#hooks.settled(result)
    }
  }

  #release(): void {
    if (this.#quiet()) {
      this.#target.give(this.#connection)
    }
  }

  #close(): void {
    if (this.#quiet()) {
      this.#connection.destroy()
    }
  }

  /** @returns false when the try is over already */
  #quiet(): boolean {
    const isFirst = !this.#isClosed
    this.#isClosed = true
    this.#job.patience.delete(this)
    this.#unwatch()
    this.#stopBody?.()
    this.#stopBody = undefined
    return isFirst
  }
}

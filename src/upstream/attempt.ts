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
import { Patience } from './patience.ts'
import { sendBody } from './request-body.ts'
import { endToEndFields, judgeResponseHead, type ResponseHead } from './response-head.ts'
import { passableTrailers } from './trailers.ts'
import { joinTunnel } from './tunnel.ts'
import { acceptsHandshake } from './websocket.ts'
import type { Connection, RawHead, Receiver, RequestFacts, WireFault } from './wire.ts'

/** An answer that is dropped is read to its end if it is short, so that the connection survives. */
const discardable = 64 * 1024
/** An upstream that sends more of them floods the client. */
const mostInterim = 32

export class Attempt implements Receiver {
  readonly #job: Job
  readonly #request: RequestFacts
  readonly #connection: Connection
  readonly #hooks: AttemptHooks
  #head: ResponseHead | undefined
  #writer: AnswerWriter | undefined
  #isDiscarding = false
  #isSettled = false
  #isClosed = false
  #bytes = 0
  #interims = 0
  readonly #patience: Patience = new Patience((isHeadMissing) => this.#giveUp(isHeadMissing))
  #stopBody: (() => void) | undefined
  #unwatch: (() => void) | undefined
  #cutTunnel: ((cut: Cut) => void) | undefined
  #isPaused = false

  constructor(job: Job, request: RequestFacts, connection: Connection, hooks: AttemptHooks) {
    this.#job = job
    this.#request = request
    this.#connection = connection
    this.#hooks = hooks
  }

  start(): void {
    if (this.#job.server.hasBody) {
      // The head goes with what is there of the body, or alone when nothing is.
      this.#connection.cork()
    }
    this.#connection.send(this.#request, this)
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
    const { server, framing } = this.#job
    if (!server.hasBody) {
      this.#awaitHead()
      return
    }
    // Until its body is over a request is an open stream, too.
    this.#watch()
    this.#stopBody = sendBody(this.#job.takeBody(), this.#connection, framing, {
      done: () => {
        this.#stopBody = undefined
        if (this.#head === undefined) {
          this.#unwatchStream()
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
          this.#patience.stop()
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
    const fields = endToEndFields(raw.fields)
    if (fields === undefined || this.#interims > mostInterim) {
      this.#refuseAnswer(fields === undefined ? 'a malformed interim answer' : 'too many interim answers')
    } else if (this.#job.server.version === '1.1' && raw.status !== 100) {
      this.#job.server.inform(raw.status, fields)
    }
  }

  head(raw: RawHead): void {
    this.#patience.stop()
    const head = judgeResponseHead(raw, this.#request.method)
    if (typeof head === 'string') {
      this.#refuseAnswer(head)
      return
    }
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
    this.#watch()
    this.#awaitBytes()
  }

  data(chunk: Uint8Array): void {
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
          this.#patience.progress()
          this.#connection.resume()
        }
      })
    }
    this.#patience.progress()
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
      this.#writer?.end(version === '1.1' ? passableTrailers(trailers) : undefined)
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
    this.#patience.stop()
    const fields = endToEndFields(raw.fields)
    const { server, handshakeKey, hooks } = this.#job
    if (
      raw.version !== 'HTTP/1.1' ||
      fields === undefined ||
      handshakeKey === undefined ||
      !acceptsHandshake(raw.fields, handshakeKey)
    ) {
      socket.destroy()
      this.#refuseAnswer('a 101 that does not answer the WebSocket handshake')
      return
    }
    this.#hooks.headed()
    const client = server.tunnel([
      ...hooks.decorate(101, fields),
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
    ])
    hooks.onHead?.(101)
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

  failed(fault: WireFault): void {
    if (this.#writer !== undefined) {
      this.#breakOff('upstream', refuse('connection_lost'))
    } else if (fault.kind === 'invalid') {
      this.#refuseAnswer(fault.detail)
    } else {
      this.#settle({ kind: 'lost', fault })
      this.#close()
    }
  }

  #awaitHead(): void {
    this.#patience.awaitHead(this.#job.timeouts.response)
  }

  /** From the head on: the time without a byte, which event streams may take at will. */
  #awaitBytes(): void {
    if (this.#head?.isEventStream !== true) {
      this.#patience.awaitBytes(this.#job.idleTimeout)
    }
  }

  #giveUp(isHeadMissing: boolean): void {
    const detail = isHeadMissing ? `no answer within ${this.#job.timeouts.response} ms` : 'no further byte'
    this.#breakOff(this.#isPaused ? 'client' : 'upstream', refuse('response_timeout', { detail }))
  }

  #watch(): void {
    const { plan, watch } = this.#job
    this.#unwatch ??= watch.add({
      deadline: plan.deadline,
      stillGood: plan.stillGood,
      cut: (reason) => {
        const word: Reason = reason === 'expired' ? 'credential_expired' : 'credential_revoked'
        this.#breakOff('credential', refuse(word))
      },
    })
  }

  #unwatchStream(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
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
    if (this.#writer === undefined) {
      this.#settle({ kind: 'refused', refusal })
    } else {
      this.#writer.abort()
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
      this.#hooks.reusable()
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
    this.#patience.stop()
    this.#unwatchStream()
    this.#stopBody?.()
    this.#stopBody = undefined
    return isFirst
  }
}

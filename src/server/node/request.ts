/** A request on node:http, and the ways to answer it. */
import { ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, AnswerWriter, ConnectionFacts, FieldLines, ServerRequest } from '../../exchange.ts'
import type { Head } from '../head.ts'
import { recover, refusalOfRequest } from '../recover.ts'
import { RequestBody } from './body.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'
import type { Turn } from './turn.ts'
import { beginAnswer, writeAnswer, writeInterim, writeSwitch } from './writer.ts'

/** Where a request was read from. */
export interface Origin {
  readonly connection: Connection
  readonly incoming: Incoming
  /** Absent for an upgrade: node:http leaves the connection then. */
  readonly response: ServerResponse | undefined
  /** What followed the head of an upgrade in the same packet. */
  readonly early: Buffer | undefined
}

export class NodeRequest implements ServerRequest, Turn {
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly fields: FieldLines
  readonly connection: ConnectionFacts
  readonly hasBody: boolean
  declare readonly contentLength?: number
  readonly isUpgrade: boolean
  readonly receivedAt: number
  readonly #origin: Origin
  readonly #expectsContinue: boolean
  /** The sweeper's time at which the head began to arrive. */
  readonly #began: number
  #response: ServerResponse | undefined
  #bodyLimit = -1
  #bodyTimeout = -1
  #body: RequestBody | undefined = undefined
  #bodyFault: Refusal | undefined = undefined
  #aborts: (() => void)[] | undefined = undefined
  #isAnswered = false
  #isTunnel = false

  constructor(origin: Origin, head: Head) {
    const { connection, incoming } = origin
    this.method = incoming.method ?? ''
    this.target = head.target
    this.version = head.version
    this.fields = incoming.rawHeaders
    this.connection = connection.facts
    this.hasBody = head.hasBody
    // Set in any case, so that all requests have one shape.
    this.contentLength = head.contentLength as number
    this.isUpgrade = origin.response === undefined
    this.receivedAt = connection.listener.options.clock.now()
    this.#origin = origin
    this.#expectsContinue = head.expectsContinue
    this.#began = connection.headBegan
    this.#response = origin.response
  }

  limitBody(limits: { readonly bytes: number; readonly timeout: number }): void {
    this.#bodyLimit = limits.bytes
    this.#bodyTimeout = limits.timeout
    this.#origin.connection.listener.sweeper.quicken(limits.timeout)
  }

  body(): Readable {
    if (this.#body !== undefined) throw new Error('the body of a request is read once')
    const { connection, incoming } = this.#origin
    const limits = connection.listener.options.limits()
    if (this.#bodyLimit === -1) this.#bodyLimit = limits.body
    if (this.#bodyTimeout === -1) this.#bodyTimeout = limits.requestTimeout
    const body = new RequestBody(incoming, this.#bodyLimit, () => connection.markSeen())
    this.#body = body
    if (this.#bodyFault !== undefined) body.fail(this.#bodyFault)
    else if (connection.socket.destroyed) body.fail(refuse('client_gone'))
    else if (this.#expectsContinue && !this.isWhole && !this.#isAnswered) this.#response?.writeContinue()
    return body
  }

  onAbort(callback: () => void): () => void {
    if (this.#origin.connection.socket.destroyed) {
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
    const isClosing = this.#closes()
    writeAnswer(this.#responseOrNew(), this.method, answer, isClosing)
    // Only now: an answer that could not be written leaves room for another.
    this.#isAnswered = true
  }

  inform(status: number, fields: FieldLines): void {
    // HTTP/1.0 knows none: its reader would take the first head for the answer.
    if (this.version === '1.0' || this.#isAnswered || status <= 101 || status > 199) return
    writeInterim(this.#origin.connection.socket, status, fields)
  }

  begin(head: {
    readonly status: number
    readonly reason: string
    readonly fields: FieldLines
  }): AnswerWriter {
    this.#assertUnanswered()
    const isClosing = this.#closes()
    const framing = { status: head.status, method: this.method, version: this.version, isClosing }
    const writer = beginAnswer(this.#responseOrNew(), head, framing)
    this.#isAnswered = true
    return writer
  }

  tunnel(fields: FieldLines): Duplex {
    if (!this.isUpgrade) throw new Error('only an upgrade becomes a tunnel')
    this.#assertUnanswered()
    this.#isAnswered = true
    this.#isTunnel = true
    const socket = this.#origin.connection.becomeTunnel()
    writeSwitch(socket, fields)
    const { early } = this.#origin
    if (early !== undefined && early.length > 0) socket.unshift(early)
    return socket
  }

  #assertUnanswered(): void {
    if (this.#isAnswered) throw new Error('a request is answered once')
  }

  /** Whether the answer that leaves now is the connection's last; nothing after it is looked at then. */
  #closes(): boolean {
    const { connection, incoming, response } = this.#origin
    const isClosing =
      // What is not read of a body stands where the next head would.
      (this.hasBody && this.#body?.isWhole !== true) ||
      // The parser swallows what follows a declined upgrade in the same packet: reading on would begin in the middle of something.
      incoming.asksUpgrade ||
      response?.shouldKeepAlive !== true ||
      (connection.listener.isDraining && !connection.hasWaiting)
    if (isClosing) connection.sealHere()
    return isClosing
  }

  #responseOrNew(): ServerResponse {
    return (this.#response ??= responseToUpgrade(this.#origin))
  }

  // The turn.

  start(): void {
    // A fault in what has come of the body is told in this turn of the loop, but after the head: nothing may act on the head before.
    if (this.hasBody) setImmediate(dispatch, this)
    else this.dispatch()
  }

  dispatch(): void {
    const { socket, listener } = this.#origin.connection
    if (socket.destroyed) return
    try {
      if (this.#bodyFault === undefined) listener.options.handle(this)
      else this.answer(refusalOfRequest(this, this.#bodyFault, listener.options))
    } catch (fault) {
      const cut = (): void => void socket.destroy()
      recover(this, fault, listener.options, { isAnswered: this.#isAnswered, cut })
    }
  }

  get isOver(): boolean {
    return this.#isTunnel || this.#response?.writableFinished === true
  }

  whenOver(callback: () => void): void {
    this.#response?.once('finish', callback)
  }

  get isWhole(): boolean {
    return !this.hasBody || this.#origin.incoming.complete
  }

  failBody(refusal: Refusal): void {
    this.#bodyFault ??= refusal
    this.#body?.fail(refusal)
  }

  abandon(): void {
    this.failBody(refuse('client_gone'))
    const aborts = this.#aborts
    this.#aborts = undefined
    if (this.#response?.writableEnded !== true) aborts?.forEach((callback) => callback())
  }

  sweep(now: number): void {
    if (this.#body === undefined || this.isWhole || this.#bodyFault !== undefined) return
    if (now - this.#began >= this.#bodyTimeout) this.failBody(refuse('request_timeout'))
  }
}

function dispatch(request: NodeRequest): void {
  request.dispatch()
}

/** An upgrade that is answered like any other request: always the last of its connection. */
function responseToUpgrade({ connection, incoming }: Origin): ServerResponse {
  const { socket } = connection
  const response = new ServerResponse(incoming)
  response.shouldKeepAlive = false
  if (socket.destroyed) return response
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    connection.close()
  })
  return response
}

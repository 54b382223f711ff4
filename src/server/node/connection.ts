/** One client connection: whose turn it is, how long it may be silent, and how it ends. */
import type { Socket } from 'node:net'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { ConnectionFacts, FieldLines } from '../../exchange.ts'
import type { ListenerOptions } from '../listener.ts'
import { requestIdOf } from '../request-id.ts'
import { linger } from './linger.ts'
import { LastTurn } from './last-turn.ts'
import type { Sweeper } from '../../wire/sweeper.ts'
import type { Turn } from './turn.ts'

/** What the connections of one listener share. */
export interface ListenerState {
  readonly options: ListenerOptions
  readonly sweeper: Sweeper
  readonly connections: Set<Connection>
  /** Answers carry `Connection: close`. */
  isDraining: boolean
  /** Idle connections are closed after a second. */
  isClosing: boolean
}

/** What was read of a head before it was refused. */
export interface RefusedHead {
  readonly method: string
  readonly target: string
  readonly fields: FieldLines
}

const noFields: FieldLines = []

/** Silence after which an idle connection is taken to have nothing on its way, in milliseconds. */
const settled = 1000
/** How long a client that has ended its side may wait without a byte until it counts as gone. */
const halfOpen = 1000
const lingering = { time: 2000, bytes: 1024 * 1024 } as const

export class Connection {
  readonly socket: Socket
  readonly facts: ConnectionFacts
  readonly listener: ListenerState
  #phase: 'open' | 'lingering' | 'tunnel' = 'open'
  #current: Turn | undefined = undefined
  #waiting: Turn[] = []
  #isSealed = false
  // Sweeper times and byte counts, for the next tick to compare with.
  #idleSince: number
  #headSince = -1
  #bytesSeen = 0
  #bytesAtTick = 0
  #endedAt = -1
  #lingerUntil = 0
  /** Since when requests wait behind the current one. */
  #waitingSince = 0
  #sent = -1
  #sentAt = 0
  readonly #advance = (): void => this.#next()

  constructor(socket: Socket, facts: ConnectionFacts, listener: ListenerState) {
    this.socket = socket
    this.facts = facts
    this.listener = listener
    this.#idleSince = listener.sweeper.soon
    // node:http closes by this after a last answer; at once, an unread upload would reset what the client should read.
    socket.destroySoon = () => this.close()
    socket.on('end', () => {
      this.#endedAt = listener.sweeper.soon
    })
    // node:http resumes at the end of each message, and whenever a body is read, were it long complete.
    socket.on('resume', () => {
      if (this.#waiting.length > 0) socket.pause()
    })
    socket.on('error', ignore)
    socket.once('close', () => this.#closed())
  }

  /** True when nothing that follows on the connection will be answered. */
  get isSealed(): boolean {
    return this.#isSealed
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** When the head that is complete now began to arrive, by the sweeper's time; never too early. */
  get headBegan(): number {
    return this.#headSince === -1 ? this.listener.sweeper.soon : this.#headSince
  }

  /** The last turn whose body may still be arriving. */
  get receiving(): Turn | undefined {
    const last = this.#waiting.at(-1) ?? this.#current
    return last === undefined || last.isWhole ? undefined : last
  }

  /** All bytes so far belong to requests that were seen; what comes now is the next head. */
  markSeen(): void {
    this.#bytesSeen = this.socket.bytesRead
    this.#headSince = -1
  }

  /** Lets a turn begin when those before it are over. Sealed connections take none. */
  take(turn: Turn): void {
    if (this.#isSealed) return
    const current = this.#current
    if (current === undefined || current.isOver) {
      this.#start(turn)
      return
    }
    this.#waiting.push(turn)
    if (this.#waiting.length === 1) {
      this.#waitingSince = this.listener.sweeper.soon
      current.whenOver(this.#advance)
    }
    // One read holds thousands of small requests: no further read until these are answered.
    this.socket.pause()
  }

  /** Answers a refusal of step 1 when those before it are over, and closes. */
  refuse(refusal: Refusal, head?: RefusedHead): void {
    const { listener, facts } = this
    const requestId = requestIdOf(head?.fields ?? noFields)
    this.take(
      new LastTurn(this, head?.method, () =>
        listener.options.refuse(refusal, { requestId, connection: facts, ...head }),
      ),
    )
    this.seal()
  }

  /** Takes nothing more. What waits already keeps its turn. */
  seal(): void {
    this.#isSealed = true
  }

  /** Takes nothing more, and forgets what waits: the answer that leaves now says `Connection: close`. */
  sealHere(): void {
    this.#isSealed = true
    this.#waiting = []
  }

  #start(turn: Turn): void {
    this.#current = turn
    turn.start()
  }

  #next(): void {
    const turn = this.#waiting.shift()
    if (this.#phase !== 'open') return
    if (turn === undefined) {
      if (this.#isSealed) this.close()
      return
    }
    if (this.#waiting.length === 0) this.socket.resume()
    this.#waitingSince = this.listener.sweeper.soon
    this.#start(turn)
    if (this.#waiting.length > 0) turn.whenOver(this.#advance)
  }

  /** Ends our side once all is written, and drains what the client still sends, bounded, so that it can read the answer. */
  close(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'lingering'
    this.sealHere()
    this.#current?.failBody(refuse('client_gone', { detail: 'answered before the body had come' }))
    this.#lingerUntil = this.listener.sweeper.time + lingering.time
    linger(this.socket, lingering.bytes)
  }

  /** Hands the socket over: from now on it is not ours to time or to close, but at the end of a drain. */
  becomeTunnel(): Socket {
    this.#phase = 'tunnel'
    this.sealHere()
    Reflect.deleteProperty(this.socket, 'destroySoon')
    return this.socket
  }

  /** @param now the sweeper's time */
  sweep(now: number): void {
    if (this.#phase === 'tunnel') return
    if (this.#phase === 'lingering') {
      if (now >= this.#lingerUntil) this.socket.destroy()
      return
    }
    if (this.#current === undefined) this.#sweepIdle(now)
    else if (this.#current.isOver) this.#becomeIdle(now)
    else this.#sweepTurn(this.#current, now)
  }

  #becomeIdle(now: number): void {
    this.#current = undefined
    this.#idleSince = now
  }

  #sweepTurn(turn: Turn, now: number): void {
    turn.sweep(now)
    const { idleTimeout } = this.listener.options.limits()
    // While requests wait nothing is read, and nobody sees a client leave: the present one is its last, and it may ask again.
    if (this.#waiting.length > 0 && now - this.#waitingSince >= idleTimeout) {
      this.sealHere()
      this.socket.resume()
    }
    const isStalled = this.#isStalled(now)
    // A FIN is all that is seen of a client that left; one that only ended its side reads what comes soon.
    const isGone =
      this.#endedAt !== -1 &&
      this.socket.writableLength === 0 &&
      now - Math.max(this.#endedAt, this.#sentAt) >= halfOpen
    if (isStalled || isGone) this.socket.destroy()
  }

  #sweepIdle(now: number): void {
    const limits = this.listener.options.limits()
    const { bytesRead } = this.socket
    if (bytesRead === this.#bytesSeen) {
      const patience = this.listener.isClosing ? Math.min(settled, limits.idleTimeout) : limits.idleTimeout
      if (now - this.#idleSince >= patience) this.close()
      return
    }
    const isSilent = bytesRead === this.#bytesAtTick
    this.#bytesAtTick = bytesRead
    if (this.#headSince === -1) this.#headSince = now
    else if (now - this.#headSince >= Math.min(limits.headersTimeout, limits.requestTimeout))
      this.refuse(refuse('request_timeout'))
    // Too large already, and the client waits: there is nothing to wait for.
    else if (isSilent && bytesRead - this.#bytesSeen > limits.headers)
      this.refuse(refuse('headers_too_large'))
  }

  /** Bytes wait to be sent, and the client has taken none for as long as an idle connection may last. */
  #isStalled(now: number): boolean {
    const { socket } = this
    const sent = socket.bytesWritten - socket.writableLength
    if (sent !== this.#sent) {
      this.#sent = sent
      this.#sentAt = now
      return false
    }
    return socket.writableLength > 0 && now - this.#sentAt >= this.listener.options.limits().idleTimeout
  }

  #closed(): void {
    this.#isSealed = true
    this.#waiting = []
    if (this.#current?.isOver === false) this.#current.abandon()
    this.listener.connections.delete(this)
    this.listener.options.onConnections?.(this.listener.connections.size)
  }
}

function ignore(): void {
  // A reset is told by 'close' too; without a listener it would end the process.
}

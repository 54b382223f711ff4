/** The connections to one target: as few as carry its requests. */
import { ConnectError, type Address, type ConnectOptions } from '../connect.ts'
import type { Connection } from '../connection.ts'
import { mostStreams, Session, usualTimes, type SessionTimes } from './session.ts'
import type { StreamConnection } from './stream-connection.ts'

/** A connection that is being made, and how many requests wait for it. */
interface Coming {
  readonly session: Promise<Session>
  waiting: number
}

/** A target that takes no requests on so many new connections takes none at all. */
const mostRounds = 3

export class Sessions {
  readonly #address: Address
  readonly #options: ConnectOptions
  readonly #times: SessionTimes
  readonly #sessions = new Set<Session>()
  /** Those that one request has to itself. */
  readonly #alone = new Set<Session>()
  #coming: Coming | undefined = undefined
  /** Changes when connections that are being made now may not be used any more. */
  #generation = 0
  #isClosed = false

  constructor(address: Address, options: ConnectOptions, times: SessionTimes = usualTimes) {
    this.#address = address
    this.#options = options
    this.#times = times
  }

  get open(): number {
    return this.#sessions.size + this.#alone.size
  }

  get idle(): number {
    let idle = 0
    for (const { streams } of this.#sessions) if (streams === 0) idle += 1
    return idle
  }

  /** @returns a place on a connection that is there */
  take(): StreamConnection | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session.lease()
    return undefined
  }

  /**
   * @returns a place on a new connection, which others share that ask meanwhile
   * @throws ConnectError
   */
  async connect(): Promise<Connection> {
    // Requests may still come from an old configuration: nothing is kept for more of them.
    if (this.#isClosed) return this.connectAlone()
    for (let round = 0; round < mostRounds; round += 1) {
      let coming = this.#coming
      if (coming === undefined || coming.waiting >= mostStreams) {
        coming = { session: this.#makeShared(), waiting: 0 }
        this.#coming = coming
      }
      coming.waiting += 1
      const session = await coming.session
      if (session.hasRoom) return session.lease()
    }
    throw new ConnectError('connect_failed', 'the target takes no requests')
  }

  /** @returns a place on a connection of its own, which ends with it */
  async connectAlone(): Promise<Connection> {
    const session = await this.#make(this.#alone)
    return session.lease(true)
  }

  async #makeShared(): Promise<Session> {
    const generation = this.#generation
    try {
      const session = await this.#make(this.#sessions)
      if (generation !== this.#generation || this.#isClosed) session.retire()
      return session
    } finally {
      this.#coming = undefined
    }
  }

  async #make(kept: Set<Session>): Promise<Session> {
    const session = await Session.connect(this.#address, this.#options, this.#times, (each) =>
      kept.delete(each),
    )
    kept.add(session)
    return session
  }

  /** Connections that the test names finish what is under way and take no more. */
  retire(isStale: (connection: { readonly address: string }) => boolean): void {
    this.#generation += 1
    for (const session of this.#sessions) if (isStale(session)) session.retire()
  }

  /** Ends the idle ones now, the others when they are. */
  close(): void {
    this.#isClosed = true
    for (const session of this.#sessions) session.retire()
  }

  /** Cuts every connection, busy ones too. */
  destroy(): void {
    this.#isClosed = true
    for (const session of [...this.#sessions, ...this.#alone]) session.destroy('the upstream is closed')
  }
}

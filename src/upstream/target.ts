/** One address of an upstream: its connections, what is in flight to it, and whether it takes part. */
import type { Clock } from '../ports/clock.ts'
import { addressOf, openSocket, type Address, type ConnectOptions } from './connect.ts'
import { Ejection } from './ejection.ts'
import { Pool } from './pool.ts'
import type { Connection } from './connection.ts'
import { Sessions } from './http2/sessions.ts'
import { UndiciConnection } from './undici-connection.ts'
import { WireConnection } from './wire-connection.ts'

/** What an operator sees of a target. */
export interface TargetState {
  readonly url: string
  readonly weight: number
  /** `ejected` is what connections told, `unhealthy` what the active check told. */
  readonly health: TargetHealth
  readonly inFlight: number
  readonly connections: { readonly idle: number; readonly open: number }
  /** Why the last connection or check failed; undefined after a success. */
  readonly lastFailure?: string
}

export type TargetHealth = 'healthy' | 'unhealthy' | 'ejected'

export class Target {
  readonly url: string
  readonly weight: number
  readonly address: Address
  readonly #pool: Pool = new Pool()
  /** Where HTTP/2 is spoken, instead of the pool. */
  readonly #sessions: Sessions | undefined
  inFlight = 0
  /** By the active check; true until it says otherwise. */
  isUp = true
  /** Share of the smooth weighted rotation. */
  credit = 0
  lastFailure: string | undefined
  readonly #clock: Clock
  readonly #options: ConnectOptions
  readonly #speaks: 'wire' | 'node' | 'http2'
  readonly #onHealth: (state: TargetHealth) => void
  readonly #ejection: Ejection
  #open = new Set<Connection>()
  /** Connections that may be used again; those made before a change of files or addresses are not. */
  #current = new WeakSet<Connection>()

  constructor(
    settings: { readonly url: string; readonly weight: number },
    options: ConnectOptions,
    deps: {
      readonly clock: Clock
      /** HTTP/1.1 by one of the two, or HTTP/2. */
      readonly speaks: 'wire' | 'node' | 'http2'
      readonly onHealth: (state: TargetHealth) => void
    },
  ) {
    this.url = settings.url
    this.weight = settings.weight
    this.address = addressOf(settings.url)
    this.#options = options
    this.#clock = deps.clock
    this.#speaks = deps.speaks
    this.#sessions = deps.speaks === 'http2' ? new Sessions(this.address, options) : undefined
    this.#onHealth = deps.onHealth
    this.#ejection = new Ejection(deps.clock)
  }

  get isEjected(): boolean {
    const { until } = this.#ejection
    return until > 0 && until > this.#clock.now()
  }

  get health(): TargetHealth {
    if (!this.isUp) {
      return 'unhealthy'
    }
    return this.isEjected ? 'ejected' : 'healthy'
  }

  get state(): TargetState {
    const { url, weight, health, inFlight, lastFailure } = this
    const { idle, open } = this.#sessions ?? { idle: this.#pool.idle, open: this.#open.size }
    const connections = { idle, open }
    return {
      url,
      weight,
      health,
      inFlight,
      connections,
      ...(lastFailure === undefined ? {} : { lastFailure }),
    }
  }

  /** @returns an idle connection, or a place on one that has room */
  reuse(): Connection | undefined {
    this.#options.resolver.refresh(this.address.host)
    return this.#sessions === undefined ? this.#pool.take() : this.#sessions.take()
  }

  /** @throws ConnectError */
  async connect(keepsHalfOpen = false): Promise<Connection> {
    if (this.#sessions !== undefined) {
      return this.#sessions.connect()
    }
    const generation = this.#current
    const connection = await this.#speakHttp1(keepsHalfOpen)
    generation.add(connection)
    this.#open.add(connection)
    connection.onClose(() => {
      this.#open.delete(connection)
      this.#pool.drop(connection)
    })
    return connection
  }

  /**
   * @returns a new connection that is not shared, and ends with what it was made for
   * @throws ConnectError
   */
  connectAlone(): Promise<Connection> {
    return this.#sessions === undefined ? this.connect() : this.#sessions.connectAlone()
  }

  async #speakHttp1(keepsHalfOpen: boolean): Promise<Connection> {
    if (this.#speaks === 'node') {
      return new UndiciConnection(await openSocket(this.address, this.#options, keepsHalfOpen))
    }
    const connection = new WireConnection()
    // A socket that may become a tunnel's is read as a stream.
    const onread = keepsHalfOpen ? undefined : connection.onread()
    connection.attach(await openSocket(this.address, this.#options, keepsHalfOpen, onread), keepsHalfOpen)
    return connection
  }

  /** Takes a connection back after its exchange. */
  give(connection: Connection): void {
    if (this.#sessions !== undefined) {
      // A stream ends by itself.
      return
    }
    if (this.#current.has(connection)) {
      this.#pool.give(connection)
    } else {
      connection.destroy()
    }
  }

  /** Connections that exist finish their exchange and are not used again. */
  retire(isStale: (connection: { readonly address: string }) => boolean): void {
    const kept = new WeakSet<Connection>()
    for (const connection of this.#open) {
      if (!isStale(connection)) {
        kept.add(connection)
      }
    }
    this.#current = kept
    this.#pool.retire(isStale)
    this.#sessions?.retire(isStale)
  }

  /** Closes idle connections now, the others after their exchange. */
  close(): void {
    this.#pool.close()
    this.#sessions?.close()
  }

  /** Cuts every connection, busy ones too. */
  destroy(): void {
    this.#pool.close()
    this.#sessions?.destroy()
    for (const connection of this.#open) {
      connection.abort()
    }
  }

  failed(detail: string): void {
    this.lastFailure = detail
    if (this.#ejection.failed()) {
      this.#onHealth('ejected')
    }
  }

  succeeded(): void {
    if (this.lastFailure !== undefined && this.isUp) {
      this.lastFailure = undefined
    }
    const wasEjected = this.#ejection.until > 0
    this.#ejection.succeeded()
    if (wasEjected) {
      this.#onHealth('healthy')
    }
  }
}

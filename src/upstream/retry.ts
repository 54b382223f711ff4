/** When a request may be tried again. Rather one answer too few than one effect twice. */
import type { ConnectionFault } from './connection.ts'

/** @see RFC 9110, section 9.2.2 */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const retriedStatuses: ReadonlySet<number> = new Set([502, 503, 504])

/** What became of a try that failed before an answer's head. */
export interface Failure {
  /** Whether an earlier exchange had used the connection: it may have been closed as idle just then. */
  readonly isReused: boolean
  readonly fault: ConnectionFault
}

/** `afresh`: on a new connection to the same target, not counted; `elsewhere`: counted as one of the configured tries. */
export type Verdict = 'afresh' | 'elsewhere' | 'give-up'

/** Says whether another try may still begin. */
export interface Timekeeper {
  isInTime(): boolean
}

export class Retries {
  readonly #isIdempotent: boolean
  readonly #timekeeper: Timekeeper
  #left: number
  #isBodyTaken = false
  #wasStale = false

  /** @param attempts extra tries that the configuration allows */
  constructor(method: string, attempts: number, timekeeper: Timekeeper) {
    this.#isIdempotent = idempotentMethods.has(method)
    this.#left = attempts
    this.#timekeeper = timekeeper
  }

  /** @returns whether an answer with this status is dropped in favour of another try, which is then counted */
  declines(status: number): boolean {
    return retriedStatuses.has(status) && this.#mayRepeat() && this.#takeOne() === 'elsewhere'
  }

  /** What to do after a connection was not made. */
  afterConnectFailure(): Verdict {
    return this.#takeOne()
  }

  afterFailure({ isReused, fault }: Failure): Verdict {
    if (fault.kind === 'unsent') {
      // Nobody can have seen the request, whatever its method. A target that closes new connections at once is as good as down.
      return isReused ? 'afresh' : this.#takeOne()
    }
    if (!this.#mayRepeat()) {
      return 'give-up'
    }
    if (isReused && !fault.isHeard && !this.#wasStale) {
      this.#wasStale = true
      return 'afresh'
    }
    return this.#takeOne()
  }

  /** The client's body was started: it cannot be sent twice. */
  bodyTaken(): void {
    this.#isBodyTaken = true
  }

  #mayRepeat(): boolean {
    return this.#isIdempotent && !this.#isBodyTaken
  }

  #takeOne(): Verdict {
    if (this.#left === 0 || !this.#timekeeper.isInTime()) {
      return 'give-up'
    }
    this.#left -= 1
    return 'elsewhere'
  }
}

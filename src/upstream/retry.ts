/** When a request may be tried again. Rather one answer too few than one effect twice. */
import type { ServerRequest } from '../exchange.ts'
import type { WireFault } from './wire.ts'

/** @see RFC 9110, section 9.2.2 */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const retriedStatuses: ReadonlySet<number> = new Set([502, 503, 504])

/** What became of a try that failed before an answer's head. */
export interface Failure {
  /** Whether an earlier exchange had used the connection: it may have been closed as idle just then. */
  readonly isReused: boolean
  readonly fault: WireFault
}

/** `afresh`: on a new connection to the same target, not counted; `elsewhere`: counted as one of the configured tries. */
export type Verdict = 'afresh' | 'elsewhere' | 'give-up'

export interface Retries {
  /** @returns whether an answer with this status is dropped in favour of another try, which is then counted */
  declines(status: number): boolean
  /** What to do after a connection was not made. */
  afterConnectFailure(): Verdict
  afterFailure(failure: Failure): Verdict
  /** The client's body was started: it cannot be sent twice. */
  bodyTaken(): void
}

/**
 * @param attempts extra tries that the configuration allows
 * @param isInTime whether another try may still begin
 */
export function createRetries(
  server: Pick<ServerRequest, 'method'>,
  attempts: number,
  isInTime: () => boolean,
): Retries {
  const isIdempotent = idempotentMethods.has(server.method)
  let left = attempts
  let isBodyTaken = false
  let wasStale = false

  const mayRepeat = (): boolean => isIdempotent && !isBodyTaken
  const takeOne = (): Verdict => {
    if (left === 0 || !isInTime()) {
      return 'give-up'
    }
    left -= 1
    return 'elsewhere'
  }

  return {
    declines(status) {
      return retriedStatuses.has(status) && mayRepeat() && takeOne() === 'elsewhere'
    },
    afterConnectFailure: takeOne,
    afterFailure({ isReused, fault }) {
      if (fault.kind === 'unsent') {
        // Nobody can have seen the request, whatever its method. A target that closes new connections at once is as good as down.
        return isReused ? 'afresh' : takeOne()
      }
      if (!mayRepeat()) {
        return 'give-up'
      }
      if (isReused && !fault.isHeard && !wasStale) {
        wasStale = true
        return 'afresh'
      }
      return takeOne()
    },
    bodyTaken() {
      isBodyTaken = true
    },
  }
}

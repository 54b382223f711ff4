/**
 * Cuts what is still flowing once its credential has expired or was revoked. One coarse timer looks at all open streams
 * of the process; a request that is answered at once is never among them.
 */
import type { Clock } from '../ports/clock.ts'

/** Milliseconds. Half of the second that the contract allows: what a look asks for in the background, the next one sees. */
const lookEvery = 500

export interface OpenStream {
  /** Milliseconds since the epoch; Infinity for none. */
  readonly deadline: number
  stillGood(): boolean
  cut(reason: 'expired' | 'revoked'): void
}

export interface StreamWatch {
  add(stream: OpenStream): void
  /** Ends the watch over the stream. */
  delete(stream: OpenStream): void
  readonly size: number
}

export function createStreamWatch(clock: Clock, interval: number = lookEvery): StreamWatch {
  const streams = new Set<OpenStream>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const now = clock.now()
    for (const stream of streams) {
      const reason = verdict(stream, now)
      if (reason !== undefined) {
        streams.delete(stream)
        stream.cut(reason)
      }
    }
    if (streams.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    add(stream) {
      streams.add(stream)
      timer ??= setInterval(look, interval).unref()
    },
    delete(stream) {
      streams.delete(stream)
    },
    get size() {
      return streams.size
    },
  }
}

function verdict(stream: OpenStream, now: number): 'expired' | 'revoked' | undefined {
  if (now >= stream.deadline) {
    return 'expired'
  }
  try {
    return stream.stillGood() ? undefined : 'revoked'
  } catch {
    // What cannot be asked does not stand.
    return 'revoked'
  }
}

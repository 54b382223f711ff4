/** Notes that sessions are used, off the request's path: each is written now and then, in batches, so that idle ones end everywhere. */
import type { SessionStore } from '../../ports/sessions.ts'

export interface SessionUsage {
  /** @param writtenAt when the store last heard of a use @param idle milliseconds that the session lives unused */
  note(digest: string, at: number, writtenAt: number, idle: number): void
  flush(): Promise<void>
  /** Writes the rest: call it before the store closes. */
  close(): Promise<void>
}

const every = 1_000
/** However long sessions may idle, the store hears of a use within a minute. */
const longest = 60_000
const capacity = 50_000

export function createSessionUsage(
  store: Pick<SessionStore, 'touch'>,
  onError: (error: unknown) => void,
): SessionUsage {
  let pending = new Map<string, number>()
  let writing = Promise.resolve()
  const timer = setInterval(() => void flush(), every)
  timer.unref()

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  async function write(): Promise<void> {
    if (pending.size === 0) return
    const batch = [...pending].map(([digest, at]) => ({ digest, at }))
    pending = new Map()
    try {
      await store.touch(batch)
    } catch (error) {
      onError(error)
    }
  }

  return {
    note(digest, at, writtenAt, idle) {
      if (at - writtenAt < Math.min(longest, idle / 4) || pending.size >= capacity) return
      pending.set(digest, at)
    },
    flush,
    close: () => {
      clearInterval(timer)
      return flush()
    },
  }
}

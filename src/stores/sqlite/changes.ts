/** Notices changes by any process within a quarter of a second, at the price of one pragma: requests read only a number. */
import { statSync } from 'node:fs'
import type { StoreChangeFeed } from '../../ports/api-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Connection } from './connection.ts'
import { counters } from './schema.ts'

export interface PolledChanges extends StoreChangeFeed {
  check(): void
  close(): void
}

const pollEvery = 250

/** @param onError told once of polls that fail for the same reason; `checkedAt` then stands still, and readers grow stale */
export function pollChanges(
  connection: Connection,
  path: string,
  clock: Clock,
  onError: (error: unknown) => void,
): PolledChanges {
  const dataVersion = connection.reader.prepare('PRAGMA data_version')
  const countOf = connection.reader.prepare('SELECT value FROM change_count WHERE id = ?')
  const { ino } = statSync(path)
  const listeners = new Set<() => void>()
  let seen: number | undefined
  const counts = { keys: 0, revocations: 0, sessions: 0 }
  const feed = {
    version: 0,
    revocations: 0,
    sessions: 0,
    checkedAt: 0,
    check,
    subscribe,
    close: () => clearInterval(timer),
  }

  function check(): void {
    // A copy put in place of the file would leave us reading the old one, deaf to every revocation from then on.
    if (statSync(path).ino !== ino)
      throw new Error(`the store ${path} was replaced while it was open; restart`)
    const data = Number(dataVersion.get()?.['data_version'])
    if (data !== seen) {
      const found = {
        keys: Number(countOf.get(counters.keys)?.['value']),
        revocations: Number(countOf.get(counters.revocations)?.['value']),
        sessions: Number(countOf.get(counters.sessions)?.['value']),
      }
      seen = data
      settle(found)
    }
    feed.checkedAt = clock.now()
  }

  /** The audit index and last-used times live in the same file: only what the counters count is a change. */
  function settle({ keys, revocations, sessions }: typeof counts): void {
    const isSame = keys === counts.keys && revocations === counts.revocations
    if (isSame && sessions === counts.sessions) return
    if (revocations !== counts.revocations) feed.revocations += 1
    if (sessions !== counts.sessions) feed.sessions += 1
    if (!isSame) feed.version += 1
    Object.assign(counts, { keys, revocations, sessions })
    for (const listener of listeners) listener()
  }

  function subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  check()
  let failing: string | undefined
  const timer = setInterval(() => {
    try {
      check()
      failing = undefined
    } catch (error) {
      const { message } = error as Error
      if (message !== failing) onError(error)
      failing = message
    }
  }, pollEvery)
  timer.unref()
  return feed
}

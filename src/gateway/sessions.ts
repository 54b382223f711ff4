/** What browser sessions need for as long as the process runs: the vault, the notes of use, and the end of those that are over. */
import { createSessionUsage } from '../engine/sessions/usage.ts'
import { createVault } from '../engine/sessions/vault.ts'
import type { SessionParts } from '../engine/sessions/parts.ts'
import { recordSession } from '../login/events.ts'
import type { Login } from '../login/login.ts'
import type { Store } from '../ports/store.ts'
import type { Services } from './snapshot.ts'

export interface SessionService {
  readonly parts: SessionParts
  /** From now on sessions are renewed and ended by this one: a reload changes it. */
  use(login: Pick<Login, 'refresh' | 'end'>): void
  close(): Promise<void>
}

const pruneEvery = 30_000
/** Later than a session is judged to be over: another process may have seen a use of it that it has not written yet. */
const pruneAfter = 60_000
const pruneAtOnce = 1_000

export function openSessions(
  store: Pick<Store, 'sessions' | 'meta'>,
  { clock, audit, log }: Pick<Services, 'clock' | 'audit' | 'log'>,
): SessionService {
  const usage = createSessionUsage(store.sessions, (error) =>
    log.error({ err: error }, 'the use of sessions could not be written'),
  )
  let current: Pick<Login, 'refresh' | 'end'> | undefined
  const login = (): Pick<Login, 'refresh' | 'end'> => {
    if (current === undefined) throw new TypeError('no login yet')
    return current
  }
  const prune = async (): Promise<void> => {
    for (;;) {
      const ended = await store.sessions.prune(clock.now() - pruneAfter, pruneAtOnce)
      for (const record of ended) recordSession({ audit, clock, log }, record, { change: 'expired' })
      if (ended.length < pruneAtOnce) return
    }
  }
  let pruning: Promise<void> | undefined
  const timer = setInterval(() => {
    pruning ??= prune()
      .catch((error: unknown) => log.error({ err: error }, 'sessions that are over could not be ended'))
      .finally(() => {
        pruning = undefined
      })
  }, pruneEvery)
  timer.unref()
  return {
    parts: {
      store: store.sessions,
      vault: createVault(store.meta, clock),
      usage,
      refresh: (record) => login().refresh(record),
      end: (record, why) => login().end(record, why),
    },
    use(next) {
      current = next
    },
    async close() {
      clearInterval(timer)
      await pruning
      await usage.close()
    },
  }
}

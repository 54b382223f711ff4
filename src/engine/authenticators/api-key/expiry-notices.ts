/** Tells ahead of time that a key ends: an audit event and a metric at 14, 7 and 1 days, each once (CONTRACT 5.1). */
import type { ApiKeyRecord } from '../../../ports/api-keys.ts'
import type { AuditLog } from '../../../ports/audit-log.ts'
import type { Clock } from '../../../ports/clock.ts'
import { noticeDays, type ExpiryNotices, type NoticeDays } from '../../../ports/expiry-notices.ts'
import { formatTime } from '../../units.ts'

export interface ExpiryScanOptions {
  readonly notices: ExpiryNotices
  readonly audit: Pick<AuditLog, 'record'>
  readonly clock: Clock
  /** For the metric. */
  readonly onExpiring: (days: NoticeDays) => void
  readonly onError: (error: unknown) => void
  /** Milliseconds between scans. */
  readonly every?: number
}

export interface ExpiryScan {
  /** Looks now. @returns how many notices were given */
  scan(): Promise<number>
  close(): Promise<void>
}

const day = 86_400_000
const batch = 100

export function startExpiryScan(options: ExpiryScanOptions): ExpiryScan {
  let running: Promise<number> | undefined
  let isClosed = false
  const timer = setInterval(() => void scan().catch(options.onError), options.every ?? 3_600_000)
  timer.unref()

  function scan(): Promise<number> {
    running ??= scanAll().finally(() => {
      running = undefined
    })
    return running
  }

  async function scanAll(): Promise<number> {
    let given = 0
    // Nearest first: a key that is found late is told once, of the nearest bound that it passed.
    for (const days of noticeDays.toReversed()) {
      for (;;) {
        const now = options.clock.now()
        const due = isClosed ? [] : await options.notices.claim({ days, now, limit: batch })
        if (due.length === 0) break
        given += await tellAll(due, days, now)
      }
    }
    return given
  }

  /** What could not be recorded is given back, so that the next scan tells it. */
  async function tellAll(due: readonly ApiKeyRecord[], days: NoticeDays, now: number): Promise<number> {
    for (const [told, record] of due.entries()) {
      try {
        await options.audit.record({
          time: now,
          type: 'credential',
          outcome: 'record',
          credential: { kind: 'api-key', id: record.id },
          data: noticeOf(record, now),
        })
      } catch (error) {
        await options.notices.release(due.slice(told).map(({ id }) => id))
        throw error
      }
      options.onExpiring(days)
    }
    return due.length
  }

  return {
    scan,
    close: async () => {
      isClosed = true
      clearInterval(timer)
      await running?.catch(options.onError)
    },
  }
}

function noticeOf(record: ApiKeyRecord, now: number): Readonly<Record<string, unknown>> {
  const end = record.expiresAt ?? now
  return {
    change: 'expiring',
    keyId: record.id,
    owner: record.owner,
    ...(record.name === undefined ? {} : { name: record.name }),
    daysLeft: Math.ceil((end - now) / day),
    expiresAt: formatTime(end),
  }
}

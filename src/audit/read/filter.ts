/** What people look for in the log. All given conditions must hold. */
import { codeOf, reasons, type Reason } from '../../engine/errors.ts'
import type { AuditRecord } from '../format/event.ts'
import { terminalSafeJson } from '../format/terminal-safe.ts'

export interface AuditFilter {
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number | undefined
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number | undefined
  readonly subject?: string | undefined
  readonly route?: string | undefined
  readonly outcome?: string | undefined
  /** The public code, or the finer private word. */
  readonly reason?: string | undefined
  readonly requestId?: string | undefined
}

export function matches(filter: AuditFilter, record: AuditRecord): boolean {
  const time = Date.parse(record.time)
  return (
    (filter.since === undefined || time >= filter.since) &&
    (filter.until === undefined || time < filter.until) &&
    (filter.subject === undefined || record.identity?.subject === filter.subject) &&
    (filter.route === undefined || record.route === filter.route) &&
    (filter.outcome === undefined || record.outcome === filter.outcome) &&
    (filter.requestId === undefined || record.requestId === filter.requestId) &&
    (filter.reason === undefined || record.reason === filter.reason || publicCodeOf(record) === filter.reason)
  )
}

/** @returns a cheap test that no matching line fails: most lines of a large log need not be parsed */
export function roughly({ subject, route, outcome, requestId }: AuditFilter): (line: Buffer) => boolean {
  const needles = [subject, route, outcome, requestId]
    .filter((value) => value !== undefined)
    .map((value) => Buffer.from(terminalSafeJson(JSON.stringify(value))))
  return (line) => needles.every((needle) => line.includes(needle))
}

/** @returns the public code of an event, also where only the finer word was recorded */
export function publicCodeOf({ reason, code }: Pick<AuditRecord, 'reason' | 'code'>): string | undefined {
  if (code !== undefined || reason === undefined) return code
  return Object.hasOwn(reasons, reason) ? codeOf(reason as Reason) : reason
}

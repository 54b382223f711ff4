/** Events as lines for people: one each, in columns, safe for a terminal whatever they hold. */
import { publicCodes } from '../../engine/errors.ts'
import type { AuditRecord } from '../format/event.ts'
import { terminalSafeJson, terminalSafeText } from '../format/terminal-safe.ts'
import { publicCodeOf } from './filter.ts'

const widths = { time: 24, outcome: 12, status: 6, reason: 24, subject: 24 } as const
const longestText = 160

export const renderedHeader: string = columns('TIME', 'OUTCOME', 'STATUS', 'REASON', 'SUBJECT', 'REQUEST')

/** Longer columns push the next ones on; nothing that tells two events apart is cut. */
export function renderRecord(record: AuditRecord): string {
  const code = publicCodeOf(record)
  const status =
    code !== undefined && Object.hasOwn(publicCodes, code)
      ? publicCodes[code as keyof typeof publicCodes].status
      : '-'
  const times = record.count === undefined ? '' : ` (${record.count} times)`
  const subject = record.identity?.subject ?? record.credential?.id ?? '-'
  return columns(
    record.time,
    record.outcome,
    String(status),
    record.reason ?? '-',
    subject,
    `${about(record)}${times}`,
  )
}

/** A record as JSON on one line, safe to print. */
export function renderJson(record: AuditRecord): string {
  return terminalSafeJson(JSON.stringify(record))
}

function about({ method, host, path, clientIp, type, detail, data }: AuditRecord): string {
  if (method !== undefined || path !== undefined) {
    const from = clientIp === undefined ? '' : ` from ${clientIp}`
    return `${method ?? '-'} ${path ?? host ?? '-'}${from}`
  }
  const facts = detail ?? (data === undefined ? clientIp : JSON.stringify(data))
  return facts === undefined ? type : `${type}: ${facts}`
}

function columns(
  time: string,
  outcome: string,
  status: string,
  reason: string,
  subject: string,
  rest: string,
): string {
  return [
    printable(time).padEnd(widths.time),
    printable(outcome).padEnd(widths.outcome),
    printable(status).padEnd(widths.status),
    printable(reason).padEnd(widths.reason),
    printable(subject).padEnd(widths.subject),
    printable(rest),
  ].join('  ')
}

function printable(text: unknown): string {
  const safe = terminalSafeText(String(text))
  return safe.length > longestText ? `${safe.slice(0, longestText)}…` : safe
}

/** An event as a log line says it: which members, in which order, how large. */
import type { AuditEntry, AuditOutcome } from '../../ports/audit-log.ts'
import { boundMembers } from './bounds.ts'
import { terminalSafeJson } from './terminal-safe.ts'

/** An entry as it waits to be written. */
export interface PendingEvent {
  readonly entry: AuditEntry
  /** The hash of the configuration under which the event happened. */
  readonly configuration: string
  /** How many equal refusals this one event stands for. */
  readonly count?: number
}

/** Longer events are cut to their members' bounds. Characters. */
const longestWhole = 8 * 1024

/**
 * @returns the JSON text of everything after the chain's own members, without the opening brace. Never throws: an event
 * that cannot be said whole is said as far as it can be.
 */
export function eventMembers(event: PendingEvent, instance: string): string {
  const members = inOrder(event, instance)
  return terminalSafeJson((wholeOrUndefined(members) ?? bounded(members)).slice(1))
}

/** RFC 3339 in UTC with milliseconds. */
export function eventTime(event: PendingEvent): string {
  const { time } = event.entry
  return new Date(Math.abs(time) <= 8_640_000_000_000_000 ? time : 0).toISOString()
}

function inOrder({ entry, configuration, count }: PendingEvent, instance: string): Record<string, unknown> {
  return {
    instance,
    configuration,
    type: entry.type,
    outcome: entry.outcome,
    reason: entry.reason,
    code: entry.code,
    detail: entry.detail,
    requestId: entry.requestId,
    traceId: entry.traceId,
    route: entry.route,
    method: entry.method,
    host: entry.host,
    path: entry.path,
    clientIp: entry.clientIp,
    tls: entry.tls,
    authenticator: entry.authenticator,
    credential: entry.credential,
    identity: entry.identity,
    durationMs: entry.durationMs,
    report: entry.report,
    count,
    data: entry.data,
  }
}

function wholeOrUndefined(members: Record<string, unknown>): string | undefined {
  try {
    const text = JSON.stringify(members)
    return text.length <= longestWhole ? text : undefined
  } catch {
    // A cycle, a BigInt, or nesting deeper than the stack.
    return undefined
  }
}

function bounded(members: Record<string, unknown>): string {
  try {
    return JSON.stringify(boundMembers(members))
  } catch {
    const { instance, configuration, type, outcome, reason, requestId } = members
    const data = { unserialisable: true }
    return JSON.stringify(boundMembers({ instance, configuration, type, outcome, reason, requestId, data }))
  }
}

/** A record as a reader gets it back. Members beyond the ones named are kept as they came. */
export interface AuditRecord extends Omit<AuditEntry, 'time' | 'outcome' | 'type'> {
  /** RFC 3339. */
  readonly time: string
  readonly seq: number
  readonly previousHash: string
  readonly hash: string
  readonly instance: string
  readonly configuration: string
  readonly type: string
  readonly outcome: AuditOutcome
  readonly count?: number
}

/** @returns the record of a line, or undefined when the line is not a JSON object with a record's chain members */
export function parseRecord(line: string): AuditRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return undefined
    const { seq, time, hash, type, outcome } = value as Partial<AuditRecord>
    const isRecord =
      typeof seq === 'number' && [time, hash, type, outcome].every((member) => typeof member === 'string')
    return isRecord ? (value as AuditRecord) : undefined
  } catch {
    return undefined
  }
}

/** An event as a log line says it: which members, in which order, how large. */
import type { AuditEntry, AuditOutcome } from '../../ports/audit-log.ts'
import { boundMembers } from './bounds.ts'
import { quickMembers } from './quick-text.ts'
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

/** The JSON text of everything after the chain's own members, without the opening brace. */
export interface EventText {
  readonly text: string
  /** False where something was cut: the line then says other things than the event. */
  readonly isWhole: boolean
}

/** Never throws: an event that cannot be said whole is said as far as it can be. */
export function eventMembers(event: PendingEvent, instance: string): EventText {
  try {
    const text = quickMembers(event, instance)
    // The opening brace counts. What is escaped for terminals only makes it longer, so this is never too generous.
    if (text.length < longestWhole) return { text, isWhole: true }
  } catch {
    // Said below, as far as it can be.
  }
  return membersByJson(event, instance)
}

/** The same, without haste: what the quick way must agree with. */
export function membersByJson(event: PendingEvent, instance: string): EventText {
  const members = inOrder(event, instance)
  const whole = wholeOrUndefined(members)
  return { text: terminalSafeJson((whole ?? bounded(members)).slice(1)), isWhole: whole !== undefined }
}

let lastSecond = { second: Number.NaN, text: '' }

/** RFC 3339 in UTC with milliseconds. */
export function eventTime(time: number): string {
  if (!isUsual(time)) return new Date(Math.abs(time) <= 8_640_000_000_000_000 ? time : 0).toISOString()
  const second = Math.floor(time / 1000)
  // Events of one second come together: its text is made once.
  if (second !== lastSecond.second)
    lastSecond = { second, text: new Date(second * 1000).toISOString().slice(0, 20) }
  const milliseconds = time - second * 1000
  return `${lastSecond.text}${milliseconds < 100 ? (milliseconds < 10 ? '00' : '0') : ''}${milliseconds}Z`
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

/** @returns the milliseconds since the epoch that `eventTime` tells */
export function eventMillis(time: number): number {
  return isUsual(time) ? time : Date.parse(eventTime(time))
}

/** Whole milliseconds from 1970 to 9999. */
function isUsual(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0 && time <= 253_402_300_799_999
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

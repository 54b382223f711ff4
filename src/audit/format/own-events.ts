/** The events that the log writes about itself: type `administration`, outcome `record`, these reasons. */
import type { AuditEntry } from '../../ports/audit-log.ts'
import { parseRecord, type AuditRecord } from './event.ts'

export const ownReasons = {
  /** The first event after each start. A checkpoint signs it before anything else is taken. */
  start: 'audit_start',
  /** The last event before a shutdown in order. */
  stop: 'audit_stop',
  /** Old segments are about to be dropped; a missing beginning is accepted only with this, signed. */
  retain: 'retain',
  /** The log could not be written for a while; how many events were refused meanwhile. */
  interrupted: 'audit_interrupted',
} as const

export type OwnReason = (typeof ownReasons)[keyof typeof ownReasons]

export interface SeqRange {
  readonly from: number
  readonly to: number
}

/** What a start found. */
export interface StartFacts {
  /** The key that signs from here on. */
  readonly key: string
  readonly mode: 'relaxed' | 'strict'
  /** Records that no checkpoint had signed. */
  readonly unsigned?: SeqRange
  /** Records that a checkpoint had signed and that are gone. */
  readonly missing?: SeqRange
  /** An unfinished end that was cut off. `savedAs`: what was more than one line is kept beside the log. */
  readonly torn?: { readonly bytes: number; readonly sha256: string; readonly savedAs?: string }
  /** The last checkpoint before this start. */
  readonly checkpoint?: { readonly seq: number; readonly hash: string }
}

/** What a `retain` event says went. */
export interface RetainFacts {
  readonly cause: 'size' | 'age'
  readonly segments: readonly RetainedSegment[]
  /** The last checkpoint line that goes with them: its seq and the SHA-256 of its line. */
  readonly checkpoints?: { readonly seq: number; readonly lineHash: string }
}

export interface RetainedSegment {
  readonly name: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly firstHash?: string
  readonly lastHash: string
  readonly bytes: number
}

export function ownEvent(time: number, reason: OwnReason, data?: object): AuditEntry {
  const entry = { time, type: 'administration', outcome: 'record', reason } as const
  return data === undefined ? entry : { ...entry, data: { ...data } }
}

const marker = Buffer.from('"type":"administration","outcome":"record","reason":"')

/** @returns the record, when the line is an event that the log may have written about itself. Cheap for all other lines. */
export function readOwnEvent(line: Buffer): AuditRecord | undefined {
  // The members' order is fixed and JSON escapes quotes in values, so no value of a stranger can look like this.
  return line.includes(marker) ? parseRecord(line.toString('utf8')) : undefined
}

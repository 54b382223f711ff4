/** What `verify` says. */

/** The kinds of tampering that it tells apart. */
export const auditProblems = {
  changed: 'a record is not what was written',
  dropped: 'records are missing',
  swapped: 'records are not in the order in which they were written',
  inserted: 'a line stands in the log that was not written there',
  cut: 'the end of the log is missing',
  bad_checkpoint: 'a checkpoint is missing, changed, or not signed by the audit key',
  bad_head: 'the kept checkpoint is none, or is not signed by the audit key',
} as const

export type AuditProblem = keyof typeof auditProblems

/** The first thing that is wrong. */
export interface Fault {
  readonly problem: AuditProblem
  /** The first record that it concerns. */
  readonly seq: number
  /** The file, and its line (from 1), where it shows. */
  readonly segment?: string
  readonly line?: number
  readonly message: string
}

export interface Findings {
  /** How many records were read. */
  readonly records: number
  readonly segments: number
  readonly checkpoints: number
  readonly first?: RecordName
  readonly last?: RecordName
  /** The last record that a checkpoint signs, and when it was signed: up to here nothing was changed. */
  readonly signed?: RecordName
  /** What follows it: chained, but whoever can write the files could have made it. */
  readonly unsigned?: { readonly from: number; readonly to: number }
  /** The last record that retention dropped; a signed `retain` event says so. */
  readonly retained?: number
  /** How a checkpoint that was kept elsewhere compares. Without one a cut tail cannot be excluded. */
  readonly head: 'none' | 'holds' | 'older-than-log'
  /** Bytes of an unfinished last line: a writer at work, or a crash. */
  readonly torn?: number
  /** Sentences for a person. */
  readonly notices: readonly string[]
}

export interface RecordName {
  readonly seq: number
  readonly hash: string
  /** RFC 3339. */
  readonly time: string
}

export type VerifyReport = ({ readonly ok: true } & Findings) | ({ readonly ok: false } & Fault & Findings)

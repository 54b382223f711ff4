/** What the log tells its operator about itself, beside the events: kinds for metrics and alerts, each with its meaning. */
export const auditAlarms = {
  directory_permissions: 'others on this machine can read or change the audit directory',
  key_permissions: 'others on this machine can read the audit key',
  key_changed: 'the log so far was signed with another key: keep its public half to verify it',
  torn_line: 'the last line was unfinished, as after a crash or a power failure, and was cut off',
  records_missing: 'a signed checkpoint names records that are not there',
  chain_broken: 'the newest part of the log does not hold together: run `portcullis audit verify`',
  write_failed: 'the log cannot be written: requests are refused until it can be',
  write_recovered: 'the log can be written again',
  events_lost: 'the log was closed while it could not be written: events that were waiting are lost',
  retention_pressure:
    'at this rate `retain.size` is met before `retain.age`: refusals coalesce by the minute',
  retention_failed: 'an old segment could not be dropped',
  index_failed: 'the index is not being written; the log itself is',
  sink_failed: 'a copy of the log could not be written to a sink; the log itself is whole',
} as const

export type AuditAlarm = keyof typeof auditAlarms

/** Receives alarms. `detail` is one line for a person and names no credential. */
export type OnAlarm = (kind: AuditAlarm, detail: string) => void

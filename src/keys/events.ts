/** What the audit log is told of each change to a credential. */
import type { AuditEntry, AuditLog } from '../ports/audit-log.ts'
import type { Outbox } from '../ports/outbox.ts'

/** Who changed something, and from where. A bare text is the name. */
export type Actor =
  | string
  | { readonly name: string; readonly clientIp?: string; readonly requestId?: string }

export type Recorder = Pick<AuditLog, 'record'>

/** A change of one or several keys, or a revocation. */
export function credentialEvent(
  time: number,
  actor: Actor,
  data: Readonly<Record<string, unknown>> & { readonly change: string; readonly keyId?: string },
): AuditEntry {
  const { name, clientIp, requestId } = typeof actor === 'string' ? { name: actor } : actor
  return {
    time,
    type: 'credential',
    outcome: 'record',
    ...(requestId === undefined ? {} : { requestId }),
    ...(clientIp === undefined ? {} : { clientIp }),
    ...(data.keyId === undefined ? {} : { credential: { kind: 'api-key', id: data.keyId } }),
    data: { ...data, by: name },
  }
}

/** For processes that do not hold the log: the running gateway, or the next one, brings the events over. */
export function recordInOutbox(outbox: Outbox): Recorder {
  return { record: (entry) => outbox.put([entry]) }
}

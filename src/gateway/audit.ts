import type { AuditSettings } from '../configuration.ts'
import { openAuditLog, type AuditLogDeps } from '../audit/open.ts'
import type { AuditLog } from '../ports/audit-log.ts'

/** The audit log as the gateway holds it: `off` takes events and keeps none (`check` warns of it). */
export interface OpenAudit extends AuditLog {
  /** The public half of the audit key in PEM; undefined when the log is off. */
  readonly publicKeyPem: string | undefined
  readonly directory: string | undefined
  close(): Promise<void>
}

const off: OpenAudit = {
  publicKeyPem: undefined,
  directory: undefined,
  record: () => undefined,
  fingerprint: () => '',
  close: async () => undefined,
}

export async function openAudit(settings: AuditSettings | 'off', deps: AuditLogDeps): Promise<OpenAudit> {
  return settings === 'off' ? off : openAuditLog(settings, deps)
}

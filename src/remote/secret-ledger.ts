/** What became of each client's secrets at one provider, whoever of the gateway's parts used them. */
import type { SecretReport } from './client-secrets.ts'

export interface SecretLedger {
  /** @param secrets names a client with its list of secrets: another list is another story */
  note(secrets: string, report: SecretReport): void
  /** The latest word; undefined while none of the secrets was taken. */
  of(secrets: string): SecretReport | undefined
}

/** Lists that were rotated away are forgotten, oldest first. */
const most = 50

export function createSecretLedger(): SecretLedger {
  const reports = new Map<string, SecretReport>()
  return {
    note(secrets, report) {
      const before = reports.get(secrets)
      // Two parts may be one client: the older use of an old secret must not hide the newer one.
      const uses = [before?.oldUsedAt, report.oldUsedAt].filter((each) => each !== undefined)
      reports.delete(secrets)
      reports.set(secrets, { ...report, oldUsedAt: uses.length === 0 ? undefined : Math.max(...uses) })
      const [oldest] = reports.keys()
      if (reports.size > most && oldest !== undefined) reports.delete(oldest)
    },
    of: (secrets) => reports.get(secrets),
  }
}

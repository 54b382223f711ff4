/** Events as CSV (RFC 4180), safe to open in a spreadsheet. */
import type { AuditRecord } from '../format/event.ts'
import { terminalSafeText } from '../format/terminal-safe.ts'

type Cell = string | number | undefined

const columns: Readonly<Record<string, (record: AuditRecord) => Cell>> = {
  time: (record) => record.time,
  seq: (record) => record.seq,
  type: (record) => record.type,
  outcome: (record) => record.outcome,
  reason: (record) => record.reason,
  code: (record) => record.code,
  count: (record) => record.count,
  requestId: (record) => record.requestId,
  traceId: (record) => record.traceId,
  route: (record) => record.route,
  method: (record) => record.method,
  host: (record) => record.host,
  path: (record) => record.path,
  clientIp: (record) => record.clientIp,
  tlsVersion: (record) => record.tls?.version,
  tlsCipher: (record) => record.tls?.cipher,
  tlsCertificate: (record) => record.tls?.certificate,
  authenticator: (record) => record.authenticator,
  credentialKind: (record) => record.credential?.kind,
  credentialId: (record) => record.credential?.id,
  credentialFingerprint: (record) => record.credential?.fingerprint,
  issuer: (record) => record.identity?.issuer,
  subject: (record) => record.identity?.subject,
  client: (record) => record.identity?.client,
  tenant: (record) => record.identity?.tenant,
  scopes: (record) => record.identity?.scopes?.join(' '),
  roles: (record) => record.identity?.roles?.join(','),
  amr: (record) => record.identity?.amr?.join(','),
  claims: (record) => asJson(record.identity?.claims),
  durationMs: (record) => record.durationMs,
  detail: (record) => record.detail,
  data: (record) => asJson(record.data),
  instance: (record) => record.instance,
  configuration: (record) => record.configuration,
  previousHash: (record) => record.previousHash,
  hash: (record) => record.hash,
}

export const csvHeader: string = `${Object.keys(columns).join(',')}\r\n`

export function csvRow(record: AuditRecord): string {
  return `${Object.values(columns)
    .map((column) => cell(column(record)))
    .join(',')}\r\n`
}

function asJson(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}

function cell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = terminalSafeText(value)
  // A spreadsheet takes these for the beginning of a formula, and a stranger chose the path.
  const harmless = /^[=+\-@]/.test(text.trimStart()) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) || harmless !== harmless.trim()
    ? `"${harmless.replaceAll('"', '""')}"`
    : harmless
}

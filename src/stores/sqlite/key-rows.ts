/** How a key's record lies in its row. */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { ApiKeyRecord } from '../../ports/api-keys.ts'

type Row = Record<string, SQLOutputValue>

export const columns = [
  'id',
  'digests',
  'name',
  'owner',
  'origin',
  'prefix',
  'authenticator',
  'scopes',
  'roles',
  'tenant',
  'metadata',
  'allowed_ips',
  'allowed_routes',
  'rate_limit',
  'created_at',
  'not_before',
  'expires_at',
  'last_used_at',
  'revoked_at',
  'revoked_reason',
  'successor',
  'grace_ends_at',
  'predecessor',
  'certificate',
  'quarantined_at',
  'quarantined_reason',
] as const

export const selectKey: string = `SELECT ${columns.join(', ')} FROM api_key`

/** The values of a new row, in the order of `columns`. */
export function valuesOf(record: ApiKeyRecord): SQLInputValue[] {
  return [
    record.id,
    Buffer.concat(record.digests.map(digestBytes)),
    record.name ?? null,
    record.owner,
    record.origin,
    record.prefix ?? null,
    record.authenticator ?? null,
    JSON.stringify(record.scopes),
    JSON.stringify(record.roles),
    record.tenant ?? null,
    JSON.stringify(record.metadata),
    JSON.stringify(record.allowedIps),
    JSON.stringify(record.allowedRoutes),
    record.rateLimit ?? null,
    record.createdAt,
    record.notBefore ?? null,
    record.expiresAt ?? null,
    record.lastUsedAt ?? null,
    record.revokedAt ?? null,
    record.revokedReason ?? null,
    record.successor ?? null,
    record.graceEndsAt ?? null,
    record.predecessor ?? null,
    record.certificate ?? null,
    record.quarantinedAt ?? null,
    record.quarantinedReason ?? null,
  ]
}

export function recordOf(row: Row): ApiKeyRecord {
  return {
    id: String(row['id']),
    owner: String(row['owner']),
    origin: row['origin'] === 'imported' ? 'imported' : 'created',
    digests: digestsOf(row['digests']),
    scopes: texts(row['scopes']),
    roles: texts(row['roles']),
    metadata: JSON.parse(String(row['metadata'])) as Record<string, string>,
    allowedIps: texts(row['allowed_ips']),
    allowedRoutes: texts(row['allowed_routes']),
    createdAt: Number(row['created_at']),
    ...optional('name', row['name']),
    ...optional('prefix', row['prefix']),
    ...optional('authenticator', row['authenticator']),
    ...optional('tenant', row['tenant']),
    ...optional('rateLimit', row['rate_limit']),
    ...optional('notBefore', row['not_before']),
    ...optional('expiresAt', row['expires_at']),
    ...optional('lastUsedAt', row['last_used_at']),
    ...optional('revokedAt', row['revoked_at']),
    ...optional('revokedReason', row['revoked_reason']),
    ...optional('successor', row['successor']),
    ...optional('graceEndsAt', row['grace_ends_at']),
    ...optional('predecessor', row['predecessor']),
    ...optional('certificate', row['certificate']),
    ...optional('quarantinedAt', row['quarantined_at']),
    ...optional('quarantinedReason', row['quarantined_reason']),
  }
}

/** @throws RangeError when the text is no SHA-256: it would be cut short and might then find another key */
export function digestBytes(hex: string): Buffer {
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new RangeError('a digest is 64 lower-case hexadecimal digits')
  return Buffer.from(hex, 'hex')
}

function digestsOf(value: SQLOutputValue | undefined): readonly string[] {
  const hex = Buffer.from(value as Uint8Array).toString('hex')
  return hex.match(/.{64}/g) ?? []
}

function texts(value: SQLOutputValue | undefined): readonly string[] {
  return JSON.parse(String(value)) as string[]
}

function optional<Name extends keyof ApiKeyRecord>(
  name: Name,
  value: SQLOutputValue | undefined,
): Partial<Pick<ApiKeyRecord, Name>> {
  return value === null || value === undefined ? {} : ({ [name]: value } as Partial<Pick<ApiKeyRecord, Name>>)
}

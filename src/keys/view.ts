/** What operators see of a key: everything but what proves it. */
import { statusOfKey, type KeyStatus } from '../engine/authenticators/api-key/life.ts'
import { formatTime } from '../engine/units.ts'
import type { ApiKeyRecord } from '../ports/api-keys.ts'

/** Times are RFC 3339. There is no member for the digest, so that nothing that prints a view can print it. */
export interface KeyView {
  readonly id: string
  readonly name?: string
  readonly owner: string
  readonly status: KeyStatus
  readonly origin: 'created' | 'imported'
  readonly prefix?: string
  readonly authenticator?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly tenant?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly allowedIps: readonly string[]
  readonly allowedRoutes: readonly string[]
  readonly rateLimit?: string
  readonly createdAt: string
  readonly notBefore?: string
  readonly expiresAt?: string
  readonly lastUsedAt?: string
  readonly successor?: string
  readonly graceEndsAt?: string
  readonly revokedAt?: string
  readonly revokedReason?: string
}

export function viewOfKey(record: ApiKeyRecord, now: number): KeyView {
  return {
    id: record.id,
    ...(record.name === undefined ? {} : { name: record.name }),
    owner: record.owner,
    status: statusOfKey(record, now),
    origin: record.origin,
    ...(record.prefix === undefined ? {} : { prefix: record.prefix }),
    ...(record.authenticator === undefined ? {} : { authenticator: record.authenticator }),
    scopes: record.scopes,
    roles: record.roles,
    ...(record.tenant === undefined ? {} : { tenant: record.tenant }),
    metadata: record.metadata,
    allowedIps: record.allowedIps,
    allowedRoutes: record.allowedRoutes,
    ...(record.rateLimit === undefined ? {} : { rateLimit: record.rateLimit }),
    createdAt: formatTime(record.createdAt),
    ...time('notBefore', record.notBefore),
    ...time('expiresAt', record.expiresAt),
    ...time('lastUsedAt', record.lastUsedAt),
    ...(record.successor === undefined ? {} : { successor: record.successor }),
    ...time('graceEndsAt', record.graceEndsAt),
    ...time('revokedAt', record.revokedAt),
    ...(record.revokedReason === undefined ? {} : { revokedReason: record.revokedReason }),
  }
}

function time<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: formatTime(value) } as { readonly [Key in Name]: string })
}

/** What operators see of a key: everything but what proves it. */
import { statusOfKey, type KeyStatus } from '../engine/authenticators/api-key/life.ts'
import { formatTime } from '../engine/units.ts'
import type { ApiKeyRecord, SeenAddress } from '../ports/api-keys.ts'
import type { RotationView } from './rotation.ts'

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
  /** SHA-256 of the client certificate that must come with the key. */
  readonly certificate?: string
  readonly createdAt: string
  readonly notBefore?: string
  readonly expiresAt?: string
  readonly lastUsedAt?: string
  readonly successor?: string
  readonly graceEndsAt?: string
  readonly predecessor?: string
  /** Of a key that was rotated, else of one that took over. */
  readonly rotation?: RotationView
  readonly quarantinedAt?: string
  readonly quarantinedReason?: string
  /** Where the key was used from lately, latest first; only where a single key is shown. */
  readonly seenFrom?: readonly SeenView[]
  readonly revokedAt?: string
  readonly revokedReason?: string
}

export interface SeenView {
  /** Of IPv6 the /64. */
  readonly address: string
  readonly lastSeenAt: string
}

/** What a view tells that is not in the record itself. */
export interface KeyContext {
  readonly rotation?: RotationView | undefined
  readonly seenFrom?: readonly SeenAddress[]
}

export function viewOfKey(record: ApiKeyRecord, now: number, context: KeyContext = {}): KeyView {
  const { rotation, seenFrom = [] } = context
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
    ...(record.certificate === undefined ? {} : { certificate: record.certificate }),
    createdAt: formatTime(record.createdAt),
    ...time('notBefore', record.notBefore),
    ...time('expiresAt', record.expiresAt),
    ...time('lastUsedAt', record.lastUsedAt),
    ...(record.successor === undefined ? {} : { successor: record.successor }),
    ...time('graceEndsAt', record.graceEndsAt),
    ...(record.predecessor === undefined ? {} : { predecessor: record.predecessor }),
    ...(rotation === undefined ? {} : { rotation }),
    ...time('quarantinedAt', record.quarantinedAt),
    ...(record.quarantinedReason === undefined ? {} : { quarantinedReason: record.quarantinedReason }),
    ...(seenFrom.length === 0 ? {} : { seenFrom: seenFrom.map(viewOfSeen) }),
    ...time('revokedAt', record.revokedAt),
    ...(record.revokedReason === undefined ? {} : { revokedReason: record.revokedReason }),
  }
}

function viewOfSeen({ address, seenAt }: SeenAddress): SeenView {
  return { address, lastSeenAt: formatTime(seenAt) }
}

function time<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: formatTime(value) } as { readonly [Key in Name]: string })
}

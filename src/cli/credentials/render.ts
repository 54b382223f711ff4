/** Keys and revocations as people read them. */
import type { AssertionKeyView } from '../../keys/assertion-keys.ts'
import type { CreatedKey, RotatedKey } from '../../keys/manager.ts'
import type { RevocationView } from '../../keys/revocations.ts'
import type { RotationView } from '../../keys/rotation.ts'
import type { KeyView } from '../../keys/view.ts'

/** All that is known of a key, one fact a line; what is not there is left out. */
export function renderKey(view: KeyView | CreatedKey | RotatedKey): string {
  const facts: [string, string | undefined][] = [
    ['id', view.id],
    ['key', 'key' in view ? view.key : undefined],
    ['name', view.name],
    ['owner', view.owner],
    ['status', view.status],
    ['scopes', listed(view.scopes)],
    ['roles', listed(view.roles)],
    ['tenant', view.tenant],
    ['metadata', listed(Object.entries(view.metadata).map(([name, value]) => `${name}=${value}`))],
    ['allowed ips', listed(view.allowedIps)],
    ['allowed routes', listed(view.allowedRoutes)],
    ['rate limit', view.rateLimit],
    ['certificate', view.certificate],
    ['authenticator', view.authenticator],
    ['origin', view.origin === 'imported' ? 'imported' : undefined],
    ['created', view.createdAt],
    ['not before', view.notBefore],
    ['expires', view.expiresAt ?? 'never'],
    ['last used', view.lastUsedAt ?? ('key' in view ? undefined : 'never')],
    ['successor', view.successor],
    ['predecessor', view.predecessor],
    ['grace ends', view.graceEndsAt],
    ['rotation', view.rotation === undefined ? undefined : renderRotation(view.rotation)],
    ['quarantined', view.quarantinedAt],
    ['found', view.quarantinedReason],
    ['seen from', listed((view.seenFrom ?? []).map((each) => `${each.address} (${each.lastSeenAt})`))],
    ['revoked', view.revokedAt],
    ['reason', view.revokedReason],
    [
      'replaces',
      'replaces' in view ? `${view.replaces.id}, good until ${view.replaces.graceEndsAt}` : undefined,
    ],
  ]
  return facts
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(15)} ${value}`]))
    .join('\n')
}

function renderRotation({ stage, ...rotation }: RotationView): string {
  const used = (at: string | undefined): string => (at === undefined ? 'never used' : `last used ${at}`)
  const old = `old ${rotation.old} ${used(rotation.oldLastUsedAt)}`
  return `${stage}: ${old}, new ${rotation.new} ${used(rotation.newLastUsedAt)}`
}

const columns = [
  { title: 'ID', width: 12, of: (view: KeyView) => view.id },
  { title: 'OWNER', width: 16, of: (view: KeyView) => view.owner },
  { title: 'NAME', width: 16, of: (view: KeyView) => view.name ?? '' },
  { title: 'STATUS', width: 13, of: (view: KeyView) => view.status },
  {
    title: 'EXPIRES',
    width: 10,
    of: (view: KeyView) => (view.graceEndsAt ?? view.expiresAt)?.slice(0, 10) ?? 'never',
  },
  { title: 'LAST USED', width: 10, of: (view: KeyView) => view.lastUsedAt?.slice(0, 10) ?? 'never' },
  { title: 'ROTATION', width: 8, of: (view: KeyView) => view.rotation?.stage ?? '' },
  { title: 'SCOPES', width: 0, of: (view: KeyView) => view.scopes.join(' ') },
] as const

export const tableHeader: string = columns
  .map(({ title, width }) => title.padEnd(width))
  .join('  ')
  .trimEnd()

/** Fixed columns, so that a list of any length can be printed as it comes. */
export function renderRow(view: KeyView): string {
  return columns
    .map(({ width, of }) => of(view).padEnd(width))
    .join('  ')
    .trimEnd()
}

export function renderRevocation(revocation: RevocationView): string {
  return `revoked ${describeRevocation(revocation)}`
}

/** One line of the list. */
export function renderStanding(revocation: RevocationView): string {
  const { createdAt, reason } = revocation
  return `${createdAt}  ${describeRevocation(revocation)}${reason === undefined ? '' : `: ${reason}`}`
}

function describeRevocation({ kind, value, issuer, at, permanent, expiresAt }: RevocationView): string {
  const what =
    kind === 'issuer' ? `all of ${issuer ?? ''}` : `${kind} ${value ?? ''} of ${issuer ?? 'any issuer'}`
  const which =
    kind === 'jti' || kind === 'session' ? '' : `, issued until ${at}${permanent ? ' and later' : ''}`
  return `${what}${which}${expiresAt === undefined ? '' : ` (kept until ${expiresAt})`}`
}

export function renderAssertionKeys(keys: readonly AssertionKeyView[]): string {
  return keys
    .map(({ kid, stage, activeFrom, lastUsedAt, retiresAt }) => {
      const used = lastUsedAt === undefined ? '' : `, last used ${lastUsedAt}`
      const end = retiresAt === undefined ? '' : `, retires ${retiresAt}`
      return `${kid}  ${stage.padEnd(8)}  signs from ${activeFrom}${used}${end}`
    })
    .join('\n')
}

function listed(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(', ')
}

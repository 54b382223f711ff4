/** From what an operator wrote to what a record says. All faults are told at once. */
import type { Configuration } from '../configuration.ts'
import type { ApiKeyRecord } from '../ports/api-keys.ts'
import { formatTime, parseDuration, parseTime } from '../engine/units.ts'
import { Checker } from './checks.ts'
import type { KeyHome } from './homes.ts'
import { KeyProblem } from './problem.ts'
import type { GrantsInput, NewKey } from './schemas.ts'

/** What a record says of its key that an operator decides. */
export type Grants = Pick<
  ApiKeyRecord,
  | 'name'
  | 'owner'
  | 'scopes'
  | 'roles'
  | 'tenant'
  | 'metadata'
  | 'allowedIps'
  | 'allowedRoutes'
  | 'rateLimit'
  | 'certificate'
  | 'notBefore'
  | 'expiresAt'
>

/** @throws KeyProblem naming every member that is wrong */
export function readNewKey(
  input: NewKey,
  home: KeyHome,
  routes: Configuration['routes'],
  now: number,
): Grants {
  const checker = new Checker()
  const grants = readGrants(input, routes, checker)
  if (input.expires !== undefined && input.expiresAt !== undefined) {
    checker.fault('expires', 'and expiresAt say the same; give one of them')
  }
  const member = input.expiresAt === undefined ? 'expires' : 'expiresAt'
  const expiresAt = readExpiry(member, input[member], home, now, checker)
  if (expiresAt !== undefined && grants.notBefore !== undefined && grants.notBefore >= expiresAt) {
    checker.fault('notBefore', `must be before the key expires (${formatTime(expiresAt)})`)
  }
  if (checker.faults.length > 0) throw new KeyProblem('invalid', checker.faults)
  return expiresAt === undefined ? grants : { ...grants, expiresAt }
}

/** Judges all but the expiry, whose rules differ between new and imported keys. */
export function readGrants(input: GrantsInput, routes: Configuration['routes'], checker: Checker): Grants {
  const { scopes = [], roles = [], metadata = {}, allowedIps = [], allowedRoutes = [] } = input
  checker.text('owner', input.owner, 256)
  checker.optionalText('name', input.name, 256)
  checker.optionalText('tenant', input.tenant, 256)
  checker.scopes('scopes', scopes)
  checker.texts('roles', roles, 256)
  checker.metadata('metadata', metadata)
  checker.ranges('allowedIps', allowedIps)
  const known = routes.map(({ id }) => id)
  checker.routes('allowedRoutes', allowedRoutes, known)
  checker.rate('rateLimit', input.rateLimit)
  const certificate = checker.fingerprint('certificate', input.certificate)
  const notBefore = checker.time('notBefore', input.notBefore)
  return {
    owner: input.owner,
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.tenant === undefined ? {} : { tenant: input.tenant }),
    scopes: [...new Set(scopes)],
    roles: [...new Set(roles)],
    metadata,
    allowedIps: [...new Set(allowedIps)],
    allowedRoutes: [...new Set(allowedRoutes)],
    ...(input.rateLimit === undefined ? {} : { rateLimit: input.rateLimit }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(notBefore === undefined ? {} : { notBefore }),
  }
}

function readExpiry(
  member: 'expires' | 'expiresAt',
  written: string | undefined,
  { maxLifetime }: KeyHome,
  now: number,
  checker: Checker,
): number | undefined {
  const latest = maxLifetime === undefined ? undefined : now + maxLifetime
  if (written === undefined) return latest
  if (written === 'none' && member === 'expires') {
    if (latest !== undefined) checker.fault(member, 'the authenticator has a maxLifetime: keys must expire')
    return undefined
  }
  const duration = member === 'expires' ? parseDuration(written) : undefined
  const expiresAt = duration === undefined ? parseTime(written) : now + duration
  if (expiresAt === undefined) {
    const also = member === 'expires' ? 'a duration such as 30d, none, or ' : ''
    checker.fault(member, `must be ${also}an RFC 3339 time, such as 2027-01-31T12:00:00Z`)
  } else if (expiresAt <= now) checker.fault(member, 'must be in the future')
  else if (latest !== undefined && expiresAt > latest) {
    checker.fault(
      member,
      `must be at most ${formatTime(latest)}, which is the maxLifetime of the authenticator`,
    )
  }
  return expiresAt
}

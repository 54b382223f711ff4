/** Makes new keys, and says what a rotation hands on. */
import type { ApiKeyRecord } from '../ports/api-keys.ts'
import { digestOfKey } from '../engine/authenticators/api-key/digest.ts'
import { makeKey } from '../engine/authenticators/api-key/key-format.ts'
import { Checker } from './checks.ts'
import type { KeyHome } from './homes.ts'
import type { Grants } from './inputs.ts'
import { KeyProblem } from './problem.ts'
import type { Rotation } from './schemas.ts'

/** Makes a key and the record that knows it only by its digests. */
export function forgeKey(
  home: KeyHome,
  now: number,
  grants: Grants,
): { readonly key: string; readonly record: ApiKeyRecord } {
  const { id, key } = makeKey(home.prefix)
  const record: ApiKeyRecord = {
    ...grants,
    id,
    digests: home.peppers.map((pepper) => digestOfKey(key, pepper)),
    origin: 'created',
    prefix: home.prefix,
    ...(home.authenticator === undefined ? {} : { authenticator: home.authenticator }),
    createdAt: now,
  }
  return { key, record }
}

/** The same rights for a full new life. */
export function successorGrants(old: ApiKeyRecord, home: KeyHome, now: number): Grants {
  return {
    owner: old.owner,
    ...(old.name === undefined ? {} : { name: old.name }),
    ...(old.tenant === undefined ? {} : { tenant: old.tenant }),
    scopes: old.scopes,
    roles: old.roles,
    metadata: old.metadata,
    allowedIps: old.allowedIps,
    allowedRoutes: old.allowedRoutes,
    ...(old.rateLimit === undefined ? {} : { rateLimit: old.rateLimit }),
    ...(old.certificate === undefined ? {} : { certificate: old.certificate }),
    ...(home.maxLifetime === undefined ? {} : { expiresAt: now + home.maxLifetime }),
  }
}

/** @returns when the old key stops, in milliseconds since the epoch. Grace never lengthens a life. */
export function endOfGrace(old: ApiKeyRecord, input: Rotation, home: KeyHome, now: number): number {
  const checker = new Checker()
  const grace = input.grace === undefined ? home.grace : checker.duration('grace', input.grace)
  if (grace === undefined) throw new KeyProblem('invalid', checker.faults)
  return Math.min(now + grace, old.expiresAt ?? Infinity)
}

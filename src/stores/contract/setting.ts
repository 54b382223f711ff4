import { createHash } from 'node:crypto'
import type { ApiKeyRecord } from '../../ports/api-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Revocation } from '../../ports/revocations.ts'
import type { Store } from '../../ports/store.ts'

/** Opens a fresh, empty store. */
export type OpenFresh = (clock: Clock) => Promise<Store>

/** A clock that a suite moves. */
export interface SetClock extends Clock {
  time: number
}

export function setClock(time = 1_800_000_000_000): SetClock {
  return {
    time,
    now() {
      return this.time
    },
  }
}

export function digestFor(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function keyRecord(id: string, edits: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id,
    owner: 'acme',
    digests: [digestFor(id)],
    origin: 'created',
    prefix: 'ptc',
    scopes: [],
    roles: [],
    metadata: {},
    allowedIps: [],
    allowedRoutes: [],
    createdAt: 1_700_000_000_000,
    ...edits,
  }
}

export function revocation(edits: Partial<Revocation> & Pick<Revocation, 'kind'>): Revocation {
  return { at: 1_700_000_000_000, permanent: false, createdAt: 1_700_000_000_000, ...edits }
}

/** How far a rotation has come: whether callers use the new credential, and whether anybody still uses the old one. */
import { endOfKey } from '../engine/authenticators/api-key/life.ts'
import { formatTime } from '../engine/units.ts'
import type { ApiKeyRecord } from '../ports/api-keys.ts'

/**
 * `new`: made, and not used yet. `both`: in use beside the old one. `draining`: in use, and the old one was silent for an hour.
 * `retired`: the old one has ended.
 */
export const rotationStages = ['new', 'both', 'draining', 'retired'] as const
export type RotationStage = (typeof rotationStages)[number]

/** Where a key's rotation stands, told of both keys alike. Times are RFC 3339, to the minute. */
export interface RotationView {
  readonly stage: RotationStage
  readonly old: string
  readonly oldLastUsedAt?: string
  readonly new: string
  readonly newLastUsedAt?: string
}

/** Whoever still has the old key uses it more often than that, or so seldom that only its end will tell. */
const silence = 3_600_000

export function stageOfRotation(
  old: ApiKeyRecord,
  successor: Pick<ApiKeyRecord, 'lastUsedAt'>,
  now: number,
): RotationStage {
  if (old.revokedAt !== undefined || endOfKey(old) <= now) return 'retired'
  if (successor.lastUsedAt === undefined) return 'new'
  return (old.lastUsedAt ?? -Infinity) > now - silence ? 'both' : 'draining'
}

export function viewOfRotation(old: ApiKeyRecord, successor: ApiKeyRecord, now: number): RotationView {
  return {
    stage: stageOfRotation(old, successor, now),
    old: old.id,
    ...(old.lastUsedAt === undefined ? {} : { oldLastUsedAt: formatTime(old.lastUsedAt) }),
    new: successor.id,
    ...(successor.lastUsedAt === undefined ? {} : { newLastUsedAt: formatTime(successor.lastUsedAt) }),
  }
}

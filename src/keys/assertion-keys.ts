/** What operators see of the keys that assertions are signed with, and do to them. */
import { formatTime } from '../engine/units.ts'
import type { Clock } from '../ports/clock.ts'
import { Checker } from './checks.ts'
import { credentialEvent, type Actor, type Recorder } from './events.ts'
import { conflict, KeyProblem } from './problem.ts'
import type { AssertionKeyRotation } from './schemas.ts'

/** A key as those who sign with it tell of it. Times are milliseconds since the epoch. */
export interface SigningKeyFacts {
  readonly kid: string
  readonly stage: 'new' | 'active' | 'draining'
  readonly activeFrom: number
  readonly lastUsedAt?: number
  readonly retiresAt?: number
}

export interface SigningKeys {
  list(): readonly SigningKeyFacts[]
  /** @returns undefined when a next key is published already */
  rotate(how: { readonly withdraw: boolean }): Promise<readonly SigningKeyFacts[] | undefined>
}

/** Times are RFC 3339. */
export interface AssertionKeyView {
  readonly kid: string
  readonly stage: SigningKeyFacts['stage']
  readonly activeFrom: string
  /** By the gateway that is asked. */
  readonly lastUsedAt?: string
  readonly retiresAt?: string
}

/** Throws a `KeyProblem` for what cannot be done, and anything else for what broke. */
export interface AssertionKeyManager {
  list(): Promise<readonly AssertionKeyView[]>
  rotate(input: AssertionKeyRotation, by: Actor): Promise<readonly AssertionKeyView[]>
}

export interface AssertionKeyOptions {
  readonly keys: SigningKeys
  readonly audit: Recorder
  readonly clock: Clock
}

export function createAssertionKeyManager({ keys, audit, clock }: AssertionKeyOptions): AssertionKeyManager {
  return {
    list: async () => keys.list().map(viewOf),
    rotate: async ({ withdraw = false, reason }, by) => {
      const checker = new Checker()
      checker.optionalText('reason', reason, 256)
      if (checker.faults.length > 0) throw new KeyProblem('invalid', checker.faults)
      const before = keys.list()
      const after = await keys.rotate({ withdraw })
      if (after === undefined) {
        const next = before.find(({ stage }) => stage === 'new')
        const when = next === undefined ? 'soon' : `at ${formatTime(next.activeFrom)}`
        throw conflict(`the next key is published already, and signs ${when}`)
      }
      const kept = new Set(after.map(({ kid }) => kid))
      const data = {
        change: 'assertion-key-rotated',
        kid: after.at(-1)?.kid,
        ...(withdraw ? { withdrawn: before.map(({ kid }) => kid).filter((kid) => !kept.has(kid)) } : {}),
        ...(reason === undefined ? {} : { reason }),
      }
      await audit.record(credentialEvent(clock.now(), by, data))
      return after.map(viewOf)
    },
  }
}

function viewOf({ kid, stage, activeFrom, lastUsedAt, retiresAt }: SigningKeyFacts): AssertionKeyView {
  return {
    kid,
    stage,
    activeFrom: formatTime(activeFrom),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: formatTime(lastUsedAt) }),
    ...(retiresAt === undefined ? {} : { retiresAt: formatTime(retiresAt) }),
  }
}

/**
 * Lockout of guessing: an address from which too many bad credentials came may not have another hash or signature computed for a
 * while. Counted are distinct bad credentials, so that one client with an old key in a loop does not shut out its neighbours.
 */
import { hash, randomBytes } from 'node:crypto'
import type { LockoutSettings } from '../configuration.ts'
import { addressBlock } from '../engine/addresses.ts'
import type { Clock } from '../ports/clock.ts'

export interface Lockout {
  /**
   * Asked for a credential that is not known to be good, before anything is computed for it.
   *
   * @returns 0 when it may be checked, else the seconds until the lockout ends
   */
  admit(address: string): number
  /**
   * Counts a failed guess: a bad signature, secret or checksum, or an unknown key.
   *
   * @returns true when this one started a lockout
   */
  failed(address: string, credential: string): boolean
}

export interface LockoutParts {
  readonly clock: Clock
  /** Handed on when a reload builds another lockout: a reload is no amnesty. */
  readonly memory?: LockoutMemory
}

/** What is known of addresses. Made by `createLockoutMemory`. */
export interface LockoutMemory {
  readonly counted: Map<string, Failure[]>
  readonly locked: Map<string, Lock>
  readonly most: number
  /** Of this process alone, so that nobody can make two credentials that count as one. */
  readonly salt: string
}

interface Failure {
  readonly print: string
  readonly at: number
}

interface Lock {
  readonly until: number
  /** When the next unknown credential is checked all the same. */
  probeAt: number
}

/** A neighbour behind the same address with a good new credential gets in at this pace; a guesser gains nothing by it. */
const probeEvery = 1000

/** How many of the oldest are compared when room is needed. */
const sample = 16

export function createLockoutMemory(most = 50_000): LockoutMemory {
  return { counted: new Map(), locked: new Map(), most, salt: randomBytes(32).toString('base64url') }
}

/** @returns a guard that never locks anybody out when the settings say `off` */
export function createLockout(settings: LockoutSettings | 'off', parts: LockoutParts): Lockout {
  if (settings === 'off') return { admit: () => 0, failed: () => false }
  const { clock, memory = createLockoutMemory() } = parts
  const { counted, locked } = memory
  const { failures, for: duration } = settings

  return {
    admit(address) {
      if (locked.size === 0) return 0
      const block = addressBlock(address)
      const lock = locked.get(block)
      if (lock === undefined) return 0
      const now = clock.now()
      if (now >= lock.until) {
        locked.delete(block)
        return 0
      }
      if (now >= lock.probeAt) {
        lock.probeAt = now + probeEvery
        return 0
      }
      return Math.max(1, Math.ceil((lock.until - now) / 1000))
    },

    failed(address, credential) {
      const block = addressBlock(address)
      const now = clock.now()
      const print = hash('sha256', memory.salt + credential, 'base64url').slice(0, 16)
      const recent = (counted.get(block) ?? []).filter(({ at }) => now - at < failures.period)
      if (!recent.some((failure) => failure.print === print)) recent.push({ print, at: now })
      // Taken out and put back, so that the table stays in the order of the last failure.
      counted.delete(block)
      if (recent.length < failures.count) {
        if (counted.size >= memory.most) counted.delete(leastGuilty(counted, now - failures.period))
        counted.set(block, recent)
        return false
      }
      locked.delete(block)
      // The one that would end first: all last equally long, and the table is in the order of their start.
      if (locked.size >= memory.most) locked.delete(locked.keys().next().value!)
      locked.set(block, { until: now + duration, probeAt: now + probeEvery })
      return true
    },
  }
}

/** Whoever has addresses to spare could push out an entry close to its end with fresh ones: of the oldest few, the smallest count goes. */
function leastGuilty(counted: ReadonlyMap<string, readonly Failure[]>, expired: number): string {
  let chosen = ''
  let fewest = Infinity
  let seen = 0
  for (const [block, failures] of counted) {
    if (failures.at(-1)!.at <= expired) return block
    if (failures.length < fewest) {
      fewest = failures.length
      chosen = block
    }
    seen += 1
    if (seen === sample) break
  }
  return chosen
}

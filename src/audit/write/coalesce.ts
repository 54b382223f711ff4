/**
 * Of equal refusals in a window the first ten are events of their own, the rest one event with `count`: a guesser's
 * flood must not become a flood of the log. Equal: same type, reason, route and address (IPv6 by /64: one host has
 * a whole one to choose from).
 */
import type { AuditEntry } from '../../ports/audit-log.ts'
import { networkOf } from './network.ts'

export const windows = { second: 1000, minute: 60_000 } as const

const ownEvents = 10
/** Beyond this many keys in a window further ones are not coalesced: memory stays bounded, and nothing is dropped. */
const mostKeys = 10_000

export interface CoalescedRefusals {
  readonly entry: AuditEntry
  readonly configuration: string
  readonly count: number
}

interface Tally {
  /** Events of their own so far. */
  seen: number
  first: AuditEntry | undefined
  configuration: string
  last: number
  count: number
}

export class Coalescer {
  readonly #emit: (refusals: CoalescedRefusals) => void
  #tallies = new Map<string, Tally>()
  #window: number = windows.second
  #current = -1
  #absorbed = 0

  constructor(emit: (refusals: CoalescedRefusals) => void) {
    this.#emit = emit
  }

  /** Milliseconds. */
  get window(): number {
    return this.#window
  }

  set window(milliseconds: number) {
    if (milliseconds === this.#window) return
    this.flush()
    this.#window = milliseconds
  }

  /** How many refusals are counted and not written yet. */
  get waiting(): number {
    return this.#absorbed
  }

  /** @returns true when the refusal was counted; false when it is to be an event of its own */
  absorb(entry: AuditEntry, configuration: string, now: number): boolean {
    const current = Math.floor(now / this.#window)
    if (current !== this.#current) {
      this.flush()
      this.#current = current
    }
    const key = `${entry.type}\n${entry.reason}\n${entry.route}\n${networkOf(entry.clientIp)}`
    const tally = this.#tallies.get(key)
    if (tally === undefined) {
      if (this.#tallies.size >= mostKeys) return false
      this.#tallies.set(key, { seen: 1, first: undefined, configuration, last: 0, count: 0 })
      return false
    }
    if (tally.seen < ownEvents) {
      tally.seen++
      return false
    }
    tally.first ??= entry
    tally.configuration = configuration
    tally.last = entry.time
    tally.count++
    this.#absorbed++
    return true
  }

  /** Hands over what was counted, and begins anew. */
  flush(): void {
    const tallies = this.#tallies
    this.#tallies = new Map()
    this.#absorbed = 0
    for (const tally of tallies.values()) {
      if (tally.first === undefined) continue
      const { configuration, count } = tally
      this.#emit({ entry: summary(tally.first, tally.last), configuration, count })
    }
  }
}

/** What all of them share, and nothing of any one of them. */
function summary(first: AuditEntry, last: number): AuditEntry {
  const { type, outcome, reason, code, route, clientIp } = first
  const network = networkOf(clientIp)
  return {
    time: last,
    type,
    outcome,
    ...(reason !== undefined && { reason }),
    ...(code !== undefined && { code }),
    ...(route !== undefined && { route }),
    ...(clientIp !== undefined && { clientIp }),
    data: {
      first: new Date(first.time).toISOString(),
      last: new Date(last).toISOString(),
      ...(network !== clientIp && { network }),
    },
  }
}

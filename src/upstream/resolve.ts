/**
 * Target names and their addresses. What the system says decides (so that a hosts file counts); how long it holds comes
 * from DNS, bounded. Each look-up is made once for all who wait, and a name that cannot be looked up keeps what it had.
 */
import { lookup, Resolver as DnsResolver } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { Clock } from '../ports/clock.ts'

/** Where names come from: the system, or a table in a test. */
export interface NameSource {
  addresses(name: string): Promise<readonly LookupAddress[]>
  /** Seconds that DNS gives the name's records; undefined where it does not know. */
  timeToLive(name: string): Promise<number | undefined>
}

export interface Resolver {
  /**
   * @returns the addresses, starting with another one at each call
   * @throws when the name has none and never had
   */
  addresses(name: string): Promise<readonly LookupAddress[]>
  /** Looks the name up again in the background if its time is over. Calls `onChange` when addresses went away. */
  refresh(name: string): void
}

/** Milliseconds. `unknown` is for names that DNS does not know (a hosts file); `failed` until a failed look-up is tried again. */
const holds = { shortest: 1_000, longest: 60_000, unknown: 10_000, failed: 1_000 }

interface Entry {
  addresses: readonly LookupAddress[]
  expiresAt: number
  turn: number
  pending: Promise<void> | undefined
}

/** @param onChange told the addresses of a name after a look-up that lost some */
export function createResolver(
  clock: Clock,
  onChange: (name: string, addresses: ReadonlySet<string>) => void,
  source: NameSource = systemNames(),
): Resolver {
  const entries = new Map<string, Entry>()

  function renew(name: string, entry: Entry): Promise<void> {
    entry.pending ??= lookUp(name, entry).finally(() => {
      entry.pending = undefined
    })
    return entry.pending
  }

  async function lookUp(name: string, entry: Entry): Promise<void> {
    const timeToLive = source.timeToLive(name).catch(() => undefined)
    try {
      const found = await source.addresses(name)
      if (found.length === 0) {
        throw new Error('the name has no address')
      }
      const now = new Set(found.map(({ address }) => address))
      const isLess = entry.addresses.some(({ address }) => !now.has(address))
      entry.addresses = found
      entry.expiresAt = clock.now() + holds.unknown
      // The connection does not wait for DNS to tell how long the addresses hold.
      void setHold(entry, timeToLive)
      if (isLess) {
        onChange(name, now)
      }
    } catch (error) {
      entry.expiresAt = clock.now() + holds.failed
      if (entry.addresses.length === 0) {
        throw error
      }
    }
  }

  async function setHold(entry: Entry, timeToLive: Promise<number | undefined>): Promise<void> {
    const seconds = await timeToLive
    if (seconds !== undefined) {
      entry.expiresAt = clock.now() + Math.min(holds.longest, Math.max(holds.shortest, seconds * 1_000))
    }
  }

  function entryOf(name: string): Entry {
    let entry = entries.get(name)
    if (entry === undefined) {
      entry = { addresses: [], expiresAt: 0, turn: 0, pending: undefined }
      entries.set(name, entry)
    }
    return entry
  }

  return {
    async addresses(name) {
      const family = isIP(name)
      if (family !== 0) {
        return [{ address: name, family }]
      }
      const entry = entryOf(name)
      if (entry.addresses.length === 0 || clock.now() >= entry.expiresAt) {
        await renew(name, entry)
      }
      return rotated(entry)
    },
    refresh(name) {
      const entry = entries.get(name)
      if (entry !== undefined && entry.pending === undefined && clock.now() >= entry.expiresAt) {
        // A failure is told to whoever needs a connection next.
        renew(name, entry).catch(() => undefined)
      }
    },
  }
}

function rotated(entry: Entry): readonly LookupAddress[] {
  const start = entry.turn % entry.addresses.length
  entry.turn += 1
  return [...entry.addresses.slice(start), ...entry.addresses.slice(0, start)]
}

function systemNames(): NameSource {
  // Made at the first name: a target that is an address needs no resolver.
  let dns: DnsResolver | undefined
  return {
    addresses: (name) => lookup(name, { all: true }),
    async timeToLive(name) {
      dns ??= new DnsResolver({ timeout: 2_000, tries: 1 })
      const answers = await Promise.allSettled([
        dns.resolve4(name, { ttl: true }),
        dns.resolve6(name, { ttl: true }),
      ])
      const seconds = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? answer.value.map((record) => record.ttl) : [],
      )
      return seconds.length === 0 ? undefined : Math.min(...seconds)
    },
  }
}

/**
 * Rate-limit buckets in this process. A bucket that is full again says nothing and is the first to be forgotten. When more than
 * `most` are in use at once, the one of sixteen that would be full soonest makes room: whoever floods the table with fresh callers
 * pushes out their like, one token short of full, and not the spent bucket that they would like to see forgotten.
 */
import { debtAt, takeToken } from '../../engine/gcra.ts'
import type { Bucket, Counters, Taken } from '../../ports/counters.ts'

export interface MemoryCountersOptions {
  /** Buckets kept at once. */
  readonly most?: number
}

interface Cell {
  key: string
  debt: number
  at: number
}

/** How many neighbours are compared when room is needed. */
const sample = 16

/** Counters that answer at once. */
export interface MemoryCounters extends Counters {
  take(key: string, bucket: Bucket, now: number): Taken
}

export function createMemoryCounters({ most = 100_000 }: MemoryCountersOptions = {}): MemoryCounters {
  const cells: Cell[] = []
  const byKey = new Map<string, Cell>()
  let hand = 0

  function admit(key: string, now: number): Cell {
    if (cells.length < most) {
      const cell = { key, debt: 0, at: now }
      cells.push(cell)
      byKey.set(key, cell)
      return cell
    }
    const cell = soonestFull(now)
    byKey.delete(cell.key)
    byKey.set(key, cell)
    cell.key = key
    cell.debt = 0
    cell.at = now
    return cell
  }

  function soonestFull(now: number): Cell {
    let soonest = cells[hand]!
    for (let step = 0; step < sample; step += 1) {
      const cell = cells[hand]!
      hand = (hand + 1) % cells.length
      if (cell.debt <= now - cell.at) return cell
      if (cell.at + cell.debt < soonest.at + soonest.debt) soonest = cell
    }
    return soonest
  }

  return {
    take(key, bucket, now) {
      const cell = byKey.get(key) ?? admit(key, now)
      const taken = takeToken(bucket, debtAt(cell.debt, cell.at, now))
      cell.debt = taken.reset
      cell.at = now
      return taken
    },
  }
}

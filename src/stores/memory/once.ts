/**
 * What was used once, in this process. Full, it refuses: whoever makes it forget something could use that again. No one holder
 * can fill it for the others, so a caller with one good key cannot keep everybody else out.
 */
import type { Clock } from '../../ports/clock.ts'
import type { Once } from '../../ports/once.ts'

export interface MemoryOnceOptions {
  /** Things kept at once; less than 300 bytes each. */
  readonly most?: number
  /** Of these, how many may be one holder's: of keys that begin with the same two parts, such as `dpop:<jkt>:`. */
  readonly mostForOne?: number
}

/** Once that answers at once. */
export interface MemoryOnce extends Once {
  remember(key: string, until: number): 'new' | 'seen'
  readonly size: number
}

const sweepStep = 16

export function createMemoryOnce(
  clock: Clock,
  { most = 500_000, mostForOne = 100_000 }: MemoryOnceOptions = {},
): MemoryOnce {
  const ends = new Map<string, number>()
  const held = new Map<string, number>()
  /** Keys by the second in which they end: what is over is found without a walk through all. */
  const ending = new Map<number, string[]>()
  /** Of a second that is over: still to be dropped. */
  let over: string[] = []
  let swept = -Infinity

  /** A few at each call, so that no request pays for a whole second of others. */
  function dropEnded(now: number, limit: number): void {
    for (let left = limit; left > 0; left -= 1) {
      const key = over.pop() ?? (over = nextOver(Math.floor(now / 1_000))).pop()
      if (key === undefined) return
      // One that came again after its end stands under a later second.
      if ((ends.get(key) ?? now) < now) drop(key)
    }
  }

  function nextOver(second: number): string[] {
    if (second === swept) return []
    for (const [at, keys] of ending) {
      if (at >= second) continue
      ending.delete(at)
      return keys
    }
    swept = second
    return []
  }

  function drop(key: string): void {
    if (!ends.delete(key)) return
    const holder = holderOf(key)
    const count = held.get(holder) ?? 0
    if (count > 1) held.set(holder, count - 1)
    else held.delete(holder)
  }

  const isFull = (holder: string): boolean => ends.size >= most || (held.get(holder) ?? 0) >= mostForOne

  return {
    get size() {
      return ends.size
    },
    remember(key, until) {
      if (!Number.isFinite(until)) throw new RangeError('what never ends cannot be remembered')
      const now = clock.now()
      dropEnded(now, sweepStep)
      const before = ends.get(key)
      if (before !== undefined && now <= before) return 'seen'
      if (before !== undefined) drop(key)
      const holder = holderOf(key)
      if (isFull(holder)) dropEnded(now, Infinity)
      if (isFull(holder)) throw new Error('the memory of what was used once is full')
      held.set(holder, (held.get(holder) ?? 0) + 1)
      ends.set(key, until)
      const second = Math.floor(until / 1_000)
      const others = ending.get(second)
      if (others === undefined) ending.set(second, [key])
      else others.push(key)
      return 'new'
    },
  }
}

function holderOf(key: string): string {
  const end = key.indexOf(':', key.indexOf(':') + 1)
  return end === -1 ? key : key.slice(0, end)
}

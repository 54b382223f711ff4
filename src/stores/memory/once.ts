import type { Clock } from '../../ports/clock.ts'
import type { Once } from '../../ports/once.ts'

const mostKeys = 1_000_000

/** A memory of this process. Full, it refuses: forgetting the oldest would let whoever floods it use them again. */
export function createMemoryOnce(clock: Clock, most: number = mostKeys): Once {
  const until = new Map<string, number>()

  function dropEnded(now: number): void {
    for (const [key, end] of until) if (end <= now) until.delete(key)
  }

  return {
    remember(key, end) {
      const now = clock.now()
      const before = until.get(key)
      if (before !== undefined && before > now) return 'seen'
      if (until.size >= most) dropEnded(now)
      if (until.size >= most) throw new Error('the memory of what was used once is full')
      until.set(key, end)
      return 'new'
    },
  }
}

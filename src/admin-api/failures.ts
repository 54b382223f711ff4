/** Bounds guessing at the admin token: so many wrong ones a minute from one address, then none is looked at. */
import { addressBlock } from '../engine/addresses.ts'
import type { Clock } from '../ports/clock.ts'

export interface FailureLimiter {
  /** @returns seconds until a token from the address is looked at again; 0 for now */
  waitFor(address: string): number
  failed(address: string): void
}

const most = 10
const period = 60_000
/** Beyond it the oldest is forgotten: an attacker with that many addresses gains one guess for each. */
const capacity = 10_000

export function createFailureLimiter(clock: Clock): FailureLimiter {
  const windows = new Map<string, { count: number; readonly endsAt: number }>()

  function current(block: string): { count: number; readonly endsAt: number } | undefined {
    const window = windows.get(block)
    if (window === undefined || window.endsAt > clock.now()) return window
    windows.delete(block)
    return undefined
  }

  return {
    waitFor: (address) => {
      const window = current(addressBlock(address))
      if (window === undefined || window.count < most) return 0
      return Math.max(1, Math.ceil((window.endsAt - clock.now()) / 1_000))
    },
    failed: (address) => {
      const block = addressBlock(address)
      const window = current(block)
      if (window !== undefined) window.count += 1
      else {
        const [oldest] = windows.keys()
        if (windows.size >= capacity && oldest !== undefined) windows.delete(oldest)
        windows.set(block, { count: 1, endsAt: clock.now() + period })
      }
    },
  }
}

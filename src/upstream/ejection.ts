/**
 * Passive health: a target that could not be reached several times in a row is passed over for a while, longer each
 * time. Only what the connection tells counts; a 503 may be one bad route of a target that serves all others.
 */
import type { Clock } from '../ports/clock.ts'

/** `failures` in a row; milliseconds, doubled at each ejection up to the longest. */
const rule = { failures: 5, first: 10_000, longest: 300_000 }

export class Ejection {
  readonly #clock: Clock
  #failures = 0
  #span = rule.first
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since the epoch; in the past when the target takes part. */
  get until(): number {
    return this.#until
  }

  /** @returns true when this failure ejects the target */
  failed(): boolean {
    this.#failures += 1
    const now = this.#clock.now()
    if (this.#failures < rule.failures || now < this.#until) {
      return false
    }
    // One more failure after its return is enough to eject it again.
    this.#failures = rule.failures - 1
    this.#until = now + this.#span
    this.#span = Math.min(this.#span * 2, rule.longest)
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#span = rule.first
    this.#until = 0
  }
}

/**
 * How long tries may wait for an upstream: for the answer's head first, then for each next byte. One coarse tick compares all
 * deadlines of an upstream, so that a request starts no timer.
 */
import { Sweeper } from '../wire/sweeper.ts'

/** Something that waits, and gives up by itself when its time has come. */
export interface Waiting {
  /** Where it stands among those who wait; -1 where it does not. The patience's to write. */
  seat: number
  /** @param now the sweeper's time */
  sweep(now: number): void
}

export class Patience {
  /**
   * An array and not a set: a set that changes thousands of times a second leaves dead tables behind, each of which holds all that
   * was in it, so that the collector copies every request into the old generation.
   */
  readonly #waiting: Waiting[] = []
  readonly #sweeper = new Sweeper(() => this.#sweep())
  #isRunning = false

  /** The time by which waits are counted; never behind. */
  get soon(): number {
    return this.#sweeper.soon
  }

  /** Makes the tick fine enough for waits of so many milliseconds. */
  quicken(milliseconds: number): void {
    this.#sweeper.quicken(milliseconds)
  }

  add(waiting: Waiting): void {
    if (waiting.seat !== -1) return
    waiting.seat = this.#waiting.length
    this.#waiting.push(waiting)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#sweeper.start()
  }

  delete(waiting: Waiting): void {
    const { seat } = waiting
    if (seat === -1) return
    waiting.seat = -1
    const last = this.#waiting.pop()!
    if (last === waiting) return
    this.#waiting[seat] = last
    last.seat = seat
  }

  #sweep(): void {
    const now = this.#sweeper.time
    for (const waiting of this.#waiting.slice()) if (waiting.seat !== -1) waiting.sweep(now)
    if (this.#waiting.length > 0) return
    // An upstream that nobody waits for keeps no timer: it may be gone after a reload.
    this.#isRunning = false
    this.#sweeper.stop()
  }
}

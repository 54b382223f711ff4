/**
 * How long tries may wait for an upstream: for the answer's head first, then for each next byte. One coarse tick compares all
 * deadlines of an upstream, so that a request starts no timer.
 */
import { Sweeper } from '../wire/sweeper.ts'

/** Something that waits, and gives up by itself when its time has come. */
export interface Waiting {
  /** @param now the sweeper's time */
  sweep(now: number): void
}

export class Patience {
  readonly #waiting = new Set<Waiting>()
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
    this.#waiting.add(waiting)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#sweeper.start()
  }

  delete(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  #sweep(): void {
    const now = this.#sweeper.time
    for (const waiting of this.#waiting) waiting.sweep(now)
    if (this.#waiting.size > 0) return
    // An upstream that nobody waits for keeps no timer: it may be gone after a reload.
    this.#isRunning = false
    this.#sweeper.stop()
  }
}

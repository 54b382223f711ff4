/**
 * One timer for many deadlines: those of all connections of a listener, or of all tries of an upstream, are compared on a coarse
 * tick, so that a request starts no timer. It counts its own ticks instead of reading a clock: when the process stalls, the time
 * of its peers stands still too.
 */

const coarsest = 500
const finest = 50
/** A deadline is met at most a quarter of itself late. */
const share = 8

export class Sweeper {
  readonly #sweep: () => void
  #period: number = coarsest
  #time = 0
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(sweep: () => void) {
    this.#sweep = sweep
  }

  /** Milliseconds since it was made, in whole ticks: up to one tick behind. */
  get time(): number {
    return this.#time
  }

  /** Now at the latest: for the beginning of a span that must not be cut short. */
  get soon(): number {
    return this.#time + this.#period
  }

  get period(): number {
    return this.#period
  }

  start(): void {
    // Made finer within a sweep, it has started already: a second timer would let time pass twice as fast.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tick(), this.#period)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Makes the tick fine enough for a timeout of so many milliseconds; it never gets coarser again. */
  quicken(timeout: number): void {
    const wanted = Math.max(finest, Math.min(coarsest, Math.floor(timeout / share)))
    if (wanted >= this.#period) return
    this.#period = wanted
    if (this.#timer === undefined) return
    this.stop()
    this.start()
  }

  #tick(): void {
    this.#time += this.#period
    this.#sweep()
    if (this.#timer !== undefined) this.start()
  }
}

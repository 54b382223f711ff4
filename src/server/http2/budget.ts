/**
 * How much of what a client may do but seldom needs it gets: refilled as time goes by, and by what it does that is of use.
 * Time is the sweeper's, so nothing here reads a clock.
 */
export class Budget {
  readonly #most: number
  readonly #perSecond: number
  #left: number
  #refilledAt: number

  /** @param now the sweeper's time, in milliseconds */
  constructor(most: number, perSecond: number, now: number) {
    this.#most = most
    this.#perSecond = perSecond
    this.#left = most
    this.#refilledAt = now
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#most, this.#left + amount)
  }

  /** @returns false when there was not so much left */
  spend(amount: number, now: number): boolean {
    this.earn(((now - this.#refilledAt) / 1000) * this.#perSecond)
    this.#refilledAt = now
    this.#left -= amount
    return this.#left >= 0
  }
}

/** A small memory of what was worked out lately, by its text. */
import { ownText } from './fields.ts'

/**
 * Two generations: what was asked for since the last change of them stays, the rest goes with the older one. Costs a look-up in a
 * map, and whoever sends what nobody sent before takes at most the memory's help from others.
 */
export class Recent<Value> {
  readonly #most: number
  readonly #longest: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  /** @param most of them in each generation @param longest key that is kept, in characters */
  constructor(most: number, longest: number) {
    this.#most = most
    this.#longest = longest
  }

  get(key: string): Value | undefined {
    const found = this.#young.get(key)
    if (found !== undefined) return found
    const older = this.#old.get(key)
    if (older !== undefined) this.#keep(key, older)
    return older
  }

  /** Does nothing for a key that is too long. */
  set(key: string, value: Value): void {
    if (key.length <= this.#longest) this.#keep(ownText(key), value)
  }

  #keep(key: string, value: Value): void {
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

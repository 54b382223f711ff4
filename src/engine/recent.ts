/**
 * A small memory of what was worked out lately, by its text. A text that just came off the wire has no hash yet, and a map would
 * make one over all of it: here a few characters say where to look, and one comparison whether it is the same.
 */
import { randomInt } from 'node:crypto'
import { ownText } from './fields.ts'

/** Of this process, so that nobody outside can tell which texts push each other out. */
const seed = randomInt(2 ** 31)

/** Characters that are looked at from each end. */
const looked = 8

/**
 * @returns a number for a text; equal texts have equal ones, and others seldom. Secrets: whoever could learn anything from how long a
 * comparison takes must first have found a text with the same number, which is to know the end of the secret.
 */
export function markOf(text: string): number {
  const { length } = text
  let mark = seed ^ length
  for (let at = Math.min(length, looked) - 1; at >= 0; at -= 1)
    mark = Math.imul(mark ^ text.charCodeAt(at), 0x01000193)
  for (let at = Math.max(looked, length - looked); at < length; at += 1)
    mark = Math.imul(mark ^ text.charCodeAt(at), 0x01000193)
  return (mark ^ (mark >>> 15)) >>> 0
}

interface Entry<Value> {
  readonly mark: number
  readonly key: string
  readonly value: Value
}

/** Two places for each text: the one that was found or put in last is kept, the other makes room. */
export class Recent<Value> {
  readonly #longest: number
  readonly #sets: number
  /** Made by the first that is put in: most routes of many are seldom asked for. */
  #entries: (Entry<Value> | undefined)[] | undefined = undefined

  /**
   * @param most how many are kept; rounded up to a power of two
   * @param longest key that is kept, in characters
   */
  constructor(most: number, longest: number) {
    this.#longest = longest
    this.#sets = 2 ** Math.max(0, Math.ceil(Math.log2(most)) - 1)
  }

  get(key: string): Value | undefined {
    const entries = this.#entries
    if (entries === undefined) return undefined
    const mark = markOf(key)
    const at = (mark & (this.#sets - 1)) * 2
    const first = entries[at]
    if (first !== undefined && first.mark === mark && first.key === key) return first.value
    const second = entries[at + 1]
    if (second === undefined || second.mark !== mark || second.key !== key) return undefined
    entries[at] = second
    entries[at + 1] = first
    return second.value
  }

  /** Does nothing for a key that is too long. What is kept holds on to no longer text that the key is a part of. */
  set(key: string, value: Value): void {
    if (key.length > this.#longest) return
    const entries = (this.#entries ??= Array.from({ length: this.#sets * 2 }, () => undefined))
    const mark = markOf(key)
    const at = (mark & (this.#sets - 1)) * 2
    const first = entries[at]
    if (first !== undefined && !(first.mark === mark && first.key === key)) entries[at + 1] = first
    entries[at] = { mark, key: ownText(key), value }
  }
}

/** Says of most field names at once that they are none of a few: most fields of a message concern nobody here. */

// Letters, digits, and one class for everything else: names that a careless backend may take for one another are one name here.
const classes = 37
const other = 36
const classOf = new Uint8Array(128).fill(other)
for (let letter = 0; letter < 26; letter += 1) classOf[0x41 + letter] = classOf[0x61 + letter] = letter
for (let digit = 0; digit < 10; digit += 1) classOf[0x30 + digit] = 26 + digit

/** Lengths are told apart up to here. */
const longest = 31

/** By the first two characters: a bit for each length. */
export class NameFilter {
  readonly #lengths = new Uint32Array(classes * classes)

  /**
   * @param names in any case
   * @param beginnings of names, in any case
   */
  constructor(names: Iterable<string>, beginnings: Iterable<string> = []) {
    for (const name of names) this.#lengths[pairOf(name)]! |= 1 << Math.min(name.length, longest)
    // Of this length and all that are longer.
    for (const beginning of beginnings) {
      if (beginning.length < 2) throw new TypeError('a beginning of less than two characters')
      this.#lengths[pairOf(beginning)]! |= -1 << Math.min(beginning.length, longest)
    }
  }

  /**
   * @param written in any case, with any punctuation
   * @returns false: it is surely none of the names, and begins like none of the beginnings
   */
  mayHave(written: string): boolean {
    return ((this.#lengths[pairOf(written)]! >>> Math.min(written.length, longest)) & 1) === 1
  }
}

function pairOf(name: string): number {
  return classAt(name, 0) * classes + classAt(name, 1)
}

function classAt(name: string, index: number): number {
  const code = name.charCodeAt(index)
  // NaN beyond the end, and whatever is not ASCII, is of the last class.
  return code < 128 ? classOf[code]! : other
}

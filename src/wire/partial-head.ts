/**
 * A head that came in pieces. The pieces are copied together into one buffer that doubles, and the parser goes on where it stopped:
 * a client that sends byte by byte costs a copy of each byte and no more.
 */

/** Larger than most heads, smaller than what would matter for ten thousand slow clients. */
const smallest = 1024

export class PartialHead<Parser> {
  /** Reads on in `bytes`, from 0. */
  readonly parser: Parser
  #bytes: Buffer
  #length = 0

  constructor(parser: Parser) {
    this.parser = parser
    this.#bytes = Buffer.allocUnsafeSlow(smallest)
  }

  /** The head so far, and whatever came with it; `length` bytes of it count. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get length(): number {
    return this.#length
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }
}

/** Makes the lines of a batch, one after the other in one buffer, each with the hash over its own bytes there. */
import { hash } from 'node:crypto'
import type { ChainEnd } from './chain.ts'

/** A batch of the usual size; a larger one is given back when the next begins. */
const usualBytes = 512 * 1024
/** `,"hash":"` and 64 digits and `"}` and the newline, less the brace that they replace. */
const closingBytes = 75

/** One line that was made. */
export interface WrittenLine {
  readonly hash: string
  /** Where it ends in the batch, newline included. */
  readonly end: number
  readonly isWhole: boolean
}

export class LineWriter {
  #buffer: Buffer = Buffer.allocUnsafe(usualBytes)
  #at = 0
  #last: ChainEnd
  #lines: WrittenLine[] = []

  constructor(end: ChainEnd) {
    this.#last = end
  }

  /** Begins a batch on this end of the chain. Bytes of the batch before are gone. */
  begin(end: ChainEnd): void {
    this.#last = end
    this.#lines = []
    this.#at = 0
    if (this.#buffer.length > usualBytes) this.#buffer = Buffer.allocUnsafe(usualBytes)
  }

  /**
   * Adds the next line.
   * @param members the JSON text of all members but the chain's own, without the opening brace, with the closing one
   * @param isWhole whether they say all that the event says
   */
  add(time: string, members: string, isWhole: boolean): void {
    const seq = this.#last.seq + 1
    const body = `{"time":"${time}","seq":${seq},"previousHash":"${this.#last.hash}",${members}`
    // UTF-8 takes three bytes for what is one unit of a string, at most.
    this.#makeRoom(body.length * 3 + closingBytes)
    const buffer = this.#buffer
    const from = this.#at
    const to = from + buffer.write(body, from, 'utf8')
    const digest = hash('sha256', buffer.subarray(from, to), 'hex')
    // Over the closing brace, which the hash has seen.
    const end = to - 1 + buffer.write(`,"hash":"${digest}"}\n`, to - 1, 'latin1')
    this.#at = end
    this.#last = { seq, hash: digest }
    this.#lines.push({ hash: digest, end, isWhole })
  }

  /** All lines so far. The bytes are good until the next `begin` or `add`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  get lines(): readonly WrittenLine[] {
    return this.#lines
  }

  /** What the next line will hang on. */
  get end(): ChainEnd {
    return this.#last
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

/** A request's body as a stream, bounded. It takes what the connection reads and lets it read no faster than somebody takes. */
import { Readable } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import { BodyError } from '../../exchange.ts'

/** Whoever reads the connection. */
export interface BodySource {
  wantMore(): void
}

export class RequestBody extends Readable {
  readonly #source: BodySource
  readonly #limit: number
  #taken = 0
  #isWhole = false

  /** @param limit bytes */
  constructor(source: BodySource, limit: number) {
    super()
    this.#source = source
    this.#limit = limit
  }

  /** @returns whether it takes more */
  feed(bytes: Buffer): boolean {
    if (this.destroyed) return false
    this.#taken += bytes.length
    if (this.#taken > this.#limit) {
      this.fail(refuse('payload_too_large'))
      return false
    }
    return this.push(bytes)
  }

  /** True once its last byte was taken; never where it was given up before. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  finish(): void {
    if (this.destroyed) return
    this.#isWhole = true
    this.push(null)
  }

  /** Ends the stream with an error, unless all of it has come: then the fault is not its own. */
  fail(refusal: Refusal): void {
    if (this.#isWhole || this.destroyed) return
    this.destroy(new BodyError(refusal))
  }

  override _read(): void {
    this.#source.wantMore()
  }
}

/**
 * Where a body ends: by its length, by its chunks, or with the connection. One object reads one body after another.
 * @see RFC 9112, section 6
 */
import { ChunkDecoder } from './chunks.ts'
import type { WireFaultKind } from './faults.ts'

/** A length in bytes, chunks, or the end of the connection (responses only). */
export type Framing = number | 'chunked' | 'close'

export class BodyReader {
  /** After `data`: where it stands in the bytes shown. */
  start = 0
  end = 0
  /** The first byte that was not read. */
  at = 0
  #framing: Framing = 0
  #left = 0
  #chunks: ChunkDecoder | undefined = undefined

  begin(framing: Framing): void {
    this.#framing = framing
    if (framing === 'chunked') {
      if (this.#chunks === undefined) this.#chunks = new ChunkDecoder()
      else this.#chunks.reset()
    } else this.#left = framing === 'close' ? Infinity : framing
  }

  /** True where the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#framing === 'close'
  }

  get fault(): WireFaultKind | undefined {
    return this.#framing === 'chunked' ? this.#chunks!.fault : undefined
  }

  get trailers(): readonly string[] {
    return this.#framing === 'chunked' ? this.#chunks!.trailers : []
  }

  /** @returns `data`: one span of data, call again; `done`: the body has ended at `at`; `more`: all bytes were read */
  next(bytes: Buffer, from: number, end: number): 'data' | 'done' | 'more' | 'fault' {
    if (this.#framing === 'chunked') {
      const chunks = this.#chunks!
      const progress = chunks.next(bytes, from, end)
      this.start = chunks.start
      this.end = chunks.end
      this.at = chunks.at
      return progress
    }
    this.at = from
    if (this.#left === 0) return 'done'
    if (from === end) return 'more'
    this.start = from
    this.end = Math.min(end, from + this.#left)
    this.at = this.end
    this.#left -= this.end - from
    return 'data'
  }
}

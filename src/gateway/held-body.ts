/** A body that is kept back until all of it was judged. What all of them take together is bounded. */
import { Readable } from 'node:stream'
import { ContentCheck, type ContentDigests } from '../engine/content-digest.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import { BodyError } from '../exchange.ts'

/** What held bodies may take together. */
export class BodyMemory {
  readonly #most: number
  #held = 0

  /** @param most bytes */
  constructor(most: number = 256 * 1024 * 1024) {
    this.#most = most
  }

  get held(): number {
    return this.#held
  }

  /**
   * @param own bytes that the asking body holds already
   * @returns false when there is no room. One body alone may be larger than all may be together: its route allows it.
   */
  take(bytes: number, own: number): boolean {
    if (this.#held > own && this.#held + bytes > this.#most) return false
    this.#held += bytes
    return true
  }

  give(bytes: number): void {
    this.#held -= bytes
  }
}

const firstPage = 4 * 1024
const largestPage = 64 * 1024

export class HeldBody {
  readonly #memory: BodyMemory
  /** Pages of our own, all but the last full: a body that comes in single bytes must not cost an object for each. */
  #pages: Buffer[] = []
  #used = 0
  #taken = 0
  #isReleased = false

  constructor(memory: BodyMemory) {
    this.#memory = memory
  }

  /** @returns why it is refused; undefined when all of it is here and has each of the digests */
  async fill(source: Readable | undefined, digests: ContentDigests): Promise<Refusal | undefined> {
    const check = new ContentCheck(digests)
    try {
      for await (const part of source ?? []) {
        const chunk = part as Buffer
        check.add(chunk)
        if (!this.#append(chunk)) {
          this.release()
          return refuse('body_memory_full', { retryAfter: 1 })
        }
      }
    } catch (error) {
      this.release()
      if (error instanceof BodyError) return error.refusal
      throw error
    }
    if (check.holds()) return undefined
    this.release()
    return refuse('signature_digest')
  }

  /** Hands it out, once; pages are let go of as they are sent. */
  stream(): Readable {
    return Readable.from(this.#drain(), { objectMode: false })
  }

  /** Lets go of what is left. */
  release(): void {
    this.#memory.give(this.#taken)
    this.#isReleased ||= this.#taken > 0
    this.#pages = []
    this.#taken = 0
  }

  #append(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length;) {
      let page = this.#pages.at(-1)
      if (page === undefined || this.#used === page.length) {
        page = this.#newPage()
        if (page === undefined) return false
      }
      const copied = chunk.copy(page, this.#used, at)
      this.#used += copied
      at += copied
    }
    return true
  }

  #newPage(): Buffer | undefined {
    const size = Math.min(Math.max(this.#taken, firstPage), largestPage)
    if (!this.#memory.take(size, this.#taken)) return undefined
    const page = Buffer.allocUnsafeSlow(size)
    this.#pages.push(page)
    this.#taken += size
    this.#used = 0
    return page
  }

  *#drain(): Generator<Buffer> {
    for (let page = this.#pages.shift(); page !== undefined; page = this.#pages.shift()) {
      this.#taken -= page.length
      this.#memory.give(page.length)
      yield this.#pages.length === 0 ? page.subarray(0, this.#used) : page
    }
    // An end here would look like the whole body to the upstream.
    if (this.#isReleased) throw new Error('the body was let go of before all of it was sent')
  }
}

/** A request's body, bounded. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import { BodyError } from '../../exchange.ts'

export class RequestBody extends Readable {
  readonly #source: IncomingMessage
  readonly #limit: number
  #taken = 0
  #isWhole = false

  /**
   * @param limit bytes
   * @param onWhole told when the last byte has come
   */
  constructor(source: IncomingMessage, limit: number, onWhole: () => void) {
    super({ highWaterMark: source.readableHighWaterMark })
    this.#source = source
    this.#limit = limit
    source.on('data', (chunk: Buffer) => this.#take(chunk))
    source.on('end', () => {
      this.#finish()
      onWhole()
    })
    // Nothing flows until somebody reads: what the upstream does not take, the client may not send.
    source.pause()
  }

  /** True once the last byte has come. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Ends the stream with an error, unless all of it has come: then the fault is not its own. */
  fail(refusal: Refusal): void {
    if (this.#isWhole || this.destroyed) return
    this.destroy(new BodyError(refusal))
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return
    this.#taken += chunk.length
    if (this.#taken > this.#limit) {
      this.fail(refuse('payload_too_large'))
      return
    }
    if (!this.push(chunk)) this.#source.pause()
  }

  #finish(): void {
    this.#isWhole = true
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // What follows stays unread in the connection until the answer is out; then it is drained, bounded.
    this.#source.pause()
    callback(error)
  }
}

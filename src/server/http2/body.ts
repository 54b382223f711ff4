/** A request's body, bounded. */
import type { ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import { BodyError } from '../../exchange.ts'
import type { Content } from '../../http2/content.ts'

export class RequestBody extends Readable {
  readonly #source: ServerHttp2Stream
  readonly #content: Content | undefined
  readonly #limit: number
  readonly #declared: number | undefined
  #taken = 0
  #isWhole = false

  /**
   * @param content undefined: none follows
   * @param limit bytes
   * @param declared what `content-length` said
   */
  constructor(
    source: ServerHttp2Stream,
    content: Content | undefined,
    limit: number,
    declared: number | undefined,
  ) {
    super({ highWaterMark: source.readableHighWaterMark })
    this.#source = source
    this.#content = content
    this.#limit = limit
    this.#declared = declared
    source.on('data', (chunk: Buffer) => this.#take(chunk))
    source.on('end', () => this.#finish())
    // Nothing flows until somebody reads: what the upstream does not take, the client may not send. The stream's window sees to it.
    source.pause()
  }

  /** True once the last byte has come. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Bytes that have come. */
  get taken(): number {
    return this.#taken
  }

  /** Ends the stream with an error, unless all of it has come: then the fault is not its own. */
  fail(refusal: Refusal): void {
    if (this.#isWhole || this.destroyed) return
    this.destroy(new BodyError(refusal))
  }

  #take(chunk: Buffer): void {
    this.#taken += chunk.length
    if (this.destroyed) return
    if (this.#taken > this.#limit) this.fail(refuse('payload_too_large'))
    else if (!this.push(chunk)) this.#source.pause()
  }

  #finish(): void {
    // Half a body must not pass for a whole one.
    if (this.#content?.isWhole === false) this.fail(refuse('client_gone'))
    else if (this.#declared !== undefined && this.#taken !== this.#declared)
      this.fail(refuse('body_malformed', { detail: 'not as long as was declared' }))
    else {
      this.#isWhole = true
      if (!this.destroyed) this.push(null)
    }
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // What follows is not read: the stream's window stays shut until the answer is out.
    this.#source.pause()
    callback(error)
  }
}

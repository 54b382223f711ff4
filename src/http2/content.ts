/**
 * The content of a stream as it should have come. node:http2 hands over each DATA frame by itself, also to a stream that nobody reads,
 * and as a view that keeps all in memory that was read from the connection with it: a peer could have 64 KiB kept by each byte that it
 * sends, or make thousands of objects of one packet. And it ends what is read in the same way whether the peer said that this is all
 * or reset the stream.
 */
import type { Http2Stream } from 'node:http2'

export class Content {
  readonly #stream: Http2Stream
  readonly #push: (chunk: Buffer | null) => boolean
  #pieces: Buffer[] = []
  #held = 0
  #isWhole: boolean

  /** What came before it was made is left as it is. */
  constructor(stream: Http2Stream) {
    this.#stream = stream
    this.#isWhole = stream.state.remoteClose === 1
    this.#push = stream.push.bind(stream)
    stream.push = (chunk: Buffer | null) => this.#take(chunk)
  }

  /** The peer said that this is all. Once it is true, what is left to read is the rest of it. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  #take(chunk: Buffer | null): boolean {
    const stream = this.#stream
    if (chunk !== null && chunk.length * 2 < chunk.buffer.byteLength) {
      // All frames of one packet are told before this turn is over.
      if (this.#held === 0) process.nextTick(flush, this)
      this.#pieces.push(chunk)
      this.#held += chunk.length
      return stream.readableLength + this.#held < stream.readableHighWaterMark
    }
    this.flush()
    // A stream that was reset is marked as closed before its readable side ends; one that ended in order is not.
    if (chunk === null && !stream.closed && !stream.destroyed) this.#isWhole = true
    return this.#push(chunk)
  }

  /** Hands over what came in this turn of the loop. */
  flush(): void {
    if (this.#held === 0) return
    const whole = Buffer.allocUnsafeSlow(this.#held)
    let at = 0
    for (const piece of this.#pieces) at += piece.copy(whole, at)
    this.#pieces = []
    this.#held = 0
    if (!this.#stream.destroyed) this.#push(whole)
  }
}

function flush(content: Content): void {
  content.flush()
}

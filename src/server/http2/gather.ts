/**
 * node:http2 hands over each DATA frame by itself, also to a stream that nobody reads, and as a view that keeps all in memory that
 * was read from the connection with it: a client could have 64 KiB kept by each byte that it sends, or make thousands of objects of
 * one packet. What came together is therefore copied into one piece, unless it fills what it keeps.
 */
import type { ServerHttp2Stream } from 'node:http2'

/** Must be called before content comes. */
export function gatherContent(stream: ServerHttp2Stream): void {
  const push = stream.push.bind(stream)
  let pieces: Buffer[] = []
  let held = 0

  const flush = (): void => {
    if (held === 0) return
    const whole = Buffer.allocUnsafeSlow(held)
    let at = 0
    for (const piece of pieces) at += piece.copy(whole, at)
    pieces = []
    held = 0
    if (!stream.destroyed) push(whole)
  }

  stream.push = (chunk: Buffer | null): boolean => {
    if (chunk !== null && chunk.length * 2 < chunk.buffer.byteLength) {
      // All frames of one packet are told before this turn is over.
      if (held === 0) process.nextTick(flush)
      pieces.push(chunk)
      held += chunk.length
      return stream.readableLength + held < stream.readableHighWaterMark
    }
    flush()
    return push(chunk)
  }
}

import type { Http2Stream } from 'node:http2'

/**
 * Resets a stream that is under way, so that the other end sees that it is not whole. Not by `close` alone: that ends the writable
 * side first, as if all had been said; and called while nghttp2 reads, it can leave a stream behind that is gone and yet asked for
 * its trailers, which ends the process.
 */
export function cutStream(stream: Http2Stream, code: number): void {
  if (stream.closed || stream.destroyed) return
  stream._final = done
  setImmediate(close, stream, code)
}

function done(callback: (error?: Error | null) => void): void {
  callback()
}

function close(stream: Http2Stream, code: number): void {
  if (!stream.closed && !stream.destroyed) stream.close(code)
}

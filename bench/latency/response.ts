// Where one answer ends. Requests are sent one at a time on a connection, so nothing may come after it.

/** How one answer stands. */
export type Reading = 'more' | 'done' | 'bad'

/** Reads one answer after the other, from bytes in any pieces. */
export interface ResponseReader {
  /** @returns `done` when the answer is whole; `bad` for a status that is not 200, and for bytes too many */
  read(piece: Buffer): Reading
}

const endOfHead = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('\r\n0\r\n\r\n')

/** Knows content-length and chunks; what a gateway answers to the requests of the bench has one of the two. */
export function createResponseReader(): ResponseReader {
  let before: Buffer | undefined
  // Of an answer whose head has been read: bytes that are still to come, or that chunks end it.
  let left: number | 'chunks' | undefined
  const next = (reading: Reading): Reading => {
    before = undefined
    left = undefined
    return reading
  }
  return {
    read(piece) {
      if (typeof left === 'number') {
        left -= piece.length
        return left > 0 ? 'more' : next(left === 0 ? 'done' : 'bad')
      }
      const bytes = before === undefined ? piece : Buffer.concat([before, piece])
      const end = left === undefined ? bytes.indexOf(endOfHead) : 0
      before = bytes
      if (end === -1) return 'more'
      if (left === undefined) {
        const head = bytes.toString('latin1', 0, end + 2)
        if (!head.startsWith('HTTP/1.1 200 ')) return next('bad')
        const length = /\r\ncontent-length: *(\d+) *\r\n/i.exec(head)?.[1]
        if (length !== undefined) {
          left = Number(length) - (bytes.length - end - 4)
          return left > 0 ? 'more' : next(left === 0 ? 'done' : 'bad')
        }
        if (!/\r\ntransfer-encoding: *chunked *\r\n/i.test(head)) return next('bad')
        left = 'chunks'
      }
      return bytes.subarray(-lastChunk.length).equals(lastChunk) ? next('done') : 'more'
    },
  }
}

/** Streams a file's lines with their places, in bounded memory whatever the file holds. */
import { open } from 'node:fs/promises'
import { maxLineBytes, readLink, type Link } from './chain.ts'

export interface Line {
  /** Without the newline. Of an overlong line only the beginning. */
  readonly bytes: Buffer
  /** Where it begins in the file. */
  readonly offset: number
  /** Bytes in the file, newline included. */
  readonly length: number
  /** False for a last line without a newline. */
  readonly isComplete: boolean
}

const chunkBytes = 1024 * 1024

/**
 * Reads from `from` up to `to` (bytes; default: the end as it is when reached), in batches of whole lines.
 * The buffers are the caller's: they are never reused.
 */
export async function* readLines(path: string, from = 0, to: number = Infinity): AsyncGenerator<Line[]> {
  const handle = await open(path, 'r')
  const splitter = new LineSplitter(from)
  try {
    for (let at = from; at < to;) {
      const wanted = Math.min(chunkBytes, to - at)
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at)
      if (bytesRead === 0) break
      at += bytesRead
      const lines = splitter.split(buffer.subarray(0, bytesRead))
      if (lines.length > 0) yield lines
    }
    const rest = splitter.rest()
    if (rest !== undefined) yield [rest]
  } finally {
    await handle.close()
  }
}

/** @returns the first record of a segment, or undefined when it has none that holds */
export async function readFirstLink(path: string): Promise<Link | undefined> {
  for await (const [line] of readLines(path, 0, maxLineBytes)) {
    return line?.isComplete === true ? readLink(line.bytes) : undefined
  }
  return undefined
}

/** @returns the last record of a segment of this size, or undefined when it does not hold */
export async function readLastLink(path: string, size: number): Promise<Link | undefined> {
  let last: Line | undefined
  for await (const lines of readLines(path, Math.max(0, size - maxLineBytes))) last = lines.at(-1)
  return last?.isComplete === true ? readLink(last.bytes) : undefined
}

/** Cuts chunks into lines. A line longer than any record is held only in its beginning, and counted. */
export class LineSplitter {
  #carried: Buffer = Buffer.alloc(0)
  #carriedLength = 0
  #offset: number

  constructor(from: number) {
    this.#offset = from
  }

  split(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      lines.push(this.#take(chunk.subarray(start, end), 1))
      start = end + 1
    }
    this.#carry(chunk.subarray(start))
    return lines
  }

  /** The unfinished line at the end, if there is one. */
  rest(): Line | undefined {
    if (this.#carriedLength === 0) return undefined
    return { ...this.#take(Buffer.alloc(0), 0), isComplete: false }
  }

  #take(piece: Buffer, newline: 0 | 1): Line {
    const length = this.#carriedLength + piece.length + newline
    const bytes = this.#carriedLength === 0 ? piece : Buffer.concat([this.#carried, piece])
    const line = { bytes, offset: this.#offset, length, isComplete: true }
    this.#offset += length
    this.#carried = Buffer.alloc(0)
    this.#carriedLength = 0
    return line
  }

  #carry(piece: Buffer): void {
    this.#carriedLength += piece.length
    const room = maxLineBytes + 1 - this.#carried.length
    if (piece.length > 0 && room > 0) this.#carried = Buffer.concat([this.#carried, piece.subarray(0, room)])
  }
}

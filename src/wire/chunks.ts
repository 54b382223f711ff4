/**
 * The chunked coding, read. What it tells is data and the end; extensions are checked and dropped, trailers are kept for whoever
 * may pass them on. Resumable at every byte.
 * @see RFC 9112, section 7.1
 */
import { backslash, cr, equals, hexValue, isToken, isValue, lf, quote, semicolon } from './bytes.ts'
import type { WireFaultKind } from './faults.ts'
import { FieldSection } from './field-section.ts'

/** Bytes of extensions of one chunk, and of a whole body: none is ever passed on, so there is no use in more. */
const longestExtension = 256
const mostExtension = 16 * 1024
const mostDigits = 8
export const trailerBounds: { readonly bytes: number; readonly count: number } = {
  bytes: 8 * 1024,
  count: 64,
}

const where = {
  size: 0,
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailers: 6,
  over: 7,
} as const
/** Within an extension: `;` name [`=` (token | quoted)]. */
const part = { nameStart: 0, name: 1, valueStart: 2, token: 3, quoted: 4, escaped: 5, quotedEnd: 6 } as const

export class ChunkDecoder {
  /** After `data`: where it stands in the bytes shown. */
  start = 0
  end = 0
  /** The first byte that was not read. */
  at = 0
  fault: WireFaultKind | undefined = undefined
  #where: number = where.size
  #part: number = part.nameStart
  #size = 0
  #digits = 0
  #extension = 0
  #extensions = 0
  #trailers: Trailers | undefined = undefined

  /** Begins a body anew. */
  reset(): void {
    this.#where = where.size
    this.#size = 0
    this.#digits = 0
    this.#extension = 0
    this.#extensions = 0
    this.#trailers = undefined
    this.fault = undefined
  }

  /** Field lines behind the last chunk. */
  get trailers(): readonly string[] {
    return this.#trailers?.lines ?? none
  }

  /** @returns `data`: one span of data, call again; `done`: the body has ended at `at`; `more`: all bytes were read */
  next(bytes: Buffer, from: number, end: number): 'data' | 'done' | 'more' | 'fault' {
    let at = from
    while (at < end) {
      switch (this.#where) {
        case where.size: {
          const digit = hexValue[bytes[at]!]!
          if (digit !== 255) {
            if (this.#digits === mostDigits) return this.#fail('chunk-size')
            this.#size = this.#size * 16 + digit
            this.#digits += 1
          } else if (this.#digits === 0) return this.#fail('chunk-size')
          else if (bytes[at] === cr) this.#where = where.sizeLf
          else if (bytes[at] === semicolon) {
            this.#where = where.extension
            this.#part = part.nameStart
            this.#extension = 0
          } else return this.#fail('chunk-size')
          at += 1
          break
        }
        case where.extension:
          if (!this.#takeExtension(bytes[at]!)) return this.#fail('chunk-extension')
          at += 1
          break
        case where.sizeLf:
          if (bytes[at] !== lf) return this.#fail('chunk-size')
          at += 1
          this.#where = this.#size === 0 ? where.trailers : where.data
          break
        case where.data: {
          this.start = at
          const left = end - at
          if (left < this.#size) {
            this.#size -= left
            this.end = end
          } else {
            this.end = at + this.#size
            this.#where = where.dataCr
          }
          this.at = this.end
          return 'data'
        }
        case where.dataCr:
          if (bytes[at] !== cr) return this.#fail('chunk-end')
          at += 1
          this.#where = where.dataLf
          break
        case where.dataLf:
          if (bytes[at] !== lf) return this.#fail('chunk-end')
          at += 1
          this.#size = 0
          this.#digits = 0
          this.#where = where.size
          break
        case where.trailers:
          return this.#readTrailers(bytes, at, end)
        default:
          this.at = at
          return 'done'
      }
    }
    this.at = at
    return 'more'
  }

  /** @returns false when the byte may not stand there. No white space: what is in it was read differently by too many. */
  #takeExtension(byte: number): boolean {
    this.#extension += 1
    this.#extensions += 1
    if (this.#extension > longestExtension || this.#extensions > mostExtension) return false
    switch (this.#part) {
      case part.nameStart:
        this.#part = part.name
        return isToken[byte] === 1
      case part.name:
        if (isToken[byte] === 1) return true
        if (byte === equals) {
          this.#part = part.valueStart
          return true
        }
        return this.#endExtension(byte)
      case part.valueStart:
        this.#part = byte === quote ? part.quoted : part.token
        return byte === quote || isToken[byte] === 1
      case part.token:
        return isToken[byte] === 1 || this.#endExtension(byte)
      case part.quoted:
        if (byte === quote) this.#part = part.quotedEnd
        else if (byte === backslash) this.#part = part.escaped
        return isValue[byte] === 1
      case part.escaped:
        this.#part = part.quoted
        return isValue[byte] === 1
      default:
        return this.#endExtension(byte)
    }
  }

  #endExtension(byte: number): boolean {
    if (byte === cr) this.#where = where.sizeLf
    else this.#part = part.nameStart
    return byte === cr || byte === semicolon
  }

  #readTrailers(bytes: Buffer, at: number, end: number): 'done' | 'more' | 'fault' {
    // Almost always there are none.
    if (this.#trailers === undefined && end - at >= 2 && bytes[at] === cr && bytes[at + 1] === lf) {
      this.at = at + 2
      this.#where = where.over
      return 'done'
    }
    const trailers = (this.#trailers ??= new Trailers())
    const progress = trailers.read(bytes, at, end)
    this.at = trailers.at
    if (progress === 'fault') return this.#fail(trailers.fault!)
    if (progress === 'done') this.#where = where.over
    return progress
  }

  #fail(fault: WireFaultKind): 'fault' {
    this.fault = fault
    return 'fault'
  }
}

const none: readonly string[] = Object.freeze([])

/** A reader that merged these into the head would see another message: RFC 9110, section 6.5.1. */
const framing: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding', 'host'])

/** A trailer section, copied together as it comes: it is small, and rare. */
class Trailers {
  at = 0
  lines: readonly string[] = none
  fault: WireFaultKind | undefined = undefined
  readonly #section = new FieldSection()
  #bytes: Buffer = Buffer.alloc(0)

  read(bytes: Buffer, from: number, end: number): 'done' | 'more' | 'fault' {
    const before = this.#bytes.length
    // One byte more than allowed is enough to refuse.
    const taken = Math.min(end, from + trailerBounds.bytes + 1 - before)
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(from, taken)])
    const progress = this.#section.parse(this.#bytes, 0, this.#bytes.length, trailerBounds.count)
    this.at = from + (this.#section.at - before)
    if (progress === 'fault') this.fault = this.#section.fault
    else if (this.#section.at > trailerBounds.bytes) this.fault = 'trailer-size'
    else if (progress === 'done') this.#finish()
    return this.fault === undefined ? progress : 'fault'
  }

  #finish(): void {
    this.lines = this.#section.lines(this.#bytes.toString('latin1'), this.#bytes, 0)
    for (let index = 0; index < this.lines.length; index += 2) {
      if (framing.has(this.lines[index]!.toLowerCase())) this.fault = 'trailer-field'
    }
  }
}

/**
 * A request's head: the request line, then field lines. Resumable like `FieldSection`; one object can read one head after another.
 * @see RFC 9112, section 3
 */
import { cr, isTarget, lf, space } from './bytes.ts'
import type { Progress, WireFaultKind } from './faults.ts'
import { FieldSection } from './field-section.ts'

export interface HeadBounds {
  /** Bytes of the head. */
  readonly headers: number
  /** Field lines. */
  readonly headerCount: number
}

/** Methods that a parser beside ours would read as methods, too. What is served of them is decided elsewhere. */
const methods: ReadonlySet<string> = new Set(
  (
    'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND ' +
    'REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE'
  ).split(' '),
)
const longestMethod = 20

/** `HTTP/1.`, then the minor version. */
const versionStart = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const
const versionLength = 8

const where = { method: 0, target: 1, version: 2, lineCr: 3, lineLf: 4, fields: 5 } as const

export class RequestHeadParser {
  method = ''
  target = ''
  version: '1.0' | '1.1' = '1.1'
  /** Flat: name, value, name, value … as they came, white space around values removed. */
  fields: string[] = []
  fault: WireFaultKind | undefined = undefined
  readonly #section = new FieldSection()
  #where: number = where.method
  #at = 0
  #targetStart = 0
  #targetEnd = 0

  /** Bytes of the head that were read; after `done` all of it. */
  get size(): number {
    return this.#where === where.fields ? this.#section.at : this.#at
  }

  /** Begins a head anew. */
  reset(): void {
    this.#where = where.method
    this.#at = 0
    this.fault = undefined
  }

  /**
   * @param bytes holds the whole head so far, from `base` on
   * @param end where the bytes that came end, in `bytes`
   */
  parse(bytes: Buffer, base: number, end: number, bounds: HeadBounds): Progress {
    if (this.#where !== where.fields) {
      const progress = this.#parseLine(bytes, base, end, bounds)
      if (progress !== 'done') return progress
      this.#where = where.fields
      this.#section.begin(this.#at)
    }
    const progress = this.#section.parse(bytes, base, end, bounds.headerCount)
    if (progress === 'fault') return this.#fail(this.#section.fault!)
    if (this.#section.at > bounds.headers) return this.#fail('head-size')
    if (progress === 'done') this.#finish(bytes, base)
    return progress
  }

  #parseLine(bytes: Buffer, base: number, end: number, bounds: HeadBounds): Progress {
    let at = base + this.#at
    let state = this.#where
    if (state === where.method) {
      while (at < end && isMethodByte(bytes[at]!)) at += 1
      if (at - base > longestMethod) return this.#fail('method')
      if (at === end) return this.#pause(at - base, state)
      if (bytes[at] !== space || at === base) return this.#fail('method')
      const method = methodOf(bytes, base, at)
      if (method === undefined) return this.#fail('method')
      this.method = method
      at += 1
      this.#targetStart = at - base
      state = where.target
    }
    if (state === where.target) {
      while (at < end && isTarget[bytes[at]!] === 1) at += 1
      const size = at - base - this.#targetStart
      if (size > bounds.headers) return this.#fail('target-size')
      if (at === end) return this.#pause(at - base, state)
      if (bytes[at] !== space || size === 0) return this.#fail('target')
      this.#targetEnd = at - base
      at += 1
      state = where.version
    }
    if (state === where.version) {
      const start = this.#targetEnd + 1
      for (; at < end && at - base < start + versionLength; at += 1) {
        const index = at - base - start
        const byte = bytes[at]!
        if (index < versionStart.length ? byte !== versionStart[index] : byte !== 0x30 && byte !== 0x31)
          return this.#fail('version')
      }
      if (at - base < start + versionLength) return this.#pause(at - base, state)
      this.version = bytes[at - 1] === 0x30 ? '1.0' : '1.1'
      state = where.lineCr
    }
    if (state === where.lineCr) {
      if (at === end) return this.#pause(at - base, state)
      if (bytes[at] !== cr) return this.#fail('request-line')
      at += 1
      state = where.lineLf
    }
    if (at === end) return this.#pause(at - base, state)
    if (bytes[at] !== lf) return this.#fail('request-line')
    this.#at = at + 1 - base
    return 'done'
  }

  #finish(bytes: Buffer, base: number): void {
    const text = bytes.toString('latin1', base, base + this.#section.at)
    this.target = text.slice(this.#targetStart, this.#targetEnd)
    this.fields = this.#section.lines(text, bytes, base)
  }

  #pause(at: number, state: number): 'more' {
    this.#at = at
    this.#where = state
    return 'more'
  }

  #fail(fault: WireFaultKind): 'fault' {
    this.fault = fault
    return 'fault'
  }
}

function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d
}

/** The usual one without making a string. */
function methodOf(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54)
    return 'GET'
  const method = bytes.toString('latin1', start, end)
  return methods.has(method) ? method : undefined
}

/**
 * A response's head: the status line, then field lines. Resumable like `FieldSection`; one object can read one head after another.
 * @see RFC 9112, section 4
 */
import { cr, isValue, lf, space } from './bytes.ts'
import type { Progress, WireFaultKind } from './faults.ts'
import { FieldSection } from './field-section.ts'
import type { HeadBounds } from './request-head.ts'

/** `HTTP/1.x ddd`: what every status line begins with. */
const startLength = 12

const where = { start: 0, reasonSpace: 1, reason: 2, lineLf: 3, fields: 4 } as const

export class ResponseHeadParser {
  version: '1.0' | '1.1' = '1.1'
  status = 0
  reason = ''
  fields: string[] = []
  fault: WireFaultKind | undefined = undefined
  readonly #section = new FieldSection()
  #where: number = where.start
  #at = 0
  #reasonEnd = 0

  /** Bytes of the head that were read; after `done` all of it. */
  get size(): number {
    return this.#where === where.fields ? this.#section.at : this.#at
  }

  /** Begins a head anew. */
  reset(): void {
    this.#where = where.start
    this.#at = 0
    this.fault = undefined
  }

  /**
   * @param bytes holds the whole head so far, from `base` on
   * @param end where the bytes that came end, in `bytes`
   */
  parse(bytes: Buffer, base: number, end: number, bounds: HeadBounds): Progress {
    if (this.#where !== where.fields) {
      const progress = this.#parseLine(bytes, base, end)
      if (progress === 'fault') return progress
      if (this.#at > bounds.headers) return this.#fail('head-size')
      if (progress === 'more') return progress
      this.#where = where.fields
      this.#section.begin(this.#at)
    }
    const progress = this.#section.parse(bytes, base, end, bounds.headerCount)
    if (progress === 'fault') return this.#fail(this.#section.fault!)
    if (this.#section.at > bounds.headers) return this.#fail('head-size')
    if (progress === 'done') this.#finish(bytes, base)
    return progress
  }

  #parseLine(bytes: Buffer, base: number, end: number): Progress {
    let at = base + this.#at
    let state = this.#where
    if (state === where.start) {
      for (; at < end && at - base < startLength; at += 1) {
        if (!isStartByte(at - base, bytes[at]!)) return this.#fail('status-line')
      }
      if (at - base < startLength) return this.#pause(at - base, state)
      state = where.reasonSpace
    }
    if (state === where.reasonSpace) {
      if (at === end) return this.#pause(at - base, state)
      // Many servers leave out the space where they have no reason to tell: RFC 9112 would have it, nobody misreads it.
      if (bytes[at] !== space && bytes[at] !== cr) return this.#fail('status-line')
      if (bytes[at] === space) at += 1
      state = where.reason
    }
    if (state === where.reason) {
      while (at < end && isValue[bytes[at]!] === 1) at += 1
      if (at === end) return this.#pause(at - base, state)
      if (bytes[at] !== cr) return this.#fail('status-line')
      this.#reasonEnd = at - base
      at += 1
      state = where.lineLf
    }
    if (at === end) return this.#pause(at - base, state)
    if (bytes[at] !== lf) return this.#fail('status-line')
    this.#at = at + 1 - base
    return 'done'
  }

  #finish(bytes: Buffer, base: number): void {
    this.version = bytes[base + 7] === 0x30 ? '1.0' : '1.1'
    this.status =
      (bytes[base + 9]! - 0x30) * 100 + (bytes[base + 10]! - 0x30) * 10 + (bytes[base + 11]! - 0x30)
    const text = bytes.toString('latin1', base, base + this.#section.at)
    this.reason = text.slice(startLength + 1, this.#reasonEnd)
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

const protocol = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const

function isStartByte(index: number, byte: number): boolean {
  if (index < 7) return byte === protocol[index]
  if (index === 7) return byte === 0x30 || byte === 0x31
  if (index === 8) return byte === space
  return byte >= 0x30 && byte <= 0x39
}

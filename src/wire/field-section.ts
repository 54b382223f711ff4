/**
 * Field lines until the empty line behind them: of request heads, response heads and trailer sections. It can be left at any byte
 * and taken up again with more of the same section, and looks at no byte twice.
 * @see RFC 9112, section 5
 */
import { colon, cr, isToken, isValue, lf, space, tab } from './bytes.ts'
import { usualName } from './field-names.ts'
import type { Progress, WireFaultKind } from './faults.ts'

/** Some readers keep a tab behind `Content-Length: 5`, `chunked` or `close` as part of the value. Names of their lengths are enough to look at. */
function mayFrame(nameLength: number): boolean {
  return nameLength === 10 || nameLength === 14 || nameLength === 17
}

/** Where in a line the next byte stands. */
const where = { lineStart: 0, name: 1, valueStart: 2, value: 3, valueLf: 4, lastLf: 5 } as const

export class FieldSection {
  /** Of the next byte, from the start of the message; after `done` the message's first byte behind the section. */
  at = 0
  fault: WireFaultKind | undefined = undefined
  /** Offsets of each line: name's start, name's end, value's start, value's end. */
  readonly #marks: number[] = []
  #count = 0
  #where: number = where.lineStart
  #start = 0

  /** @param at where the section begins, from the start of the message */
  begin(at: number): void {
    this.at = at
    this.fault = undefined
    this.#count = 0
    this.#where = where.lineStart
  }

  /** Field lines that are complete. */
  get count(): number {
    return this.#count
  }

  /**
   * @param bytes holds the whole message so far, from `base` on
   * @param end where the bytes that came end, in `bytes`
   * @param most field lines
   */
  parse(bytes: Uint8Array, base: number, end: number, most: number): Progress {
    const marks = this.#marks
    let at = base + this.at
    let state = this.#where
    while (at < end) {
      if (state === where.lineStart) {
        const byte = bytes[at]!
        if (byte === cr) {
          at += 1
          state = where.lastLf
          continue
        }
        if (byte === space || byte === tab) return this.#fail('folding')
        if (isToken[byte] === 0) return this.#fail(byte === lf ? 'line-end' : 'field-name')
        if (this.#count === most) return this.#fail('field-count')
        this.#start = at - base
        at += 1
        state = where.name
      }
      if (state === where.name) {
        while (at < end && isToken[bytes[at]!] === 1) at += 1
        if (at === end) break
        if (bytes[at] !== colon) return this.#fail('field-name')
        const mark = this.#count * 4
        marks[mark] = this.#start
        marks[mark + 1] = at - base
        at += 1
        state = where.valueStart
      }
      if (state === where.valueStart) {
        while (at < end && (bytes[at] === space || bytes[at] === tab)) at += 1
        if (at === end) break
        this.#start = at - base
        state = where.value
      }
      if (state === where.value) {
        while (at < end && isValue[bytes[at]!] === 1) at += 1
        if (at === end) break
        if (bytes[at] !== cr) return this.#fail(bytes[at] === lf ? 'line-end' : 'field-value')
        let last = at
        const first = base + this.#start
        let isTabbed = false
        while (last > first && (bytes[last - 1] === space || bytes[last - 1] === tab)) {
          last -= 1
          isTabbed ||= bytes[last] === tab
        }
        const mark = this.#count * 4
        if (isTabbed && mayFrame(marks[mark + 1]! - marks[mark]!)) return this.#fail('field-value')
        marks[mark + 2] = this.#start
        marks[mark + 3] = last - base
        at += 1
        state = where.valueLf
        if (at === end) break
      }
      if (bytes[at] !== lf) return this.#fail('line-end')
      at += 1
      if (state === where.lastLf) {
        this.at = at - base
        return 'done'
      }
      this.#count += 1
      state = where.lineStart
    }
    this.at = at - base
    this.#where = state
    return 'more'
  }

  /**
   * @param text the message from its first byte, as Latin-1
   * @param bytes the same, from `base` on
   * @returns the lines, flat: name, value, name, value …
   */
  lines(text: string, bytes: Uint8Array, base: number): string[] {
    const marks = this.#marks
    const end = this.#count * 4
    const lines: string[] = []
    for (let mark = 0; mark < end; mark += 4) {
      const start = marks[mark]!
      const stop = marks[mark + 1]!
      lines.push(
        usualName(bytes, base + start, base + stop) ?? text.slice(start, stop),
        text.slice(marks[mark + 2], marks[mark + 3]),
      )
    }
    return lines
  }

  #fail(fault: WireFaultKind): 'fault' {
    this.fault = fault
    return 'fault'
  }
}

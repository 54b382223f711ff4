/**
 * Heads of answers, and chunks, as text, one byte for each character. Every name and value that becomes a line is looked at here:
 * whatever made the lines (a claim, a configuration, an upstream), none of them can end a line by itself.
 */
import { STATUS_CODES } from 'node:http'
import { isFieldName, isFieldValue, isNamed } from '../engine/fields.ts'

/** A field that cannot be written: a bug, or something hostile that came too far. Names the field, never its value. */
export class WriteError extends Error {}

const statusLines = new Map<number, string>()

/** @returns the whole line; the usual one where the reason is the usual or none */
function statusLine(status: number, reason: string): string {
  const usual = STATUS_CODES[status] ?? ''
  if (reason !== '' && reason !== usual)
    return `HTTP/1.1 ${status} ${isFieldValue(reason) ? reason : usual}\r\n`
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${usual}\r\n`
    statusLines.set(status, line)
  }
  return line
}

/**
 * @param lines flat: name, value, name, value …
 * @param extra lines that the writer itself made, each with its CR LF
 * @param date of now, for an answer that has none; undefined where it needs none
 * @returns status line, lines and the empty line
 * @throws WriteError
 */
export function responseHead(
  status: number,
  reason: string,
  lines: readonly string[],
  extra: string,
  date: string | undefined,
): string {
  let head = statusLine(status, reason)
  let isDated = date === undefined
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!
    const value = lines[index + 1]!
    if (!isFieldName(name)) throw new WriteError('a field name is no token')
    if (!isFieldValue(value)) throw new WriteError(`the value of the field "${name}" is invalid`)
    isDated ||= isNamed(name, 'date')
    head += `${name}: ${value}\r\n`
  }
  return isDated ? `${head}${extra}\r\n` : `${head}${extra}Date: ${date}\r\n\r\n`
}

/** @returns the line before a chunk of so many bytes */
export function chunkStart(length: number): string {
  return `${length.toString(16)}\r\n`
}

/**
 * The last chunk, with a trailer section.
 *
 * @throws WriteError
 */
export function lastChunk(trailers: readonly string[]): string {
  if (trailers.length === 0) return '0\r\n\r\n'
  let text = '0\r\n'
  for (let index = 0; index < trailers.length; index += 2) {
    const name = trailers[index]!
    const value = trailers[index + 1]!
    if (!isFieldName(name) || !isFieldValue(value)) throw new WriteError('a trailer field is invalid')
    text += `${name}: ${value}\r\n`
  }
  return `${text}\r\n`
}

/** `Date` as text, made once a second. @see RFC 9110, section 6.6.1 */
export class DateText {
  #second = -1
  #text = ''

  /** @param now milliseconds since the epoch */
  at(now: number): string {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text = new Date(second * 1000).toUTCString()
    }
    return this.#text
  }
}

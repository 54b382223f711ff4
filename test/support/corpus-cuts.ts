/** Where the packets of a case are cut. */
import { host } from '../corpus/request-case.ts'
import type { Cut } from './corpus-runner.ts'

/** Cuts for each case; a run by hand may ask for up to 24 (CORPUS_CUTS), more than the suite has time for. */
export const cutsPerCase: number = Number(process.env['CORPUS_CUTS'] ?? 3)

/**
 * @param count how many of `cuts`, spread over the bytes behind the usual beginning, and other ones for each case
 * @returns positions from 1 to the last byte, each once
 */
export function positions(bytes: string, count: number): number[] {
  const most = bytes.length - 1
  if (most <= count) return Array.from({ length: Math.max(most, 0) }, (_, index) => index + 1)
  // What differs from case to case stands behind the usual Host, or is the first line.
  const usual = bytes.indexOf(host)
  const start = usual === -1 || usual > 60 ? 0 : Math.min(usual, most - count)
  const shift = hash(bytes)
  const found = new Set<number>()
  for (let index = 0; index < count; index += 1) {
    const from = index % 4 === 3 ? 0 : start
    const span = most - from
    found.add(from + 1 + ((Math.floor(((index + 1) * span) / (count + 1)) + shift) % span))
  }
  return [...found].sort((one, other) => one - other)
}

export function cutAt(position: number): Cut {
  return (bytes) => (position < bytes.length ? [bytes.slice(0, position), bytes.slice(position)] : [bytes])
}

export const byteByByte: Cut = (bytes) => Array.from(bytes)

function hash(text: string): number {
  let value = 0
  for (let index = 0; index < text.length; index += 1)
    value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0
  return value % 97
}

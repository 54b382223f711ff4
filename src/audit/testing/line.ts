/** For tests: one line of a log. */
import type { ChainEnd } from '../format/chain.ts'
import { LineWriter } from '../format/line-writer.ts'

/** @returns the line that comes after `previous`, without the newline */
export function sealLine(
  time: string,
  previous: ChainEnd,
  members: string,
): { readonly line: string; readonly end: ChainEnd } {
  const writer = new LineWriter(previous)
  writer.add(time, members, true)
  return { line: writer.bytes.toString().slice(0, -1), end: writer.end }
}

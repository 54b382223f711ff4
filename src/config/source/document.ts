/** What a configuration file says, before anybody asks whether it makes sense. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'

export interface Position {
  /** One-based. */
  readonly line: number
  readonly column: number
}

export type PositionedComplaint = Complaint & { readonly position?: Position }

export interface Document {
  /** Plain objects, lists, text, numbers, booleans and null; nothing inherited, nothing shared, no `__proto__`. */
  readonly value: unknown
  /** What was left out of `value`: keys that stand twice, names that are not allowed. */
  readonly complaints: readonly PositionedComplaint[]
  /** Where the key or the value of a path stands; undefined where the format knows no lines, or the path is not there. */
  position(path: Path, what: 'key' | 'value'): Position | undefined
}

/** Nobody writes a configuration this large: the wrong file is refused before it is parsed. Bytes. */
export const largestFile: number = 5 * 1024 * 1024

/** Deeper than any member of the schema; recursion over the tree is safe below it. */
export const deepest = 64

export const mostValues = 1_000_000

/** How many values may come from aliases: an alias bomb ("billion laughs") meets this, shared settings do not. */
export const mostAliased = 50_000

/** Names with which objects of JavaScript can be poisoned. */
export function isPoisonous(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

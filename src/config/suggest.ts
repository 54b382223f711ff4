/** What somebody probably meant. */
import * as names from './scalars/names.ts'
import * as network from './scalars/network.ts'
import * as quantities from './scalars/quantities.ts'
import { readOr, type Scalar } from './scalars/scalar.ts'
import { statusRange } from './schema/upstreams.ts'

/**
 * @returns the candidate that is meant by a mistyped word: the same but for capitals, dashes and underscores, or a few
 * letters away; undefined where none is near
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  const bare = simplified(word)
  for (const candidate of candidates) {
    const other = simplified(candidate)
    if (other === bare && candidate !== word) return candidate
    const distance = editDistance(bare, other)
    if (distance < least && distance <= Math.max(1, Math.floor(Math.min(bare.length, other.length) / 3))) {
      best = candidate
      least = distance
    }
  }
  return best === word ? undefined : best
}

function simplified(word: string): string {
  return word.toLowerCase().replace(/[-_ .]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[other.length]!
}

/** @returns a text that the scalar with this expectation takes, near to what was found */
export function repaired(expected: string, found: unknown): string | undefined {
  if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return undefined
  if (typeof found === 'string' && found.length > 200) return undefined
  const scalar = byExpectation().get(expected)
  const repair = scalar?.repair?.(found)
  if (repair === undefined || scalar === undefined) return undefined
  if (repair.startsWith('"')) return repair
  return repair !== found && readOr(scalar, repair) !== undefined ? repair : undefined
}

let table: ReadonlyMap<string, Scalar<unknown>> | undefined

function byExpectation(): ReadonlyMap<string, Scalar<unknown>> {
  const all: unknown[] = [
    ...Object.values(names),
    ...Object.values(network),
    ...Object.values(quantities),
    statusRange,
  ]
  table ??= new Map(all.filter(isScalar).map((scalar) => [scalar.expected, scalar]))
  return table
}

function isScalar(value: unknown): value is Scalar<unknown> {
  return typeof value === 'object' && value !== null && 'expected' in value
}

/** @returns a boolean for the words that other formats take for one */
export function booleanFor(found: unknown): string | undefined {
  if (typeof found !== 'string') return undefined
  const word = found.trim().toLowerCase()
  if (['yes', 'on', 'true', 'y', 'enabled', '1'].includes(word)) return 'true'
  return ['no', 'off', 'false', 'n', 'disabled', '0'].includes(word) ? 'false' : undefined
}

/** Durations, sizes and rates: a number that never stands without its unit. */
import type { Rate } from '../../configuration.ts'
import { readOr, Unreadable, type Scalar } from './scalar.ts'

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const bytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const

/** Node's timers take 31 bits of milliseconds; what is longer fires at once. */
const longestTimer = 24 * milliseconds.d
const century = 36_500 * milliseconds.d

/** Any length of time, none included. Milliseconds. */
export const duration: Scalar<number> = durationBetween(
  0,
  century,
  'a duration: a number and a unit, such as 250ms, 30s, 15m, 12h or 90d',
)

/** A length of time that is not nothing. Milliseconds. */
export const positiveDuration: Scalar<number> = durationBetween(
  1,
  century,
  'a duration above zero: a number and a unit, such as 250ms, 30s, 15m, 12h or 90d',
)

/** What a timer may wait for. Milliseconds. */
export const timeout: Scalar<number> = durationBetween(
  1,
  longestTimer,
  'a duration above zero and up to 24d: a number and a unit, such as 250ms, 30s or 15m',
)

/** What a timer may wait for, or not at all. Milliseconds. */
export const delay: Scalar<number> = durationBetween(
  0,
  longestTimer,
  'a duration up to 24d: a number and a unit, such as 0s, 250ms, 30s or 15m',
)

/** An amount of memory or disk. Bytes. */
export const size: Scalar<number> = {
  expected: 'a size: a number and a unit, such as 512B, 16KiB, 10MiB or 10GiB',
  pattern: /^\d{1,12}(B|KiB|MiB|GiB|TiB)$/,
  read(text) {
    const match = /^(\d{1,12})(B|KiB|MiB|GiB|TiB)$/.exec(text)
    if (match === null) return new Unreadable()
    const value = Number(match[1]) * bytes[match[2] as keyof typeof bytes]
    return Number.isSafeInteger(value) ? value : new Unreadable('too large')
  },
  repair: repairSize,
}

/** So many in a period: `100/1m`. */
export const rate: Scalar<Rate> = {
  expected: 'a rate: a number, a slash and a period, such as 10/1s, 100/1m or 1000/1h',
  pattern: /^[1-9]\d{0,8}\/[1-9]\d{0,8}(ms|s|m|h|d)$/,
  read(text) {
    const match = /^([1-9]\d{0,8})\/([1-9]\d{0,8}(?:ms|s|m|h|d))$/.exec(text)
    if (match === null) return new Unreadable()
    const period = readOr(duration, match[2]!)
    return period === undefined
      ? new Unreadable('the period is too long')
      : { count: Number(match[1]), period }
  },
  repair: repairRate,
}

/** @returns the duration as people write it: the largest unit that divides it */
export function formatDuration(value: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((each) => value !== 0 && value % milliseconds[each] === 0)
  return unit === undefined ? (value === 0 ? '0s' : `${value}ms`) : `${value / milliseconds[unit]}${unit}`
}

function durationBetween(least: number, most: number, expected: string): Scalar<number> {
  return {
    expected,
    pattern: /^\d{1,12}(ms|s|m|h|d)$/,
    read(text) {
      const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text)
      if (match === null) return new Unreadable()
      const value = Number(match[1]) * milliseconds[match[2] as keyof typeof milliseconds]
      if (value < least) return new Unreadable('must be more than zero')
      return value > most ? new Unreadable(`must be at most ${formatDuration(most)}`) : value
    },
    repair: repairDuration,
  }
}

const unitWords: readonly (readonly [RegExp, keyof typeof milliseconds])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
]

function repairDuration(found: string | number | boolean): string | undefined {
  if (typeof found === 'number') return Number.isInteger(found) && found >= 0 ? `${found}s` : undefined
  if (typeof found === 'boolean') return undefined
  const week = /^(\d{1,6})\s*(w|weeks?)$/i.exec(found.trim())
  if (week !== null) return `${Number(week[1]) * 7}d`
  const parts = [
    ...found
      .trim()
      .toLowerCase()
      .matchAll(/(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)\s*/g),
  ]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== found.trim().toLowerCase())
    return undefined
  let total = 0
  for (const [, amount, word] of parts) {
    const unit = word === '' ? 's' : unitWords.find(([pattern]) => pattern.test(word!))?.[1]
    if (unit === undefined) return undefined
    total += Number(amount) * milliseconds[unit]
  }
  return Number.isInteger(total) ? formatDuration(total) : undefined
}

function repairSize(found: string | number | boolean): string | undefined {
  if (typeof found === 'boolean') return undefined
  if (typeof found === 'number')
    return Number.isInteger(found) && found >= 1024 ? formatSize(found) : undefined
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt]?)(i?b?|bytes?)$/i.exec(found.trim())
  if (match === null) return undefined
  const letter = match[2]!.toUpperCase() as '' | 'K' | 'M' | 'G' | 'T'
  const value = Number(match[1]) * bytes[letter === '' ? 'B' : (`${letter}iB` as const)]
  return Number.isInteger(value) ? formatSize(value) : undefined
}

function formatSize(value: number): string {
  const unit = (['TiB', 'GiB', 'MiB', 'KiB'] as const).find(
    (each) => value !== 0 && value % bytes[each] === 0,
  )
  return unit === undefined ? `${value}B` : `${value / bytes[unit]}${unit}`
}

function repairRate(found: string | number | boolean): string | undefined {
  if (typeof found === 'number') return Number.isInteger(found) && found > 0 ? `${found}/1m` : undefined
  if (typeof found === 'boolean') return undefined
  const match = /^(\d{1,9})\s*(?:r|req|requests?)?\s*(?:\/|per|p)\s*(\d*)\s*([a-z]+)$/i.exec(found.trim())
  if (match === null || Number(match[1]) === 0) return undefined
  const unit = unitWords.find(([pattern]) => pattern.test(match[3]!.toLowerCase()))?.[1]
  return unit === undefined ? undefined : `${Number(match[1])}/${match[2] === '' ? '1' : match[2]}${unit}`
}

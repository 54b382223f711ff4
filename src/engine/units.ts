/** Durations, rates and times as people write them (`30s`, `100/1m`, `2026-12-01T00:00:00Z`). */

const millisecondsPer = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof millisecondsPer

/** Far beyond any sensible life, and still exact in a double when added to a time. */
const longest = 36_500 * millisecondsPer.d

/** @returns milliseconds, or undefined when the text is no duration */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text)
  if (match === null) return undefined
  const milliseconds = Number(match[1]) * millisecondsPer[match[2] as Unit]
  return milliseconds <= longest ? milliseconds : undefined
}

/** @returns `count` per `period` milliseconds for `N/period`, or undefined when the text is no rate */
export function parseRate(text: string): { readonly count: number; readonly period: number } | undefined {
  const slash = text.indexOf('/')
  if (slash === -1 || !/^\d{1,9}$/.test(text.slice(0, slash))) return undefined
  const count = Number(text.slice(0, slash))
  const period = parseDuration(text.slice(slash + 1))
  return period === undefined || period === 0 || count === 0 ? undefined : { count, period }
}

const timePattern =
  /^\d{4}-(?:0[1-9]|1[0-2])-\d\d(?:[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/

/**
 * Reads an RFC 3339 time, or a date alone (midnight, UTC).
 *
 * @returns milliseconds since the epoch, or undefined
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseTime(text: string): number | undefined {
  if (!timePattern.test(text)) return undefined
  // Date.parse takes 31 April for 1 May: somebody who mistyped a day means neither.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.getUTCDate() !== Number(text.slice(8, 10))) return undefined
  const time = Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text.toUpperCase().replace(' ', 'T'))
  return Number.isNaN(time) ? undefined : time
}

/** @returns the RFC 3339 form, UTC, with milliseconds only where there are any */
export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}

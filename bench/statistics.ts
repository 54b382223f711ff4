// The few sums that the tables rest on.

/** @returns NaN of nothing; between the two in the middle where their number is even */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/**
 * The smallest value that at least so many of all values do not exceed (nearest rank), so that it is one that was seen.
 *
 * @param percent above 0, at most 100
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN
}

/** How far apart the furthest two are, as a part of the median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

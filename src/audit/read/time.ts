const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads a time as people give it: RFC 3339 (`2026-11-24T16:00:00Z`, or only the day, in UTC), or how long ago (`15m`, `12h`, `7d`).
 * @returns milliseconds since the epoch, or undefined when it is neither
 */
export function parseTime(text: string, now: number): number | undefined {
  const [, amount, unit = ''] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? []
  if (amount !== undefined) return now - Number(amount) * (units[unit] ?? 0)
  if (
    !/^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$/.test(
      text,
    )
  ) {
    return undefined
  }
  const time = Date.parse(text.replace(' ', 'T').toUpperCase())
  return Number.isNaN(time) ? undefined : time
}

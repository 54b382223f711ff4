/** How long an answer may be used, by what its HTTP fields say. */

export const minimumFreshness = 60_000
export const maximumFreshness = 3_600_000
const silentFreshness = 600_000

/**
 * Milliseconds for which an answer is fresh, bounded to 1 minute … 1 hour; 10 minutes when it says nothing.
 * `no-store`, `no-cache` and what cannot be understood count as the minimum: a key set must be held for a while,
 * or every token would be a fetch.
 * @see RFC 9111 section 4.2.1
 */
export function freshnessOf(headers: Readonly<Record<string, string>>, now: number): number {
  const lifetime = lifetimeOf(headers, now)
  if (lifetime === undefined) return silentFreshness
  return Math.min(Math.max(lifetime - ageOf(headers), minimumFreshness), maximumFreshness)
}

/**
 * A SPIFFE bundle says itself how often it wants to be read again, in seconds; the same bounds hold.
 * @see SPIFFE Trust Domain and Bundle section 4.1.1
 */
export function hintedFreshness(document: Readonly<Record<string, unknown>>): number | undefined {
  const { spiffe_refresh_hint: hint } = document
  if (typeof hint !== 'number' || !(hint > 0)) return undefined
  return Math.min(Math.max(hint * 1000, minimumFreshness), maximumFreshness)
}

function lifetimeOf(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const directives = directivesOf(headers['cache-control'] ?? '')
  if (directives.has('no-store') || directives.has('no-cache')) return 0
  const maxAge = directives.get('max-age')
  if (maxAge !== undefined) return /^\d{1,10}$/.test(maxAge) ? Number(maxAge) * 1000 : 0
  const expires = headers['expires']
  if (expires === undefined) return undefined
  const until = Date.parse(expires)
  const sent = Date.parse(headers['date'] ?? '')
  // `Expires: 0` and other non-dates mean "already expired".
  return Number.isNaN(until) ? 0 : until - (Number.isNaN(sent) ? now : sent)
}

function ageOf(headers: Readonly<Record<string, string>>): number {
  const age = headers['age'] ?? ''
  return /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0
}

/** Names in lower case; of a repeated directive the first counts. */
function directivesOf(field: string): Map<string, string> {
  const directives = new Map<string, string>()
  for (const part of field.split(',')) {
    const [name = '', value = ''] = part.split('=', 2).map((piece) => piece.trim())
    const key = name.toLowerCase()
    if (key !== '' && !directives.has(key)) directives.set(key, value.replaceAll('"', ''))
  }
  return directives
}

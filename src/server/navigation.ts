/** Whether a person is looking: a browser that goes to a page, rather than a program that fetches data. */

export interface AudienceFacts {
  readonly method: string
  /** The values of the fields of these names. */
  readonly accept?: string | undefined
  readonly secFetchMode?: string | undefined
}

/**
 * @returns true for `Sec-Fetch-Mode: navigate`; without that field, for a GET or HEAD whose `Accept` prefers HTML
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isNavigation(facts: AudienceFacts): boolean {
  if (facts.secFetchMode !== undefined) return facts.secFetchMode === 'navigate'
  if (facts.method !== 'GET' && facts.method !== 'HEAD') return false
  return facts.accept !== undefined && prefersHtml(facts.accept)
}

const html = new Set(['text/html', 'application/xhtml+xml'])
const json = new Set(['application/json', 'application/problem+json'])

/** Named HTML beats a wildcard of the same weight, and loses to named JSON: browsers name HTML, programs name JSON or nothing. */
function prefersHtml(accept: string): boolean {
  let htmlWeight = 0
  let jsonWeight = 0
  let anyWeight = 0
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';')
    const name = type.trim().toLowerCase()
    const weight = weightOf(parameters)
    if (html.has(name)) htmlWeight = Math.max(htmlWeight, weight)
    else if (json.has(name)) jsonWeight = Math.max(jsonWeight, weight)
    else if (name === '*/*' || name === 'application/*') anyWeight = Math.max(anyWeight, weight)
  }
  return htmlWeight > 0 && htmlWeight > jsonWeight && htmlWeight >= anyWeight
}

/** @see RFC 9110, section 12.4.2 */
function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)
    if (match !== null) return Math.min(1, Number(match[1]))
  }
  return 1
}

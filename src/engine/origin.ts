/**
 * The rule for credentials that a browser attaches by itself: a request from a foreign page must not be able to use them.
 * Which page it came from is told by `Origin` and `Sec-Fetch-Site`, which no script can forge.
 */
import { refuse, type Refusal } from './outcome.ts'
import type { CredentialPlace } from './identity.ts'
import type { GatewayRequest } from './request.ts'

export interface OriginFacts {
  /** Where the accepted credential was read. */
  readonly place: CredentialPlace
  readonly request: GatewayRequest
  readonly isUpgrade: boolean
  /** The public origin that the request itself was sent to; undefined when it is none of ours. */
  readonly ownOrigin: string | undefined
  /** The route's `cors`; its origins count only with `credentials`. */
  readonly cors?: { readonly origins: readonly string[]; readonly credentials: boolean } | undefined
  /** True for a session, which only browsers have: without any sign of where the request came from it is refused. */
  readonly isSession?: boolean
}

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** @returns why the request is refused, or undefined when the credential's owner may have meant it */
export function checkRequestOrigin(facts: OriginFacts): Refusal | undefined {
  const { request, place } = facts
  if (!travelsByItself(place) || (safeMethods.has(request.method) && !facts.isUpgrade)) return undefined
  const origins = request.count('origin')
  if (origins > 0) {
    const origin = request.header('origin') ?? ''
    return origins === 1 && isTrusted(origin, facts)
      ? undefined
      : refuse('origin_refused', { detail: 'the Origin is not one of ours' })
  }
  const sites = request.count('sec-fetch-site')
  if (sites > 0) {
    const site = request.header('sec-fetch-site')
    return sites === 1 && (site === 'same-origin' || site === 'none')
      ? undefined
      : refuse('origin_refused', { detail: 'Sec-Fetch-Site tells of another site' })
  }
  // Machines send neither field, and no page can make a browser leave both out.
  return facts.isSession === true
    ? refuse('origin_refused', { detail: 'neither Origin nor Sec-Fetch-Site' })
    : undefined
}

/** @returns whether browsers attach a credential in this place without the page's intent; for others the rule asks nothing */
export function travelsByItself(place: CredentialPlace): boolean {
  return (
    place.kind === 'cookie' ||
    place.kind === 'certificate' ||
    (place.kind === 'header' && place.scheme?.toLowerCase() === 'basic')
  )
}

function isTrusted(origin: string, { ownOrigin, cors }: OriginFacts): boolean {
  // `null` is what every sandboxed frame sends: it names nobody, whatever a list says.
  if (origin === 'null') return false
  if (origin === ownOrigin) return true
  return cors?.credentials === true && cors.origins.some((listed) => normalOrigin(listed) === origin)
}

/**
 * @param origin an origin as somebody wrote it in a configuration
 * @returns it as a browser would send it: lower-case, no trailing slash, no default port
 */
export function normalOrigin(origin: string): string {
  const lower = without(origin.toLowerCase(), '/')
  if (lower.startsWith('https://')) return without(lower, ':443')
  return lower.startsWith('http://') ? without(lower, ':80') : lower
}

function without(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, -end.length) : text
}

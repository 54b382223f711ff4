/** SPIFFE IDs: `spiffe://trust-domain/path`, in the one spelling that the specification leaves. */

export interface SpiffeId {
  readonly trustDomain: string
  /** Begins with a slash; empty for the trust domain itself, which is no workload. */
  readonly path: string
}

const longestId = 2_048
const longestTrustDomain = 255

/**
 * Strict: no user, port, query, fragment, percent escapes, empty or dot segments, and no trailing slash. Two spellings of
 * one identity would be two entries of an allow-list.
 * @returns undefined when the text is no SPIFFE ID
 * @see SPIFFE-ID section 2
 */
export function parseSpiffeId(text: unknown): SpiffeId | undefined {
  if (typeof text !== 'string' || text.length > longestId) return undefined
  const parts = /^spiffe:\/\/(?<trustDomain>[a-z0-9._-]+)(?<path>(?:\/[A-Za-z0-9._-]+)*)$/.exec(text)?.groups
  const { trustDomain = '', path = '' } = parts ?? {}
  if (!isTrustDomain(trustDomain)) return undefined
  const hasDots = path.split('/').some((segment) => segment === '.' || segment === '..')
  return hasDots ? undefined : { trustDomain, path }
}

/** @see SPIFFE-ID section 2.1 */
export function isTrustDomain(text: string): boolean {
  return text.length <= longestTrustDomain && /^[a-z0-9._-]+$/.test(text)
}

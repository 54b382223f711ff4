/**
 * SPIFFE IDs: who a workload is, in a URI of a narrow form.
 *
 * @see https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md section 2
 */
export interface SpiffeId {
  readonly trustDomain: string
  /** With its leading slash; empty for a trust domain itself. */
  readonly path: string
}

const longest = 2048
const form = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/

/** @returns its parts, or undefined for what is no SPIFFE ID: no port, no query, no escapes, no empty or dotted segments */
export function parseSpiffeId(value: string): SpiffeId | undefined {
  if (value.length > longest) return undefined
  const [, trustDomain, path] = form.exec(value) ?? []
  if (trustDomain === undefined || path === undefined) return undefined
  return path.split('/').some((segment) => segment === '.' || segment === '..')
    ? undefined
    : { trustDomain, path }
}

/** @returns whether a URI claims to be one, in any spelling: then it must be one */
export function looksLikeSpiffeId(value: string): boolean {
  return /^spiffe:/i.test(value)
}

/** @returns a route's host as requests are compared with it: lower-case, without port and trailing dot; empty for any host */
export function normalHost(host: string | undefined): string {
  if (host === undefined) return ''
  const bare = host.toLowerCase().replace(/:\d*$/, '')
  return bare.endsWith('.') ? bare.slice(0, -1) : bare
}

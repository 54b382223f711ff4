import type { MatchSettings, RouteSettings } from '../../src/configuration.ts'

/** A route with nothing but what a test says of it. */
export function routeSettings(
  id: string,
  match: Partial<MatchSettings> & { readonly path: string },
  more: Partial<RouteSettings> = {},
): RouteSettings {
  return {
    id,
    match: { headers: {}, query: {}, ...match },
    authenticate: { mode: 'none' },
    rateLimit: [],
    limits: {},
    rewrite: {},
    forward: { headers: {}, assertion: false, credential: 'strip', set: {}, remove: [], keep: [] },
    response: { headers: { set: {}, remove: [] } },
    upstream: 'catalog',
    ...more,
  }
}

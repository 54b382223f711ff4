/** Checks of a configuration that need a stage room's own understanding of it. */
import type { Configuration } from '../configuration.ts'
import { findShadowedRoutes } from '../routing/shadow.ts'
import { findRouteTies } from '../routing/ties.ts'

/** Faults: for `loadConfiguration`'s `extraChecks`. */
export function checksAcrossRooms(configuration: Configuration): { path: string; message: string }[] {
  const indexOf = new Map(configuration.routes.map((route, at) => [route.id, at]))
  return findRouteTies(configuration.routes).map(({ a, b, why }) => ({
    path: `routes[${indexOf.get(b)}].match`,
    message: `route "${b}" and route "${a}" can both hold for one request, and neither is more specific: ${why}`,
  }))
}

export { findShadowedRoutes }

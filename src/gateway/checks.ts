/** Checks of a configuration that need a stage room's own understanding of it. */
import type { Configuration } from '../configuration.ts'
import type { Weakness } from '../config/lint/rule.ts'
import { findForwardFaults } from '../propagation/forward-faults.ts'
import { findShadowedRoutes } from '../routing/shadow.ts'
import { findRouteTies } from '../routing/ties.ts'

/** Faults: for `loadConfiguration`'s `extraChecks`. */
export function checksAcrossRooms(configuration: Configuration): { path: string; message: string }[] {
  const indexOf = new Map(configuration.routes.map((route, at) => [route.id, at]))
  const ties = findRouteTies(configuration.routes).map(({ a, b, why }) => ({
    path: `routes[${indexOf.get(b)}].match`,
    message: `route "${b}" and route "${a}" can both hold for one request, and neither is more specific: ${why}`,
  }))
  const forwards = configuration.routes.flatMap((route, at) =>
    findForwardFaults(route).map((message) => ({ path: `routes[${at}].forward`, message })),
  )
  return [...ties, ...forwards]
}

/** Weaknesses: for `lint`'s `more`. */
export function shadowFindings(configuration: Configuration): Weakness[] {
  const indexOf = new Map(configuration.routes.map((route, at) => [route.id, at]))
  return findShadowedRoutes(configuration.routes).map(({ route, extent, why }) => ({
    id: 'shadowed-route',
    severity: extent === 'wholly' ? 'warning' : 'note',
    path: `routes[${indexOf.get(route)}].match`,
    message: `route "${route}" is ${extent === 'wholly' ? 'never reached' : 'not reached for some requests'}: ${why}`,
    fix: 'remove the route, make its pattern more specific, or give the more specific route its methods too',
  }))
}

import { compileRanges, type AddressRanges } from '../addresses.ts'
import type { CredentialFacts } from '../identity.ts'
import { refuse, type Refusal } from '../outcome.ts'

/** @returns why this credential may not be used from here or on this route; its own limits, whatever the route allows */
export function checkKeyLimits(
  credential: CredentialFacts,
  clientIp: string,
  routeId: string,
): Refusal | undefined {
  const { allowedIps, allowedRoutes } = credential
  if (allowedIps !== undefined && allowedIps.length > 0 && !rangesOf(allowedIps).has(clientIp)) {
    return refuse('key_address_refused')
  }
  if (allowedRoutes !== undefined && allowedRoutes.length > 0 && !allowedRoutes.includes(routeId)) {
    return refuse('key_route_refused')
  }
  return undefined
}

// A cached key hands the same list each time.
const compiledRanges = new WeakMap<readonly string[], AddressRanges>()

function rangesOf(allowedIps: readonly string[]): AddressRanges {
  let ranges = compiledRanges.get(allowedIps)
  if (ranges === undefined) compiledRanges.set(allowedIps, (ranges = compileRanges(allowedIps)))
  return ranges
}

import type { UpstreamSettings } from '../configuration.ts'
import type { PlannedExchange } from './plan.ts'

/** @returns what `balance: hash` hashes; undefined where nothing is */
export type HashKey = (exchange: PlannedExchange) => string | undefined

/** By identity, address or a field; without the identity or the field, by address. */
export function compileHashKey(upstream: UpstreamSettings | undefined): HashKey {
  if (upstream?.balance !== 'hash') return () => undefined
  const on = upstream.hashOn ?? 'address'
  if (on === 'identity') {
    return ({ identity, request }) =>
      identity === undefined
        ? request.clientIp
        : `${identity.issuer.length} ${identity.issuer} ${identity.subject}`
  }
  if (!on.startsWith('header:')) return ({ request }) => request.clientIp
  const name = on.slice(7).toLowerCase()
  return ({ request }) => request.header(name) ?? request.clientIp
}

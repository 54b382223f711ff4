/** Whether two places are one, or overlap. */
import type { CredentialPlace } from '../identity.ts'

export function placesShared(some: readonly CredentialPlace[], others: readonly CredentialPlace[]): boolean {
  return some.some((one) => others.some((other) => samePlace(one, other)))
}

/** A header read whole and the same header read by a scheme overlap. */
export function samePlace(one: CredentialPlace, other: CredentialPlace): boolean {
  if (one.kind !== other.kind || one.name !== other.name) return false
  if (one.kind !== 'header' || other.kind !== 'header') return true
  return (
    one.scheme === undefined ||
    other.scheme === undefined ||
    one.scheme.toLowerCase() === other.scheme.toLowerCase()
  )
}

/** Names of the places where revocation lists are published. @see RFC 5280 sections 4.2.1.13 and 5.2.5 */
import { DerFault, type Der } from './der.ts'
import { isSameName, readImplicitNames, type GeneralName } from './general-names.ts'
import { extendName, type DistinguishedName } from './names.ts'

export type DistributionName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** One relative name, to be put behind the name of whoever signs the list. */
  | { readonly kind: 'relative'; readonly relative: Der }

export function readDistributionPointName(element: Der): DistributionName {
  if (element.tag === 0xa0) return { kind: 'full', names: readImplicitNames(element) }
  if (element.tag === 0xa1) return { kind: 'relative', relative: element }
  throw new DerFault('an unknown form of a distribution point')
}

/** @returns the full names, a relative one resolved under `issuer` */
export function fullNames(name: DistributionName, issuer: DistinguishedName): readonly GeneralName[] {
  if (name.kind === 'full') return name.names
  return [{ kind: 'directory', name: extendName(issuer, name.relative) }]
}

export function haveCommonName(ones: readonly GeneralName[], others: readonly GeneralName[]): boolean {
  return ones.some((one) => others.some((other) => isSameName(one, other)))
}

/** The extensions of certificates that path validation reads. @see RFC 5280 section 4.2.1 */
import { DerFault, DerFields, derTags, elementsOf, explicit, retagged, type Der } from './der.ts'
import { readBoolean, readCount, readInteger, readNamedBits, readOid } from './der-values.ts'
import { readGeneralName, readImplicitNames, type GeneralName } from './general-names.ts'
import { oids } from './oids.ts'
import { readDistributionPointName, type DistributionName } from './distribution-points.ts'

export interface BasicConstraints {
  readonly isCa: boolean
  readonly pathLength?: number
}

export function readBasicConstraints(element: Der): BasicConstraints {
  const fields = new DerFields(element)
  const flag = fields.optional(derTags.boolean)
  const isCa = flag !== undefined && readBoolean(flag)
  const length = fields.optional(derTags.integer)
  fields.end()
  if (length === undefined) return { isCa }
  if (!isCa) throw new DerFault('a path length without an authority')
  return { isCa, pathLength: readCount(length) }
}

export const keyUsages = {
  digitalSignature: 0,
  keyAgreement: 4,
  keyCertSign: 5,
  crlSign: 6,
} as const

export function readKeyUsage(element: Der): ReadonlySet<number> {
  const usages = readNamedBits(element)
  if (usages.size === 0) throw new DerFault('a key usage that allows nothing')
  return usages
}

export function readExtendedKeyUsage(element: Der): ReadonlySet<string> {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of usages')
  const usages = new Set(elementsOf(element, 64).map(readOid))
  if (usages.size === 0) throw new DerFault('an empty list of usages')
  return usages
}

export interface Subtrees {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

export function readNameConstraints(element: Der): Subtrees {
  const fields = new DerFields(element)
  const permitted = fields.optional(0xa0)
  const excluded = fields.optional(0xa1)
  fields.end()
  if (permitted === undefined && excluded === undefined) throw new DerFault('name constraints without any')
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) }
}

function readSubtrees(element: Der | undefined): readonly GeneralName[] {
  if (element === undefined) return []
  const names = elementsOf(element, 4096).map((subtree) => {
    const fields = new DerFields(subtree)
    const base = readGeneralName(fields.next())
    // RFC 5280: minimum is always 0 and maximum absent. Other values would bound a depth that nothing here measures.
    const minimum = fields.optional(0x80)
    fields.end()
    if (minimum !== undefined && readCount(retagged(minimum, derTags.integer)) !== 0)
      throw new DerFault('a subtree with a minimum')
    return base
  })
  if (names.length === 0) throw new DerFault('an empty list of subtrees')
  return names
}

export interface AuthorityKeyIdentifier {
  readonly keyId?: Buffer
  readonly issuer?: readonly GeneralName[]
  readonly serial?: string
}

export function readAuthorityKeyIdentifier(element: Der): AuthorityKeyIdentifier {
  const fields = new DerFields(element)
  const keyId = fields.optional(0x80)?.body
  const issuer = fields.optional(0xa1)
  const serial = fields.optional(0x82)
  fields.end()
  if ((issuer === undefined) !== (serial === undefined))
    throw new DerFault('an issuer without a serial, or one without the other')
  return {
    ...(keyId === undefined ? {} : { keyId }),
    ...(issuer === undefined ? {} : { issuer: readImplicitNames(issuer) }),
    ...(serial === undefined
      ? {}
      : { serial: readInteger(retagged(serial, derTags.integer)).toString('hex') }),
  }
}

export function readPolicies(element: Der): ReadonlySet<string> {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of policies')
  const policies = elementsOf(element, 256).map((each) => {
    const fields = new DerFields(each)
    const policy = readOid(fields.next())
    fields.optional(derTags.sequence)
    fields.end()
    return policy
  })
  const set = new Set(policies)
  if (set.size === 0 || set.size < policies.length) throw new DerFault('no policy, or one twice')
  return set
}

export function readPolicyMappings(element: Der): readonly (readonly [issuer: string, subject: string])[] {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of mappings')
  const mappings = elementsOf(element, 256).map((each) => {
    const fields = new DerFields(each)
    const pair = [readOid(fields.next()), readOid(fields.next())] as const
    fields.end()
    // RFC 5280 section 6.1.4 (a): anyPolicy can be mapped neither from nor to.
    if (pair.some((policy) => policy === oids.anyPolicy)) throw new DerFault('a mapping of any policy')
    return pair
  })
  if (mappings.length === 0) throw new DerFault('an empty list of mappings')
  return mappings
}

export interface PolicyConstraints {
  readonly requireExplicit?: number
  readonly inhibitMapping?: number
}

export function readPolicyConstraints(element: Der): PolicyConstraints {
  const fields = new DerFields(element)
  const explicitPolicy = fields.optional(0x80)
  const inhibit = fields.optional(0x81)
  fields.end()
  if (explicitPolicy === undefined && inhibit === undefined) throw new DerFault('constraints without any')
  return {
    ...(explicitPolicy === undefined
      ? {}
      : { requireExplicit: readCount(retagged(explicitPolicy, derTags.integer)) }),
    ...(inhibit === undefined ? {} : { inhibitMapping: readCount(retagged(inhibit, derTags.integer)) }),
  }
}

/** @returns where OCSP is asked, by the certificate itself */
export function readOcspUrls(element: Der): readonly string[] {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of descriptions')
  const urls = elementsOf(element, 64).flatMap((each) => {
    const fields = new DerFields(each)
    const method = readOid(fields.next())
    const place = readGeneralName(fields.next())
    fields.end()
    return method === oids.ocspAccess && place.kind === 'uri' ? [place.value] : []
  })
  return urls
}

/** One place where a revocation list for the certificate is published. */
export interface DistributionPoint {
  readonly name?: DistributionName
  /** Lists there do not tell of all reasons. */
  readonly isPartial: boolean
  /** Another one than the certificate's issuer signs the list. */
  readonly crlIssuer?: readonly GeneralName[]
}

export function readDistributionPoints(element: Der): readonly DistributionPoint[] {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of distribution points')
  const points = elementsOf(element, 64).map((each) => {
    const fields = new DerFields(each)
    const name = fields.optional(0xa0)
    const reasons = fields.optional(0x81)
    const issuer = fields.optional(0xa2)
    fields.end()
    if (name === undefined && issuer === undefined) throw new DerFault('an empty distribution point')
    return {
      ...(name === undefined ? {} : { name: readDistributionPointName(explicit(name)) }),
      isPartial: reasons !== undefined,
      ...(issuer === undefined ? {} : { crlIssuer: readImplicitNames(issuer) }),
    }
  })
  if (points.length === 0) throw new DerFault('an empty list of distribution points')
  return points
}

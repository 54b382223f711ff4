/** The rules of RFC 5280 section 6.1 for a path that is built: who may sign for whom, for what, and when. */
import { isSelfIssued } from './authorities.ts'
import type { Certificate, Path } from './certificate.ts'
import { keyUsages } from './certificate-extensions.ts'
import { certificateFault, type CertificateFault } from './fault.ts'
import { ConstraintCheck } from './name-constraints.ts'
import { oids } from './oids.ts'
import { PolicyCheck } from './policies.ts'
import { readPublicKey } from './public-key.ts'
import { isAcceptedAlgorithm } from './signature.ts'

const second = 1000

/** What the first certificate of a path is used for. */
export interface Role {
  /** What is wrong with the certificate in this role, whoever signed it. */
  faultOf(leaf: Certificate): CertificateFault | undefined
  /** The extended key usage that the authorities above may not exclude. */
  readonly purpose?: string
}

/** Whoever calls us, by TLS. */
export const client: Role = {
  purpose: oids.clientAuth,
  faultOf: (leaf) => faultOfClient(leaf, oids.clientAuth),
}

/** Signs revocation lists of its name with a key of their own. */
export const listSigner: Role = {
  faultOf(leaf) {
    const isMeant = leaf.keyUsage === undefined || leaf.keyUsage.has(keyUsages.crlSign)
    return (
      faultOfAny(leaf) ??
      (isMeant ? undefined : certificateFault('certificate_usage', 'it may not sign revocation lists'))
    )
  },
}

/** @param purpose - the extended key usage that it must allow, where it names any */
export function faultOfClient(leaf: Certificate, purpose: string): CertificateFault | undefined {
  const common = faultOfAny(leaf)
  if (common !== undefined) return common
  const { basicConstraints, keyUsage, extendedKeyUsage } = leaf
  if (leaf.nameConstraints !== undefined && basicConstraints?.isCa !== true)
    return certificateFault('certificate_chain', 'name constraints in a certificate of no authority')
  if (keyUsage?.has(keyUsages.keyCertSign) === true && basicConstraints?.isCa !== true)
    return certificateFault('certificate_usage', 'it may sign certificates and is no authority')
  if (keyUsage !== undefined && !canProve(keyUsage))
    return certificateFault('certificate_usage', 'its key usage has no digital signature')
  if (extendedKeyUsage !== undefined && !allows(extendedKeyUsage, purpose))
    return certificateFault('certificate_usage', 'its extended key usage is another')
  return undefined
}

/** What is wrong with the certificate as one of an authority, whatever it signed. */
export function faultOfAuthority(authority: Certificate): CertificateFault | undefined {
  const common = faultOfAny(authority)
  if (common !== undefined) return common
  if (authority.subject.parts.length === 0)
    return certificateFault('certificate_chain', 'an authority without a name')
  if (authority.basicConstraints?.isCa !== true)
    return certificateFault('certificate_chain', 'a certificate of no authority signed another')
  if (authority.keyUsage !== undefined && !authority.keyUsage.has(keyUsages.keyCertSign))
    return certificateFault('certificate_usage', 'an authority that may not sign certificates')
  return undefined
}

/** @returns the first rule that a built path breaks; times last, so that only an otherwise good one is called expired */
export function faultOfPath(path: Path, { purpose }: Role, now: number): CertificateFault | undefined {
  const authorities = path.slice(1)
  return (
    faultOfLengths(authorities) ??
    faultOfUsages(authorities, purpose) ??
    faultOfNames(path) ??
    faultOfPolicies(path) ??
    faultOfTimes(path, now)
  )
}

/** @returns milliseconds since the epoch from which a certificate is not good any more: its last second counts whole */
export function expiryOf({ notAfter }: Certificate): number {
  return notAfter + second
}

/** Rules for any certificate of a path. */
export function faultOfAny(certificate: Certificate): CertificateFault | undefined {
  if (certificate.unknownCritical !== undefined) {
    const detail = `the critical extension ${certificate.unknownCritical} is not known`
    return certificateFault('certificate_chain', detail)
  }
  if (!isAcceptedAlgorithm(certificate.signed.algorithm))
    return certificateFault('certificate_chain', 'a signature algorithm that is not accepted')
  const key = readPublicKey(certificate.spki)
  return typeof key === 'string' ? certificateFault('certificate_chain', key) : undefined
}

/** A path length counts the authorities below, but for the leaf and for those that only renew a key. */
function faultOfLengths(authorities: Path): CertificateFault | undefined {
  let below = 0
  for (const authority of authorities) {
    const most = authority.basicConstraints?.pathLength
    if (most !== undefined && below > most)
      return certificateFault('certificate_chain', 'longer than an authority allows')
    if (!isSelfIssued(authority)) below += 1
  }
  return undefined
}

/** An authority whose own usages are limited passes on no others: that is how OpenSSL and the browsers read it. */
function faultOfUsages(authorities: Path, purpose: string | undefined): CertificateFault | undefined {
  if (purpose === undefined) return undefined
  const narrow = authorities.find(
    ({ extendedKeyUsage }) => extendedKeyUsage !== undefined && !allows(extendedKeyUsage, purpose),
  )
  return narrow === undefined
    ? undefined
    : certificateFault('certificate_usage', 'an authority for other usages only')
}

function faultOfNames(path: Path): CertificateFault | undefined {
  const check = new ConstraintCheck()
  for (let at = path.length - 1; at >= 0; at -= 1) {
    const certificate = path[at]!
    const isLeaf = at === 0
    if (at < path.length - 1 && (isLeaf || !isSelfIssued(certificate))) {
      const detail = check.faultOf(certificate, isLeaf)
      if (detail !== undefined) return certificateFault('certificate_chain', detail)
    }
    if (certificate.nameConstraints !== undefined) check.add(certificate.nameConstraints)
  }
  return undefined
}

function faultOfPolicies(path: Path): CertificateFault | undefined {
  const check = new PolicyCheck(path.length - 1)
  for (let at = path.length - 2; at >= 0; at -= 1) {
    const detail = check.step(path[at]!, at === 0, isSelfIssued(path[at]!))
    if (detail !== undefined) return certificateFault('certificate_chain', detail)
  }
  return undefined
}

function faultOfTimes(path: Path, now: number): CertificateFault | undefined {
  const who = (certificate: Certificate): string => (certificate === path[0] ? 'it' : 'an authority')
  const expired = path.find((each) => now >= expiryOf(each))
  if (expired !== undefined) return certificateFault('certificate_expired', `${who(expired)} has expired`)
  const early = path.find((each) => now < each.notBefore)
  return early === undefined
    ? undefined
    : certificateFault('certificate_not_yet_valid', `${who(early)} is not valid yet`)
}

function canProve(keyUsage: ReadonlySet<number>): boolean {
  return keyUsage.has(keyUsages.digitalSignature) || keyUsage.has(keyUsages.keyAgreement)
}

function allows(usages: ReadonlySet<string>, purpose: string): boolean {
  return usages.has(purpose) || usages.has(oids.anyExtendedKeyUsage)
}

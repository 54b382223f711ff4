/**
 * Is a certificate revoked, by the lists that we have, at this moment? Fails closed: a list that is missing, stale, of another
 * scope, badly signed or not understood leaves the question open, and an open question is a refusal.
 *
 * @see RFC 5280 section 6.3
 */
import type { Authorities } from './authorities.ts'
import type { Certificate, Path } from './certificate.ts'
import { keyUsages } from './certificate-extensions.ts'
import type { RevocationList } from './crl.ts'
import { fullNames, haveCommonName } from './distribution-points.ts'
import { certificateFault, type CertificateFault } from './fault.ts'
import type { GeneralName } from './general-names.ts'
import { findPath } from './path.ts'
import { signatureFault } from './signature.ts'
import { expiryOf, faultOfAuthority, listSigner } from './validate.ts'

/** Issuer's name → its lists. */
export type ListIndex = ReadonlyMap<string, readonly RevocationList[]>

export interface RevocationQuestion {
  readonly lists: ListIndex
  readonly authorities: Authorities
  /** What came with the certificate: may bring the one that signs the lists. */
  readonly sent: readonly Certificate[]
  /** `leaf`: only the client's own certificate needs a list. */
  readonly scope: 'chain' | 'leaf'
  readonly now: number
}

export function indexLists(lists: readonly RevocationList[]): ListIndex {
  const index = new Map<string, RevocationList[]>()
  for (const list of lists) index.set(list.issuer.key, [...(index.get(list.issuer.key) ?? []), list])
  return index
}

/** @returns why some certificate of the path may not count; the anchor has nobody above it who could revoke it */
export function revocationFault(path: Path, question: RevocationQuestion): CertificateFault | undefined {
  for (let at = path.length - 2; at >= 0; at -= 1) {
    const certificate = path[at]!
    const isLeaf = at === 0
    const status = statusOf(certificate, path.slice(at + 1), question)
    if (status === 'good') continue
    const whose = isLeaf ? 'the certificate' : 'an authority'
    if (status === 'revoked')
      return certificateFault('certificate_revoked', `${whose} is on a revocation list`)
    // The operator vouches for the authorities that are listed, and takes them out when they fall.
    const isOptional =
      !isLeaf && (question.scope === 'leaf' || question.authorities.listed.has(certificate.fingerprint))
    if (status === 'no list' && isOptional) continue
    return certificateFault('certificate_revocation_unknown', `for ${whose}: ${status}`)
  }
  return undefined
}

/** @returns the next moment at which a list of this path begins to count or runs out: milliseconds since the epoch */
export function listsChangeAt(path: Path, { lists, now }: RevocationQuestion): number {
  const moments = path
    .slice(0, -1)
    .flatMap(({ issuer }) => lists.get(issuer.key) ?? [])
    .flatMap(({ thisUpdate, nextUpdate = 0 }) => [thisUpdate, nextUpdate])
  return Math.min(Infinity, ...moments.filter((moment) => moment > now))
}

type Status = 'good' | 'revoked' | 'no list' | 'no list that is current' | 'no list that can be used'

/** @param above - the rest of the path, from the certificate's issuer on */
function statusOf(certificate: Certificate, above: Path, question: RevocationQuestion): Status {
  const own = question.lists.get(certificate.issuer.key) ?? []
  const inScope = own.filter((list) => isInScope(list, certificate))
  if (inScope.length === 0) return own.length === 0 ? 'no list' : 'no list that can be used'
  const signed = inScope.filter((list) => isSignedFor(list, above, question))
  if (signed.length === 0) return 'no list that can be used'
  const { now } = question
  const current = signed.filter(
    ({ thisUpdate, nextUpdate }) => thisUpdate <= now && nextUpdate !== undefined && now < nextUpdate,
  )
  const complete = current.filter(({ baseNumber }) => baseNumber === undefined)
  const changes = signed.filter(({ baseNumber }) => baseNumber !== undefined)
  // Of several current lists each may say no: nothing takes a certificate off but a newer list of changes.
  const isListed = complete.some((list) => list.entries.has(certificate.serial))
  if (complete.length === 0) return 'no list that is current'
  return changes.length === 0
    ? isListed
      ? 'revoked'
      : 'good'
    : changedStatus(certificate, complete, changes, isListed, now)
}

/** A list of changes beside a complete one must be usable too: what it would have told must not be lost. */
function changedStatus(
  certificate: Certificate,
  complete: readonly RevocationList[],
  changes: readonly RevocationList[],
  isListed: boolean,
  now: number,
): Status {
  const base = newest(complete)
  const delta = newest(changes)
  const { number = '' } = base
  if (number === '' || delta.number === undefined || delta.baseNumber! > number)
    return 'no list that can be used'
  const says = delta.number > number ? delta.entries.get(certificate.serial) : undefined
  if (says === 'revoked') return 'revoked'
  if (says === undefined && isListed) return 'revoked'
  const isCurrent = delta.thisUpdate <= now && delta.nextUpdate !== undefined && now < delta.nextUpdate
  return isCurrent || delta.number <= number ? 'good' : 'no list that is current'
}

function newest(lists: readonly RevocationList[]): RevocationList {
  const age = ({ number = '', thisUpdate }: RevocationList): string =>
    `${number} ${thisUpdate.toString().padStart(16, '0')}`
  return lists.reduce((best, list) => (age(list) > age(best) ? list : best))
}

function isInScope({ unknown, scope }: RevocationList, certificate: Certificate): boolean {
  if (unknown !== undefined || scope?.isForeign === true) return false
  if (scope === undefined) return true
  const isAuthority = certificate.basicConstraints?.isCa === true
  if (scope.only === 'users' && isAuthority) return false
  if (scope.only === 'authorities' && !isAuthority) return false
  if (scope.name === undefined) return true
  return haveCommonName(fullNames(scope.name, certificate.issuer), publishedAt(certificate))
}

/** Where the certificate says that its lists are; one that says nothing has them under its issuer's name. */
function publishedAt({ distributionPoints, issuer }: Certificate): readonly GeneralName[] {
  if (distributionPoints === undefined) return [{ kind: 'directory', name: issuer }]
  return distributionPoints.flatMap(({ name, crlIssuer, isPartial }) => {
    if (crlIssuer !== undefined || isPartial || name === undefined) return []
    return fullNames(name, issuer)
  })
}

/**
 * By the certificate's own issuer; or by another key of the same authority, where it changed its key: one that the path itself
 * or the operator vouches for.
 */
function isSignedFor(list: RevocationList, above: Path, question: RevocationQuestion): boolean {
  const [issuer, ...higher] = above
  if (issuer === undefined) return false
  if (isSigner(list, issuer)) return true
  const renewed = higher.filter(({ subject }) => subject.key === issuer.subject.key)
  if (renewed.some((each) => isSigner(list, each))) return true
  if (hasOwnSigner(list, issuer, above.at(-1) ?? issuer, question)) return true
  const { authorities, now } = question
  return (authorities.bySubject.get(issuer.subject.key) ?? []).some(
    ({ certificate }) =>
      now >= certificate.notBefore &&
      now < expiryOf(certificate) &&
      faultOfAuthority(certificate) === undefined &&
      isSigner(list, certificate),
  )
}

/**
 * A certificate of the same name, sent along, whose key signs lists only: it must itself lead to the same anchor, and be on no
 * list (RFC 5280 section 6.3.3 (f)). Its own lists must be signed by the authorities in its path.
 */
function hasOwnSigner(
  list: RevocationList,
  issuer: Certificate,
  anchor: Certificate,
  question: RevocationQuestion,
): boolean {
  const { sent, authorities, now } = question
  const candidates = sent.filter(
    (each) => each.subject.key === issuer.subject.key && each.fingerprint !== issuer.fingerprint,
  )
  return candidates.slice(0, mostSigners).some((leaf) => {
    if (!isSigner(list, leaf)) return false
    const judge = (path: Path): CertificateFault | undefined =>
      path.at(-1) === anchor
        ? revocationFault(path, { ...question, sent: [] })
        : certificateFault('certificate_chain', 'another anchor')
    return findPath({ leaf, sent, authorities, now, role: listSigner, judge }).path !== undefined
  })
}

const mostSigners = 4
const signatures = new WeakMap<RevocationList, Map<string, boolean>>()

function isSigner(list: RevocationList, issuer: Certificate): boolean {
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.has(keyUsages.crlSign)) return false
  const wanted = list.authorityKeyId?.keyId
  if (wanted !== undefined && issuer.subjectKeyId !== undefined && !wanted.equals(issuer.subjectKeyId))
    return false
  const known = signatures.get(list) ?? new Map<string, boolean>()
  signatures.set(list, known)
  const before = known.get(issuer.fingerprint)
  if (before !== undefined) return before
  const isGood = signatureFault(list.signed, issuer.spki) === undefined
  // A hostile chain may bring many issuers of one name; a list needs to be checked for few.
  if (known.size >= 64) known.clear()
  known.set(issuer.fingerprint, isGood)
  return isGood
}

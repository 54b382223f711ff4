/** Whom we believe: the certificates of an authorities file, sorted into trust anchors and helpers. */
import type { Certificate } from './certificate.ts'
import { signatureFault } from './signature.ts'

export interface Authorities {
  /** Subject → certificates of that name. */
  readonly bySubject: ReadonlyMap<string, readonly Authority[]>
  /** Fingerprints of the anchors. */
  readonly anchors: ReadonlySet<string>
  /** Fingerprints of all of them: the operator vouches for these. */
  readonly listed: ReadonlySet<string>
}

export interface Authority {
  readonly certificate: Certificate
  readonly isAnchor: boolean
}

/**
 * The topmost certificates are the anchors: those that signed themselves, and those whose signer is not in the file. So a file
 * with one intermediate authority trusts that one alone, and an intermediate beside its root is no shortcut past the root.
 */
export function sortAuthorities(certificates: readonly Certificate[]): Authorities {
  const unique = [...new Map(certificates.map((each) => [each.fingerprint, each])).values()]
  const named = new Map<string, Certificate[]>()
  for (const each of unique) named.set(each.subject.key, [...(named.get(each.subject.key) ?? []), each])
  const anchors = new Set(
    unique
      .filter((each) => isTopmost(each, named.get(each.issuer.key) ?? []))
      .map((each) => each.fingerprint),
  )
  const bySubject = new Map(
    [...named].map(([name, each]) => [
      name,
      each.map((certificate) => ({ certificate, isAnchor: anchors.has(certificate.fingerprint) })),
    ]),
  )
  return { bySubject, anchors, listed: new Set(unique.map((each) => each.fingerprint)) }
}

/** Signed itself: not only named itself, which anybody can. */
export function isSelfSigned(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && signatureFault(certificate.signed, certificate.spki) === undefined
}

export function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return subject.key === issuer.key
}

function isTopmost(certificate: Certificate, candidates: readonly Certificate[]): boolean {
  if (isSelfSigned(certificate)) return true
  return !candidates.some(
    (signer) => signer !== certificate && signatureFault(certificate.signed, signer.spki) === undefined,
  )
}

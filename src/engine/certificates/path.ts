/**
 * Builds paths from a certificate to a trust anchor, and finds a good one: every way is tried, within bounds that a hostile
 * bundle of certificates cannot stretch.
 *
 * @see RFC 5280 section 6.1, RFC 4158
 */
import type { Authorities } from './authorities.ts'
import type { Certificate, Path } from './certificate.ts'
import { certificateFault, nearerFault, type CertificateFault } from './fault.ts'
import { haveCommonName } from './distribution-points.ts'
import { signatureFault } from './signature.ts'
import { faultOfAuthority, faultOfPath, type Role } from './validate.ts'

export interface PathQuestion {
  readonly leaf: Certificate
  /** What came with it: helps, and is trusted for nothing. */
  readonly sent: readonly Certificate[]
  readonly authorities: Authorities
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly role: Role
  /** Judges each good path further: revocation. */
  readonly judge?: (path: Path) => CertificateFault | undefined
}

export type PathAnswer =
  | { readonly path: Path; readonly fault?: undefined }
  | { readonly fault: CertificateFault; readonly path?: undefined }

/** Certificates in one path, leaf and anchor included. */
export const longestPath = 12
/** Signatures that one question may cost, and steps of the search. */
const mostSignatures = 64
const mostSteps = 512
/** Good paths that may be judged further. */
const mostJudged = 8

export function findPath(question: PathQuestion): PathAnswer {
  const search = new Search(question)
  const path = search.run()
  return path === undefined ? { fault: search.fault } : { path }
}

class Search {
  readonly #question: PathQuestion
  readonly #sent: ReadonlyMap<string, readonly Certificate[]>
  readonly #signatures = new Map<string, boolean>()
  #steps = 0
  #judged = 0
  #fault: CertificateFault | undefined
  #isExhausted = false

  constructor(question: PathQuestion) {
    this.#question = question
    const sent = new Map<string, Certificate[]>()
    const unique = new Map(question.sent.map((each) => [each.fingerprint, each]))
    for (const each of unique.values())
      sent.set(each.subject.key, [...(sent.get(each.subject.key) ?? []), each])
    this.#sent = sent
  }

  get fault(): CertificateFault {
    if (this.#fault !== undefined) return this.#fault
    const detail = this.#isExhausted ? 'the search for a path was given up' : 'no path to an authority'
    return certificateFault('certificate_untrusted', detail)
  }

  run(): Path | undefined {
    const { leaf, role } = this.#question
    // Its own faults are told only once somebody we trust vouches for it: a stranger's certificate is just unknown.
    return this.#extend([leaf], role.faultOf(leaf))
  }

  #extend(path: Path, leafFault: CertificateFault | undefined): Path | undefined {
    const current = path[path.length - 1]!
    if (this.#question.authorities.anchors.has(current.fingerprint)) return this.#conclude(path, leafFault)
    if (path.length === longestPath) return undefined
    for (const issuer of this.#issuersOf(current)) {
      this.#steps += 1
      if (this.#steps > mostSteps) this.#isExhausted = true
      if (this.#isExhausted) return undefined
      if (isInPath(issuer, path) || !this.#isSignedBy(current, issuer)) continue
      const fault = faultOfAuthority(issuer)
      if (fault !== undefined) {
        this.#note(fault)
        continue
      }
      const found = this.#extend([...path, issuer], leafFault)
      if (found !== undefined) return found
    }
    return undefined
  }

  #conclude(path: Path, leafFault: CertificateFault | undefined): Path | undefined {
    const { now, role, judge } = this.#question
    let fault = leafFault ?? faultOfPath(path, role, now)
    if (fault === undefined && judge !== undefined) {
      this.#judged += 1
      if (this.#judged > mostJudged) this.#isExhausted = true
      else fault = judge(path)
    }
    if (this.#isExhausted) return undefined
    if (fault === undefined) return path
    this.#note(fault)
    return undefined
  }

  /** The operator's own first: they end the search soonest. */
  #issuersOf(certificate: Certificate): readonly Certificate[] {
    const { authorities } = this.#question
    const known = authorities.bySubject.get(certificate.issuer.key) ?? []
    return [
      ...known.filter(({ isAnchor }) => isAnchor).map((each) => each.certificate),
      ...known.filter(({ isAnchor }) => !isAnchor).map((each) => each.certificate),
      ...(this.#sent.get(certificate.issuer.key) ?? []),
    ].filter((issuer) => fitsKeyIdentifier(certificate, issuer))
  }

  #isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
    const pair = `${certificate.fingerprint} ${issuer.fingerprint}`
    const known = this.#signatures.get(pair)
    if (known !== undefined) return known
    if (this.#signatures.size === mostSignatures) {
      this.#isExhausted = true
      return false
    }
    const isGood = signatureFault(certificate.signed, issuer.spki) === undefined
    this.#signatures.set(pair, isGood)
    return isGood
  }

  #note(fault: CertificateFault): void {
    this.#fault = nearerFault(this.#fault, fault)
  }
}

/** The same authority twice makes a loop, whichever of its certificates is met. */
function isInPath(issuer: Certificate, path: Path): boolean {
  return path.some(
    (each) =>
      each.fingerprint === issuer.fingerprint ||
      (each.subject.key === issuer.subject.key && each.spki.equals(issuer.spki)),
  )
}

/** @see RFC 5280 section 4.2.1.1; where both sides say nothing, the signature alone tells */
function fitsKeyIdentifier({ authorityKeyId: wanted }: Certificate, issuer: Certificate): boolean {
  if (
    wanted?.keyId !== undefined &&
    issuer.subjectKeyId !== undefined &&
    !wanted.keyId.equals(issuer.subjectKeyId)
  )
    return false
  if (wanted?.issuer === undefined) return true
  const named = [{ kind: 'directory', name: issuer.issuer }] as const
  return wanted.serial === issuer.serial && haveCommonName(wanted.issuer, named)
}

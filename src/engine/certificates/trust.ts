/** Judges client certificates by the authorities and revocation lists of now, and remembers verdicts only while they must hold. */
import type { Authorities } from './authorities.ts'
import type { Path } from './certificate.ts'
import { bundleOf, type Bundle, type ClientCertificate } from './client-certificate.ts'
import { listsChangeAt, revocationFault, type ListIndex } from './crl-check.ts'
import { certificateFault, type CertificateFault } from './fault.ts'
import { findPath } from './path.ts'
import { client, expiryOf } from './validate.ts'

/** What the files of a configuration said when they were last read. Replaced as a whole, never changed. */
export interface TrustMaterial {
  /** Undefined where they cannot be read: nobody is trusted then. */
  readonly authorities: Authorities | undefined
  /** Undefined where no revocation lists are configured. */
  readonly lists: ListIndex | undefined
  readonly scope: 'chain' | 'leaf'
}

/** The files behind it may change while we run: `material` is always what they say now. */
export interface TrustSource {
  readonly material: TrustMaterial
}

export type Verdict =
  | {
      readonly outcome: 'trusted'
      readonly path: Path
      readonly bundle: Bundle
      /** Milliseconds since the epoch: the earliest end of a certificate in the path. */
      readonly expiresAt: number
    }
  | { readonly outcome: 'refused'; readonly fault: CertificateFault }

export interface Trust {
  /** A field read and two comparisons for a certificate that was judged before: the hot path computes no signature. */
  judge(certificate: ClientCertificate, now: number): Verdict
}

interface Remembered {
  readonly material: TrustMaterial
  readonly verdict: Verdict
  /** It holds from the first up to the second. */
  readonly from: number
  readonly until: number
}

/** How long a refusal is remembered, in milliseconds: whoever keeps asking with a bad certificate costs one search a second. */
const refusalHolds = 1000

export function createTrust(source: TrustSource): Trust {
  const known = new WeakMap<ClientCertificate, Remembered>()
  return Object.freeze({
    judge(certificate: ClientCertificate, now: number) {
      const { material } = source
      const before = known.get(certificate)
      if (before?.material === material && now >= before.from && now < before.until) return before.verdict
      const judged = judge(certificate, material, now)
      known.set(certificate, judged)
      return judged.verdict
    },
  })
}

function judge(certificate: ClientCertificate, material: TrustMaterial, now: number): Remembered {
  const refused = (fault: CertificateFault): Remembered => ({
    material,
    verdict: { outcome: 'refused', fault },
    from: now,
    until: now + refusalHolds,
  })
  const { authorities, lists, scope } = material
  if (authorities === undefined)
    return refused(certificateFault('certificate_untrusted', 'the authorities could not be read'))
  const bundle = bundleOf(certificate)
  if ('reason' in bundle) return refused(bundle)
  const { leaf, sent } = bundle
  const question = lists === undefined ? undefined : { lists, authorities, sent, scope, now }
  const { path, fault } = findPath({
    leaf,
    sent,
    authorities,
    now,
    role: client,
    ...(question === undefined ? {} : { judge: (found: Path) => revocationFault(found, question) }),
  })
  if (path === undefined) return refused(fault)
  const expiresAt = Math.min(...path.map(expiryOf))
  const changeAt = question === undefined ? Infinity : listsChangeAt(path, question)
  return {
    material,
    verdict: { outcome: 'trusted', path, bundle, expiresAt },
    from: now,
    until: Math.min(expiresAt, changeAt),
  }
}

/** Where the authorities and revocation lists are; absolute paths. */
export interface TrustSettings {
  readonly authorities: readonly string[]
  /** None: revocation lists are not asked. */
  readonly revocation: readonly string[]
  readonly scope: 'chain' | 'leaf'
}

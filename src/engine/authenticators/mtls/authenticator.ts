/** Client certificates as credentials: judged for each request by the clock, the authorities and the revocation lists of now. */
import type { ClientCertificate } from '../../certificates/client-certificate.ts'
import { certificateFault, type CertificateFault } from '../../certificates/fault.ts'
import type { Trust, Verdict } from '../../certificates/trust.ts'
import type { CredentialPlace } from '../../identity.ts'
import { rejected, type Outcome, type Rejected, type Verified } from '../../outcome.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { RevocationCheck } from '../../../ports/revocations.ts'
import type { Authenticator, Presented } from '../authenticator.ts'
import { certificatePlace, verifiedByCertificate } from './identity.ts'
import type { OcspCheck } from './ocsp.ts'
import { mtlsIssuer, type MtlsSettings } from './settings.ts'
import { compileSubject } from './subject.ts'

export interface MtlsDependencies {
  readonly trust: Trust
  readonly clock: Clock
  readonly revocations: RevocationCheck
  /** Undefined where no responder is asked. */
  readonly ocsp: OcspCheck | undefined
}

type Trusted = Extract<Verdict, { readonly outcome: 'trusted' }>

/** What was made of a certificate under one verdict: another verdict, another identity. */
interface Known {
  readonly verdict: Trusted
  readonly outcome: Verified | Rejected
}

export function createMtlsAuthenticator(settings: MtlsSettings, deps: MtlsDependencies): Authenticator {
  const { trust, clock, revocations, ocsp } = deps
  const subjectOf = compileSubject(settings)
  const known = new WeakMap<ClientCertificate, Known>()

  /** From memory where this connection's certificate was proven before; each time anew: time, lists, authorities, revocation. */
  function recall({ certificate }: Presented): Outcome | undefined {
    const before = certificate === undefined ? undefined : known.get(certificate)
    if (certificate === undefined || before === undefined) return undefined
    const now = clock.now()
    const judged = judge(certificate, now)
    if ('reason' in judged) return refusal(judged, certificate)
    if (judged !== before.verdict) return undefined
    const answer = ocsp?.recall(judged.path, now)
    if (ocsp !== undefined && answer === undefined) return undefined
    return settle(before.outcome, certificate, answer)
  }

  function verify({ certificate }: Presented): Outcome | Promise<Outcome> {
    if (certificate === undefined) return rejected('no_authenticator_takes_it')
    const now = clock.now()
    const judged = judge(certificate, now)
    if ('reason' in judged) return refusal(judged, certificate)
    const { leaf } = judged.bundle
    const subject = subjectOf(leaf)
    const outcome =
      typeof subject === 'string'
        ? verifiedByCertificate({
            certificate: leaf,
            subject,
            method: settings.name,
            expiresAt: judged.expiresAt,
          })
        : subject
    known.set(certificate, { verdict: judged, outcome })
    // Whom we would refuse anyway costs the responder nothing.
    if (ocsp === undefined || outcome.outcome === 'rejected') return settle(outcome, certificate, undefined)
    const answer = ocsp.ask(judged.path, now)
    return answer instanceof Promise
      ? answer.then((settled) => settle(outcome, certificate, settled))
      : settle(outcome, certificate, answer)
  }

  /** By whoever took it (the listener's own authorities), then by ours. */
  function judge(certificate: ClientCertificate, now: number): Trusted | CertificateFault {
    const fault = faultOf(certificate, now)
    if (fault !== undefined) return fault
    const verdict = trust.judge(certificate, now)
    return verdict.outcome === 'trusted' ? verdict : verdict.fault
  }

  function settle(
    outcome: Verified | Rejected,
    certificate: ClientCertificate,
    ocspAnswer: Rejected | 'good' | undefined,
  ): Outcome {
    const why = ocspAnswer === 'good' || ocspAnswer === undefined ? outcome : ocspAnswer
    if (why.outcome === 'rejected') return { ...why, credentialId: certificate.fingerprint }
    const { identity, credential } = why
    const isRevoked = revocations.isRevoked({
      issuer: mtlsIssuer,
      subject: identity.subject,
      certificate: certificate.fingerprint,
      issuedAt: credential.issuedAt!,
    })
    return isRevoked ? { ...rejected('certificate_revoked'), credentialId: certificate.fingerprint } : why
  }

  return {
    name: settings.name,
    type: 'mtls',
    places: settings.in,
    challenges: [{ scheme: 'ClientCertificate' }],
    takes({ certificate }) {
      if (certificate === undefined) return 'no'
      // What a proxy hands over counts only where this very proxy is believed, in this very field.
      if (certificate.source === 'forwarded')
        return certificate.acceptedBy?.has(settings.name) === true ? 'yes' : 'no'
      return 'yes'
    },
    recall,
    verify,
  }
}

export const mtlsPlaces: readonly CredentialPlace[] = Object.freeze([certificatePlace])

function refusal({ reason, detail }: CertificateFault, { fingerprint }: ClientCertificate): Rejected {
  return { ...rejected(reason, detail), credentialId: fingerprint }
}

function faultOf(certificate: ClientCertificate, now: number): CertificateFault | undefined {
  if (certificate.refusal !== undefined) return certificate.refusal(now)
  const fault = certificate.fault(now)
  return fault === undefined ? undefined : certificateFault('certificate_untrusted', fault)
}

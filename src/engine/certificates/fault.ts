import type { Reason } from '../errors.ts'

/** The reasons of `errors.ts` that are about certificates. */
export type CertificateReason = Extract<
  Reason,
  | 'credential_repeated'
  | 'certificate_malformed'
  | 'certificate_untrusted'
  | 'certificate_chain'
  | 'certificate_usage'
  | 'certificate_not_yet_valid'
  | 'certificate_expired'
  | 'certificate_revoked'
  | 'certificate_revocation_unknown'
>

/** Why a certificate counts for nothing. */
export interface CertificateFault {
  readonly reason: CertificateReason
  /** For the operator. */
  readonly detail: string
}

export function certificateFault(reason: CertificateReason, detail: string): CertificateFault {
  return { reason, detail }
}

/** What is told where several paths failed, each in its own way: the one that was nearest to being good. */
const nearest: readonly CertificateReason[] = [
  'certificate_revoked',
  'certificate_expired',
  'certificate_not_yet_valid',
  'certificate_revocation_unknown',
  'certificate_usage',
  'certificate_chain',
]

export function nearerFault(one: CertificateFault | undefined, other: CertificateFault): CertificateFault {
  if (one === undefined) return other
  const rank = ({ reason }: CertificateFault): number => {
    const at = nearest.indexOf(reason)
    return at === -1 ? nearest.length : at
  }
  return rank(other) < rank(one) ? other : one
}

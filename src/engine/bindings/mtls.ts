/** Certificate-bound credentials: whoever uses one holds the private key of the certificate that it names. */
import type { ClientCertificate } from '../certificates/client-certificate.ts'
import { rejected, type Rejected } from '../outcome.ts'

/**
 * @param thumbprint `x5t#S256` of the credential
 * @param certificate the one that counts for the request, if any
 * @returns why possession is not proven; undefined when it is
 * @see RFC 8705 section 3
 */
export function judgeCertificate(
  thumbprint: string,
  certificate: ClientCertificate | undefined,
  now: number,
): Rejected | undefined {
  if (certificate === undefined) return rejected('bound_certificate_missing')
  if (certificate.thumbprint !== thumbprint) return rejected('bound_certificate_other')
  const fault = certificate.fault(now)
  return fault === undefined ? undefined : rejected('bound_certificate_fault', fault)
}

/** OCSP answers about our own certificates, sent along in the handshake so that clients need not ask. */
import { parseCertificate, type Certificate } from '../../engine/certificates/certificate.ts'
import { makeOcspRequest } from '../../engine/certificates/ocsp-request.ts'
import { readOcspResponse } from '../../engine/certificates/ocsp-response.ts'
import { readPem } from '../../engine/certificates/pem.ts'

export interface Staple {
  readonly der: Buffer
  /** Milliseconds since the epoch; from then on it says nothing any more. */
  readonly until: number
}

/** No answer about one certificate is larger. */
const largest = 64 * 1024

/**
 * @param der the answer, as the responder gave it
 * @param pem the certificate that it should be about, and its chain
 * @returns it, or why it is of no use, in words
 */
export function readStaple(der: Buffer, pem: Buffer, now: number): Staple | string {
  if (der.length > largest) return 'it is too large'
  const ders = readPem(pem, 'CERTIFICATE')
  const [leaf, ...chain] = typeof ders === 'string' ? [] : ders.map((each) => parseCertificate(each))
  if (leaf === undefined || typeof leaf === 'string') return 'the certificate beside it cannot be read'
  const issuer = chain.find(
    (each): each is Certificate => typeof each !== 'string' && each.subject.key === leaf.issuer.key,
  )
  if (issuer === undefined) return 'the issuer is not in the file of the certificate, so it cannot be checked'
  const { certId } = makeOcspRequest(leaf, issuer)
  const answer = readOcspResponse(der, { request: { certId }, issuer, now })
  if (answer.status === 'unknown') return answer.detail
  return answer.status === 'good' ? { der, until: answer.until } : 'it says that the certificate is revoked'
}

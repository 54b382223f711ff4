/** What is asked of an OCSP responder. @see RFC 6960 section 4.1, RFC 9654 (nonces) */
import { createHash, randomBytes } from 'node:crypto'
import type { Certificate } from './certificate.ts'
import { der, derNull, derOctets, derOid, derSequence } from './der-write.ts'
import { oids } from './oids.ts'
import { keyBits } from './public-key.ts'

export interface OcspRequest {
  /** DER. */
  readonly bytes: Buffer
  /** CertID, DER: the answer must be about exactly this. */
  readonly certId: Buffer
  readonly nonce: Buffer
}

/** SHA-1 only names the issuer here, among those that the responder knows: many know no other name. */
export function makeOcspRequest(certificate: Certificate, issuer: Certificate): OcspRequest {
  const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest()
  const certId = derSequence(
    derSequence(derOid(oids.sha1), derNull),
    derOctets(sha1(certificate.issuerDer)),
    derOctets(sha1(keyBits(issuer.spki))),
    der(0x02, Buffer.from(certificate.serial, 'hex')),
  )
  const nonce = randomBytes(32)
  const extensions = derSequence(derSequence(derOid(oids.ocspNonce), derOctets(derOctets(nonce))))
  const tbs = derSequence(derSequence(derSequence(certId)), der(0xa2, extensions))
  return { bytes: derSequence(tbs), certId, nonce }
}

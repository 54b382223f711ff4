/** What an OCSP responder answers, believed only when the issuer of the certificate, or one that it appointed, signed it. */
import { createHash } from 'node:crypto'
import { parseCertificate, type Certificate, type Signed } from './certificate.ts'
import { keyUsages } from './certificate-extensions.ts'
import { DerFault, DerFields, derTags, elementsOf, explicit, readDer, type Der } from './der.ts'
import {
  readBitBytes,
  readCount,
  readEnumerated,
  readInteger,
  readOctets,
  readOid,
  readTime,
} from './der-values.ts'
import { readExtension, readExtensions, unknownCritical, type Extensions } from './extensions.ts'
import { readName } from './names.ts'
import type { OcspRequest } from './ocsp-request.ts'
import { oids } from './oids.ts'
import { keyBits } from './public-key.ts'
import { signatureFault } from './signature.ts'
import { expiryOf, faultOfAny } from './validate.ts'

export type OcspAnswer =
  | { readonly status: 'good' | 'revoked'; /** Milliseconds since the epoch. */ readonly until: number }
  /** The responder does not know, or its answer cannot be believed; in words. */
  | { readonly status: 'unknown'; readonly detail: string }

/** Answers without an end are believed for this long; clocks may differ by the second. Milliseconds. */
const withoutEnd = 300_000
const skew = 60_000
const mostCertificates = 8

export interface OcspContext {
  /** Without a nonce, the question was somebody else's: as it is with answers that are handed on. */
  readonly request: Pick<OcspRequest, 'certId'> & Partial<Pick<OcspRequest, 'nonce'>>
  readonly issuer: Certificate
  readonly now: number
}

export function readOcspResponse(bytes: Buffer, context: OcspContext): OcspAnswer {
  try {
    return readResponse(readDer(bytes), context)
  } catch (error) {
    return unknown(error instanceof DerFault ? error.message : 'it cannot be parsed')
  }
}

function readResponse(element: Der, context: OcspContext): OcspAnswer {
  const outer = new DerFields(element)
  const status = readEnumerated(outer.next())
  if (status !== 0) return unknown(`the responder answers with status ${status}`)
  const fields = new DerFields(explicit(outer.next(0xa0)))
  outer.end()
  if (readOid(fields.next()) !== oids.ocspBasic) return unknown('another kind of answer')
  const basic = new DerFields(readDer(readOctets(fields.next())))
  fields.end()
  const tbs = basic.next(derTags.sequence)
  const algorithm = basic.next(derTags.sequence).bytes
  const signature = readBitBytes(basic.next())
  const extra = basic.optional(0xa0)
  basic.end()
  const certificates = extra === undefined ? [] : elementsOf(explicit(extra), mostCertificates)
  const signed: Signed = { tbs: tbs.bytes, algorithm, signature }
  const data = readData(tbs)
  const signer = signerOf(data, certificates, context)
  if (typeof signer === 'string') return unknown(signer)
  if (signatureFault(signed, signer.spki) !== undefined) return unknown('a signature that is wrong')
  const nonce = readExtension(data.extensions, oids.ocspNonce, readOctets)
  // A responder may leave it out, and then only the times tell that the answer is fresh; a wrong one is a replay.
  const { nonce: asked } = context.request
  if (nonce !== undefined && asked !== undefined && !nonce.equals(asked))
    return unknown('the nonce of another question')
  const critical = unknownCritical(data.extensions, new Set([oids.ocspNonce]))
  if (critical !== undefined) return unknown(`the critical extension ${critical} is not known`)
  return judge(data, context)
}

interface ResponseData {
  readonly responder: Der
  readonly singles: readonly Der[]
  readonly extensions: Extensions
}

function readData(tbs: Der): ResponseData {
  const fields = new DerFields(tbs)
  const version = fields.optional(0xa0)
  if (version !== undefined && readCount(explicit(version)) !== 0) throw new DerFault('an unknown version')
  const responder = fields.next()
  readTime(fields.next(derTags.generalizedTime))
  const singles = elementsOf(fields.next(derTags.sequence), 64)
  const extra = fields.optional(0xa1)
  fields.end()
  return { responder, singles, extensions: extra === undefined ? new Map() : readExtensions(explicit(extra)) }
}

/** @see RFC 6960 section 4.2.2.2: the issuer itself, or one whose certificate the issuer signed for this very purpose */
function signerOf(
  { responder }: ResponseData,
  certificates: readonly Der[],
  { issuer, now }: OcspContext,
): Certificate | string {
  if (isNamed(responder, issuer)) return issuer
  for (const { bytes } of certificates) {
    const delegate = parseCertificate(bytes)
    if (typeof delegate === 'string' || !isNamed(responder, delegate)) continue
    if (
      delegate.issuer.key !== issuer.subject.key ||
      signatureFault(delegate.signed, issuer.spki) !== undefined
    )
      continue
    if (delegate.extendedKeyUsage?.has(oids.ocspSigning) !== true) return 'a signer that may not answer'
    if (delegate.keyUsage?.has(keyUsages.digitalSignature) === false) return 'a signer that may not sign'
    if (now < delegate.notBefore || now >= expiryOf(delegate))
      return 'a signer whose certificate is not valid now'
    return faultOfAny(delegate) === undefined ? delegate : 'a signer whose certificate is not accepted'
  }
  return 'a signer that the issuer did not appoint'
}

function isNamed(responder: Der, certificate: Certificate): boolean {
  if (responder.tag === 0xa1) return readName(explicit(responder)).key === certificate.subject.key
  if (responder.tag !== 0xa2) throw new DerFault('an unknown form of a responder')
  const hash = createHash('sha1').update(keyBits(certificate.spki)).digest()
  return readOctets(explicit(responder)).equals(hash)
}

function judge({ singles }: ResponseData, { request, now }: OcspContext): OcspAnswer {
  for (const single of singles) {
    const fields = new DerFields(single)
    if (!isAbout(fields.next(derTags.sequence), request.certId)) continue
    const status = fields.next()
    const thisUpdate = readTime(fields.next(derTags.generalizedTime))
    const end = fields.optional(0xa0)
    const extra = fields.optional(0xa1)
    fields.end()
    const extensions: Extensions = extra === undefined ? new Map() : readExtensions(explicit(extra))
    const critical = unknownCritical(extensions, new Set())
    if (critical !== undefined) return unknown(`the critical extension ${critical} is not known`)
    const nextUpdate = end === undefined ? undefined : readTime(explicit(end))
    if (thisUpdate > now + skew) return unknown('an answer of the future')
    const until = nextUpdate ?? thisUpdate + withoutEnd
    if (now >= until) return unknown('an answer that has run out')
    if (status.tag === 0x80) return { status: 'good', until }
    if (status.tag === 0xa1) return { status: 'revoked', until }
    return unknown('the responder does not know the certificate')
  }
  return unknown('no answer about this certificate')
}

/** The same certificate by the same hashes; parameters of the hash may be NULL or absent. */
function isAbout(certId: Der, wanted: Buffer): boolean {
  const parts = (element: Der): string => {
    const fields = new DerFields(element)
    const hash = readOid(new DerFields(fields.next()).next())
    const text = [hash, readOctets(fields.next()).toString('hex'), readOctets(fields.next()).toString('hex')]
    text.push(readInteger(fields.next()).toString('hex'))
    fields.end()
    return text.join(' ')
  }
  return parts(certId) === parts(readDer(wanted))
}

function unknown(detail: string): OcspAnswer {
  return { status: 'unknown', detail }
}

/** Certificates, parsed strictly and never judged here. @see RFC 5280 section 4.1 */
import { createHash, X509Certificate } from 'node:crypto'
import { DerFault, DerFields, derTags, explicit, readDer, type Der } from './der.ts'
import { readBits, readCount, readInteger, readTime } from './der-values.ts'
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readDistributionPoints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNameConstraints,
  readOcspUrls,
  readPolicies,
  readPolicyConstraints,
  readPolicyMappings,
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type DistributionPoint,
  type PolicyConstraints,
  type Subtrees,
} from './certificate-extensions.ts'
import { readExtension, readExtensions, unknownCritical, type Extensions } from './extensions.ts'
import { readGeneralNames, type GeneralName } from './general-names.ts'
import { readName, type DistinguishedName } from './names.ts'
import { oids } from './oids.ts'
import { readOctets } from './der-values.ts'

/** What a certificate says. `undefined` members are extensions that it lacks. */
export interface Certificate {
  readonly der: Buffer
  /** SHA-256 of `der`, lower-case hex. */
  readonly fingerprint: string
  readonly version: 1 | 2 | 3
  /** The serial number's content, hex. */
  readonly serial: string
  readonly issuer: DistinguishedName
  /** The same, DER: what OCSP names it by. */
  readonly issuerDer: Buffer
  readonly subject: DistinguishedName
  /** Milliseconds since the epoch; good from `notBefore` up to the end of the second `notAfter`. */
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer
  readonly signed: Signed
  readonly extensions: Extensions
  /** An extension that is critical and that nothing here knows. */
  readonly unknownCritical: string | undefined
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: ReadonlySet<number> | undefined
  readonly extendedKeyUsage: ReadonlySet<string> | undefined
  readonly names: readonly GeneralName[] | undefined
  readonly nameConstraints: Subtrees | undefined
  readonly subjectKeyId: Buffer | undefined
  readonly authorityKeyId: AuthorityKeyIdentifier | undefined
  readonly policies: ReadonlySet<string> | undefined
  readonly policyMappings: ReturnType<typeof readPolicyMappings> | undefined
  readonly policyConstraints: PolicyConstraints | undefined
  readonly inhibitAnyPolicy: number | undefined
  readonly distributionPoints: readonly DistributionPoint[] | undefined
  readonly ocspUrls: readonly string[]
}

/** From the leaf to the anchor, both included. */
export type Path = readonly Certificate[]

/** A signed structure: what was signed, how, and the signature. */
export interface Signed {
  readonly tbs: Buffer
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Buffer
  readonly signature: Buffer
}

/** No certificate of a client is larger: post-quantum keys, dozens of names and policies fit. */
export const largestCertificate: number = 32 * 1024

const knownExtensions: ReadonlySet<string> = new Set([
  oids.keyUsage,
  oids.subjectAltName,
  oids.basicConstraints,
  oids.nameConstraints,
  oids.crlDistributionPoints,
  oids.certificatePolicies,
  oids.policyMappings,
  oids.policyConstraints,
  oids.extendedKeyUsage,
  oids.inhibitAnyPolicy,
])

/** RFC 5280 says of each that it must not be critical: who marks it so means something else by it. */
const neverCritical = [
  oids.authorityKeyIdentifier,
  oids.subjectKeyIdentifier,
  oids.authorityInformationAccess,
  oids.freshestCrl,
]

/** @returns the certificate, or in words why the bytes are none */
export function parseCertificate(der: Buffer): Certificate | string {
  if (der.length > largestCertificate) return 'it is too large'
  try {
    const certificate = readCertificate(readDer(der))
    // A second, independent reader: what OpenSSL cannot read, others behind us cannot either.
    void new X509Certificate(der).serialNumber
    return certificate
  } catch (error) {
    return error instanceof DerFault ? error.message : 'it cannot be parsed'
  }
}

const nothing = Buffer.alloc(0)

/** Splits SEQUENCE { tbs, algorithm, signature }, the frame of certificates and lists alike. */
export function readSigned(element: Der): { readonly tbs: Der; readonly signed: Signed } {
  const fields = new DerFields(element)
  const tbs = fields.next(derTags.sequence)
  const algorithm = fields.next(derTags.sequence).bytes
  const { bytes, unused } = readBits(fields.next())
  fields.end()
  // A signature of odd length is one that does not hold: where it stands among others, those can still be read.
  const signature = unused === 0 ? bytes : nothing
  return { tbs, signed: { tbs: tbs.bytes, algorithm, signature } }
}

function readCertificate(element: Der): Certificate {
  const { tbs, signed } = readSigned(element)
  const fields = new DerFields(tbs)
  const version = readVersion(fields.optional(0xa0))
  const serial = readSerial(fields.next())
  // The inner copy is signed and the outer is not: only equal ones say what was signed.
  if (!fields.next(derTags.sequence).bytes.equals(signed.algorithm))
    throw new DerFault('two signature algorithms')
  const issuerName = fields.next()
  const issuer = readName(issuerName)
  if (issuer.parts.length === 0) throw new DerFault('an empty issuer')
  const validity = new DerFields(fields.next())
  const notBefore = readTime(validity.next())
  const notAfter = readTime(validity.next())
  validity.end()
  const subject = readName(fields.next())
  const spki = fields.next(derTags.sequence).bytes
  for (const tag of [0x81, 0x82]) {
    const unique = fields.optional(tag)
    if (unique === undefined) continue
    if (version === 1) throw new DerFault('a unique identifier in version 1')
    readBits({ ...unique, tag: derTags.bitString })
  }
  const extra = fields.optional(0xa3)
  fields.end()
  if (extra !== undefined && version !== 3) throw new DerFault('extensions before version 3')
  const extensions: Extensions = extra === undefined ? new Map() : readExtensions(explicit(extra))
  return {
    der: element.bytes,
    fingerprint: createHash('sha256').update(element.bytes).digest('hex'),
    version,
    serial,
    issuer,
    issuerDer: issuerName.bytes,
    subject,
    notBefore,
    notAfter,
    spki,
    signed,
    extensions,
    ...readKnown(extensions, subject),
  }
}

type Known = Omit<
  Certificate,
  | 'der'
  | 'fingerprint'
  | 'version'
  | 'serial'
  | 'issuer'
  | 'issuerDer'
  | 'subject'
  | 'notBefore'
  | 'notAfter'
  | 'spki'
  | 'signed'
  | 'extensions'
>

function readKnown(extensions: Extensions, subject: DistinguishedName): Known {
  for (const oid of neverCritical) {
    if (extensions.get(oid)?.critical === true) throw new DerFault(`the extension ${oid} is critical`)
  }
  const names = readExtension(extensions, oids.subjectAltName, readGeneralNames)
  if (subject.parts.length === 0 && extensions.get(oids.subjectAltName)?.critical !== true)
    throw new DerFault('no name at all')
  return {
    unknownCritical: unknownCritical(extensions, knownExtensions),
    basicConstraints: readExtension(extensions, oids.basicConstraints, readBasicConstraints),
    keyUsage: readExtension(extensions, oids.keyUsage, readKeyUsage),
    extendedKeyUsage: readExtension(extensions, oids.extendedKeyUsage, readExtendedKeyUsage),
    names,
    nameConstraints: readExtension(extensions, oids.nameConstraints, readNameConstraints),
    subjectKeyId: readExtension(extensions, oids.subjectKeyIdentifier, readOctets),
    authorityKeyId: readExtension(extensions, oids.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    policies: readExtension(extensions, oids.certificatePolicies, readPolicies),
    policyMappings: readExtension(extensions, oids.policyMappings, readPolicyMappings),
    policyConstraints: readExtension(extensions, oids.policyConstraints, readPolicyConstraints),
    inhibitAnyPolicy: readExtension(extensions, oids.inhibitAnyPolicy, (value) => readCount(value)),
    distributionPoints: readExtension(extensions, oids.crlDistributionPoints, readDistributionPoints),
    ocspUrls: readExtension(extensions, oids.authorityInformationAccess, readOcspUrls) ?? [],
  }
}

function readVersion(element: Der | undefined): 1 | 2 | 3 {
  if (element === undefined) return 1
  const version = readCount(explicit(element))
  if (version !== 1 && version !== 2) throw new DerFault('an unknown version')
  return version === 1 ? 2 : 3
}

/** RFC 5280 section 4.1.2.2: at most 20 octets. Negative ones exist in the field and only name; zero names nothing. */
function readSerial(element: Der): string {
  const serial = readInteger(element)
  if (serial.length > 21 || (serial.length === 21 && serial[0] !== 0))
    throw new DerFault('a serial number too long')
  if (serial.length === 1 && serial[0] === 0) throw new DerFault('a serial number of zero')
  return serial.toString('hex')
}

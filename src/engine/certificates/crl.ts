/** Certificate revocation lists, parsed strictly and never judged here. @see RFC 5280 section 5 */
import { readSigned, type Signed } from './certificate.ts'
import { DerFault, DerFields, derTags, elementAt, explicit, readDer, retagged, type Der } from './der.ts'
import { readBoolean, readCount, readEnumerated, readInteger, readTime } from './der-values.ts'
import { readAuthorityKeyIdentifier, type AuthorityKeyIdentifier } from './certificate-extensions.ts'
import { readDistributionPointName, type DistributionName } from './distribution-points.ts'
import { readExtension, readExtensions, unknownCritical, type Extensions } from './extensions.ts'
import { readName, type DistinguishedName } from './names.ts'
import { oids } from './oids.ts'

export interface RevocationList {
  readonly issuer: DistinguishedName
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  /** When the next list comes at the latest; a list without it promises nothing. */
  readonly nextUpdate: number | undefined
  readonly signed: Signed
  readonly authorityKeyId: AuthorityKeyIdentifier | undefined
  /** Hex of the number's content. */
  readonly number: string | undefined
  /** Of a list of changes only: the number of the list that they are changes to. */
  readonly baseNumber: string | undefined
  readonly scope: ListScope | undefined
  /** What makes the list unusable as a whole: a critical extension that is not known, of it or of an entry. */
  readonly unknown: string | undefined
  /** Serial number (hex) → whether a list of changes takes it off the list again. */
  readonly entries: ReadonlyMap<string, 'revoked' | 'removed'>
}

/** What a list tells of, where it does not tell of all certificates of its issuer. @see RFC 5280 section 5.2.5 */
export interface ListScope {
  readonly name?: DistributionName
  readonly only: 'users' | 'authorities' | undefined
  /** Indirect, for some reasons only, or for attribute certificates: such a list decides nothing here. */
  readonly isForeign: boolean
}

const mostEntries = 2_000_000
const knownOfList: ReadonlySet<string> = new Set([oids.deltaCrlIndicator, oids.issuingDistributionPoint])
const knownOfEntry: ReadonlySet<string> = new Set([oids.reasonCode])
const removeFromCrl = 8
const neverCritical = [oids.crlNumber, oids.authorityKeyIdentifier, oids.freshestCrl]

/** @returns the list, or in words why the bytes are none */
export function parseRevocationList(der: Buffer): RevocationList | string {
  try {
    return readList(readDer(der))
  } catch (error) {
    return error instanceof DerFault ? error.message : 'it cannot be parsed'
  }
}

function readList(element: Der): RevocationList {
  const { tbs, signed } = readSigned(element)
  const fields = new DerFields(tbs)
  const version = fields.optional(derTags.integer)
  if (version !== undefined && readCount(version) !== 1) throw new DerFault('an unknown version')
  if (!fields.next(derTags.sequence).bytes.equals(signed.algorithm))
    throw new DerFault('two signature algorithms')
  const issuer = readName(fields.next())
  if (issuer.parts.length === 0) throw new DerFault('an empty issuer')
  const thisUpdate = readTime(fields.next())
  const next = fields.optional(derTags.utcTime, derTags.generalizedTime)
  const { entries, unknown } = readEntries(fields.optional(derTags.sequence))
  const extra = fields.optional(0xa0)
  fields.end()
  if (extra !== undefined && version === undefined) throw new DerFault('extensions before version 2')
  const extensions: Extensions = extra === undefined ? new Map() : readExtensions(explicit(extra))
  const wrong = neverCritical.find((oid) => extensions.get(oid)?.critical === true)
  return {
    issuer,
    thisUpdate,
    nextUpdate: next === undefined ? undefined : readTime(next),
    signed,
    authorityKeyId: readExtension(extensions, oids.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    number: readExtension(extensions, oids.crlNumber, readNumber),
    baseNumber: readExtension(extensions, oids.deltaCrlIndicator, readNumber),
    scope: readExtension(extensions, oids.issuingDistributionPoint, readScope),
    unknown: unknown ?? wrong ?? unknownCritical(extensions, knownOfList),
    entries,
  }
}

function readEntries(element: Der | undefined): {
  readonly entries: Map<string, 'revoked' | 'removed'>
  readonly unknown: string | undefined
} {
  const entries = new Map<string, 'revoked' | 'removed'>()
  let unknown: string | undefined
  if (element === undefined) return { entries, unknown }
  const { tag, body } = element
  if (tag !== derTags.sequence) throw new DerFault('not a list of entries')
  let count = 0
  for (let at = 0; at < body.length; count += 1) {
    if (count === mostEntries) throw new DerFault('too many entries')
    const plain = plainSerialAt(body, at)
    if (plain !== undefined) {
      entries.set(plain, 'revoked')
      at += 2 + body[at + 1]!
      continue
    }
    const entry = elementAt(body, at)
    const fields = new DerFields(entry)
    const serial = readInteger(fields.next()).toString('hex')
    readTime(fields.next())
    const extra = fields.optional(derTags.sequence)
    fields.end()
    const extensions = extra === undefined ? undefined : readExtensions(extra)
    unknown ??= extensions && unknownCritical(extensions, knownOfEntry)
    const reason = extensions && readExtension(extensions, oids.reasonCode, readEnumerated)
    entries.set(serial, reason === removeFromCrl ? 'removed' : 'revoked')
    at += entry.bytes.length
  }
  return { entries, unknown }
}

/**
 * Most entries are a number and a UTCTime, and there may be a million: those are read in place. The bytes are exactly those that
 * the long way would take; anything else goes there.
 */
function plainSerialAt(body: Buffer, at: number): string | undefined {
  const length = body[at + 1] ?? 0x80
  const serialLength = body[at + 3] ?? 0x80
  const date = at + 4 + serialLength
  const end = date + 15
  const isPlain =
    body[at] === 0x30 &&
    length < 0x80 &&
    body[at + 2] === 0x02 &&
    serialLength > 1 &&
    end === at + 2 + length &&
    end <= body.length &&
    body[date] === derTags.utcTime &&
    body[date + 1] === 13 &&
    body[end - 1] === 0x5a
  if (!isPlain) return undefined
  const first = body[at + 4]!
  const isPadded = (first === 0 && body[at + 5]! < 0x80) || (first === 0xff && body[at + 5]! >= 0x80)
  return isPadded ? undefined : body.toString('hex', at + 4, date)
}

function readScope(element: Der): ListScope {
  const fields = new DerFields(element)
  const name = fields.optional(0xa0)
  const flags = [0x81, 0x82].map((tag) => readFlag(fields.optional(tag)))
  const reasons = fields.optional(0x83)
  const isIndirect = readFlag(fields.optional(0x84))
  const isForAttributes = readFlag(fields.optional(0x85))
  fields.end()
  const [users = false, authorities = false] = flags
  return {
    ...(name === undefined ? {} : { name: readDistributionPointName(explicit(name)) }),
    only: users ? 'users' : authorities ? 'authorities' : undefined,
    isForeign: reasons !== undefined || isIndirect || isForAttributes || (users && authorities),
  }
}

function readFlag(element: Der | undefined): boolean {
  return element !== undefined && readBoolean(retagged(element, derTags.boolean))
}

/** Numbers grow, so they are kept without the sign byte: longer is larger, and equal lengths compare as text. */
function readNumber(element: Der): string {
  const bytes = readInteger(element)
  if (bytes.length > 21 || bytes[0]! >= 0x80) throw new DerFault('a list number that is none')
  return bytes.toString('hex').padStart(42, '0')
}

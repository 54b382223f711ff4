/**
 * Distinguished names, in a form in which equal ones are equal strings. Compared as OpenSSL and most others do: strings as text,
 * ASCII letters without case, runs of spaces as one, everything else byte by byte.
 *
 * @see RFC 5280 section 7.1
 */
import { DerFields, DerFault, derTags, elementsOf, type Der } from './der.ts'
import { readOid } from './der-values.ts'

export interface DistinguishedName {
  /** Canonical relative names, from the top. */
  readonly parts: readonly string[]
  /** All of them in one string: the key to look issuers up by. */
  readonly key: string
  /** Text attributes as written, in order. */
  readonly attributes: readonly NameAttribute[]
}

export interface NameAttribute {
  readonly type: string
  readonly value: string
  /** False for what is no string of a known kind. */
  readonly isText: boolean
}

const longest = 64

export function readName(element: Der): DistinguishedName {
  if (element.tag !== derTags.sequence) throw new DerFault('not a name')
  return nameOf(elementsOf(element, longest).map(readRelative))
}

/** The name with one more relative name behind it: how a distribution point may be told. */
export function extendName(name: DistinguishedName, relative: Der): DistinguishedName {
  const more = readRelative(relative)
  const parts = [...name.parts, more.part]
  return { parts, key: parts.join('/'), attributes: [...name.attributes, ...more.attributes] }
}

/** @returns whether `name` lies in the subtree of `base`: begins with all of its relative names */
export function isNameWithin(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.parts.length <= name.parts.length && base.parts.every((part, at) => part === name.parts[at])
}

interface Relative {
  readonly part: string
  readonly attributes: readonly NameAttribute[]
}

function nameOf(relatives: readonly Relative[]): DistinguishedName {
  const parts = relatives.map(({ part }) => part)
  return { parts, key: parts.join('/'), attributes: relatives.flatMap(({ attributes }) => attributes) }
}

function readRelative(element: Der): Relative {
  if (element.tag !== derTags.set && element.tag !== 0xa1) throw new DerFault('not a relative name')
  const pairs = elementsOf(element, longest).map((pair) => {
    const fields = new DerFields(pair)
    const type = readOid(fields.next())
    const value = fields.next()
    fields.end()
    return { type, ...readAttribute(value) }
  })
  if (pairs.length === 0) throw new DerFault('an empty relative name')
  // A set has no order: the parts of a relative name are compared sorted.
  const part = pairs
    .map(({ type, canonical }) => `${type}=${canonical}`)
    .sort()
    .join('+')
  return { part, attributes: pairs.map(({ type, value, isText }) => ({ type, value, isText })) }
}

function readAttribute(element: Der): { value: string; isText: boolean; canonical: string } {
  const value = textOf(element)
  if (value === undefined) {
    const hex = element.bytes.toString('hex')
    return { value: hex, isText: false, canonical: `#${hex}` }
  }
  const folded = value.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '').replace(/[\t-\r ]+/g, ' ')
  const lower = folded.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  // Encoded, so that no value can look like two parts.
  return { value, isText: true, canonical: encodeURIComponent(lower.toWellFormed()) }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf({ tag, body }: Der): string | undefined {
  switch (tag) {
    case 0x0c:
      return utf8(body)
    case 0x12: // NumericString, PrintableString, IA5String, VisibleString
    case 0x13:
    case 0x16:
    case 0x1a:
      if (body.some((byte) => byte > 0x7f)) throw new DerFault('a string with foreign bytes')
      return body.toString('latin1')
    case 0x14: // TeletexString: everybody reads it as Latin-1
      return body.toString('latin1')
    case 0x1e: // BMPString
      return utf16(body)
    default:
      return undefined
  }
}

function utf8(body: Buffer): string {
  try {
    return strictUtf8.decode(body)
  } catch {
    throw new DerFault('a string that is not UTF-8')
  }
}

function utf16(body: Buffer): string {
  if (body.length % 2 !== 0) throw new DerFault('a string cut short')
  const text = Buffer.from(body).swap16().toString('utf16le')
  if (!text.isWellFormed()) throw new DerFault('a string with halves of characters')
  return text
}

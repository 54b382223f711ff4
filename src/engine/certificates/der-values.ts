/** The values inside DER elements, each read strictly. */
import { DerFault, derTags, type Der } from './der.ts'

export function readBoolean(element: Der): boolean {
  expectTag(element, derTags.boolean)
  const [value] = element.body
  // DER knows two values; BER takes any non-zero byte for true.
  if (element.body.length !== 1 || (value !== 0 && value !== 0xff)) throw new DerFault('not a boolean')
  return value === 0xff
}

/** @returns the content of an INTEGER, two's complement, minimal */
export function readInteger(element: Der): Buffer {
  expectTag(element, derTags.integer)
  return minimalInteger(element.body)
}

/** @returns a non-negative integer; beyond `limit` the limit, since larger ones only mean "many" */
export function readCount(element: Der, limit = 0xffff): number {
  const body = readInteger(element)
  if ((body[0] ?? 0) >= 0x80) throw new DerFault('a negative count')
  return body.length > 4 ? limit : Math.min(limit, body.readUIntBE(0, body.length))
}

export function readEnumerated(element: Der): number {
  expectTag(element, derTags.enumerated)
  const body = minimalInteger(element.body)
  if (body.length !== 1 || (body[0] ?? 0) >= 0x80) throw new DerFault('an unknown enumerated value')
  return body[0] ?? 0
}

/** @returns dotted decimal */
export function readOid(element: Der): string {
  expectTag(element, derTags.oid)
  return oidOf(element.body)
}

export function oidOf(body: Buffer): string {
  if (body.length === 0 || body.length > 64) throw new DerFault('not an object identifier')
  const arcs: bigint[] = []
  let arc = 0n
  let isFirst = true
  for (const byte of body) {
    // A leading 0x80 pads an arc: two encodings of one identifier.
    if (isFirst && byte === 0x80) throw new DerFault('an identifier that is not minimal')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    isFirst = byte < 0x80
    if (isFirst) {
      arcs.push(arc)
      arc = 0n
    }
  }
  if (!isFirst) throw new DerFault('an identifier cut short')
  const [first = 0n, ...rest] = arcs
  const top = first < 80n ? first / 40n : 2n
  return [top, first - top * 40n, ...rest].join('.')
}

export interface Bits {
  readonly bytes: Buffer
  readonly unused: number
}

export function readBits(element: Der): Bits {
  expectTag(element, derTags.bitString)
  const [unused = 8] = element.body
  const bytes = element.body.subarray(1)
  const last = bytes.at(-1)
  if (unused > 7 || (last === undefined && unused > 0)) throw new DerFault('not a bit string')
  if (last !== undefined && (last & ((1 << unused) - 1)) !== 0)
    throw new DerFault('padding bits that are not zero')
  return { bytes, unused }
}

/** @returns a bit string of whole bytes: keys and signatures */
export function readBitBytes(element: Der): Buffer {
  const { bytes, unused } = readBits(element)
  if (unused !== 0) throw new DerFault('a bit string of odd length')
  return bytes
}

/** @returns the numbers of the bits that are set, for named bits */
export function readNamedBits(element: Der): ReadonlySet<number> {
  const { bytes } = readBits(element)
  if (bytes.length > 4) throw new DerFault('too many named bits')
  const set = new Set<number>()
  for (const [at, byte] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit += 1) if ((byte & (0x80 >> bit)) !== 0) set.add(at * 8 + bit)
  }
  return set
}

export function readOctets(element: Der): Buffer {
  expectTag(element, derTags.octetString)
  return element.body
}

/**
 * @returns milliseconds since the epoch
 * @see RFC 5280 section 4.1.2.5: both forms are read, in whole seconds and Zulu
 */
export function readTime(element: Der): number {
  if (element.tag !== derTags.utcTime && element.tag !== derTags.generalizedTime)
    throw new DerFault('not a time')
  const isShort = element.tag === derTags.utcTime
  const text = element.body.toString('latin1')
  if (!(isShort ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw new DerFault('a time of another form')
  const short = Number(text.slice(0, 2))
  const year = isShort ? (short < 50 ? 2000 + short : 1900 + short) : Number(text.slice(0, 4))
  const [month, day, hour, minute, second] = [...(text.slice(isShort ? 2 : 4, -1).match(/../g) ?? [])].map(
    Number,
  )
  const time = Date.UTC(2000, month! - 1, day, hour, minute, second)
  const date = new Date(time)
  // `Date` takes the 31st of February for the 3rd of March; the year is set last, since two digits would mean 19xx.
  date.setUTCFullYear(year, month! - 1, day)
  const isReal =
    date.getUTCMonth() === month! - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  if (!isReal) throw new DerFault('a time that is none')
  return date.getTime()
}

function minimalInteger(body: Buffer): Buffer {
  const [first, second] = body
  if (first === undefined) throw new DerFault('an empty integer')
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    throw new DerFault('an integer that is not minimal')
  return body
}

function expectTag(element: Der, tag: number): void {
  if (element.tag !== tag) throw new DerFault(`tag ${element.tag} instead of ${tag}`)
}

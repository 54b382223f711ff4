/** A JWS in compact serialisation, taken apart. */
import { Recent } from '../../recent.ts'
import { parseJsonObject } from './strict-json.ts'

/** Characters of a whole token and of its first part. */
export const maxTokenLength = 16_384
const maxHeaderLength = 2_048

export interface CompactToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signature: Buffer
  /** What was signed: the first two parts with their dot, ASCII. */
  readonly signed: Buffer
}

/**
 * @returns the parts, or undefined when the value is not exactly three parts of canonical base64url around two strict
 * JSON objects
 * @see RFC 7515 sections 3.1 and 5.2
 */
export function parseCompact(value: string): CompactToken | undefined {
  const parts = splitCompact(value)
  if (parts === undefined) return undefined
  const [headerPart, claimsPart, signaturePart] = parts
  if (headerPart.length > maxHeaderLength) return undefined
  const header = parseHeader(headerPart)
  const claims = header === undefined ? undefined : parsePart(claimsPart)
  const signature = decodeCanonical(signaturePart)
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  const signed = Buffer.from(value.slice(0, headerPart.length + 1 + claimsPart.length), 'latin1')
  return { header, claims, signature, signed }
}

/** An issuer writes the same header into all tokens of one key. */
const headers = new Recent<Readonly<Record<string, unknown>>>(100, 256)

function parseHeader(part: string): Readonly<Record<string, unknown>> | undefined {
  const before = headers.get(part)
  if (before !== undefined) return before
  const header = parsePart(part)
  if (header !== undefined) headers.set(part, Object.freeze(header))
  return header
}

/** @returns the three parts, none of them empty; undefined for five (an encrypted token) or any other number */
export function splitCompact(value: string): readonly [string, string, string] | undefined {
  if (value.length > maxTokenLength) return undefined
  const first = value.indexOf('.')
  const second = value.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === value.length - 1) return undefined
  if (value.includes('.', second + 1)) return undefined
  return [value.slice(0, first), value.slice(first + 1, second), value.slice(second + 1)]
}

/** @returns the object that a part holds, or undefined when it is anything but one strict JSON object */
export function parsePart(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeCanonical(part)
  return bytes === undefined ? undefined : parseJsonObject(bytes)
}

/**
 * Node's decoder skips what it does not know and ignores trailing bits, so that one token has many spellings, each a new
 * one to a replay check or a cache. Only the spelling that encoding gives back counts.
 *
 * @returns the bytes, or undefined when the text is empty or not canonical base64url
 */
export function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : undefined
}

/**
 * `X-Forwarded-Client-Cert`, as Envoy writes it: elements by comma, pairs by semicolon, values plain or quoted. Each proxy adds
 * an element behind those it was given, so only the last one is from whom we trust; the others are whatever the client liked.
 */
import { createHash } from 'node:crypto'
import type { ForwardedCertificate } from './forwarded.ts'
import { readPem } from './pem.ts'

const longestField = 256 * 1024
const mostPairs = 64

/** @returns in words what is wrong with the field, if anything is */
export function readXfcc(lines: readonly string[]): ForwardedCertificate | string {
  // Lines of one field are one list; the last element is in the last line.
  const field = lines.join(',')
  if (field.length > longestField) return 'a field that is too long'
  const element = lastElement(field)
  if (element === undefined) return 'a field of another form'
  return typeof element === 'string' ? element : certificateOf(element)
}

/** @returns the last element as it stands in the field, for passing it on; undefined when there is none */
export function lastXfccElement(lines: readonly string[]): string | undefined {
  const elements = split(lines.join(','), ',')
  return elements?.at(-1)?.trim()
}

type Pairs = ReadonlyMap<string, readonly string[]>

function lastElement(field: string): Pairs | string | undefined {
  const last = split(field, ',')?.at(-1)
  const parts = last === undefined ? undefined : split(last, ';')
  if (parts === undefined || parts.length > mostPairs) return undefined
  const pairs = new Map<string, string[]>()
  for (const part of parts) {
    const equals = part.indexOf('=')
    if (equals < 1) return undefined
    const value = unquote(part.slice(equals + 1).trim())
    if (value === undefined) return undefined
    const key = part.slice(0, equals).trim().toLowerCase()
    pairs.set(key, [...(pairs.get(key) ?? []), value])
  }
  for (const key of ['cert', 'chain', 'hash', 'subject'])
    if ((pairs.get(key)?.length ?? 0) > 1) return `two values of ${key}`
  return pairs
}

function certificateOf(pairs: Pairs): ForwardedCertificate | string {
  const [cert] = pairs.get('cert') ?? []
  const [chain] = pairs.get('chain') ?? []
  const [hash] = pairs.get('hash') ?? []
  const own = cert === undefined ? undefined : decodePem(cert)
  const all = chain === undefined ? undefined : decodePem(chain)
  if (typeof own === 'string') return `Cert: ${own}`
  if (typeof all === 'string') return `Chain: ${all}`
  const der = own?.[0] ?? all?.[0]
  // A hash or a subject alone cannot be checked against any authority.
  if (der === undefined) return 'neither Cert nor Chain: the whole certificate is needed'
  if ((own?.length ?? 1) > 1) return 'several certificates in Cert'
  if (hash !== undefined && hash.toLowerCase() !== createHash('sha256').update(der).digest('hex'))
    return 'a Hash of another certificate'
  if (all !== undefined && !all[0]!.equals(der)) return 'a Chain of another certificate'
  return { der, chain: all?.slice(1) ?? [] }
}

function decodePem(value: string): readonly Buffer[] | string {
  let text: string
  try {
    text = decodeURIComponent(value)
  } catch {
    return 'a bad percent escape'
  }
  const ders = text.startsWith('-----BEGIN ') ? readPem(Buffer.from(text, 'latin1'), 'CERTIFICATE') : 'no PEM'
  return ders
}

/** Splits outside quotes; a quote that never ends makes the whole field unreadable. */
function split(text: string, separator: string): string[] | undefined {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isQuoted && character === '\\') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && character === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  if (isQuoted) return undefined
  parts.push(text.slice(start))
  return parts
}

/** Plain up to the next separator, or quoted as a whole: a quote in the middle has two readings. */
function unquote(value: string): string | undefined {
  if (!value.includes('"')) return value
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1]
  return inner?.replace(/\\(.)/gs, '$1')
}

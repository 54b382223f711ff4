/**
 * Judges an upstream's response head. What is ambiguous or malformed ends the exchange (502): passed on, it would be a
 * gap between how the gateway, the client and caches in between read the same bytes (response smuggling).
 * @see RFC 9112, section 6
 */
import { connectionOptions, hopByHopNames, isFieldName, isFieldValue, ownText } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import type { RawHead } from './connection.ts'

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** End-to-end fields as they came, `Content-Length` among them. */
  readonly fields: string[]
  /** How the body ends; `close` cannot tell a whole body from a cut one but by the way the connection ends. */
  readonly body: 'none' | 'length' | 'chunked' | 'close'
  readonly isEventStream: boolean
  /** Bytes of the body where `body` is `length`. */
  readonly length: number
  /** The upstream will take another request on the connection. */
  readonly persists: boolean
  /** Seconds of idleness that the upstream announced in `Keep-Alive`. */
  readonly idleSeconds: number | undefined
}

const length = /^\d{1,15}$/

/** @returns the head, or in words what is wrong with it */
export function judgeResponseHead(raw: RawHead, method: string): ResponseHead | string {
  const { status, reason, version } = raw
  if (version === undefined) {
    return 'the answer is not HTTP/1.1'
  }
  if (status < 200 || status > 599) {
    return `the status ${status} is out of range`
  }
  const scan = scanFields(raw)
  if (typeof scan === 'string') {
    return scan
  }
  if (scan.coding !== undefined && version === '1.0') {
    return 'a transfer coding in an HTTP/1.0 answer'
  }
  const isBodiless = method === 'HEAD' || status === 204 || status === 304
  return {
    status,
    reason: isFieldValue(reason) ? reason : '',
    fields: status === 204 ? withoutLength(scan.fields) : scan.fields,
    body: isBodiless ? 'none' : bodyOf(scan),
    isEventStream: scan.isEventStream,
    length: scan.length === undefined ? 0 : Number(scan.length),
    persists:
      scan.named?.has('close') !== true && (version === '1.1' || scan.named?.has('keep-alive') === true),
    idleSeconds: scan.idleSeconds,
  }
}

/**
 * Judges an interim answer. Fields that frame or end a message mean nothing in one, so readers differ about what they do.
 *
 * @returns its end-to-end fields; undefined when it cannot pass
 */
export function judgeInterim(raw: RawHead): string[] | undefined {
  const scan = scanFields(raw)
  if (typeof scan === 'string' || raw.version === '1.0') return undefined
  const isPlain = scan.coding === undefined && scan.length === undefined && scan.named?.has('close') !== true
  return isPlain ? scan.fields : undefined
}

/** @returns the end-to-end fields of a 101, without a length: what follows it is no body; undefined when one is malformed */
export function switchFields(raw: RawHead): string[] | undefined {
  const scan = scanFields(raw)
  return typeof scan === 'string' ? undefined : withoutLength(scan.fields)
}

/** @returns the end-to-end fields of trailers; undefined when one is malformed */
export function endToEndFields(fields: FieldLines): string[] | undefined {
  const scan = scanFields({ fields, isChecked: false })
  return typeof scan === 'string' ? undefined : scan.fields
}

interface Scan {
  /** What `Connection` names. */
  readonly named: ReadonlySet<string> | undefined
  readonly idleSeconds: number | undefined
  readonly fields: string[]
  readonly coding: string | undefined
  readonly length: string | undefined
  readonly isEventStream: boolean
}

/** What a field of an answer is to us, by its name. */
const kind = { plain: 0, hopByHop: 1, coding: 2, length: 3, type: 4, keepAlive: 5, connection: 6 } as const

const special = new Map<string, number>([
  ['transfer-encoding', kind.coding],
  ['content-length', kind.length],
  ['content-type', kind.type],
  ['keep-alive', kind.keepAlive],
  ['connection', kind.connection],
])

/** Names that were looked at before, as written. What is remembered is bounded: names are the upstream's to invent. */
const known = new Map<string, number>()
const mostKnown = 2_000
const longestKnown = 64

/** `Connection` as nearly every answer has it, if it has one. */
const usualOptions: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['keep-alive', new Set(['keep-alive'])],
  ['close', new Set(['close'])],
])

function kindOf(written: string): number {
  const name = written.toLowerCase()
  const found = special.get(name) ?? (hopByHopNames.has(name) ? kind.hopByHop : kind.plain)
  if (known.size < mostKnown && written.length <= longestKnown) known.set(ownText(written), found)
  return found
}

function scanFields({ fields: raw, isChecked }: Pick<RawHead, 'fields' | 'isChecked'>): Scan | string {
  const fields: string[] = []
  let named: ReadonlySet<string> | undefined
  let coding: string | undefined
  let declared: string | undefined
  let isEventStream = false
  let idleSeconds: number | undefined
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!
    const value = raw[index + 1]!
    if (!isChecked && (!isFieldName(name) || !isFieldValue(value))) {
      return 'a field is malformed'
    }
    switch (known.get(name) ?? kindOf(name)) {
      case kind.coding:
        if (coding !== undefined || value.toLowerCase() !== 'chunked') {
          return 'a transfer coding other than one "chunked"'
        }
        coding = value
        break
      case kind.length:
        if (declared !== undefined || !length.test(value)) {
          return 'a repeated or malformed Content-Length'
        }
        declared = value
        fields.push(name, value)
        break
      case kind.type:
        isEventStream = /^text\/event-stream\s*(?:;|$)/i.test(value)
        fields.push(name, value)
        break
      case kind.keepAlive: {
        const hint = /\btimeout=(\d{1,6})/i.exec(value)?.[1]
        idleSeconds = hint === undefined ? undefined : Number(hint)
        break
      }
      case kind.connection:
        named = (named === undefined ? usualOptions.get(value) : undefined) ?? connectionOptions(raw)
        break
      case kind.plain:
        fields.push(name, value)
        break
    }
  }
  if (coding !== undefined && declared !== undefined) {
    return 'both Content-Length and Transfer-Encoding'
  }
  const kept = named === undefined || named.size === 0 ? fields : withoutNamed(fields, named)
  return { named, idleSeconds, fields: kept, coding, length: declared, isEventStream }
}

/** @returns the same lines where none is named: `close` and `keep-alive` name nothing that was kept */
function withoutNamed(fields: string[], named: ReadonlySet<string>): string[] {
  if (named.size === 1 && (named.has('keep-alive') || named.has('close'))) return fields
  return fields.filter((_, index) => !named.has(fields[index - (index % 2)]!.toLowerCase()))
}

function bodyOf({ coding, length: declared }: Scan): ResponseHead['body'] {
  if (coding !== undefined) {
    return 'chunked'
  }
  return declared === undefined ? 'close' : 'length'
}

/** Neither a 204 nor an interim answer may carry one (RFC 9110, section 8.6). */
function withoutLength(fields: string[]): string[] {
  return fields.filter((_, index) => fields[index - (index % 2)]!.toLowerCase() !== 'content-length')
}

/**
 * HTTP/1.1 messages exactly as RFC 9112 writes them, read from bytes that are all there: the judge of what the gateway sends.
 * Written from the RFC and by nothing else, and slow: it shares no code with the gateway, so that no fault can be in both.
 */

/** A message, whole or as far as its head goes. Bytes are Latin-1 text. */
export interface StrictMessage {
  readonly line: string
  /** Empty in a response. */
  readonly method: string
  readonly target: string
  /** 0 in a request. */
  readonly status: number
  readonly version: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  readonly body: string
  readonly trailers: readonly (readonly [name: string, value: string])[]
  /** A chunk had one. */
  readonly hasExtensions: boolean
  /** Where the next message begins; -1 while this one is not whole. */
  readonly end: number
}

export type Reading =
  | { readonly kind: 'whole'; readonly message: StrictMessage }
  /** More bytes are needed; with the head where that is there. */
  | { readonly kind: 'partial'; readonly head?: StrictMessage }
  | { readonly kind: 'fault'; readonly why: string }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** `field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]`, obs-text included. */
const fieldValue = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
const requestLine = /^([^ ]+) ([\x21-\x7e]+) (HTTP\/\d\.\d)$/
const statusLine = /^(HTTP\/\d\.\d) (\d{3}) ([\t\x20-\x7e\x80-\xff]*)$/
/** `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` */
const extensions =
  /^(?:[\t ]*;[\t ]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[\t ]*=[\t ]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?)*$/

class Fault extends Error {}
class Incomplete extends Error {}

/** @returns what stands at the offset, read as a request */
export function readRequest(bytes: string, at = 0): Reading {
  return guarded(bytes, at, (head) => {
    const match = requestLine.exec(head.line)
    if (match === null || !token.test(match[1]!)) throw new Fault(`request line ${show(head.line)}`)
    const [, method = '', target = '', version = ''] = match
    if (version !== 'HTTP/1.1') throw new Fault(`version ${version}`)
    if (values(head.fields, 'host').length !== 1) throw new Fault('not one Host')
    const framing = framingOf(head.fields) ?? 'none'
    return { ...head, method, target, version, framing }
  })
}

/**
 * @param method of the request that it answers
 * @param isEnded the connection is over in order, which ends a body that nothing else ends
 * @returns what stands at the offset, read as a response
 */
export function readResponse(bytes: string, at: number, method: string, isEnded: boolean): Reading {
  return guarded(bytes, at, (head) => {
    const match = statusLine.exec(head.line)
    if (match === null) throw new Fault(`status line ${show(head.line)}`)
    const [, version = '', code = ''] = match
    const status = Number(code)
    if (version !== 'HTTP/1.1') throw new Fault(`version ${version}`)
    if (status < 100 || status > 599) throw new Fault(`status ${code}`)
    // Malformed or conflicting framing is a fault even where there is no body.
    const declared = framingOf(head.fields)
    const isBodiless = status < 200 || status === 204 || status === 304
    if ((status < 200 || status === 204) && declared !== undefined)
      throw new Fault(`framing fields in a ${code}`)
    const framing = isBodiless || method === 'HEAD' ? 'none' : (declared ?? 'close')
    if (framing === 'close' && !isEnded) throw new Incomplete()
    return { ...head, status, version, framing }
  })
}

/** @returns each value of the field */
export function values(fields: StrictMessage['fields'], name: string): string[] {
  return fields.flatMap(([each, value]) => (each.toLowerCase() === name ? [value] : []))
}

type Start = Pick<StrictMessage, 'line' | 'fields'> & { readonly after: number }
type Judged = Start & { readonly version: string; readonly framing: StrictMessage['framing'] } & Partial<
    Pick<StrictMessage, 'method' | 'target' | 'status'>
  >

function guarded(bytes: string, at: number, judge: (start: Start) => Judged): Reading {
  let head: StrictMessage | undefined
  try {
    const judged = judge(readHead(bytes, at))
    const { after, ...rest } = judged
    head = {
      method: '',
      target: '',
      status: 0,
      ...rest,
      body: '',
      trailers: [],
      hasExtensions: false,
      end: -1,
    }
    const body = readBody(bytes, after, judged)
    return { kind: 'whole', message: { ...head, ...body } }
  } catch (error) {
    if (error instanceof Fault) return { kind: 'fault', why: error.message }
    if (error instanceof Incomplete)
      return head === undefined ? { kind: 'partial' } : { kind: 'partial', head }
    throw error
  }
}

function readHead(bytes: string, at: number): Start {
  const [line, first] = readLine(bytes, at)
  const { fields, after } = readFields(bytes, first)
  return { line, fields, after }
}

/** @returns the line and where the next one begins */
function readLine(bytes: string, at: number): readonly [line: string, next: number] {
  for (let index = at; index < bytes.length; index += 1) {
    if (bytes[index] === '\n') throw new Fault('a line feed without carriage return')
    if (bytes[index] !== '\r') continue
    if (index + 1 === bytes.length) break
    if (bytes[index + 1] !== '\n') throw new Fault('a carriage return without line feed')
    return [bytes.slice(at, index), index + 2]
  }
  throw new Incomplete()
}

function readFields(
  bytes: string,
  at: number,
): { readonly fields: (readonly [string, string])[]; readonly after: number } {
  const fields: (readonly [string, string])[] = []
  for (let next = at; ;) {
    const [line, after] = readLine(bytes, next)
    if (line === '') return { fields, after }
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
    if (!token.test(name) || !fieldValue.test(value)) throw new Fault(`field line ${show(line)}`)
    fields.push([name, value])
    next = after
  }
}

/** RFC 9112, section 6.3, without what it lets a lenient recipient repair. */
function framingOf(fields: StrictMessage['fields']): 'length' | 'chunked' | undefined {
  const codings = values(fields, 'transfer-encoding')
  const lengths = values(fields, 'content-length')
  if (codings.length > 0 && lengths.length > 0) throw new Fault('both Transfer-Encoding and Content-Length')
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]!.toLowerCase() !== 'chunked') throw new Fault('a strange coding')
    return 'chunked'
  }
  if (lengths.length === 0) return undefined
  if (lengths.length > 1 || !/^\d+$/.test(lengths[0]!)) throw new Fault('a strange Content-Length')
  return 'length'
}

function readBody(
  bytes: string,
  at: number,
  { framing, fields }: Judged,
): Pick<StrictMessage, 'body' | 'end'> & Partial<Pick<StrictMessage, 'trailers' | 'hasExtensions'>> {
  if (framing === 'none') return { body: '', end: at }
  if (framing === 'close') return { body: bytes.slice(at), end: bytes.length }
  if (framing === 'chunked') return readChunks(bytes, at)
  const end = at + Number(values(fields, 'content-length')[0])
  if (end > bytes.length) throw new Incomplete()
  return { body: bytes.slice(at, end), end }
}

function readChunks(
  bytes: string,
  at: number,
): Pick<StrictMessage, 'body' | 'end' | 'trailers' | 'hasExtensions'> {
  let body = ''
  let hasExtensions = false
  for (let next = at; ;) {
    const [line, start] = readLine(bytes, next)
    const size = /^[0-9A-Fa-f]+/.exec(line)?.[0]
    if (size === undefined || !extensions.test(line.slice(size.length)))
      throw new Fault(`chunk size ${show(line)}`)
    hasExtensions ||= size.length < line.length
    const length = Number.parseInt(size, 16)
    if (length === 0) {
      const { fields, after } = readFields(bytes, start)
      return { body, end: after, trailers: fields, hasExtensions }
    }
    const end = start + length
    if (bytes.length > end && bytes[end] !== '\r') throw new Fault('a chunk does not end where it said')
    if (bytes.length > end + 1 && bytes[end + 1] !== '\n')
      throw new Fault('a chunk does not end where it said')
    if (bytes.length < end + 2) throw new Incomplete()
    body += bytes.slice(start, end)
    next = end + 2
  }
}

function show(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

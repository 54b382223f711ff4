/**
 * Writes the head of a request to an upstream. Every byte of it is checked here, whoever made the plan: a line break in
 * a name, a value or the target would be a request of its own (request smuggling).
 * @see RFC 9112, sections 3 and 6
 */
import { hopByHopNames, isFieldName, isFieldValue, ownText } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'

export interface HeadFacts {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly fields: FieldLines
  readonly body: BodyFraming
  readonly isUpgrade: boolean
}

/** How the body is framed: a length in bytes, `chunked`, or none (not even an empty one). */
export type BodyFraming = number | 'chunked' | 'none'

/** What was wrong with a plan: a bug of the gateway's own. Names the field, never its value. */
export class HeadError extends Error {}

/** Besides the hop-by-hop names: the framing and the target are ours, and the gateway itself answers `Expect`. */
const ownNames: ReadonlySet<string> = new Set([...hopByHopNames, 'host', 'content-length', 'expect'])
/** Names that were looked at before, as written: a name is a token and its own, or it is not, once and for all. */
const known = new Map<string, boolean>()
const mostKnown = 2_000
const longestKnown = 64

/**
 * @returns whether the field is one that the writer alone may write
 * @throws HeadError when its name is none at all
 */
export function isOwnField(name: string): boolean {
  return known.get(name) ?? look(name)
}

function look(name: string): boolean {
  if (!isFieldName(name)) {
    throw new HeadError('a field name is no token')
  }
  const isOwn = ownNames.has(name.toLowerCase())
  // Names are the client's to invent: what is remembered is bounded, and never more than the name itself.
  if (known.size < mostKnown && name.length <= longestKnown) known.set(ownText(name), isOwn)
  return isOwn
}

const visible = /^[\x21-\x7e]+$/

/**
 * @returns the head's bytes as Latin-1, with the final empty line
 * @throws HeadError
 */
export function writeRequestHead(facts: HeadFacts): string {
  checkRequestLine(facts)
  const { method, target, host, fields } = facts
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]!
    const isOwn = isOwnField(name)
    if (!isFieldValue(value)) {
      throw new HeadError(`the value of the field "${name}" is invalid`)
    }
    if (!isOwn) {
      head += `${name}: ${value}\r\n`
    }
  }
  return `${head}${framing(facts)}\r\n`
}

/** @throws HeadError when what the head begins with cannot be written */
export function checkRequestLine({ method, target, host }: HeadFacts): void {
  if (!isFieldName(method) || method === 'CONNECT') {
    throw new HeadError('the method is no token')
  }
  if (!visible.test(target) || target.codePointAt(0) !== 0x2f) {
    throw new HeadError('the target is not in origin form')
  }
  if (!visible.test(host)) {
    throw new HeadError('the host is invalid')
  }
}

function framing({ method, body, isUpgrade }: HeadFacts): string {
  if (isUpgrade) {
    return 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  }
  // undici closes the connection after HEAD: an upstream that sends a body all the same cannot answer the next request with it.
  const connection = method === 'HEAD' ? 'Connection: close\r\n' : ''
  if (body === 'chunked') {
    return `${connection}Transfer-Encoding: chunked\r\n`
  }
  return body === 'none' ? connection : `${connection}Content-Length: ${body}\r\n`
}

/** @returns how the body that a client sends is framed towards the upstream */
export function framingOf(request: {
  readonly method: string
  readonly hasBody: boolean
  readonly contentLength?: number
}): BodyFraming {
  if (request.hasBody) {
    return request.contentLength ?? 'chunked'
  }
  // Methods whose meaning includes a body say that there is none (RFC 9110, section 8.6).
  const expectsBody = request.method === 'POST' || request.method === 'PUT' || request.method === 'PATCH'
  return expectsBody || request.contentLength === 0 ? 0 : 'none'
}

/**
 * Writes the head of a request for a stream. Whoever made the plan, every byte of it is checked here as it is for HTTP/1.1:
 * what is behind the target may speak that.
 * @see RFC 9113, section 8.3.1
 */
import { sensitiveHeaders } from 'node:http2'
import { isFieldValue } from '../../engine/fields.ts'
import { checkRequestLine, HeadError, isOwnField, type HeadFacts } from '../request-head.ts'
import { trimmed } from './trimmed.ts'

/** They are as good as the caller: tables that requests of others fill, too, must not hold them (RFC 7541, section 7.1.3). */
const secret: readonly string[] = ['authorization', 'cookie']
const grpc = /^application\/grpc(?:\+[^;]*)?\s*(?:;|$)/i

/**
 * @returns pseudo-fields and fields, flat
 * @throws HeadError
 */
export function writeRequestLines(facts: HeadFacts, scheme: 'http' | 'https'): string[] {
  checkRequestLine(facts)
  const { method, target, host, fields, body } = facts
  const lines = [':method', method, ':scheme', scheme, ':authority', host, ':path', target]
  let isGrpc = false
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const written = fields[index]!
    const value = trimmed(fields[index + 1]!)
    const isOwn = isOwnField(written)
    if (!isFieldValue(value)) throw new HeadError(`the value of the field "${written}" is invalid`)
    if (isOwn) continue
    const name = written.toLowerCase()
    if (name === 'content-type') isGrpc = grpc.test(value)
    lines.push(name, value)
  }
  if (typeof body === 'number') lines.push('content-length', String(body))
  // A call's status is a trailer: servers and proxies may want to hear that we know what to do with one.
  if (isGrpc) lines.push('te', 'trailers')
  return Object.assign(lines, { [sensitiveHeaders]: secret })
}

/** Judges the head of an answer on a stream as strictly as one of HTTP/1.1, which it may become for the client. */
import type { FieldLines } from '../../exchange.ts'
import type { RawHead } from '../connection.ts'
import { judgeResponseHead, type ResponseHead } from '../response-head.ts'
import { trimmed } from './trimmed.ts'

/** Bytes of fields, as HTTP/1.1 counts them. Told to the target as well, which need not have heard of it. */
const largest = 64 * 1024

/** @returns the status, and the lines without pseudo-fields; undefined when there are too many of them */
export function splitHead(lines: FieldLines): RawHead | undefined {
  const fields: string[] = []
  let status = 0
  let size = 0
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index]!
    const value = trimmed(lines[index + 1]!)
    size += name.length + value.length + 4
    if (name === ':status') status = Number(value)
    else fields.push(name, value)
  }
  if (size > largest) return undefined
  // What HTTP/1.1 would say of it: no reason, and nothing about the connection.
  return { status, reason: '', version: '1.1', fields, isChecked: false }
}

/**
 * @param endsHere no content follows
 * @returns the head, or in words what is wrong with it
 */
export function judgeAnswerHead(
  raw: RawHead | undefined,
  method: string,
  endsHere: boolean,
): ResponseHead | string {
  if (raw === undefined) return 'the head of the answer is too large'
  const head = judgeResponseHead(raw, method)
  if (typeof head === 'string') return head
  if (head.body === 'none') return head
  if (endsHere) {
    return head.length > 0 ? 'an answer without the content that it announced' : { ...head, body: 'none' }
  }
  // A stream says where it ends: no connection has to.
  return head.body === 'close' ? { ...head, body: 'chunked' } : head
}

/** Judges the head of an answer on a stream as strictly as one of HTTP/1.1, which it may become for the client. */
import type { FieldLines } from '../../exchange.ts'
import type { RawHead } from '../connection.ts'
import { judgeResponseHead, type ResponseHead } from '../response-head.ts'

/** @returns the lines without pseudo-fields, and the status */
export function splitHead(lines: FieldLines): RawHead {
  const fields: string[] = []
  let status = 0
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index]!
    if (name === ':status') status = Number(lines[index + 1])
    else fields.push(name, lines[index + 1]!)
  }
  // What HTTP/1.1 would say of it: no reason, and nothing about the connection.
  return { status, reason: '', version: '1.1', fields, isChecked: false }
}

/**
 * @param endsHere no content follows
 * @returns the head, or in words what is wrong with it
 */
export function judgeAnswerHead(raw: RawHead, method: string, endsHere: boolean): ResponseHead | string {
  const head = judgeResponseHead(raw, method)
  if (typeof head === 'string') return head
  if (head.body === 'none') return head
  if (endsHere) {
    return head.length > 0 ? 'an answer without the content that it announced' : { ...head, body: 'none' }
  }
  // A stream says where it ends: no connection has to.
  return head.body === 'close' ? { ...head, body: 'chunked' } : head
}

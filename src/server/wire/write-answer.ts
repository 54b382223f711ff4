/** An answer of the gateway's own as text. */
import type { Answer } from '../../exchange.ts'
import { responseHead } from '../../wire/write.ts'
import { ownLines } from '../respond.ts'

/** What is to be written, in order. */
export interface TextPart {
  readonly text: string
  readonly encoding: 'latin1' | 'utf8'
}

export interface Persistence {
  /** The answer is the connection's last. */
  readonly isClosing: boolean
  /** The client would close by itself if it were not told: HTTP/1.0. */
  readonly saysKeepAlive: boolean
}

const keepAlive = 'Connection: keep-alive\r\n'

/** @returns one part where the body is ASCII, so that it goes out with its head as one write */
export function ownAnswer(
  answer: Answer,
  method: string,
  date: string,
  persistence: Persistence,
): TextPart[] {
  const { status, body } = answer
  const length = Buffer.byteLength(body)
  const lines = ownLines(answer, length, persistence.isClosing)
  const head = responseHead(status, '', lines, persistence.saysKeepAlive ? keepAlive : '', date)
  if (method === 'HEAD' || length === 0 || status === 204 || status === 304)
    return [{ text: head, encoding: 'latin1' }]
  if (length === body.length) return [{ text: head + body, encoding: 'latin1' }]
  return [
    { text: head, encoding: 'latin1' },
    { text: body, encoding: 'utf8' },
  ]
}

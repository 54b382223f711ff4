/** The body of an answer, up to a bound. */
import type { Dispatcher } from 'undici'
import { FetchError } from './fetch-error.ts'

export interface FetchedAnswer {
  readonly status: number
  /** Names in lower case; a repeated field is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** @throws FetchError when it is larger, or compressed */
export async function readAnswer(answer: Dispatcher.ResponseData, maxBytes: number): Promise<FetchedAnswer> {
  const headers = joinedHeaders(answer.headers)
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const declared = Number(headers['content-length'] ?? 0)
  // Compressed answers are not asked for: a small one could unfold into any size.
  if (encoding !== 'identity' || declared > maxBytes) {
    answer.body.destroy()
    if (declared > maxBytes) throw tooLarge(maxBytes)
    throw new FetchError('encoding_refused', 'the answer is compressed though identity was asked for')
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the stream.
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return { status: answer.statusCode, headers, body: Buffer.concat(chunks, size) }
}

function tooLarge(maxBytes: number): FetchError {
  return new FetchError('too_large', `the answer is larger than ${maxBytes} bytes`)
}

function joinedHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return joined
}

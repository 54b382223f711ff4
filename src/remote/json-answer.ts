import type { FetchedAnswer } from './guarded-fetch.ts'

/** What a provider answered cannot be used. The message is for the operator and repeats nothing of the answer's content. */
export class AnswerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AnswerError'
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a 200 answer as a JSON object. The content type is not asked for: key sets are often served from plain
 * file storage.
 * @param what names the document in messages
 * @throws AnswerError
 */
export function readJsonObject(answer: FetchedAnswer, what: string): Readonly<Record<string, unknown>> {
  if (answer.status !== 200) throw new AnswerError(`the ${what} answered with status ${answer.status}`)
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(answer.body))
  } catch {
    throw new AnswerError(`the ${what} is not JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AnswerError(`the ${what} is not a JSON object`)
  }
  return value as Record<string, unknown>
}

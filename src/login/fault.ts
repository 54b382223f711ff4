/** What can go wrong with a provider, in three kinds: it is away, it refuses, or its answer cannot be believed. */
import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client'

export interface ProviderFault {
  readonly kind: 'away' | 'refused' | 'unbelievable'
  /** The provider's own word (`invalid_grant`), where it said one. */
  readonly error?: string
  /** For the operator; never a credential. */
  readonly detail: string
}

/** A judgement of our own about an answer. */
export class Unbelievable extends Error {
  override readonly name = 'Unbelievable'
}

/** Something that we need cannot be had now. */
export class Away extends Error {
  override readonly name = 'Away'
}

/** OAuth errors that tell of trouble on the other side (RFC 6749 sections 4.1.2.1 and 5.2). */
const troubles: readonly string[] = ['server_error', 'temporarily_unavailable']

export function faultOf(error: unknown): ProviderFault {
  if (error instanceof Away) return { kind: 'away', detail: error.message }
  if (error instanceof Unbelievable) return { kind: 'unbelievable', detail: error.message }
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    const word = plainWord(error.error)
    return {
      kind: troubles.includes(word) ? 'away' : 'refused',
      error: word,
      detail: `the provider answered ${word}`,
    }
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return {
      kind: 'refused',
      error: 'invalid_client',
      detail: `the provider answered with status ${error.status}`,
    }
  }
  const status = statusIn(error)
  if (status !== undefined && (status >= 500 || status === 429))
    return { kind: 'away', detail: `the provider answered with status ${status}` }
  const away = awayIn(error)
  if (away !== undefined) return { kind: 'away', detail: away }
  return { kind: 'unbelievable', detail: messagesOf(error) }
}

export function isInvalidClient(error: unknown): boolean {
  return faultOf(error).error === 'invalid_client'
}

/** What a stranger can put into a redirect is not repeated unless it is a word. */
function plainWord(error: string): string {
  return /^[a-z_]{1,64}$/.test(error) ? error : 'an error of its own'
}

function statusIn(error: unknown): number | undefined {
  for (const each of causes(error)) {
    if (each instanceof Response) return each.status
  }
  return undefined
}

/** The guarded fetch's own errors are told by their name: this room does not know its module. */
function awayIn(error: unknown): string | undefined {
  for (const each of causes(error)) {
    if (each instanceof Error && (each.name === 'FetchError' || each.name === 'AnswerError'))
      return each.message
    // Decoding an answer can end in a DOMException too: only these two tell of time.
    if (each instanceof DOMException && (each.name === 'TimeoutError' || each.name === 'AbortError'))
      return 'the provider did not answer in time'
  }
  return undefined
}

function* causes(error: unknown): Generator {
  let at: unknown = error
  for (let depth = 0; depth < 8 && at !== undefined && at !== null; depth += 1) {
    yield at
    at = at instanceof Error ? at.cause : undefined
  }
}

/** The library's messages are fixed words; its causes can hold answers, and are left out. */
function messagesOf(error: unknown): string {
  const messages = [...causes(error)].filter((each) => each instanceof Error).map((each) => each.message)
  return messages.length === 0 ? 'the answer cannot be used' : [...new Set(messages)].join(': ').slice(0, 300)
}

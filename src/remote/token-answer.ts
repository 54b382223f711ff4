/** What a token endpoint answers, read suspiciously: the token goes into a header field of another service. */
import { parseJsonObject } from '../engine/authenticators/jwt/strict-json.ts'
import { OAuthFailure } from './oauth-failure.ts'
import type { FetchedAnswer } from './read-answer.ts'

export interface IssuedToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export const maxTokenAnswerBytes = 65_536
const maxTokenLength = 16_384
/** Milliseconds that a token is taken to live when the provider does not say. */
const silentLifetime = 60_000
/** Seconds. */
const longestLifetime = 315_360_000

/**
 * @param now milliseconds since the epoch, before the question was asked: a slow answer must not lengthen a life
 * @throws OAuthFailure
 * @see RFC 6749 sections 5.1 and 5.2
 */
export function readTokenAnswer(
  answer: FetchedAnswer,
  now: number,
  checkMore: (members: Readonly<Record<string, unknown>>) => string | undefined = () => undefined,
): IssuedToken {
  const members = parseJsonObject(answer.body)
  if (answer.status !== 200) throw refusal(answer, members)
  if (members === undefined) throw malformed('is not one strict JSON object')
  const { access_token: token, token_type: type, expires_in: life } = members
  if (typeof token !== 'string' || !/^[\w.~+/-]+=*$/.test(token) || token.length > maxTokenLength) {
    throw malformed('holds no token that a header field can carry')
  }
  // A token that is bound to a key, or that no header carries (N_A), is of no use as a bearer token.
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw malformed('holds no bearer token')
  const fault = checkMore(members)
  if (fault !== undefined) throw malformed(fault)
  return { token, expiresAt: now + lifetimeOf(life) }
}

function lifetimeOf(life: unknown): number {
  if (life === undefined) return silentLifetime
  // Some providers write the number as text.
  const seconds = typeof life === 'string' && /^\d{1,12}$/.test(life) ? Number(life) : life
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > longestLifetime) {
    throw malformed('names a lifetime that cannot be')
  }
  return seconds * 1000
}

/** The error's code is told, when it has the form of one; its description may quote what was sent. */
function refusal(
  { status }: FetchedAnswer,
  members: Readonly<Record<string, unknown>> | undefined,
): OAuthFailure {
  const code = members?.['error']
  if (typeof code !== 'string' || !/^[a-z_]{1,40}$/.test(code)) return malformed(`has the status ${status}`)
  return new OAuthFailure('refused', `the token endpoint refused: ${code}`)
}

function malformed(what: string): OAuthFailure {
  return new OAuthFailure('malformed', `the answer of the token endpoint ${what}`)
}

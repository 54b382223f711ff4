/** Why a provider's endpoint gave nothing that can be used. */
export const oauthFaults = [
  /** No connection, no answer in time, or the provider said that it cannot now. */
  'unreachable',
  /** It failed over this question: no sign that it would over another. */
  'server_error',
  /** It does not take us for the client that we say we are. */
  'client_refused',
  /** It understood, and said no: what was asked for is not given. */
  'refused',
  /** The answer is not what the standard says. */
  'malformed',
  /** There is no such endpoint, or the client's key cannot be used. */
  'misconfigured',
] as const
export type OAuthFault = (typeof oauthFaults)[number]

/** The message is for the operator: it names the provider's endpoint at most, and repeats nothing of what was sent or answered. */
export class OAuthFailure extends Error {
  readonly fault: OAuthFault
  /** Milliseconds after which the provider wants to be asked again. */
  readonly retryAfter: number | undefined

  constructor(
    fault: OAuthFault,
    message: string,
    options: ErrorOptions & { readonly retryAfter?: number | undefined } = {},
  ) {
    super(message, options)
    this.name = 'OAuthFailure'
    this.fault = fault
    this.retryAfter = options.retryAfter
  }
}

/** @returns the error as an `OAuthFailure`; anything that is no fault of the provider or the network stays what it is */
export function asOAuthFailure(error: unknown): unknown {
  if (error instanceof OAuthFailure) return error
  if (!(error instanceof Error)) return error
  const fault = faultsByName[error.name]
  return fault === undefined ? error : new OAuthFailure(fault, error.message, { cause: error })
}

const faultsByName: Readonly<Record<string, OAuthFault>> = {
  FetchError: 'unreachable',
  AnswerError: 'malformed',
}

const longestWait = 60_000

/** `Retry-After` in seconds or as a date, bounded to a minute. @returns milliseconds */
export function retryAfterOf(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const field = headers['retry-after']?.trim()
  if (field === undefined) return undefined
  const wait = /^\d{1,9}$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWait)
}

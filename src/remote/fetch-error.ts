/** Why nothing came back from a configured URL, in words that give nothing away. */

export const fetchFaults = [
  'url_refused',
  'address_refused',
  'redirect_refused',
  'encoding_refused',
  'too_large',
  'timeout',
  'aborted',
  'network',
] as const
export type FetchFault = (typeof fetchFaults)[number]

/** Why nothing came. The message names origin and path at most: no query, no credential, nothing of the answer. */
export class FetchError extends Error {
  readonly fault: FetchFault

  constructor(fault: FetchFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FetchError'
    this.fault = fault
  }

  /** A connection that was made broke before the answer: a kept one that the server was just closing, mostly. */
  get isLostConnection(): boolean {
    return this.fault === 'network' && lostCodes.has(codeOf(this.cause))
  }
}

const lostCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** @returns the error as a `FetchError`; `signal` says whether it was given up or came late */
export function asFetchError(error: unknown, url: URL, signal: AbortSignal): FetchError {
  const known = innermostFetchError(error)
  if (known !== undefined) return known
  if (signal.aborted) {
    const late = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
    return late
      ? new FetchError('timeout', `${named(url)} did not answer in time`)
      : new FetchError('aborted', `the fetch of ${named(url)} was given up`)
  }
  return new FetchError('network', `${named(url)} cannot be reached (${codeOf(error)})`, { cause: error })
}

function innermostFetchError(error: unknown): FetchError | undefined {
  if (error instanceof FetchError) return error
  return error instanceof Error && error.cause !== undefined ? innermostFetchError(error.cause) : undefined
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code !== '' ? code : error.name
}

/** Origin and path: a query may hold what nobody should read. */
export function named(url: URL): string {
  return `${url.origin}${url.pathname}`
}

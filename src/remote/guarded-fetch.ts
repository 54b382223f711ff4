/**
 * The one way out to a configured URL. Bounds size and time of the whole exchange, follows no redirect to another
 * origin, speaks plain http only to this machine, and never dials a link-local or metadata address.
 */
import { Agent, request } from 'undici'
import { asFetchError, FetchError, named } from './fetch-error.ts'
import { guardedConnector, permittedUrl, type ConnectionOptions } from './guarded-connector.ts'
import { readAnswer, type FetchedAnswer } from './read-answer.ts'

export { FetchError, fetchFaults, type FetchFault } from './fetch-error.ts'
export type { FetchedAnswer } from './read-answer.ts'

export interface FetchOptions extends ConnectionOptions {
  /** Milliseconds for everything: name, connection, redirects, last byte. Default 5 s. */
  readonly timeout?: number
  /** Bytes of the body. */
  readonly maxBytes: number
  /** The `Accept` field. */
  readonly accept: string
  /** The `Authorization` field, for this origin alone: a redirect elsewhere is not followed. */
  readonly authorization?: string
  readonly signal?: AbortSignal
}

const defaultTimeout = 5_000
const maxRedirects = 3
const redirectStatuses = new Set([301, 302, 303, 307, 308])

/**
 * GETs `url`.
 * @returns the answer, whatever its status
 * @throws FetchError
 */
export async function guardedFetch(url: string | URL, options: FetchOptions): Promise<FetchedAnswer> {
  const first = permittedUrl(url, options.allowInsecure === true)
  const timeout = options.timeout ?? defaultTimeout
  const deadline = AbortSignal.timeout(timeout)
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal])
  const agent = new Agent({
    connect: guardedConnector(options, timeout),
    allowH2: false,
    headersTimeout: timeout,
    bodyTimeout: timeout,
  })
  try {
    return await exchange(first, agent, signal, options)
  } catch (error) {
    throw asFetchError(error, first, signal)
  } finally {
    await agent.destroy()
  }
}

async function exchange(
  first: URL,
  dispatcher: Agent,
  signal: AbortSignal,
  options: FetchOptions,
): Promise<FetchedAnswer> {
  let target = first
  for (let hop = 0; ; hop += 1) {
    const answer = await request(target, {
      dispatcher,
      signal,
      headers: {
        accept: options.accept,
        'accept-encoding': 'identity',
        'user-agent': 'portcullis',
        ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
      },
    })
    // A body that is given up emits an error, which nobody would hear and which would then end the process.
    answer.body.on('error', () => undefined)
    const location = redirectStatuses.has(answer.statusCode) ? answer.headers['location'] : undefined
    if (location === undefined) return readAnswer(answer, options.maxBytes)
    answer.body.destroy()
    if (hop === maxRedirects) throw new FetchError('redirect_refused', `${named(first)} redirects too often`)
    target = sameOrigin(location, target)
  }
}

/** A redirect elsewhere would let the answering host choose whom this machine talks to. */
function sameOrigin(location: string | string[], from: URL): URL {
  const to = typeof location === 'string' ? URL.parse(location, from) : null
  if (to === null || to.origin !== from.origin || to.username !== '' || to.password !== '') {
    throw new FetchError('redirect_refused', `${named(from)} redirects to another origin`)
  }
  return to
}

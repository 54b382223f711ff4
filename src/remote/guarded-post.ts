/**
 * Posts forms that carry credentials to configured URLs. Held to the same bounds and addresses as a fetch; follows no
 * redirect at all, since whoever answers would choose who gets the credentials next. Keeps connections, a bounded number.
 */
import { Agent, request } from 'undici'
import { asFetchError, FetchError, named } from './fetch-error.ts'
import { guardedConnector, permittedUrl, type ConnectionOptions } from './guarded-connector.ts'
import { readAnswer, type FetchedAnswer } from './read-answer.ts'

export interface PosterOptions extends ConnectionOptions {
  /** Sockets to one origin; more posts wait for one, within their time. Default 32. */
  readonly connections?: number
}

export interface FormPost {
  readonly form: URLSearchParams
  /** The `Accept` field. */
  readonly accept: string
  /** The `Authorization` field. */
  readonly authorization?: string
  /** Bytes of the answer's body. */
  readonly maxBytes: number
  /** Milliseconds for everything: the wait for a socket, name, connection, last byte. Default 5 s. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface Poster {
  /**
   * @returns the answer, whatever its status, but for a redirect
   * @throws FetchError
   */
  post(url: string, options: FormPost): Promise<FetchedAnswer>
  /** Posts under way come to their end. */
  close(): void
}

const defaultTimeout = 5_000
const defaultConnections = 32
/** Shorter than what servers usually keep, so that a post seldom meets a connection that is just being closed. */
const keepAlive = 4_000

export function createPoster(options: PosterOptions): Poster {
  const agent = new Agent({
    connect: guardedConnector(options, defaultTimeout),
    allowH2: false,
    connections: options.connections ?? defaultConnections,
    pipelining: 1,
    keepAliveTimeout: keepAlive,
    keepAliveMaxTimeout: keepAlive,
  })
  return {
    async post(url, { form, accept, authorization, maxBytes, timeout = defaultTimeout, signal: given }) {
      const target = permittedUrl(url, options.allowInsecure === true)
      const deadline = AbortSignal.timeout(timeout)
      const signal = given === undefined ? deadline : AbortSignal.any([deadline, given])
      try {
        const answer = await request(target, {
          method: 'POST',
          dispatcher: agent,
          signal,
          headersTimeout: timeout,
          bodyTimeout: timeout,
          headers: {
            accept,
            'accept-encoding': 'identity',
            'content-type': 'application/x-www-form-urlencoded',
            'user-agent': 'portcullis',
            ...(authorization === undefined ? {} : { authorization }),
          },
          body: form.toString(),
        })
        // A body that is given up emits an error, which nobody would hear and which would then end the process.
        answer.body.on('error', () => undefined)
        if (answer.statusCode >= 300 && answer.statusCode < 400) {
          answer.body.destroy()
          throw new FetchError('redirect_refused', `${named(target)} redirects a request with credentials`)
        }
        return await readAnswer(answer, maxBytes)
      } catch (error) {
        throw asFetchError(error, target, signal)
      }
    },
    close: () => void agent.close().catch(() => undefined),
  }
}

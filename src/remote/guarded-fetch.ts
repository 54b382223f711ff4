/**
 * The one way out to a configured URL. Bounds size and time of the whole exchange, follows no redirect to another
 * origin, speaks plain http only to this machine, and never dials a link-local or metadata address.
 */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, buildConnector, request, type Dispatcher } from 'undici'
import { isForbiddenAddress, isLoopbackAddress, isLoopbackHost, literalAddress } from './address-guard.ts'

export interface FetchOptions {
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string
  /** Milliseconds for everything: name, connection, redirects, last byte. Default 5 s. */
  readonly timeout?: number
  /** Bytes of the body. */
  readonly maxBytes: number
  /** Lets plain http leave this machine, and an address written in the URL itself be any. */
  readonly allowInsecure?: boolean
  /** The `Accept` field. */
  readonly accept: string
  readonly signal?: AbortSignal
  /** Name resolution; the system's by default. */
  readonly lookup?: LookupFunction
}

export interface FetchedAnswer {
  readonly status: number
  /** Names in lower case; a repeated field is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

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
    connect: guardedConnector(first, options, timeout),
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
      headers: { accept: options.accept, 'accept-encoding': 'identity', 'user-agent': 'portcullis' },
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

async function readAnswer(answer: Dispatcher.ResponseData, maxBytes: number): Promise<FetchedAnswer> {
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

function permittedUrl(url: string | URL, allowInsecure: boolean): URL {
  const parsed = typeof url === 'string' ? URL.parse(url) : url
  if (parsed === null) throw new FetchError('url_refused', 'not a URL')
  if (parsed.username !== '' || parsed.password !== '') {
    throw new FetchError('url_refused', `${named(parsed)} carries a user name or password`)
  }
  const plain = parsed.protocol === 'http:'
  if (!plain && parsed.protocol !== 'https:') {
    throw new FetchError('url_refused', `${parsed.protocol} is neither https: nor http:`)
  }
  if (plain && !allowInsecure && !isLoopbackHost(parsed.hostname)) {
    throw new FetchError(
      'url_refused',
      `${named(parsed)} is plain http off loopback; allowInsecure permits it`,
    )
  }
  const literal = literalAddress(parsed.hostname)
  if (literal !== undefined && isForbiddenAddress(literal) && !allowInsecure) {
    throw new FetchError('address_refused', `${named(parsed)} is a link-local or metadata address`)
  }
  return parsed
}

/**
 * Checks each resolved address before it is dialled and the peer's address once more when connected, so that a name
 * that resolves differently a moment later (DNS rebinding) gains nothing.
 */
function guardedConnector(url: URL, options: FetchOptions, timeout: number): buildConnector.connector {
  const literal = literalAddress(url.hostname)
  const mustBeLoopback = url.protocol === 'http:' && options.allowInsecure !== true
  const fault = (address: string): FetchError | undefined => {
    if (isForbiddenAddress(address) && literal === undefined) {
      return new FetchError('address_refused', `${url.hostname} resolves to a link-local or metadata address`)
    }
    if (mustBeLoopback && !isLoopbackAddress(address)) {
      return new FetchError('address_refused', `${url.hostname} resolves off loopback, over plain http`)
    }
    return undefined
  }
  const connect = buildConnector({
    allowH2: false,
    maxCachedSessions: 0,
    timeout,
    lookup: guardedLookup(options.lookup ?? lookup, fault),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  })
  return (target, callback) => {
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null)
      const refusal = fault(socket.remoteAddress ?? '')
      if (refusal === undefined) return callback(null, socket)
      socket.destroy()
      return callback(refusal, null)
    })
  }
}

function guardedLookup(
  resolve: LookupFunction,
  fault: (address: string) => FetchError | undefined,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, found, family) => {
      if (error !== null) return callback(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      const refusal = addresses.map(fault).find((each) => each !== undefined)
      return callback(refusal ?? null, found, family)
    })
  }
}

function asFetchError(error: unknown, url: URL, signal: AbortSignal): FetchError {
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

function named(url: URL): string {
  return `${url.origin}${url.pathname}`
}

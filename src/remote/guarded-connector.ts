/**
 * Which URLs may be asked, and which addresses dialled for them: https off loopback, never a link-local or metadata
 * address, whatever a name resolves to.
 */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isForbiddenAddress, isLoopbackAddress, isLoopbackHost, literalAddress } from './address-guard.ts'
import { FetchError, named } from './fetch-error.ts'

export interface ConnectionOptions {
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string
  /** Our own certificate and its private key, PEM: the client's proof of who it is (mutual TLS). */
  readonly certificate?: string
  readonly key?: string
  /** Lets plain http leave this machine, and an address written in the URL itself be any. */
  readonly allowInsecure?: boolean
  /** Name resolution; the system's by default. */
  readonly lookup?: LookupFunction
}

/** @throws FetchError for what must not be asked at all */
export function permittedUrl(url: string | URL, allowInsecure: boolean): URL {
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
 * that resolves differently a moment later (DNS rebinding) gains nothing. Fit for many origins.
 * @param timeout milliseconds for a connection
 */
export function guardedConnector(options: ConnectionOptions, timeout: number): buildConnector.connector {
  return (target, callback) => {
    const fault = (address: string): FetchError | undefined => faultOf(address, target, options)
    const connect = buildConnector({
      allowH2: false,
      maxCachedSessions: 0,
      timeout,
      lookup: guardedLookup(options.lookup ?? lookup, fault),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.certificate === undefined ? {} : { cert: options.certificate }),
      ...(options.key === undefined ? {} : { key: options.key }),
    })
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null)
      const refusal = fault(socket.remoteAddress ?? '')
      if (refusal === undefined) return callback(null, socket)
      socket.destroy()
      return callback(refusal, null)
    })
  }
}

function faultOf(
  address: string,
  { hostname, protocol }: buildConnector.Options,
  { allowInsecure }: ConnectionOptions,
): FetchError | undefined {
  if (isForbiddenAddress(address) && literalAddress(hostname) === undefined) {
    return new FetchError('address_refused', `${hostname} resolves to a link-local or metadata address`)
  }
  if (protocol === 'http:' && allowInsecure !== true && !isLoopbackAddress(address)) {
    return new FetchError('address_refused', `${hostname} resolves off loopback, over plain http`)
  }
  return undefined
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

/** Opens connections to a target: name, TCP and TLS within one timeout, the certificate always verified. */
import type { LookupAddress } from 'node:dns'
import { connect as connectTcp, isIP, type Socket, type OnReadOpts, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import type { Resolver } from './resolve.ts'

export interface Address {
  readonly isTls: boolean
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** For `Host`: the default port left out. */
  readonly authority: string
}

export interface ConnectOptions {
  readonly resolver: Resolver
  /** Milliseconds for name, TCP and TLS together. */
  readonly timeout: number
  /** Asked for each connection, so that renewed files count. */
  readonly secureContext: () => SecureContext | undefined
  /** Asked for by ALPN. */
  readonly protocols: readonly string[]
  /** SNI, and the name that the certificate must hold; the target's host where undefined. */
  readonly serverName: string | undefined
}

/** A connection that was never made: the request cannot have reached anybody. */
export class ConnectError extends Error {
  readonly reason: 'connect_failed' | 'connect_timeout'

  constructor(reason: 'connect_failed' | 'connect_timeout', detail: string) {
    super(detail)
    this.name = 'ConnectError'
    this.reason = reason
  }
}

/** @returns where a target's URL leads */
export function addressOf(url: string): Address {
  const { protocol, hostname, port, host } = new URL(url)
  const isTls = protocol === 'https:'
  const plain = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const fallback = isTls ? 443 : 80
  return { isTls, host: plain, port: port === '' ? fallback : Number(port), authority: host }
}

/**
 * @param keepsHalfOpen for tunnels: the peer's end does not end our side
 * @param onread takes what is read past the stream
 * @throws ConnectError
 */
export function openSocket(
  address: Address,
  options: ConnectOptions,
  keepsHalfOpen: boolean,
  onread?: OnReadOpts,
): Promise<Socket> {
  const tcp = { ...tcpOptions(address, options, keepsHalfOpen), ...(onread === undefined ? {} : { onread }) }
  return new Promise((resolve, reject) => {
    const socket = address.isTls ? startTls(address, options, tcp) : connectTcp(tcp)
    const fail = (reason: ConnectError['reason'], detail: string): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new ConnectError(reason, detail))
    }
    const timer = setTimeout(
      () => fail('connect_timeout', `no connection within ${options.timeout} ms`),
      options.timeout,
    )
    const onError = (error: Error): void => fail('connect_failed', describe(error))
    // A peer that closes within the handshake may tell it by `close` alone.
    const onClose = (): void => fail('connect_failed', 'the connection was closed while it was made')
    socket.on('error', onError)
    socket.once('close', onClose)
    socket.once(address.isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      socket.off('close', onClose)
      // The one listener left would report to a settled promise; an error between here and the connection's own listener must not be fatal.
      resolve(socket)
    })
  })
}

function tcpOptions(address: Address, options: ConnectOptions, keepsHalfOpen: boolean): TcpNetConnectOpts {
  return {
    host: address.host,
    port: address.port,
    allowHalfOpen: keepsHalfOpen,
    autoSelectFamily: true,
    lookup: (hostname, { all }, callback) =>
      void answerLookup(options.resolver, hostname, all === true, callback),
  }
}

type LookupCallback = Parameters<NonNullable<TcpNetConnectOpts['lookup']>>[2]

async function answerLookup(
  resolver: Resolver,
  hostname: string,
  isForAll: boolean,
  callback: LookupCallback,
): Promise<void> {
  let found: readonly LookupAddress[]
  try {
    found = await resolver.addresses(hostname)
  } catch (error) {
    callback(error as NodeJS.ErrnoException, [])
    return
  }
  if (isForAll) {
    callback(null, [...found])
  } else {
    callback(null, found[0]!.address, found[0]!.family)
  }
}

function startTls(address: Address, options: ConnectOptions, tcp: TcpNetConnectOpts): TLSSocket {
  // SNI carries names only; an address is verified against the certificate's addresses all the same.
  const name = options.serverName ?? (isIP(address.host) === 0 ? address.host : undefined)
  const secureContext = options.secureContext()
  return connectTls({
    ...tcp,
    ...(name === undefined ? {} : { servername: name }),
    ...(secureContext === undefined ? {} : { secureContext }),
    ALPNProtocols: [...options.protocols],
    rejectUnauthorized: true,
  })
}

/** Codes and TLS reasons, for the operator. */
function describe(error: Error): string {
  const causes = error instanceof AggregateError ? (error.errors as Error[]) : [error]
  return [...new Set(causes.map((cause) => (cause as NodeJS.ErrnoException).code ?? cause.message))].join(
    ', ',
  )
}

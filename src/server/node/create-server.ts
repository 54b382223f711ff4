/** node:http and node:https as strict as they can be set; what they are still too lax about is `head.ts`'s. */
import { createServer as createHttp, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { SecureContext } from 'node:tls'
import { Incoming } from './incoming.ts'
import type { Certificates } from './tls.ts'

/** What both kinds of server have. */
export type NodeServer = Server<typeof Incoming>

export interface Creation {
  /** Whether a request that asks for an upgrade gets one; others are plain requests. */
  readonly shouldUpgrade: (incoming: Incoming) => boolean
  /** Asked at each handshake; undefined for a plain listener. */
  readonly certificates: (() => Certificates) | undefined
  /** Whether clients are asked for a certificate. What they show is judged for each request, not in the handshake. */
  readonly asksCertificate: boolean
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTimeout: number
}

export function createServer(creation: Creation): NodeServer {
  const options: ServerOptions<typeof Incoming> = {
    IncomingMessage: Incoming,
    insecureHTTPParser: false,
    requireHostHeader: false,
    // Deadlines are the sweeper's: these know neither routes nor an idle connection.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    noDelay: true,
    // A peer that vanishes without a word would hold a tunnel or an event stream for ever.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    shouldUpgradeCallback: creation.shouldUpgrade,
  }
  const server =
    creation.certificates === undefined
      ? createHttp(options)
      : createHttps({ ...options, ...tlsOptions(creation.certificates, creation) })
  // Fields beyond a limit would be dropped silently; the limit is ours.
  server.maxHeadersCount = 0
  // A client that has sent its request may end its side: the answer still goes out.
  Object.assign(server, { httpAllowHalfOpen: true })
  return server
}

/**
 * The parser's own limit cannot tell a long target from long fields, so it lies far above ours and we measure. It must be there:
 * the parser holds what it read of a head in memory, for as long as `headersTimeout` lets it.
 */
function parserLimit(headers: number): number {
  return headers * 8 + 1024 * 1024
}

/** Applies the limit to connections that come from now on. */
export function setParserLimit(server: NodeServer, headers: number): void {
  Object.assign(server, { maxHeaderSize: parserLimit(headers) })
}

function tlsOptions(
  certificates: () => Certificates,
  { asksCertificate, handshakeTimeout }: Creation,
): object {
  return {
    ...certificates().options,
    handshakeTimeout,
    ALPNProtocols: ['http/1.1'],
    SNICallback(name: string, done: (error: Error | null, context?: SecureContext) => void) {
      // No throwing here: it would end the process, by a name that a stranger chose.
      done(null, certificates().contextFor(name))
    },
    ...(asksCertificate ? { requestCert: true, rejectUnauthorized: false } : {}),
  }
}

/** The certificate for clients that ask for no name, or for one that nothing is listed for. */
export function setDefaultCertificate(server: NodeServer, { options }: Certificates): void {
  if ('setSecureContext' in server && typeof server.setSecureContext === 'function')
    server.setSecureContext(options)
}

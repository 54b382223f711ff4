/** TLS over connections that somebody else accepted. */
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { TlsSettings } from '../../configuration.ts'
import type { Proxied } from './proxy-header.ts'
import { readCertificates, type Certificates } from './tls.ts'

export interface SecureServerOptions {
  readonly settings: TlsSettings
  /** Names of ALPN, the best first. */
  readonly protocols: readonly string[]
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number
  /** Takes a connection whose handshake is done, with what was said in front of it. */
  ready(socket: TLSSocket, proxied: Proxied | undefined): void
}

/** It never listens: connections are handed to it, so that what comes before the handshake can be read from them. */
export class SecureServer {
  readonly #settings: TlsSettings
  readonly #server: Server
  /** What was said in front of connections that are open now. */
  readonly #proxied = new Map<string, Proxied>()
  #certificates: Certificates

  private constructor(options: SecureServerOptions, certificates: Certificates) {
    this.#settings = options.settings
    this.#certificates = certificates
    this.#server = createServer({
      ...certificates.options,
      handshakeTimeout: options.handshakeTimeout,
      ALPNProtocols: [...options.protocols],
      ...(options.settings.also.length === 0 ? {} : { SNICallback: this.#choose.bind(this) }),
      // What clients show is judged for each request, not in the handshake.
      ...(options.settings.clientCertificates === undefined
        ? {}
        : { requestCert: true, rejectUnauthorized: false }),
    })
    this.#server.on('secureConnection', (socket) => options.ready(socket, this.#proxied.get(endsOf(socket))))
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  /** @throws when a certificate cannot be used */
  static async create(options: SecureServerOptions): Promise<SecureServer> {
    return new SecureServer(options, await readCertificates(options.settings))
  }

  /** @param socket bytes that were put back with `unshift` count as its first */
  shakeHands(socket: Socket, proxied: Proxied | undefined): void {
    if (proxied !== undefined) this.#remember(socket, proxied)
    this.#server.emit('connection', socket)
  }

  /** node:tls does not tell which connection a TLS socket was made over; but both have the same ends, and no other has. */
  #remember(socket: Socket, proxied: Proxied): void {
    const ends = endsOf(socket)
    this.#proxied.set(ends, proxied)
    socket.once('close', () => {
      if (this.#proxied.get(ends) === proxied) this.#proxied.delete(ends)
    })
  }

  /** @throws when the new certificates cannot be used; the old ones stay then */
  async reload(): Promise<void> {
    const certificates = await readCertificates(this.#settings)
    // The certificate for clients that ask for no name, or for one that nothing is listed for.
    this.#server.setSecureContext(certificates.options)
    this.#certificates = certificates
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    // No throwing here: it would end the process, by a name that a stranger chose.
    done(null, this.#certificates.contextFor(name))
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

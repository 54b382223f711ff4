/** TLS over connections that somebody else accepted. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { TlsSettings } from '../../configuration.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Proxied } from './proxy-header.ts'
import { TicketKeys, type TicketSecret } from './ticket-keys.ts'
import { readCertificates, type Certificates, type Notice } from './tls.ts'

export interface SecureServerOptions {
  readonly settings: TlsSettings
  readonly clock: Clock
  /** Names of ALPN, the best first. */
  readonly protocols: readonly string[]
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number
  /** Shared with other workers; without it, this server resumes its own sessions only. */
  readonly tickets?: TicketSecret
  /** Takes a connection whose handshake is done, with what was said in front of it. */
  ready(socket: TLSSocket, proxied: Proxied | undefined): void
  readonly notice: Notice
}

/** The soonest that ticket keys are looked at again, in milliseconds: clocks and timers differ a little. */
const soonest = 1000

/** It never listens: connections are handed to it, so that what comes before the handshake can be read from them. */
export class SecureServer {
  readonly #options: SecureServerOptions
  readonly #server: Server
  readonly #tickets: TicketKeys
  /** What was said in front of connections that are open now. */
  readonly #proxied = new Map<string, Proxied>()
  #certificates: Certificates
  #turn: NodeJS.Timeout | undefined = undefined

  private constructor(options: SecureServerOptions, certificates: Certificates) {
    const { settings, clock } = options
    this.#options = options
    this.#certificates = certificates
    this.#tickets = new TicketKeys(options.tickets ?? { secret: randomBytes(32), since: clock.now() })
    this.#server = createServer({
      ...certificates.options,
      ticketKeys: this.#tickets.at(clock.now()),
      handshakeTimeout: options.handshakeTimeout,
      ALPNProtocols: [...options.protocols],
      ...(settings.also.length === 0 ? {} : { SNICallback: this.#choose.bind(this) }),
      // What clients show is judged for each request, not in the handshake.
      ...(settings.clientCertificates === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
    })
    this.#server.on('secureConnection', (socket) => options.ready(socket, this.#proxied.get(endsOf(socket))))
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
    if ([settings, ...settings.also].some(({ ocsp }) => ocsp !== undefined)) this.#staple()
    this.#awaitTurn()
  }

  /** @throws when a certificate cannot be used */
  static async create(options: SecureServerOptions): Promise<SecureServer> {
    const certificates = await readCertificates(options.settings, options.clock.now(), options.notice)
    return new SecureServer(options, certificates)
  }

  /** @param socket bytes that were put back with `unshift` count as its first */
  shakeHands(socket: Socket, proxied: Proxied | undefined): void {
    if (proxied !== undefined) this.#remember(socket, proxied)
    this.#server.emit('connection', socket)
  }

  /** @throws when the new certificates cannot be used; the old ones stay then */
  async reload(): Promise<void> {
    const { settings, clock, notice } = this.#options
    const certificates = await readCertificates(settings, clock.now(), notice)
    // What old connections keep in memory opens no ticket any more.
    this.#server.setTicketKeys(randomBytes(48))
    // The certificate for clients that ask for no name, or for one that nothing is listed for; with the keys of before, so that
    // sessions go on.
    const options = { ...certificates.options, ticketKeys: this.#tickets.at(clock.now()) }
    this.#server.setSecureContext(options)
    this.#certificates = certificates
  }

  /** Ends its timer. */
  stop(): void {
    clearTimeout(this.#turn)
  }

  /** node:tls does not tell which connection a TLS socket was made over; but both have the same ends, and no other has. */
  #remember(socket: Socket, proxied: Proxied): void {
    const ends = endsOf(socket)
    this.#proxied.set(ends, proxied)
    socket.once('close', () => {
      if (this.#proxied.get(ends) === proxied) this.#proxied.delete(ends)
    })
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    // No throwing here: it would end the process, by a name that a stranger chose.
    done(null, this.#certificates.contextFor(name))
  }

  #staple(): void {
    this.#server.on('OCSPRequest', (certificate, _issuer, done) => {
      done(null, this.#certificates.stapleFor(certificate, this.#options.clock.now()) ?? null!)
    })
  }

  #awaitTurn(): void {
    const { clock } = this.#options
    const rest = this.#tickets.restAt(clock.now())
    this.#turn = setTimeout(
      () => {
        this.#server.setTicketKeys(this.#tickets.at(clock.now()))
        this.#awaitTurn()
      },
      Math.max(rest, soonest),
    ).unref()
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

/** Listens, and hands each connection that is ready for HTTP to what speaks it. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ListenerOptions, TlsReload } from '../listener.ts'
import type { Plane } from '../plane.ts'
import { connectionFacts } from './connection-facts.ts'
import { SecureServer } from './secure-server.ts'

export interface Planes {
  readonly http1: Plane
  /** Undefined: HTTP/2 is neither offered nor looked for. */
  readonly http2?: Plane | undefined
}

export class Acceptor {
  readonly #options: ListenerOptions
  readonly #planes: Planes
  readonly #server: Server
  readonly #ended: Promise<void>
  /** Connections below TLS, for as long as they are open: those in a handshake are known to nobody else. */
  readonly #raw = new Set<Socket>()
  #secure: SecureServer | undefined = undefined
  #isStopped = false

  private constructor(options: ListenerOptions, planes: Planes) {
    this.#options = options
    this.#planes = planes
    this.#server = createServer({
      // A client that has sent its request may end its side: the answer still goes out.
      allowHalfOpen: true,
      noDelay: true,
      // A peer that vanishes without a word would hold a tunnel or an event stream for ever.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    })
    this.#ended = new Promise((resolve) => {
      this.#server.once('close', resolve)
    })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  /**
   * @returns once connections are taken
   * @throws when the address cannot be had, or a certificate cannot be used
   */
  static async start(options: ListenerOptions, planes: Planes): Promise<Acceptor> {
    const acceptor = new Acceptor(options, planes)
    const { tls } = options.settings
    if (tls !== undefined)
      acceptor.#secure = await SecureServer.create({
        settings: tls,
        protocols: planes.http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'],
        handshakeTimeout: options.limits().headersTimeout,
        ready: (socket) => acceptor.#hand(socket),
      })
    await acceptor.#listen()
    return acceptor
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    // One more turn of the loop: connections that the system has taken for us already are accepted in it, not reset.
    setImmediate(() => this.#server.close())
  }

  /** @returns once it is stopped and the last connection has ended, whoever served it */
  ended(): Promise<void> {
    return this.#ended
  }

  /** Cuts connections that are not yet ready. */
  cut(): void {
    for (const socket of this.#raw) socket.destroy()
  }

  async reloadTls(): Promise<TlsReload> {
    try {
      await this.#secure?.reload()
      return { isReloaded: true }
    } catch (error) {
      return { isReloaded: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options.settings
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        server.on('error', (fault) => this.#options.onFault?.(fault))
        resolve()
      })
    })
  }

  #accept(socket: Socket): void {
    if (this.#secure === undefined) {
      this.#hand(socket)
      return
    }
    this.#raw.add(socket)
    socket.once('close', () => this.#raw.delete(socket))
    this.#secure.shakeHands(socket)
  }

  #hand(socket: Socket): void {
    const facts = connectionFacts(socket, this.#options)
    if (facts === undefined) socket.destroy()
    else this.#planeFor(socket).serve(socket, facts)
  }

  #planeFor(socket: Socket): Plane {
    const { http1, http2 } = this.#planes
    return http2 !== undefined && socket instanceof TLSSocket && socket.alpnProtocol === 'h2' ? http2 : http1
  }
}

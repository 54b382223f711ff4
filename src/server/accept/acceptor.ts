/** Listens, and hands each connection that is ready for HTTP to what speaks it. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import { plainAddress } from '../address.ts'
import type { ListenerOptions, TlsReload } from '../listener.ts'
import type { Plane } from '../plane.ts'
import { requestIdOf } from '../request-id.ts'
import { connectionFacts } from './connection-facts.ts'
import { isHttp2Preface } from './http2-preface.ts'
import { Opening, type OpeningOptions } from './opening.ts'
import { parseProxyHeader, type Proxied } from './proxy-header.ts'
import { SecureServer } from './secure-server.ts'

export interface Planes {
  readonly http1: Plane
  /** Undefined: HTTP/2 is neither offered nor looked for. */
  readonly http2?: Plane | undefined
}

/** Silence after which nothing is taken to be on its way, in milliseconds. */
const settled = 1000

export class Acceptor {
  readonly #options: ListenerOptions
  readonly #planes: Planes
  readonly #server: Server
  readonly #ended: Promise<void>
  /** Connections, below TLS, that do not go to a plane at once, for as long as they are open: at first nobody else knows them. */
  readonly #held = new Set<Socket>()
  readonly #openings = new Set<Opening<unknown>>()
  #secure: SecureServer | undefined = undefined
  #isStopped = false
  #isClosing = false

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
        clock: options.clock,
        notice: (text) => options.onNotice?.(text),
        protocols: planes.http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'],
        handshakeTimeout: options.limits().headersTimeout,
        ready: (socket, proxied) => acceptor.#handSecure(socket, proxied),
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
    this.#secure?.stop()
  }

  /** @returns once it is stopped and the last connection has ended, whoever served it */
  ended(): Promise<void> {
    return this.#ended
  }

  /** Connections on which nothing was said yet are closed after a second of silence, like idle ones. */
  beginClose(): void {
    this.#isClosing = true
    for (const opening of this.#openings) opening.hurry(settled)
  }

  /** Cuts connections that are not yet ready. */
  cut(): void {
    for (const socket of this.#held) socket.destroy()
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
    const { proxyProtocol = false } = this.#options.settings
    if (proxyProtocol || this.#secure !== undefined || this.#looksForHttp2) this.#hold(socket)
    if (proxyProtocol) this.#readProxyHeader(socket)
    else this.#goOn(socket, undefined)
  }

  #hold(socket: Socket): void {
    this.#held.add(socket)
    socket.once('close', () => this.#held.delete(socket))
    // A reset is told by 'close' too; without a listener it would end the process.
    socket.on('error', ignore)
  }

  get #looksForHttp2(): boolean {
    return this.#options.settings.h2c === true && this.#planes.http2 !== undefined
  }

  /** Everybody else's word is worth nothing: their connections are closed unread. */
  #readProxyHeader(socket: Socket): void {
    const { limits, trustsPeer } = this.#options
    if (trustsPeer?.(plainAddress(socket.remoteAddress ?? '')) !== true) {
      this.#refuse(socket, refuse('proxy_not_trusted'))
      return
    }
    const { headersTimeout } = limits()
    const refuseFor = (detail: string): void =>
      this.#refuse(socket, refuse('proxy_header_invalid', { detail }))
    this.#open({
      socket,
      silence: headersTimeout,
      look(bytes) {
        const told = parseProxyHeader(bytes)
        return told === undefined ? undefined : { told, used: 'fault' in told ? 0 : told.length }
      },
      done: (told) => ('fault' in told ? refuseFor(told.fault) : this.#goOn(socket, told.proxied)),
      // Load balancers look in without a word, to see whether the port is open.
      gaveUp: (bytes) => {
        if (bytes.length > 0) refuseFor('a header that is not whole')
      },
    })
  }

  #goOn(socket: Socket, proxied: Proxied | undefined): void {
    if (this.#secure !== undefined) this.#secure.shakeHands(socket, proxied)
    else if (this.#looksForHttp2) this.#lookForHttp2(socket, proxied)
    else this.#hand(socket, this.#planes.http1, proxied)
  }

  #lookForHttp2(socket: Socket, proxied: Proxied | undefined): void {
    const { headersTimeout, idleTimeout } = this.#options.limits()
    const { http1, http2 = http1 } = this.#planes
    this.#open({
      socket,
      silence: idleTimeout,
      time: headersTimeout,
      look(bytes) {
        const told = isHttp2Preface(bytes)
        return told === undefined ? undefined : { told, used: 0 }
      },
      done: (isHttp2) => this.#hand(socket, isHttp2 ? http2 : http1, proxied),
    })
  }

  #open<Told>(options: OpeningOptions<Told>): void {
    const opening: Opening<Told> = new Opening({
      ...options,
      done: (told) => {
        this.#openings.delete(opening)
        options.done(told)
      },
      gaveUp: (bytes) => {
        this.#openings.delete(opening)
        options.gaveUp?.(bytes)
      },
    })
    this.#openings.add(opening)
    if (this.#isClosing) opening.hurry(settled)
  }

  #handSecure(socket: TLSSocket, proxied: Proxied | undefined): void {
    const { http1, http2 = http1 } = this.#planes
    this.#hand(socket, socket.alpnProtocol === 'h2' ? http2 : http1, proxied)
  }

  #hand(socket: Socket, plane: Plane, proxied: Proxied | undefined): void {
    const facts = connectionFacts(socket, this.#options, proxied)
    if (facts === undefined) socket.destroy()
    else plane.serve(socket, facts)
  }

  /** Nothing is told to the client, only recorded: there is no request that could be answered. */
  #refuse(socket: Socket, refusal: Refusal): void {
    const connection = connectionFacts(socket, this.#options)
    socket.destroy()
    if (connection !== undefined) this.#options.refuse(refusal, { requestId: requestIdOf([]), connection })
  }
}

function ignore(): void {
  // Whoever serves the connection has a listener of its own.
}

/** Starts a listener on node:http, and ends it without losing what is on its way. */
import { Server as NetServer, type AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ListenerOptions, RunningListener, TlsReload } from '../listener.ts'
import type { ListenerState } from './connection.ts'
import { createServer, setDefaultCertificate, type NodeServer } from './create-server.ts'
import { Events } from './events.ts'
import { Sweeper } from './sweeper.ts'
import { readCertificates, type Certificates } from './tls.ts'

/**
 * @returns once the listener takes connections
 * @throws when the address cannot be had, or a certificate cannot be used
 */
export async function startNodeListener(options: ListenerOptions): Promise<RunningListener> {
  const { settings } = options
  const state: ListenerState = {
    options,
    sweeper: new Sweeper(() => {
      for (const connection of state.connections) connection.sweep(state.sweeper.time)
    }),
    connections: new Set(),
    handshakes: new Set(),
    isDraining: false,
    isClosing: false,
  }
  const events = new Events(state)
  const tls = settings.tls === undefined ? undefined : { now: await readCertificates(settings.tls) }
  const limits = options.limits()
  const server = createServer({
    shouldUpgrade: (incoming) => events.isUpgrade(incoming),
    certificates: tls === undefined ? undefined : () => tls.now,
    asksCertificate: settings.tls?.clientCertificates !== undefined,
    handshakeTimeout: limits.headersTimeout,
  })
  events.attachTo(server)
  await listen(server, settings)
  server.on('error', (fault) => options.onFault?.(fault))
  state.sweeper.quicken(Math.min(limits.headersTimeout, limits.requestTimeout, limits.idleTimeout))
  state.sweeper.start()
  return new NodeListener(server, state, tls)
}

function listen(
  server: NodeServer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

class NodeListener implements RunningListener {
  readonly host: string
  readonly port: number
  readonly #server: NodeServer
  readonly #state: ListenerState
  readonly #tls: { now: Certificates } | undefined
  readonly #ended: Promise<void>
  #isStopped = false

  constructor(server: NodeServer, state: ListenerState, tls: { now: Certificates } | undefined) {
    const { address, port } = server.address() as AddressInfo
    this.host = address
    this.port = port
    this.#server = server
    this.#state = state
    this.#tls = tls
    this.#ended = new Promise((resolve) => {
      server.once('close', resolve)
    })
  }

  get connections(): number {
    return this.#state.connections.size
  }

  beginDrain(): void {
    this.#state.isDraining = true
  }

  stopAccepting(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#state.isDraining = true
    // One more turn of the loop: connections that the system has taken for us already are accepted in it, not reset.
    // Not http.Server's close, which cuts idle connections, and with them a request that is on its way.
    setImmediate(() => NetServer.prototype.close.call(this.#server))
  }

  async closed(timeout: number): Promise<void> {
    this.stopAccepting()
    const { connections, handshakes, sweeper } = this.#state
    this.#state.isClosing = true
    const cut = setTimeout(() => {
      for (const { socket } of connections) socket.destroy()
      for (const socket of handshakes) socket.destroy()
    }, timeout)
    await this.#ended
    clearTimeout(cut)
    // The server counts a connection as gone a moment before the connection tells those who wait for it.
    while (connections.size > 0) await nextTurn()
    sweeper.stop()
    // Ends a timer of http.Server's own that would keep the server in memory.
    this.#server.close()
  }

  async reloadTls(): Promise<TlsReload> {
    const settings = this.#state.options.settings.tls
    if (settings === undefined || this.#tls === undefined) return { isReloaded: true }
    try {
      const certificates = await readCertificates(settings)
      setDefaultCertificate(this.#server, certificates)
      this.#tls.now = certificates
      return { isReloaded: true }
    } catch (error) {
      return { isReloaded: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }
}

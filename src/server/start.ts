/** Starts a listener with its data plane, and ends it without losing what is on its way. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Acceptor, type Planes } from './accept/acceptor.ts'
import { createHttp2Plane } from './http2/plane.ts'
import type { ListenerOptions, RunningListener, TlsReload } from './listener.ts'
import { createNodePlane } from './node/plane.ts'
import type { Plane } from './plane.ts'
import { createWirePlane } from './wire/plane.ts'

/** What speaks HTTP/1.1. */
export type DataPlane = 'wire' | 'node'

const createHttp1: Readonly<Record<DataPlane, (options: ListenerOptions) => Plane>> = {
  wire: createWirePlane,
  node: createNodePlane,
}

export interface StartOptions extends ListenerOptions {
  readonly dataPlane: DataPlane
}

/**
 * @returns once the listener takes connections
 * @throws when the address cannot be had, or a certificate cannot be used
 */
export async function startListener(options: StartOptions): Promise<RunningListener> {
  const planes = createPlanes(options)
  try {
    return new Listener(await Acceptor.start(options, planes), planes)
  } catch (error) {
    for (const plane of each(planes)) plane.stop()
    throw error
  }
}

function createPlanes(options: StartOptions): Planes {
  const shared: ListenerOptions = { ...options, onConnections: () => options.onConnections?.(count(planes)) }
  const { tls, h2c } = options.settings
  const planes: Planes = {
    http1: createHttp1[options.dataPlane](shared),
    ...(tls !== undefined || h2c === true ? { http2: createHttp2Plane(shared) } : {}),
  }
  return planes
}

class Listener implements RunningListener {
  readonly host: string
  readonly port: number
  readonly #acceptor: Acceptor
  readonly #planes: Planes

  constructor(acceptor: Acceptor, planes: Planes) {
    const { address, port } = acceptor.address
    this.host = address
    this.port = port
    this.#acceptor = acceptor
    this.#planes = planes
  }

  get connections(): number {
    return count(this.#planes)
  }

  beginDrain(): void {
    for (const plane of each(this.#planes)) plane.beginDrain()
  }

  stopAccepting(): void {
    this.beginDrain()
    this.#acceptor.stop()
  }

  async closed(timeout: number): Promise<void> {
    this.stopAccepting()
    const planes = each(this.#planes)
    for (const plane of planes) plane.beginClose()
    this.#acceptor.beginClose()
    const cut = setTimeout(() => {
      for (const plane of planes) plane.cut()
      this.#acceptor.cut()
    }, timeout)
    await this.#acceptor.ended()
    clearTimeout(cut)
    // The server counts a connection as gone a moment before the connection tells those who wait for it.
    while (this.connections > 0) await nextTurn()
    for (const plane of planes) plane.stop()
  }

  reloadTls(): Promise<TlsReload> {
    return this.#acceptor.reloadTls()
  }
}

function each({ http1, http2 }: Planes): readonly Plane[] {
  return http2 === undefined ? [http1] : [http1, http2]
}

function count(planes: Planes): number {
  return each(planes).reduce((sum, { connections }) => sum + connections, 0)
}

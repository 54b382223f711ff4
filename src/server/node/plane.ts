/** HTTP/1.1 on node:http: a server that never listens, and is given its connections. */
import type { Socket } from 'node:net'
import type { ConnectionFacts } from '../../exchange.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Plane } from '../plane.ts'
import { Connection, type ListenerState } from './connection.ts'
import { createServer, setParserLimit, type NodeServer } from './create-server.ts'
import { Events } from './events.ts'
import { Sweeper } from '../../wire/sweeper.ts'

export function createNodePlane(options: ListenerOptions): Plane {
  return new NodePlane(options)
}

class NodePlane implements Plane {
  readonly #state: ListenerState
  readonly #events: Events
  readonly #server: NodeServer

  constructor(options: ListenerOptions) {
    const state: ListenerState = {
      options,
      sweeper: new Sweeper(() => {
        for (const connection of state.connections) connection.sweep(state.sweeper.time)
      }),
      connections: new Set(),
      isDraining: false,
      isClosing: false,
    }
    const events = new Events(state)
    this.#state = state
    this.#events = events
    this.#server = createServer((incoming) => events.isUpgrade(incoming))
    events.attachTo(this.#server)
    const limits = options.limits()
    state.sweeper.quicken(Math.min(limits.headersTimeout, limits.requestTimeout, limits.idleTimeout))
    state.sweeper.start()
  }

  serve(socket: Socket, facts: ConnectionFacts): void {
    const { options, connections } = this.#state
    // node:http's own listener makes the parser: the limit must be set before it, and ours must have the last word after it.
    setParserLimit(this.#server, options.limits().headers)
    this.#server.emit('connection', socket)
    const connection = new Connection(socket, facts, this.#state)
    this.#events.follow(connection)
    connections.add(connection)
    options.onConnections?.(connections.size)
  }

  get connections(): number {
    return this.#state.connections.size
  }

  beginDrain(): void {
    this.#state.isDraining = true
  }

  beginClose(): void {
    this.#state.isClosing = true
  }

  cut(): void {
    for (const { socket } of this.#state.connections) socket.destroy()
  }

  stop(): void {
    this.#state.sweeper.stop()
  }
}

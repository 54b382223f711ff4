/** HTTP/1.1 on our own parsers. */
import { RequestHeadParser } from '../../wire/request-head.ts'
import { Sweeper } from '../../wire/sweeper.ts'
import { DateText } from '../../wire/write.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Plane } from '../plane.ts'
import { Connection } from './connection.ts'
import type { WireState } from './state.ts'

export function createWirePlane(options: ListenerOptions): Plane {
  const state: WireState = {
    options,
    sweeper: new Sweeper(() => {
      for (const connection of state.connections) connection.sweep(state.sweeper.time)
    }),
    connections: new Set(),
    date: new DateText(),
    parser: new RequestHeadParser(),
    isDraining: false,
    isClosing: false,
  }
  const { headersTimeout, requestTimeout, idleTimeout } = options.limits()
  state.sweeper.quicken(Math.min(headersTimeout, requestTimeout, idleTimeout))
  state.sweeper.start()
  return {
    serve(socket, facts) {
      state.connections.add(new Connection(socket, facts, state))
      options.onConnections?.(state.connections.size)
    },
    get connections() {
      return state.connections.size
    },
    beginDrain() {
      state.isDraining = true
    },
    beginClose() {
      state.isDraining = true
      state.isClosing = true
    },
    cut() {
      for (const { socket } of state.connections) socket.destroy()
    },
    stop() {
      state.sweeper.stop()
    },
  }
}

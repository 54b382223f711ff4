/** HTTP/2 on node:http2: each stream becomes a request like any other. */
import type { Socket } from 'node:net'
import type { ConnectionFacts } from '../../exchange.ts'
import type { ListenerOptions } from '../listener.ts'
import { Sweeper } from '../../wire/sweeper.ts'
import type { Plane } from '../plane.ts'
import { Http2Session, type PlaneState } from './session.ts'

export function createHttp2Plane(options: ListenerOptions): Plane {
  return new Http2Plane(options)
}

class Http2Plane implements Plane {
  readonly #state: PlaneState

  constructor(options: ListenerOptions) {
    const state: PlaneState = {
      options,
      sweeper: new Sweeper(() => {
        for (const session of state.sessions) session.sweep(state.sweeper.time)
      }),
      sessions: new Set(),
      isDraining: false,
      closingSince: -1,
    }
    this.#state = state
    const limits = options.limits()
    state.sweeper.quicken(Math.min(limits.headersTimeout, limits.requestTimeout, limits.idleTimeout))
    state.sweeper.start()
  }

  serve(socket: Socket, facts: ConnectionFacts): void {
    const { options, sessions } = this.#state
    // Gone while it was looked at: there is nothing for a session to read from.
    if (socket.destroyed) return
    sessions.add(new Http2Session(socket, facts, this.#state))
    options.onConnections?.(sessions.size)
  }

  get connections(): number {
    return this.#state.sessions.size
  }

  beginDrain(): void {
    this.#state.isDraining = true
  }

  beginClose(): void {
    this.#state.isDraining = true
    this.#state.closingSince = this.#state.sweeper.soon
  }

  cut(): void {
    for (const session of this.#state.sessions) session.cut()
  }

  stop(): void {
    this.#state.sweeper.stop()
  }
}

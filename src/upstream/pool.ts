/**
 * Idle connections to one target, the last one used first: it is the least likely to have been closed meanwhile.
 * What is bounded is how many wait idle. Connections in use are as many as there are requests from clients; a bound on
 * them would let a few hundred event streams shut everybody else out.
 */
import type { Connection } from './wire.ts'

const mostIdle = 256

export class Pool {
  readonly #idle: Connection[] = []
  #isClosed = false

  get idle(): number {
    return this.#idle.length
  }

  take(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined || connection.isOpen) {
        return connection
      }
    }
  }

  /**
   * Keeps a connection whose exchange has ended, or closes it. Only after what came in the same packet was read:
   * bytes behind the answer close the connection, and must not be taken for the answer to the next request.
   */
  give(connection: Connection): void {
    setImmediate(() => {
      if (!connection.isOpen) {
        return
      }
      if (this.#isClosed || this.#idle.length >= mostIdle) {
        connection.destroy()
        return
      }
      this.#idle.push(connection)
    })
  }

  /** Forgets a connection that was closed while idle. */
  drop(connection: Connection): void {
    const index = this.#idle.indexOf(connection)
    if (index !== -1) {
      this.#idle.splice(index, 1)
    }
  }

  /** Closes the idle connections that the test names. */
  retire(isStale: (connection: Connection) => boolean): void {
    for (const connection of this.#idle.splice(0)) {
      if (isStale(connection)) {
        connection.destroy()
      } else {
        this.#idle.push(connection)
      }
    }
  }

  /** Closes the idle ones now, the others when they are given back. */
  close(): void {
    this.#isClosed = true
    this.retire(() => true)
  }
}

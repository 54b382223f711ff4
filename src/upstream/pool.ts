/**
 * Idle connections to one target, the last one used first: it is the least likely to have been closed meanwhile.
 * What is bounded is how many wait idle. Connections in use are as many as there are requests from clients; a bound on
 * them would let a few hundred event streams shut everybody else out.
 */
import type { Connection } from './connection.ts'

const mostIdle = 256
/** Milliseconds between two looks for connections that were idle for too long. */
const lookEvery = 500

export class Pool {
  readonly #idle: Connection[] = []
  /** Given back in this turn of the loop. */
  #returning: Connection[] = []
  #timer: NodeJS.Timeout | undefined = undefined
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
      connection.destroy()
    }
  }

  /**
   * Keeps a connection whose exchange has ended, or closes it. Only after what came in the same turn of the loop was read:
   * bytes behind the answer close the connection, and must not be taken for the answer to the next request.
   */
  give(connection: Connection): void {
    this.#returning.push(connection)
    if (this.#returning.length === 1) setImmediate(keepReturned, this)
  }

  keepReturned(): void {
    const returning = this.#returning
    this.#returning = []
    for (const connection of returning) {
      if (!connection.isOpen || this.#isClosed || this.#idle.length >= mostIdle) connection.destroy()
      else this.#idle.push(connection)
    }
    if (this.#idle.length > 0) this.#timer ??= setInterval(() => this.#look(), lookEvery).unref()
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
    for (const connection of this.#returning) if (isStale(connection)) connection.destroy()
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

  #look(): void {
    this.retire((connection) => !connection.isOpen || connection.isExpired === true)
    if (this.#idle.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function keepReturned(pool: Pool): void {
  pool.keepReturned()
}

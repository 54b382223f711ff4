/** An upstream on bare sockets: it answers with exactly the bytes that a test writes, right or wrong, and keeps all that it was sent. */
import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export interface RawUpstream {
  readonly url: string
  readonly port: number
  /** In the order in which they came. */
  readonly connections: RawConnection[]
  /** @throws what the behaviour expected in vain */
  close(): Promise<void>
}

/** One connection as the upstream sees it. */
export class RawConnection {
  readonly socket: Socket
  readonly #events = new EventEmitter()
  received = ''
  /** The gateway ended its side. */
  isEnded = false
  isClosed = false
  #read = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#events.emit('progress')
    })
    socket.on('error', () => undefined)
    socket.on('end', () => {
      this.isEnded = true
      this.#events.emit('progress')
    })
    socket.on('close', () => {
      this.isClosed = true
      this.#events.emit('progress')
    })
  }

  /** @returns the next request's head once it is there; heads are told apart by their empty line, so bodies must be read with `until` */
  async head(): Promise<string> {
    await this.until((received) => received.indexOf('\r\n\r\n', this.#read) !== -1)
    const end = this.received.indexOf('\r\n\r\n', this.#read) + 4
    const head = this.received.slice(this.#read, end)
    this.#read = end
    return head
  }

  /** Passes over a body that `until` waited for, so that `head` finds the next one. */
  skip(bytes: number): void {
    this.#read += bytes
  }

  /** Waits until what was received satisfies the test. */
  async until(test: (received: string) => boolean): Promise<void> {
    while (!test(this.received)) {
      if (this.isClosed || this.isEnded) {
        throw new Error(`closed after ${JSON.stringify(this.received.slice(0, 500))}`)
      }
      await once(this.#events, 'progress')
    }
  }

  /** Waits until the gateway ended or cut the connection. */
  async gone(): Promise<void> {
    while (!this.isClosed && !this.isEnded) {
      await once(this.#events, 'progress')
    }
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Sends an answer of 200 with this body. */
  answer(body: string, fields = ''): void {
    this.send(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
}

/**
 * @param behave runs for each connection; a connection that closes early ends it
 * @param tls speaks TLS with these options
 */
export async function startRawUpstream(
  behave: (connection: RawConnection, index: number) => Promise<void> | void,
  tls?: TlsOptions,
): Promise<RawUpstream> {
  const connections: RawConnection[] = []
  let failure: Error | undefined
  const accept = (socket: Socket): void => {
    const connection = new RawConnection(socket)
    connections.push(connection)
    void run(connection, connections.length - 1)
  }
  const server: Server =
    tls === undefined
      ? createServer({ allowHalfOpen: true }, accept)
      : createTlsServer({ allowHalfOpen: true, ...tls }, accept)
  // Below TLS, too: a handshake that was given up leaves a connection that nobody else knows.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const run = async (connection: RawConnection, index: number): Promise<void> => {
    try {
      await behave(connection, index)
    } catch (error) {
      // The gateway may go away in the middle of what a test planned, and the test looks at what it did instead; but a failed expectation counts.
      if (error instanceof Error && error.name === 'AssertionError') {
        failure ??= error
      }
      connection.socket.destroy()
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    connections,
    async close() {
      for (const { socket } of connections) {
        socket.destroy()
      }
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      if (failure !== undefined) {
        throw failure
      }
    },
  }
}

/** A client on a bare socket: sends exactly the bytes of a test and keeps all that comes back. */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'

export class RawClient {
  readonly socket: Socket
  readonly #events = new EventEmitter()
  received = ''
  isEnded = false
  isClosed = false

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#events.emit('progress')
    })
    this.socket.on('error', () => undefined)
    this.socket.on('end', () => {
      this.isEnded = true
      this.#events.emit('progress')
    })
    this.socket.on('close', () => {
      this.isClosed = true
      this.#events.emit('progress')
    })
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Waits until what was received satisfies the test. */
  async until(test: (received: string) => boolean): Promise<string> {
    while (!test(this.received)) {
      if (this.isClosed || this.isEnded) {
        throw new Error(`ended after ${JSON.stringify(this.received.slice(0, 500))}`)
      }
      await once(this.#events, 'progress')
    }
    return this.received
  }

  /** @returns all that came until the other side ended or cut the connection */
  async all(): Promise<string> {
    while (!this.isEnded && !this.isClosed) {
      await once(this.#events, 'progress')
    }
    return this.received
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Sends one request that ends the connection and returns the whole answer. */
export async function exchange(port: number, request: string): Promise<string> {
  const client = new RawClient(port).send(request)
  const answer = await client.all()
  client.close()
  return answer
}

export function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n${fields}\r\n`
}

/** The server of node:http, set as the first data plane sets it, fed with bytes without a network. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import type { Message, Reading } from './reading.ts'

/** Turns of the event loop after which it has read all that it was given. */
const turns = 4

export class NodeHttp {
  readonly #server: Server
  #reading: Reading = { messages: [], open: undefined, state: 'idle', why: '' }

  constructor() {
    this.#server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      keepAliveTimeout: 0,
      maxHeaderSize: 128 * 1024,
      headersTimeout: 0,
      requestTimeout: 0,
    })
    this.#server.maxHeadersCount = 0
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
      this.#server.on(event, (request: IncomingMessage, response: ServerResponse) =>
        this.#take(request, response),
      )
    this.#server.on('connect', (_request, socket) => socket.destroy())
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const code = error.code ?? error.message
      this.#reading.state = code === 'HPE_CLOSED_CONNECTION' ? 'over' : 'refused'
      this.#reading.why = code
      // Not closed yet: what came before the fault is still being handed over.
      if (!code.startsWith('HPE_')) socket.destroy()
    })
  }

  /** @returns whole messages; where they end is not to be learnt from node:http */
  async read(bytes: string): Promise<Reading> {
    const reading: Reading = { messages: [], open: undefined, state: 'idle', why: '' }
    this.#reading = reading
    const stream = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
      allowHalfOpen: true,
    })
    stream.on('error', () => undefined)
    this.#server.emit('connection', stream)
    stream.push(Buffer.from(bytes, 'latin1'))
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    stream.destroy()
    return reading
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const reading = this.#reading
    const message: Message = {
      method: request.method ?? '',
      target: request.url ?? '',
      status: 0,
      version: request.httpVersion,
      fields: request.rawHeaders,
      body: '',
      end: -1,
      persists: response.shouldKeepAlive,
    }
    request.on('data', (chunk: Buffer) => {
      message.body += chunk.toString('latin1')
    })
    request.on('end', () => {
      reading.messages.push(message)
      response.end()
    })
    request.on('error', () => undefined)
    response.on('error', () => undefined)
  }
}

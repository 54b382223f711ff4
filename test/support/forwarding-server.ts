/** The smallest listener that hands requests to an upstream: node:http behind `ServerRequest`, without any of the checks that a gateway makes. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable, type Duplex } from 'node:stream'
import type { Answer, AnswerWriter, FieldLines, ForwardPlan, ServerRequest } from '../../src/exchange.ts'
import type { ForwardHooks, ForwardResult, Upstream } from '../../src/upstream/upstream.ts'
import { withoutHopByHop } from '../../src/engine/fields.ts'

export interface ForwardingServer {
  readonly port: number
  readonly url: string
  readonly results: ForwardResult[]
  /** @returns the next result that was not taken yet */
  result(): Promise<ForwardResult>
  close(): Promise<void>
}

export interface ForwardingOptions {
  readonly plan?: Partial<ForwardPlan>
  readonly hooks?: Partial<ForwardHooks>
  /** Stands between the client's body and the upstream. */
  readonly body?: (body: Readable) => Readable
}

export async function startForwardingServer(
  upstream: Upstream,
  options: ForwardingOptions = {},
): Promise<ForwardingServer> {
  const results: ForwardResult[] = []
  const waiting: ((result: ForwardResult) => void)[] = []
  const sockets = new Set<Socket>()

  const handle = async (request: PlainRequest): Promise<void> => {
    const { method, target } = request
    const plan: ForwardPlan = {
      upstream: upstream.name,
      method,
      target,
      fields: withoutHopByHop(request.fields).filter(
        (_, index, all) => all[index - (index % 2)]!.toLowerCase() !== 'host',
      ),
      host: undefined,
      hashKey: undefined,
      deadline: Infinity,
      stillGood: () => true,
      ...options.plan,
    }
    const hooks: ForwardHooks = { decorate: (_status, fields) => fields, ...options.hooks }
    const result = await upstream.forward(request, plan, hooks)
    if (result.outcome === 'refused') {
      const { status, code, reason, retryAfter } = result.refusal
      const fields = ['Content-Type', 'application/json', 'X-Reason', reason]
      request.answer({
        status,
        fields: retryAfter === undefined ? fields : [...fields, 'Retry-After', String(retryAfter)],
        body: JSON.stringify({ code }),
      })
    }
    const take = waiting.shift()
    if (take === undefined) {
      results.push(result)
    } else {
      take(result)
    }
  }

  const server = createServer(
    (incoming, response) => void handle(new PlainRequest(incoming, response, undefined, options)),
  )
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, early: Buffer) => {
    socket.on('error', () => undefined)
    socket.unshift(early)
    void handle(new PlainRequest(incoming, undefined, socket, options))
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    results,
    result() {
      const result = results.shift()
      return result === undefined
        ? new Promise((resolve) => {
            waiting.push(resolve)
          })
        : Promise.resolve(result)
    },
    async close() {
      for (const socket of sockets) {
        socket.destroy()
      }
      server.close()
      await once(server, 'close')
    },
  }
}

class PlainRequest implements ServerRequest {
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly fields: FieldLines
  readonly hasBody: boolean
  declare readonly contentLength?: number
  readonly isUpgrade: boolean
  readonly receivedAt: number = Date.now()
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse | undefined
  readonly #socket: Socket
  readonly #options: ForwardingOptions

  constructor(
    incoming: IncomingMessage,
    response: ServerResponse | undefined,
    upgraded: Socket | undefined,
    options: ForwardingOptions,
  ) {
    this.method = incoming.method ?? ''
    this.target = incoming.url ?? ''
    this.version = incoming.httpVersion === '1.0' ? '1.0' : '1.1'
    this.fields = incoming.rawHeaders
    const length = incoming.headers['content-length']
    if (length !== undefined) {
      this.contentLength = Number(length)
    }
    this.hasBody = incoming.headers['transfer-encoding'] !== undefined || Number(length ?? 0) > 0
    this.isUpgrade = upgraded !== undefined
    this.#incoming = incoming
    this.#response = response
    this.#socket = upgraded ?? incoming.socket
    this.#options = options
  }

  get connection(): ServerRequest['connection'] {
    throw new Error('an upstream does not ask for it')
  }

  limitBody(): void {}

  body(): Readable {
    // A stream of its own, so that the connection outlives an abandoned body.
    const body = new Readable({ read: () => this.#incoming.resume() })
    this.#incoming.on('data', (chunk: Buffer) => {
      if (!body.push(chunk)) {
        this.#incoming.pause()
      }
    })
    this.#incoming.on('end', () => body.push(null))
    this.#incoming.on('close', () => {
      if (!this.#incoming.complete) {
        body.destroy(new Error('the client went away'))
      }
    })
    return this.#options.body?.(body) ?? body
  }

  onAbort(callback: () => void): () => void {
    const onClose = (): void => {
      if (this.#response?.writableFinished !== true) {
        callback()
      }
    }
    this.#socket.once('close', onClose)
    return () => this.#socket.off('close', onClose)
  }

  answer(answer: Answer): void {
    if (this.#response === undefined) {
      const lines = linesOf(answer.fields)
      this.#socket.end(
        `HTTP/1.1 ${answer.status} No\r\n${lines}Content-Length: ${Buffer.byteLength(answer.body)}\r\n\r\n${answer.body}`,
      )
      return
    }
    this.#response.writeHead(answer.status, [...answer.fields, 'Connection', 'close'])
    this.#response.end(answer.body)
  }

  inform(status: number, fields: FieldLines): void {
    const headers: OutgoingHttpHeaders = {}
    for (let index = 0; index < fields.length; index += 2) {
      headers[fields[index]!] = fields[index + 1]!
    }
    ;(
      this.#response as unknown as { writeInformation(status: number, headers: object): void }
    ).writeInformation(status, headers)
  }

  begin(head: { status: number; reason: string; fields: FieldLines }): AnswerWriter {
    const response = this.#response
    if (response === undefined) {
      return this.#beginOnSocket(head)
    }
    response.sendDate = false
    response.writeHead(head.status, head.reason, [...head.fields])
    response.flushHeaders()
    return {
      write: (chunk) => response.write(chunk),
      onDrain: (callback) => response.once('drain', callback),
      end(trailers) {
        if (trailers !== undefined) {
          response.addTrailers(pairs(trailers))
        }
        response.end()
      },
      abort: () => this.#socket.destroy(),
    }
  }

  /** The answer to an upgrade that was declined. */
  #beginOnSocket(head: { status: number; reason: string; fields: FieldLines }): AnswerWriter {
    const socket = this.#socket
    socket.write(`HTTP/1.1 ${head.status} ${head.reason}\r\n${linesOf(head.fields)}Connection: close\r\n\r\n`)
    return {
      write: (chunk) => socket.write(chunk),
      onDrain: (callback) => socket.once('drain', callback),
      end: () => socket.end(),
      abort: () => socket.destroy(),
    }
  }

  tunnel(fields: FieldLines): Duplex {
    this.#socket.write(`HTTP/1.1 101 Switching Protocols\r\n${linesOf(fields)}\r\n`, 'latin1')
    return this.#socket
  }
}

function pairs(fields: FieldLines): [string, string][] {
  return fields.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, fields[index + 1]!]] : [],
  )
}

function linesOf(fields: FieldLines): string {
  return pairs(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

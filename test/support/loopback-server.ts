import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface LoopbackServer {
  /** Origin, with the port. */
  readonly origin: string
  readonly port: number
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[]
  /** What answers from now on. */
  handler: Handler
  close(): Promise<void>
}

/** A real server on 127.0.0.1, on a free port or on the one given; with `tls` it speaks https. */
export async function serveLoopback(
  handler: Handler,
  port = 0,
  tls?: ServerOptions,
): Promise<LoopbackServer> {
  const asked: string[] = []
  const answer: Handler = (request, response) => {
    asked.push(request.url ?? '')
    served.handler(request, response)
  }
  const server: Server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const at = (server.address() as AddressInfo).port
  const served: LoopbackServer = {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${at}`,
    port: at,
    asked,
    handler,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return served
}

export function json(body: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): Handler {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

// The upstream of the soak: small and large answers, bodies, slow answers and event streams.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const largeAnswer: number = 256 * 1024

/** Starts it in this process, on a free loopback port. */
export async function startSoakUpstream(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const large = Buffer.alloc(largeAnswer, 'x')
  const server = createServer((request, response) => answer(request, response, large))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse, large: Buffer): void {
  const path = request.url ?? ''
  if (request.method === 'POST') {
    let size = 0
    request.on('data', (chunk: Buffer) => (size += chunk.length))
    request.once('end', () => response.end(String(size)))
  } else if (path.endsWith('/large')) response.end(large)
  else if (path.endsWith('/slow')) setTimeout(() => response.end('late'), 300)
  else if (path.endsWith('/events')) sendEvents(response)
  else response.end('{"items":[]}')
}

function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  const timer = setInterval(() => response.write('data: tick\n\n'), 20)
  response.once('close', () => clearInterval(timer))
}

/** A backend that records every request which reaches it, byte for byte, and answers what the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Recorded {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** False when the request broke off: no well-formed end was seen. */
  readonly complete: boolean
}

export interface TestUpstream extends AsyncDisposable {
  readonly url: string
  readonly requests: Recorded[]
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void
  close(): Promise<void>
}

export async function startTestUpstream(port = 0): Promise<TestUpstream> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    const record = (): void => {
      const body = Buffer.concat(chunks).toString()
      const { method = '', url = '', rawHeaders, headers, complete } = request
      self.requests.push({ method, url, rawHeaders, headers, body, complete })
      if (complete) self.answer(request, response, body)
    }
    let isRecorded = false
    const once = (): void => {
      if (!isRecorded) record()
      isRecorded = true
    }
    request.on('end', once)
    request.on('close', once)
    request.on('error', once)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const self: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('hello\n'),
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}

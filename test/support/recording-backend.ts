/** A backend on bare sockets that counts the messages it was sent and keeps their bytes: what it has not seen did not get through. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface RecordedMessage {
  /** Request line and fields, without the empty line. */
  readonly head: string
  readonly line: string
  readonly body: string
  /** Values of the field, whatever the case of its name. */
  values(name: string): readonly string[]
}

export interface RecordingBackend {
  readonly port: number
  /** Whole messages, in order. */
  readonly messages: RecordedMessage[]
  /** Every byte that came since the last `forget`. */
  readonly bytes: () => string
  /** Writes the answer to a message. */
  answer: (message: RecordedMessage, socket: Socket) => void
  forget(): void
  close(): Promise<void>
}

export const plainAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export async function startRecordingBackend(): Promise<RecordingBackend> {
  const sockets = new Set<Socket>()
  let bytes = ''
  const server = createServer((socket) => {
    let rest = ''
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
      rest += chunk.toString('latin1')
      for (let message = take(rest); message !== undefined; message = take(rest)) {
        rest = message.rest
        self.messages.push(message.recorded)
        self.answer(message.recorded, socket)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const self: RecordingBackend = {
    port: (server.address() as AddressInfo).port,
    messages: [],
    bytes: () => bytes,
    answer: ({ line }, socket) =>
      void socket.write(line.startsWith('HEAD ') ? plainAnswer.slice(0, -2) : plainAnswer),
    forget() {
      self.messages.length = 0
      bytes = ''
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return self
}

/** Reads one message as a simple server does, so that whatever makes it see two is seen. */
function take(text: string): { readonly recorded: RecordedMessage; readonly rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const isChunked = /\r\ntransfer-encoding: *chunked/i.test(head)
  if (isChunked && length !== undefined) throw new Error(`two lengths went upstream: ${head}`)
  const body = isChunked ? takeChunks(text, end + 4) : { text: '', end: end + 4 + Number(length ?? 0) }
  if (body === undefined || body.end > text.length) return undefined
  const [line = '', ...fields] = head.split('\r\n')
  const values = (name: string): string[] =>
    fields.flatMap((field) => {
      const colon = field.indexOf(':')
      return field.slice(0, colon).toLowerCase() === name.toLowerCase() ? [field.slice(colon + 1).trim()] : []
    })
  const content = isChunked ? body.text : text.slice(end + 4, body.end)
  return { recorded: { head, line, body: content, values }, rest: text.slice(body.end) }
}

function takeChunks(text: string, from: number): { readonly text: string; readonly end: number } | undefined {
  let at = from
  let content = ''
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', line)
      return end === -1 ? undefined : { text: content, end: end + 4 }
    }
    if (text.length < line + 4 + size) return undefined
    content += text.slice(line + 2, line + 2 + size)
    at = line + 4 + size
  }
}

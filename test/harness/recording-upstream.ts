/** An upstream that keeps every byte of each connection, counts messages with the strict reader, and answers with what it saw. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { readRequest, values, type StrictMessage } from './strict-reader.ts'

export interface RecordedConnection {
  readonly socket: Socket
  /** Bytes behind the last whole message. */
  rest: string
  /** Bytes of whole messages. */
  whole: number
  isOver: boolean
}

export interface RecordingUpstream {
  readonly port: number
  /** Whole messages in order, over all connections. */
  readonly messages: StrictMessage[]
  /** What was sent here and is no HTTP/1.1 as the RFC has it. Must stay empty. */
  readonly faults: string[]
  /** Connections on which a message has begun. */
  unfinished(): RecordedConnection[]
  /** Forgets a connection that has been looked at. */
  drop(connection: RecordedConnection): void
  close(): Promise<void>
}

/** @returns the identity that the message was given, if it is exactly one */
export function subjectOf(message: StrictMessage): string | undefined {
  const subjects = values(message.fields, 'x-auth-subject')
  return subjects.length === 1 ? subjects[0] : undefined
}

/** @param answer to a whole message; what it saw, as JSON, where it is left out */
export async function startRecordingUpstream(
  answer: (message: StrictMessage) => string = answerOf,
  port = 0,
): Promise<RecordingUpstream> {
  const connections = new Set<RecordedConnection>()
  const messages: StrictMessage[] = []
  const faults: string[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection: RecordedConnection = { socket, rest: '', whole: 0, isOver: false }
    connections.add(connection)
    const over = (): void => {
      connection.isOver = true
      if (connection.rest === '') connections.delete(connection)
      socket.destroy()
    }
    socket.on('error', over)
    socket.on('end', over)
    socket.on('close', over)
    socket.on('data', (chunk: Buffer) => {
      connection.rest += chunk.toString('latin1')
      for (;;) {
        const reading = connection.rest === '' ? undefined : readRequest(connection.rest)
        if (reading?.kind === 'fault')
          faults.push(`${reading.why}: ${JSON.stringify(connection.rest.slice(0, 600))}`)
        if (reading?.kind !== 'whole') return
        const { message } = reading
        connection.rest = connection.rest.slice(message.end)
        connection.whole += message.end
        messages.push(message)
        socket.write(answer(message), 'latin1')
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    faults,
    unfinished: () => [...connections].filter(({ rest }) => rest !== ''),
    drop: (connection) => void connections.delete(connection),
    async close() {
      for (const { socket } of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What `answerOf` tells. */
export interface Told {
  readonly method: string
  readonly target: string
  readonly subject: string | null
  readonly length: number
}

export function answerOf(message: StrictMessage): string {
  const told: Told = {
    method: message.method,
    target: message.target,
    subject: subjectOf(message) ?? null,
    length: message.body.length,
  }
  const body = JSON.stringify(told)
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  return message.method === 'HEAD' ? head : head + body
}

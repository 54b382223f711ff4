/** An upstream that answers with whatever bytes it is given for a target, and everything else honestly, with what it saw. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { answerOf } from './recording-upstream.ts'
import { readRequest } from './strict-reader.ts'

export interface HostileConnection {
  /** Requests that have come on it. */
  readonly targets: string[]
  /** The gateway ended or cut it. */
  isOver: boolean
}

export interface Behaviour {
  /** Parts with a pause between them, each in pieces that are packets of their own. */
  readonly parts: readonly (readonly string[])[]
  readonly then: 'stays' | 'ends' | 'resets'
  /** Answers when the head has come, whatever is still to come of the body. */
  readonly isEarly: boolean
}

export interface HostileUpstream {
  readonly port: number
  /** By target. */
  readonly behaviours: Map<string, Behaviour>
  /** The connection on which the target was asked for. */
  connectionOf(target: string): HostileConnection | undefined
  /** Requests that are no HTTP/1.1. */
  readonly faults: string[]
  close(): Promise<void>
}

/** @param pause milliseconds between the parts of an answer */
export async function startHostileUpstream(pause = 25): Promise<HostileUpstream> {
  const sockets = new Set<Socket>()
  const byTarget = new Map<string, HostileConnection>()
  const behaviours = new Map<string, Behaviour>()
  const faults: string[] = []

  const behave = async (socket: Socket, { parts, then }: Behaviour): Promise<void> => {
    for (const [index, part] of parts.entries()) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, pause))
      for (const [at, piece] of part.entries()) {
        // Whoever reads is in this process: it has read the piece before.
        for (let turns = at === 0 ? 0 : 2; turns > 0; turns -= 1)
          await new Promise((resolve) => setImmediate(resolve))
        if (socket.destroyed) return
        if (piece !== '') socket.write(piece, 'latin1')
      }
    }
    if (then === 'ends') socket.end()
    else if (then === 'resets') socket.resetAndDestroy()
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection: HostileConnection = { targets: [], isOver: false }
    let rest = ''
    /** Of a body that is not waited for. */
    let isDeaf = false
    sockets.add(socket)
    const over = (): void => {
      connection.isOver = true
      sockets.delete(socket)
      socket.end()
    }
    socket.on('error', over)
    socket.on('end', over)
    socket.on('close', over)
    socket.on('data', (chunk: Buffer) => {
      rest += chunk.toString('latin1')
      while (!isDeaf && rest !== '') {
        const reading = readRequest(rest)
        if (reading.kind === 'fault') faults.push(`${reading.why}: ${JSON.stringify(rest.slice(0, 600))}`)
        const message =
          reading.kind === 'whole' ? reading.message : reading.kind === 'partial' ? reading.head : undefined
        const behaviour = message === undefined ? undefined : behaviours.get(message.target)
        isDeaf = reading.kind === 'partial' && behaviour?.isEarly === true
        if (message === undefined || (reading.kind !== 'whole' && !isDeaf)) return
        rest = isDeaf ? '' : rest.slice(message.end)
        connection.targets.push(message.target)
        byTarget.set(message.target, connection)
        if (behaviour === undefined) socket.write(answerOf(message), 'latin1')
        else void behave(socket, behaviour)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    behaviours,
    connectionOf: (target) => byTarget.get(target),
    faults,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

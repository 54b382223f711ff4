/** A socket's events, told to its connection by listeners that all connections share: an idle connection holds no closures. */
import type { Socket } from 'node:net'

export interface SocketListener {
  read(bytes: Buffer): void
  /** The peer ended its side. */
  ended(): void
  drained(): void
  closed(): void
}

const owner = Symbol('connection')

interface OwnedSocket extends Socket {
  [owner]: SocketListener
}

export function listenTo(socket: Socket, connection: SocketListener): void {
  ;(socket as OwnedSocket)[owner] = connection
  socket.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', ignore).on('close', onClose)
}

/** `error` and `close` stay: a tunnel's end is still a connection's end. */
export function stopListening(socket: Socket): void {
  socket.off('data', onData).off('end', onEnd).off('drain', onDrain)
}

function onData(this: Socket, bytes: Buffer): void {
  ;(this as OwnedSocket)[owner].read(bytes)
}

function onEnd(this: Socket): void {
  ;(this as OwnedSocket)[owner].ended()
}

function onDrain(this: Socket): void {
  ;(this as OwnedSocket)[owner].drained()
}

function onClose(this: Socket): void {
  ;(this as OwnedSocket)[owner].closed()
}

function ignore(): void {
  // A reset is told by 'close' too; without a listener it would end the process.
}

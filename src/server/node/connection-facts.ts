import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ListenerSettings } from '../../configuration.ts'
import type { ConnectionFacts } from '../../exchange.ts'
import { plainAddress } from '../address.ts'

/** @returns undefined when the peer is gone already, and its address with it */
export function connectionFacts(socket: Socket, listener: ListenerSettings): ConnectionFacts | undefined {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  const facts = { address: plainAddress(remoteAddress), port: remotePort, listener }
  return socket instanceof TLSSocket ? { ...facts, tls: tlsFacts(socket) } : facts
}

function tlsFacts(socket: TLSSocket): NonNullable<ConnectionFacts['tls']> {
  const facts = { version: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().standardName }
  // Node says `false` where the client named none; its types do not.
  const serverName = (socket as { servername?: string | false }).servername
  return typeof serverName === 'string' ? { ...facts, serverName } : facts
}

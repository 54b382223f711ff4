import type { Socket } from 'node:net'

/**
 * Ends our side of a connection and discards what still comes. Closing at once while the client sends would make the system
 * answer with a reset, and a reset throws away the refusal that lies unread in the client's buffer.
 * The caller bounds the time; the socket closes by itself when the client ends its side.
 *
 * @param bytes how much is discarded before the connection is cut
 * @see RFC 9112, section 9.6
 */
export function linger(socket: Socket, bytes: number): void {
  socket.end()
  if (socket.readableEnded) return
  let left = bytes
  // Away from the parser: nothing that comes now is a request.
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) socket.destroy()
  })
  socket.resume()
}

import type { Socket } from 'node:net'

/** Milliseconds for the answer of an upstream that takes no more of the request; usually its end is read at once. */
const patience = 10_000

/**
 * An upstream that refuses an upload answers, and closes before it has read everything: the write fails, and a stream whose write
 * failed is destroyed with the answer unread in it. So a failed write only ends writing: the socket stays for a while, to be read.
 *
 * @param isWanted whether somebody still waits for an answer
 * @param onFailed told once; what is written afterwards goes nowhere
 */
export function guardWrites(socket: Socket, isWanted: () => boolean, onFailed: () => void): void {
  let hasFailed = false
  type Callback = (error?: Error | null) => void
  const after =
    (callback: Callback): Callback =>
    (error) => {
      if (error === undefined || error === null || hasFailed || !isWanted()) {
        callback(error)
        return
      }
      hasFailed = true
      onFailed()
      setTimeout(() => socket.destroy(error), patience).unref()
      callback()
    }
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, after(callback))
  const writeSeveral = socket._writev!.bind(socket)
  socket._writev = (chunks, callback) => writeSeveral(chunks, after(callback))
}

/** For a socket that is handed on. */
export function unguardWrites(socket: Socket): void {
  Reflect.deleteProperty(socket, '_write')
  Reflect.deleteProperty(socket, '_writev')
}

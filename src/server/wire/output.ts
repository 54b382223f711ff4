/** What leaves on a client connection, in order. Small answers are held back until the end of the turn of the loop. */
import type { Socket } from 'node:net'
import { leaveSoon, type Sender } from '../../wire/outbox.ts'

/** Bytes that are held back at most. */
const mostHeldBack = 64 * 1024

export class Output implements Sender {
  readonly socket: Socket
  /** The sweeper's time at which the client was last seen to take something. */
  sentAt = 0
  #sent = -1
  #held = ''

  constructor(socket: Socket) {
    this.socket = socket
  }

  /**
   * Leaves at the end of this turn of the loop.
   *
   * @param text bytes as Latin-1
   */
  send(text: string): void {
    if (this.#held === '') leaveSoon(this)
    this.#held += text
    if (this.#held.length > mostHeldBack) this.leave()
  }

  /** Leaves at once, behind what was held back. */
  write(bytes: Uint8Array | string, encoding: BufferEncoding = 'latin1'): void {
    this.leave()
    if (!this.socket.destroyed) this.socket.write(bytes, encoding)
  }

  leave(): void {
    const held = this.#held
    if (held === '') return
    this.#held = ''
    if (!this.socket.destroyed) this.socket.write(held, 'latin1')
  }

  /** Ends the connection at once. Answers that were given before leave all the same, as far as the system takes them. */
  cut(): void {
    this.leave()
    this.socket.destroy()
  }

  /**
   * Bytes wait to be sent, and the client has taken none for so long.
   *
   * @param now the sweeper's time
   */
  isStalled(now: number, patience: number): boolean {
    const { socket } = this
    const waiting = socket.writableLength
    const sent = socket.bytesWritten - waiting
    if (sent !== this.#sent) {
      this.#sent = sent
      this.sentAt = now
      return false
    }
    return waiting > 0 && now - this.sentAt >= patience
  }
}

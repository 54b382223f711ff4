/** The first bytes of a connection, read before it is handed to anybody. */
import type { Socket } from 'node:net'

export interface OpeningOptions<Told> {
  readonly socket: Socket
  /**
   * @param bytes all that has arrived so far, at least one
   * @returns what they say, and how many of them are done with; undefined: not yet to be told
   */
  look(bytes: Buffer): { readonly told: Told; readonly used: number } | undefined
  /** Milliseconds until the first byte; without `time`, for all of it. */
  readonly silence: number
  /** Milliseconds from the first byte on. */
  readonly time?: number
  /** Called at most once. What was not used of the bytes is in the socket again, as if nobody had read it. */
  done(told: Told): void
  /**
   * Called instead when the connection ended, failed or took too long; it is closed then.
   *
   * @param bytes what had arrived, of no use; empty when nothing had
   */
  gaveUp?(bytes: Buffer): void
}

const none = Buffer.alloc(0)

export class Opening<Told> {
  readonly #options: OpeningOptions<Told>
  readonly #read = (): void => this.#take()
  readonly #fail = (): void => this.#giveUp()
  #bytes: Buffer = none
  #timer: NodeJS.Timeout

  constructor(options: OpeningOptions<Told>) {
    this.#options = options
    const { socket } = options
    this.#timer = setTimeout(this.#fail, options.silence)
    // Not `data`: that would leave the socket flowing, and nobody would be there for what flows.
    socket.on('readable', this.#read)
    socket.on('end', this.#fail)
    socket.on('close', this.#fail)
  }

  /** Waits no longer than this for a first byte, in milliseconds. */
  hurry(silence: number): void {
    if (this.#bytes.length > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#fail, Math.min(silence, this.#options.silence))
  }

  #take(): void {
    const { socket, time } = this.#options
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    if (this.#bytes.length === 0) {
      this.#bytes = chunk
      if (time !== undefined) {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(this.#fail, time)
      }
    } else this.#bytes = Buffer.concat([this.#bytes, chunk])
    const found = this.#options.look(this.#bytes)
    if (found === undefined) return
    this.#letGo()
    const rest = this.#bytes.subarray(found.used)
    if (rest.length > 0) socket.unshift(rest)
    this.#options.done(found.told)
  }

  #giveUp(): void {
    this.#letGo()
    this.#options.socket.destroy()
    this.#options.gaveUp?.(this.#bytes)
  }

  #letGo(): void {
    const { socket } = this.#options
    clearTimeout(this.#timer)
    socket.off('readable', this.#read)
    socket.off('end', this.#fail)
    socket.off('close', this.#fail)
  }
}

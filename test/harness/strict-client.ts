/** A client that sends any bytes, and takes for an answer only what the strict reader takes for one. */
import { connect, type Socket } from 'node:net'
import { readResponse, type StrictMessage } from './strict-reader.ts'

export interface StrictClientOptions {
  readonly port: number
  readonly host?: string
  /** Milliseconds that any wait may take. */
  readonly patience?: number
}

export class StrictClient {
  readonly #patience: number
  readonly #socket: Socket
  #received = ''
  #at = 0
  #wake: (() => void) | undefined = undefined
  /** The other side has ended, or cut the connection. */
  isOver = false
  isReset = false
  /** Statuses of interim answers so far. */
  readonly interims: number[] = []

  constructor({ port, host = '127.0.0.1', patience = 10_000 }: StrictClientOptions) {
    this.#patience = patience
    this.#socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#received += text
      this.#wake?.()
    })
    const over = (): void => {
      this.isOver = true
      this.#wake?.()
    }
    this.#socket.on('end', over)
    this.#socket.on('close', over)
    this.#socket.on('error', () => {
      this.isReset = true
      over()
    })
  }

  /** What came and no answer has taken. */
  get rest(): string {
    return this.#received.slice(this.#at)
  }

  send(bytes: string): this {
    this.#socket.write(bytes, 'latin1')
    return this
  }

  end(): this {
    this.#socket.end()
    return this
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /**
   * @param method of the request that it answers, or what tells it once the answer is there
   * @returns the next final answer; undefined when the connection ends before it is whole
   * @throws on bytes that are no answer, and when it does not come in time
   */
  async answer(method: string | (() => string) = 'GET'): Promise<StrictMessage | undefined> {
    const deadline = performance.now() + this.#patience
    for (;;) {
      const answered = typeof method === 'string' ? method : method()
      const reading = readResponse(this.#received, this.#at, answered, this.isOver && !this.isReset)
      if (reading.kind === 'fault')
        throw new Error(`${reading.why} in ${JSON.stringify(this.rest.slice(0, 300))}`)
      if (reading.kind === 'whole') {
        this.#at = reading.message.end
        if (reading.message.status >= 200) return reading.message
        this.interims.push(reading.message.status)
        continue
      }
      if (this.isOver) return undefined
      await this.#next(deadline)
    }
  }

  /** Takes `bytes` more, if they came. */
  skip(bytes: number): void {
    this.#at += bytes
  }

  /** Waits for the end. @throws when it does not come in time */
  async over(): Promise<void> {
    const deadline = performance.now() + this.#patience
    while (!this.isOver) await this.#next(deadline)
  }

  #next(deadline: number): Promise<void> {
    const left = deadline - performance.now()
    if (left <= 0) throw new Error(`waited in vain; got ${JSON.stringify(this.#received.slice(0, 300))}`)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, left)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}

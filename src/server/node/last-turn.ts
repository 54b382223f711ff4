import type { Answer } from '../../exchange.ts'
import type { Connection } from './connection.ts'
import type { Turn } from './turn.ts'
import { writeRawAnswer } from './writer.ts'

/** An answer after which the connection closes, written past node:http: refusals of step 1, where there may be no request at all. */
export class LastTurn implements Turn {
  readonly #connection: Connection
  readonly #method: string | undefined
  readonly #answer: () => Answer
  readonly isWhole = true
  isOver = false

  /**
   * @param method decides whether the body is sent
   * @param answer asked when the turn has come
   */
  constructor(connection: Connection, method: string | undefined, answer: () => Answer) {
    this.#connection = connection
    this.#method = method
    this.#answer = answer
  }

  start(): void {
    this.isOver = true
    const { socket, listener } = this.#connection
    try {
      const answer = this.#answer()
      if (socket.writable) writeRawAnswer(socket, this.#method, answer, listener.options.clock.now())
    } catch (fault) {
      // Who renders refusals should not throw; if they do, the connection ends without a word, and the process goes on.
      listener.options.onFault?.(fault)
    }
    this.#connection.close()
  }

  whenOver(): void {
    // Nothing comes after it.
  }

  failBody(): void {
    // A body of it is not read.
  }

  abandon(): void {
    // Nobody works for it.
  }

  sweep(): void {
    // It is over as soon as it starts.
  }
}

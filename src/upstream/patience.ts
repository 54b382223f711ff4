/** The one timer of a try: for the answer's head first, then for each next byte of the answer. */
export class Patience {
  #timer: NodeJS.Timeout | undefined
  readonly #onOver: (isHeadMissing: boolean) => void

  constructor(onOver: (isHeadMissing: boolean) => void) {
    this.#onOver = onOver
  }

  /** From now on the upstream is waited for, and nobody else. */
  awaitHead(milliseconds: number): void {
    this.stop()
    this.#timer = setTimeout(() => this.#onOver(true), milliseconds)
  }

  /** The head is there: from now on each byte may take so long. */
  awaitBytes(milliseconds: number): void {
    this.stop()
    this.#timer = setTimeout(() => this.#onOver(false), milliseconds)
  }

  /** A byte came, or the client took some. */
  progress(): void {
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

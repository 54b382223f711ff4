import type { Refusal } from '../../engine/outcome.ts'

/** What waits in a connection for its answer. Answers leave in the order in which requests came: one turn at a time. */
export interface Turn {
  /** Called once, when all earlier answers are out. */
  start(): void
  /** True once the answer has left. */
  readonly isOver: boolean
  /** Calls back once when the answer has left. At most one callback. */
  whenOver(callback: () => void): void
  /** False while body bytes are missing. */
  readonly isWhole: boolean
  /** The body ends here, for this reason. */
  failBody(refusal: Refusal): void
  /** The client is gone before the answer left. */
  abandon(): void
  /** @param now the sweeper's time */
  sweep(now: number): void
}

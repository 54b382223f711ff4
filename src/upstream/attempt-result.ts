/** How one try of a request ends, and whom it tells. */
import type { Refusal } from '../engine/outcome.ts'
import type { ConnectionFault } from './connection.ts'

/** Who cut an answer short. */
export type Cut = 'client' | 'upstream' | 'credential'

export type AttemptResult =
  | { readonly kind: 'answered'; readonly status: number; readonly bytes: number; readonly cut?: Cut }
  /** The upstream answered, but the answer is one to try again on. Nothing was sent to the client. */
  | { readonly kind: 'declined'; readonly status: number }
  | { readonly kind: 'lost'; readonly fault: ConnectionFault }
  /** Final: no other target would change it. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface AttemptHooks {
  /** Asked once: whether an answer with this status is dropped in favour of another try. */
  declines(status: number): boolean
  settled(result: AttemptResult): void
  /** A head came. */
  headed(): void
}

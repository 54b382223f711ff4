import type { RequestHeadParser } from '../../wire/request-head.ts'
import type { Sweeper } from '../../wire/sweeper.ts'
import type { DateText } from '../../wire/write.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Connection } from './connection.ts'

/** What the connections of one listener share. */
export interface WireState {
  readonly options: ListenerOptions
  readonly sweeper: Sweeper
  readonly connections: Set<Connection>
  readonly date: DateText
  /** For heads that come whole: nothing of it outlasts the call that reads one. */
  readonly parser: RequestHeadParser
  /** Answers carry `Connection: close`. */
  isDraining: boolean
  /** Idle connections are closed after a second. */
  isClosing: boolean
}

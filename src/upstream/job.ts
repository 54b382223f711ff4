/** What all tries of one request share. */
import type { Readable } from 'node:stream'
import type { ForwardPlan, ServerRequest } from '../exchange.ts'
import type { UpstreamSettings } from '../configuration.ts'
import type { Patience } from './patience.ts'
import type { StreamWatch } from './stream-watch.ts'
import type { ForwardHooks } from './upstream.ts'

export interface Job {
  readonly server: ServerRequest
  readonly plan: ForwardPlan
  readonly hooks: ForwardHooks
  /** Of a WebSocket upgrade. */
  readonly handshakeKey: string | undefined
  readonly timeouts: UpstreamSettings['timeouts']
  /** Milliseconds without a byte of the answer. */
  readonly idleTimeout: number
  readonly watch: StreamWatch
  readonly patience: Patience
  /** Starts the client's body. Afterwards no other try is possible. */
  takeBody(): Readable
}

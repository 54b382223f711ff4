/**
 * The narrow face of what speaks HTTP to a target: one connection, one request at a time. Behind it are the wire
 * (`wire-connection.ts`), undici (`undici-connection.ts`, for `dataPlane: node`) and HTTP/2, where a connection is one stream.
 */
import type { Duplex } from 'node:stream'
import type { FieldLines } from '../exchange.ts'
import type { HeadFacts } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'

/** A response head as it came, nothing checked but the grammar. */
export interface RawHead {
  readonly status: number
  readonly reason: string
  /** Undefined where the bytes did not begin like a status line of HTTP/1. */
  readonly version: '1.0' | '1.1' | undefined
  readonly fields: FieldLines
  /** Every byte of the fields was looked at by our own parser. */
  readonly isChecked: boolean
}

/** The parts of a request's head. Nothing of it is checked before it is written (`writeRequestHead`). */
export type RequestFacts = HeadFacts

/** Hears of one exchange. After `end`, `upgraded` or `failed` nothing more is told. */
export interface Receiver {
  /** The head is on its way: body bytes may follow by `write`. Where a body follows, it is told no sooner than the head has left. */
  sent(): void
  /** An interim answer; never 100, never an asked-for 101. */
  interim(head: RawHead): void
  /** The final head, judged; what ends its body is the connection's to find. */
  head(head: ResponseHead): void
  /** @param chunk text stands for bytes as Latin-1; an array is the receiver's own from now on */
  data(chunk: Uint8Array | string): void
  /** Everything that has come was told, and more of the answer is to come. */
  flush(): void
  end(trailers: FieldLines): void
  /** The 101 that was asked for; the socket is the receiver's from now on. */
  upgraded(head: RawHead, socket: Duplex): void
  failed(fault: ConnectionFault): void
}

/** Why an exchange on a connection failed. */
export interface ConnectionFault {
  /** `invalid`: the bytes were no proper answer; `lost`: reset or closed; `unsent`: gone before the head was written. */
  readonly kind: 'invalid' | 'lost' | 'unsent'
  /** For the operator. */
  readonly detail: string
  /** At least one byte of an answer had come. */
  readonly isHeard: boolean
}

export interface Connection {
  /** The peer's address at the time of connecting. */
  readonly address: string
  /** Exchanges begun before the present one. */
  readonly uses: number
  /** It can take another request. */
  readonly isOpen: boolean
  /** It has been idle for as long as the peer may keep it. Asked now and then while it is idle. */
  readonly isExpired?: boolean
  /** The peer reset the connection, rather than closing it in order. */
  readonly isReset: boolean
  /** @throws HeadError when the head cannot be written; then nothing was */
  send(facts: RequestFacts, receiver: Receiver): void
  /** Body bytes of the request, framed by the caller unless there is `finish`. False: wait for `onDrain`. */
  write(chunk: Uint8Array | string): boolean
  /** Says that the request's body is whole; only connections that frame bodies by themselves have it. */
  finish?(): void
  onDrain(callback: (() => void) | undefined): void
  /** Holds several writes back until `uncork`, to send them as one. */
  cork(): void
  uncork(): void
  /** Stops and goes on with reading the response. */
  pause(): void
  resume(): void
  /** Closes it at once; the exchange on it is the caller's and hears nothing more. */
  destroy(): void
  /** Closes it at once; the exchange on it, somebody else's, fails. */
  abort(): void
  /** Calls back once when the connection is closed. */
  onClose(callback: () => void): void
}

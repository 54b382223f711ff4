/**
 * The narrow face of what speaks HTTP/1.1 to a target: one connection, one request at a time.
 * undici's parser is behind it now (`undici-connection.ts`); a wire layer of our own takes its place later.
 */
import type { Duplex } from 'node:stream'
import type { FieldLines } from '../exchange.ts'

/** A response head as it came, nothing checked but the grammar. */
export interface RawHead {
  readonly status: number
  readonly reason: string
  /** As in the status line; undefined where the bytes did not begin like one. */
  readonly version: string | undefined
  readonly fields: FieldLines
}

export interface RequestFacts {
  /** Decides whether the response has a body. */
  readonly method: string
  /** The whole head, with its final empty line, already checked. */
  readonly head: string
  /** A 101 is asked for. */
  readonly isUpgrade: boolean
}

/** Hears of one exchange. After `end`, `upgraded` or `failed` nothing more is told. */
export interface Receiver {
  /** The head is on its way: body bytes may follow by `write`. */
  sent(): void
  /** An interim answer; never 100, never an asked-for 101. */
  interim(head: RawHead): void
  head(head: RawHead): void
  data(chunk: Uint8Array): void
  end(trailers: FieldLines): void
  /** The 101 that was asked for; the socket is the receiver's from now on. */
  upgraded(head: RawHead, socket: Duplex): void
  failed(fault: WireFault): void
}

/** Why an exchange on a connection failed. */
export interface WireFault {
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
  readonly isOpen: boolean
  /** The peer reset the connection, rather than closing it in order. */
  readonly isReset: boolean
  send(facts: RequestFacts, receiver: Receiver): void
  /** Body bytes of the request, framed by the caller. False: wait for `onDrain`. */
  write(chunk: Uint8Array | string): boolean
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

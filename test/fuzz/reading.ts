/** What a reader made of bytes, in one form for all readers. */

export interface Message {
  readonly method: string
  readonly target: string
  /** 0 in a request. */
  readonly status: number
  readonly version: string
  /** Flat: name, value, name, value … */
  readonly fields: readonly string[]
  /** Latin-1; as far as it was read. */
  body: string
  /** Where the next message begins; -1 while this one is not whole. */
  end: number
  /** Another request may follow on the connection. */
  persists: boolean
}

export interface Reading {
  readonly messages: Message[]
  /** A message whose head was taken, and that is not whole. */
  open: Message | undefined
  /** `idle`: at the start of a message; `partial`: within one; `over`: what follows is no message, by what was said before. */
  state: 'idle' | 'partial' | 'refused' | 'over'
  /** Which rule refused, in a word or two. */
  why: string
}

export type Side = 'request' | 'response'

/** Bytes and what else decides how they are read. */
export interface Input {
  readonly side: Side
  /** Latin-1. */
  readonly bytes: string
  /** Of the request that a response answers. */
  readonly method: string
  /** The connection ends behind the bytes. */
  readonly isEnded: boolean
}

/**
 * What node:http2 has of a session must outlive its streams. The collector knows no such order, and a stream that goes last, with half
 * a head in it that a peer sent to provoke just that, ends the process: an assertion counts what the session had been lent.
 */
import type { Http2Session, Http2Stream } from 'node:http2'

/** Holds the second of each pair for as long as the first has not been collected. */
const pairs = new FinalizationRegistry<unknown>(() => undefined)

/** The native side of a session, which the session itself lets go of when it ends. */
export type SessionHandle = { readonly native: unknown }

/** Must be called before the session ends. */
export function handleOf(session: Http2Session): SessionHandle {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle')
  return { native: symbol === undefined ? undefined : Reflect.get(session, symbol) }
}

export function keepSessionOf(stream: Http2Stream, handle: SessionHandle): void {
  pairs.register(stream, handle)
}

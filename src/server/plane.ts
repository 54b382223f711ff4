/**
 * What speaks HTTP on connections that are ready for it. The acceptor listens, reads the PROXY header, shakes hands and asks ALPN;
 * then it hands each connection to one of these: the wire's HTTP/1.1, node:http's, or HTTP/2.
 */
import type { Socket } from 'node:net'
import type { ConnectionFacts } from '../exchange.ts'

export interface Plane {
  /**
   * Serves requests on a connection until it ends.
   *
   * @param socket plain, or TLS after its handshake; bytes that the acceptor looked at were put back with `unshift`
   */
  serve(socket: Socket, facts: ConnectionFacts): void
  /** Connections that are open now. */
  readonly connections: number
  /** Answers say that the connection closes from now on. */
  beginDrain(): void
  /** Idle connections are closed after a second of silence: at once would cut a request that is on its way. */
  beginClose(): void
  /** Cuts all connections. */
  cut(): void
  /** Ends its timers; nothing is served any more. */
  stop(): void
}

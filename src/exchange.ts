/** What a request carries from stage to stage, and the two narrow faces of the data plane: what a listener hands in, and how an answer leaves. */
import type { Readable, Duplex } from 'node:stream'
import type { ListenerSettings, RouteSettings } from './configuration.ts'
import type { ClientCertificate } from './engine/certificates/client-certificate.ts'
import type { CredentialFacts, Identity } from './engine/identity.ts'
import type { Refusal } from './engine/outcome.ts'
import type { GatewayRequest } from './engine/request.ts'
import type { Presented } from './engine/authenticators/authenticator.ts'

/** Field lines, flat: name, value, name, value …, in order. The form of `rawHeaders`. */
export type FieldLines = readonly string[]

/** One side of a connection, for audit and trust. */
export interface ConnectionFacts {
  /** The peer's address, or the one that a proxy named before the first byte; IPv4-mapped addresses are plain IPv4. */
  readonly address: string
  readonly port: number
  /** A proxy passed somebody's connection on and did not say whose: the address is the proxy's, its word counts for nothing. */
  readonly isUntold?: true
  readonly listener: ListenerSettings
  readonly tls?: {
    readonly version: string
    readonly cipher: string
    readonly serverName?: string
    /** What the client showed in the handshake; its private key was proven there, and nothing else of it. */
    readonly certificate?: ClientCertificate
  }
}

/**
 * One request as a listener read it, and the ways to answer it, whichever data plane is behind it.
 * The listener has done step 1 (accept): what arrives here is well-formed, with exactly one Host.
 */
export interface ServerRequest {
  readonly method: string
  /** Origin-form target as sent: path and query, not yet normalised. */
  readonly target: string
  readonly version: '1.0' | '1.1' | '2'
  /** All field lines as they came, hop-by-hop ones too. */
  readonly fields: FieldLines
  readonly connection: ConnectionFacts
  /** True when a body follows, even an empty chunked one. */
  readonly hasBody: boolean
  /** Declared length in bytes; undefined for chunked and for none. */
  readonly contentLength?: number
  /** True for a bodiless GET with `Connection: upgrade`, `Upgrade: websocket` and `Sec-WebSocket-Version: 13`. */
  readonly isUpgrade: boolean
  /** Milliseconds since the epoch, by the clock. */
  readonly receivedAt: number
  /** Sets the body's bounds (a route may have its own) before `body()` is called. Bytes and milliseconds. */
  limitBody(limits: { readonly bytes: number; readonly timeout: number }): void
  /** Starts reading the body: answers `100-continue` when it was asked. Errors with `BodyError` when it is malformed, too large or late. At most once. */
  body(): Readable
  /** Calls back once when the client is gone before the answer ended. Returns a function that stops listening. */
  onAbort(callback: () => void): () => void
  /** Sends an answer of the gateway's own. At most one of `answer`, `begin`, `tunnel`. Drains an unread body, bounded. */
  answer(answer: Answer): void
  /** Passes an interim answer on (not 100, not 101). */
  inform(status: number, fields: FieldLines): void
  /** Begins a proxied answer. */
  begin(head: { readonly status: number; readonly reason: string; readonly fields: FieldLines }): AnswerWriter
  /** Answers 101 with these fields and hands the raw connection over. */
  tunnel(fields: FieldLines): Duplex
}

/** Why a request body stopped. The upstream must then see an aborted request, never a complete one. */
export class BodyError extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.reason)
    this.name = 'BodyError'
    this.refusal = refusal
  }
}

/** A whole answer of the gateway's own. */
export interface Answer {
  readonly status: number
  readonly fields: FieldLines
  readonly body: string
}

export interface AnswerWriter {
  /**
   * Takes a part of the body. Parts may be held back until `flush` or `end`, so that a small answer is one write.
   *
   * @param chunk text stands for bytes as Latin-1, one each; the bytes of an array must stay as they are
   * @returns false: wait for `onDrain` before the next write
   */
  write(chunk: Uint8Array | string): boolean
  /** Nothing more is at hand now: what was held back goes out. */
  flush(): void
  onDrain(callback: () => void): void
  end(trailers?: FieldLines): void
  /**
   * Cuts the answer, so that the client sees that it is incomplete: HTTP/1.1 the connection, HTTP/2 the stream.
   *
   * @param why a gRPC call on HTTP/2 ends with its status instead, where its client can still be told
   */
  abort(why?: Refusal): void
  /** Takes the answer back, if no byte of it has left: then another may be given. */
  retract?(): boolean
}

/** A rate limit that was taken, for the `RateLimit` fields. */
export interface LimitState {
  /** Bucket capacity (N+B) and its period in seconds. */
  readonly quota: number
  readonly window: number
  readonly remaining: number
  /** Seconds until the bucket is full. */
  readonly reset: number
}

/** What each stage reads and adds to. Mutable, one for each request, same shape from the start. */
export interface Exchange {
  readonly id: string
  readonly server: ServerRequest
  readonly request: GatewayRequest
  route: RouteSettings | undefined
  /** Values of `:name` and of a last `*`. */
  identity: Identity | undefined
  credential: CredentialFacts | undefined
  /** The accepted credentials as they came, for `credential: keep`. */
  presented: readonly Presented[]
  limits: LimitState[]
  refusal: Refusal | undefined
}

/** What the forwarder needs to send a request on. Made by `propagation`. */
export interface ForwardPlan {
  readonly upstream: string
  readonly method: string
  /** Path and query for the upstream. */
  readonly target: string
  /** End-to-end field lines, Host not included. */
  readonly fields: FieldLines
  /** `Host` for the upstream; undefined: the target's authority. */
  readonly host: string | undefined
  /** For `balance: hash`. */
  readonly hashKey: string | undefined
  /** Milliseconds since the epoch when an open stream must be cut (the credential's expiry). */
  readonly deadline: number
  /** True while the credential still stands; asked each second for open streams and tunnels. */
  readonly stillGood: () => boolean
}

/** What a listener is to those who start one, whichever data plane is behind it. */
import type { ListenerSettings, LimitSettings } from '../configuration.ts'
import type { ClientCertificate } from '../engine/certificates/client-certificate.ts'
import type { CertificateFault } from '../engine/certificates/fault.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { Answer, ConnectionFacts, FieldLines, ServerRequest } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'

export interface ListenerOptions {
  readonly settings: ListenerSettings
  /** Asked for each request and each sweep: a reload shows at once. */
  readonly limits: () => Pick<
    LimitSettings,
    'headers' | 'headerCount' | 'body' | 'headersTimeout' | 'requestTimeout' | 'idleTimeout'
  >
  readonly clock: Clock
  /** Judges what clients show in the handshake; undefined: possession alone counts. */
  readonly judgeCertificate?: (certificate: ClientCertificate, now: number) => CertificateFault | undefined
  /** Takes a well-formed request. It must answer it, now or later; what it throws answers 500. */
  handle(request: ServerRequest): void
  /** Who may say in front of a connection whose it is; asked where the listener wants a PROXY header. Without it, nobody. */
  readonly trustsPeer?: (address: string) => boolean
  /** Renders and records a refusal of step 1, or of a connection that is closed before it. Must not throw. */
  refuse(refusal: Refusal, facts: AcceptFacts): Answer
  /**
   * What HTTP/1.0 without `Host` may reach.
   *
   * @param path of the target, as sent, without query
   */
  health(path: string, version: '1.0' | '1.1'): Answer | undefined
  /** More names that `Connection` may not name, lower-case with `-` for every byte that is no letter or digit (what `forward` renames). */
  readonly identityNames?: () => ReadonlySet<string>
  /** Open connections, told whenever one comes or goes. */
  readonly onConnections?: (open: number) => void
  /** What an operator should know, though everything goes on: a file beside a certificate that cannot be used. */
  readonly onNotice?: (text: string) => void
  /** What an operator should see: `handle` threw (a bug), or the system refused to accept a connection. */
  readonly onFault?: (fault: unknown, requestId?: string) => void
}

/** What is known of a request that was refused before it was one. */
export interface AcceptFacts {
  /** Told to the client in the answer. */
  readonly requestId: string
  readonly connection: ConnectionFacts
  readonly method?: string
  /** As sent. */
  readonly target?: string
  readonly fields?: FieldLines
}

export interface RunningListener {
  /** The bound address. */
  readonly host: string
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  /** Answers carry `Connection: close` from now on. */
  beginDrain(): void
  /** Takes no more connections; those that the system has accepted already are served. */
  stopAccepting(): void
  /**
   * Stops accepting and waits for what is in flight. Idle connections are closed after a second of silence: at once would cut
   * a request that is on its way.
   *
   * @param timeout milliseconds after which the rest is cut
   */
  closed(timeout: number): Promise<void>
  /** Reads certificates and keys anew, for new connections. A bad pair leaves the old ones in place. */
  reloadTls(): Promise<TlsReload>
}

export type TlsReload =
  | { readonly isReloaded: true }
  | { readonly isReloaded: false; readonly detail: string }

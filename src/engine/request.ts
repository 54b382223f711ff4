import type { ClientCertificate } from './certificates/client-certificate.ts'

/**
 * A request as the engine sees it: an interface, so that no object of all headers need be built.
 * Names are lower-case. Hop-by-hop fields, and what `Connection` names, are gone already.
 */
export interface GatewayRequest {
  readonly method: string
  /** The one normalised path: matched, guarded and forwarded. */
  readonly path: string
  /** Without the question mark; empty when there is none. As the client sent it. */
  readonly query: string
  /** Path and query as the client sent them: what it may have signed. Nothing else looks at it. */
  readonly target: string
  /** Lower-case, without port and trailing dot. */
  readonly host: string
  readonly scheme: 'http' | 'https'
  /** The client's address by the rule of trusted proxies. IPv4-mapped addresses are plain IPv4. */
  readonly clientIp: string
  /**
   * The public origin that the request was sent to (`https://api.example.com`); undefined when its host is none of ours.
   * Without any `publicUrl` it is scheme and authority as they came.
   */
  readonly publicOrigin: string | undefined
  /** The client certificate that counts for this request: the connection's, or the one that a trusted proxy handed over, never both. */
  readonly certificate: ClientCertificate | undefined
  /** True when a body follows, even an empty chunked one. */
  readonly hasBody: boolean
  /** The first value of the field, or undefined. */
  header(name: string): string | undefined
  /** How many field lines carry the name. */
  count(name: string): number
  /** Each value of the field, in order. */
  values(name: string): readonly string[]
  /** All field names that occur, lower-case, each once. */
  names(): readonly string[]
}

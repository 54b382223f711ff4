/** A client certificate as it came with a request, before anyone says that it is good. */
export interface ClientCertificate {
  /** The leaf, DER. */
  readonly der: Buffer
  /** What the client sent with it (intermediates, in any order), DER. */
  readonly chain: readonly Buffer[]
  /** SHA-256 of `der`, lower-case hex. */
  readonly fingerprint: string
  /** The same, base64url: RFC 8705 section 3.1. */
  readonly thumbprint: string
  /** `connection`: possession was proven in the handshake. `forwarded`: a trusted proxy says so. */
  readonly source: 'connection' | 'forwarded'
  /**
   * Why it does not count as proof of possession, judged by the clock, the authorities and the revocation lists of now
   * (of the listener, or of what accepts forwarded ones); undefined when it does. Where no authorities are named,
   * possession proven in the handshake suffices (RFC 8705 section 2.2).
   */
  fault(now: number): string | undefined
}

export const auditTypes = [
  'authentication',
  'authorization',
  'rate_limit',
  'credential',
  'session',
  'configuration',
  'administration',
] as const
export type AuditType = (typeof auditTypes)[number]
export type AuditOutcome = 'allow' | 'refuse' | 'would-refuse' | 'record'

/** What a caller of the log says; the log adds `seq`, `hash`, `previousHash`, `instance` and `configuration`. Absent fields are left out of the line. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly type: AuditType
  readonly outcome: AuditOutcome
  /** The public code, or the finer private word of the engine's reasons table. */
  readonly reason?: string | undefined
  /** The public code, where `reason` is finer. */
  readonly code?: string | undefined
  /** Free text for the operator; never a credential. */
  readonly detail?: string | undefined
  readonly requestId?: string | undefined
  readonly traceId?: string | undefined
  readonly route?: string | undefined
  readonly method?: string | undefined
  readonly host?: string | undefined
  /** Normalised, without the query. */
  readonly path?: string | undefined
  readonly clientIp?: string | undefined
  readonly tls?:
    | { readonly version: string; readonly cipher: string; readonly certificate?: string }
    | undefined
  readonly authenticator?: string | undefined
  readonly credential?: AuditCredential | undefined
  readonly identity?: AuditIdentity | undefined
  /** Milliseconds that the decision took. */
  readonly durationMs?: number | undefined
  /** What a report-only rule would have refused (`outcome` is then `would-refuse`). */
  readonly report?: { readonly stage: string; readonly reason: string } | undefined
  /** Type-specific facts (a key's id and change, a configuration's hash, a retained segment …). */
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

export interface AuditCredential {
  readonly kind: string
  readonly id?: string
  /** An HMAC of the credential: the same credential gives the same value, and nobody can go back. */
  readonly fingerprint?: string
}

export interface AuditIdentity {
  readonly issuer: string
  readonly subject: string
  readonly client?: string
  readonly tenant?: string
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  readonly amr?: readonly string[]
  readonly actor?: unknown
  /** The claims that a condition of the route reads. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface AuditLog {
  /**
   * Takes an event. In `relaxed` mode returns undefined unless the queue is full (then a promise that slows the caller);
   * in `strict` mode a promise that resolves when the event is on disk.
   * Rejects when the log cannot be written (full disk): the caller refuses the request (503).
   */
  record(entry: AuditEntry): undefined | Promise<void>
  /** HMAC fingerprint of a credential, hex, for `credential.fingerprint`. */
  fingerprint(credential: string): string
}

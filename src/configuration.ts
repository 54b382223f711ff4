/**
 * The validated configuration, as `config/` hands it to the rooms: references resolved, defaults applied,
 * durations in milliseconds, sizes in bytes, relative paths absolute, names checked against each other.
 * Types only, so that stage rooms can read their part without knowing that YAML exists.
 */
import type { AuthenticatorSettings } from './engine/authenticators/settings.ts'
import type { ClientSettings } from './engine/providers/client-settings.ts'
import type { ClaimPath, ProviderSettings, ProviderType } from './engine/providers/settings.ts'
import type { TrustSettings } from './engine/certificates/trust.ts'
import type { Secret } from './engine/secret.ts'

export interface Configuration {
  readonly version: 1
  /** Origins, without a trailing slash; empty when unset. */
  readonly publicUrl: readonly string[]
  readonly listeners: readonly ListenerSettings[]
  readonly limits: LimitSettings
  readonly lockout: LockoutSettings | 'off'
  readonly dataPlane: 'wire' | 'node'
  readonly workers: 1
  readonly drainDelay: number
  readonly drainTimeout: number
  /** CIDR ranges. */
  readonly trustedProxies: readonly string[]
  readonly forwarded: 'x-forwarded' | 'rfc7239'
  readonly admin: AdminSettings
  /** Absolute path of the SQLite file, or `:memory:`. */
  readonly store: { readonly path: string }
  readonly outage: { readonly revocations: { readonly maxStale: number; readonly then: 'refuse' | 'allow' } }
  readonly audit: AuditSettings | 'off'
  readonly assertion: {
    readonly lifetime: number
    readonly rotateEvery: number
    readonly perRequest: boolean
  }
  readonly leaks?: LeakSettings
  readonly providers: Readonly<Record<string, ProviderSettings>>
  readonly authenticators: Readonly<Record<string, AuthenticatorSettings>>
  readonly upstreams: Readonly<Record<string, UpstreamSettings>>
  /** `defaults` are merged into the routes already. */
  readonly routes: readonly RouteSettings[]
  /** SHA-256 (hex) of the configuration as resolved, secrets left out: names it in audit events. */
  readonly hash: string
}

export interface ListenerSettings {
  readonly host: string
  readonly port: number
  readonly publicUrl: readonly string[]
  /** PEM file paths; watched. */
  readonly tls?: TlsSettings
  /** A PROXY header comes first, and only from trusted proxies. */
  readonly proxyProtocol?: boolean
  /** HTTP/2 by prior knowledge, where there is no TLS. */
  readonly h2c?: boolean
  readonly encodedSlashes: 'refuse' | 'keep'
  readonly pathParameters: 'refuse' | 'keep'
}

/** File paths. */
export interface TlsPair {
  readonly certificate: string
  readonly key: string
  /** An OCSP answer about the certificate, to send along. */
  readonly ocsp?: string
}

export interface TlsSettings extends TlsPair {
  /** Undefined: clients are not asked for a certificate. */
  readonly clientCertificates?: ClientCertificateSettings
  readonly also: readonly (TlsPair & { readonly names: readonly string[] })[]
}

export interface ClientCertificateSettings {
  readonly mode: 'request' | 'require'
  /** Undefined: any certificate counts as a proof of possession, and authenticators judge by their own authorities. */
  readonly trust?: TrustSettings
}

export interface LimitSettings {
  readonly headers: number
  readonly headerCount: number
  readonly body: number
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly idleTimeout: number
}

export interface LockoutSettings {
  readonly failures: Rate
  readonly for: number
}

/** `count` per `period` milliseconds. */
export interface Rate {
  readonly count: number
  readonly period: number
}

export interface AdminSettings {
  readonly host: string
  readonly port: number
  readonly token?: Secret
}

export interface AuditSettings {
  readonly mode: 'relaxed' | 'strict'
  readonly directory: string
  /** Path of the Ed25519 private key (PEM, PKCS #8); made where missing. */
  readonly key: string
  readonly index: boolean
  readonly retain: { readonly size: number; readonly age: number }
  readonly sinks: readonly 'stdout'[]
}

export type { AuthenticatorSettings, ProviderSettings, ProviderType, ClaimPath }

/** Who may report keys that were found in public. */
export interface LeakSettings {
  readonly github?: { readonly keys: readonly ReportKeySettings[] }
}

/** A public key (ECDSA, P-256) that reports are signed with: its PEM text, or the absolute path of a file with it. */
export interface ReportKeySettings {
  readonly id: string
  readonly pem?: string
  readonly file?: string
}

export interface UpstreamSettings {
  readonly name: string
  readonly targets: readonly { readonly url: string; readonly weight: number }[]
  readonly protocol: 'http1' | 'h2' | 'h2c'
  readonly balance: 'round-robin' | 'least-requests' | 'hash'
  /** `identity`, `address` or `header:<name>`; only with `hash`. */
  readonly hashOn?: string
  readonly timeouts: { readonly connect: number; readonly response: number }
  readonly retries: { readonly attempts: number }
  readonly health?: HealthSettings
  /** Absolute paths of PEM files. */
  readonly tls?: {
    readonly ca?: string
    readonly certificate?: string
    readonly key?: string
    readonly serverName?: string
  }
}

export interface HealthSettings {
  readonly path: string
  readonly interval: number
  readonly timeout: number
  readonly healthy: number
  readonly unhealthy: number
  readonly status: readonly { readonly from: number; readonly to: number }[]
}

export interface RouteSettings {
  readonly id: string
  readonly match: MatchSettings
  readonly authenticate: AuthenticateSettings
  /** Undefined: nothing written, any authenticated identity passes. */
  readonly authorize?: AuthorizeSettings
  readonly rateLimit: readonly RateLimitSettings[]
  readonly limits: { readonly body?: number; readonly requestTimeout?: number }
  readonly rewrite: { readonly stripPrefix?: string; readonly addPrefix?: string; readonly host?: string }
  readonly cors?: CorsSettings
  readonly forward: ForwardSettings
  readonly response: { readonly headers: HeaderEdits }
  readonly report?: ReportSettings
  readonly upstream: string
}

/** Decided beside the enforced keys, and only recorded. */
export interface ReportSettings {
  readonly authenticate?: AuthenticateSettings
  readonly authorize?: AuthorizeSettings
  readonly rateLimit?: readonly RateLimitSettings[]
}

export interface MatchSettings {
  readonly path: string
  /** Undefined: all methods. */
  readonly methods?: readonly string[]
  readonly host?: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

export type AuthenticateSettings =
  | { readonly mode: 'none' }
  | { readonly mode: 'any' | 'all' | 'optional'; readonly authenticators: readonly string[] }

export interface AuthorizeSettings {
  readonly addresses?: readonly string[]
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  /** Claim path (dotted) → accepted values. */
  readonly claims?: Readonly<Record<string, readonly (string | number | boolean)[]>>
  readonly acr?: readonly string[]
  /** Milliseconds. */
  readonly maxAge?: number
  /** CEL; only `true` allows. */
  readonly when?: string
}

export interface RateLimitSettings {
  readonly limit: Rate
  /** `identity`, `key`, `address`, `route` or `header:<name>`. */
  readonly key: string
  readonly burst: number
}

export interface CorsSettings {
  readonly origins: readonly string[]
  readonly credentials: boolean
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly maxAge: number
}

export interface ForwardSettings {
  /** False: no identity headers. Otherwise the header name for each field that goes. */
  readonly headers: false | Readonly<Partial<Record<IdentityField, string>>>
  readonly assertion: boolean
  readonly credential: 'strip' | 'keep'
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
  /** Names exempt from the removals. */
  readonly keep: readonly string[]
  /** A token for the upstream, in `Authorization`, instead of what came. */
  readonly backendToken?: BackendTokenSettings
}

export interface BackendTokenSettings {
  readonly grant: 'token_exchange' | 'client_credentials'
  readonly provider: string
  readonly client: ClientSettings
  readonly audience?: string
  /** Space-separated. */
  readonly scope?: string
}

export const identityFields = ['subject', 'issuer', 'client', 'scopes', 'roles', 'tenant', 'method'] as const
export type IdentityField = (typeof identityFields)[number]

export interface HeaderEdits {
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** What the login room is handed: it knows no sockets, files or stores, only these. */
import type { Configuration } from '../configuration.ts'
import type { SessionParts } from '../engine/sessions/parts.ts'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { Profile } from '../engine/providers/profile.ts'
import type { ProviderSettings } from '../engine/providers/settings.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { KeySet } from '../ports/key-sets.ts'
import type { RevocationCheck } from '../ports/revocations.ts'

export interface LoginDependencies {
  readonly configuration: Pick<Configuration, 'authenticators' | 'routes'>
  readonly sessions: Omit<SessionParts, 'refresh' | 'end'>
  readonly clock: Clock
  readonly audit: Pick<AuditLog, 'record'>
  readonly revocations: RevocationCheck
  readonly log: LoginLog
  /** @throws TypeError for a name that is not configured */
  provider(name: string): LoginProvider
  /** The look of a page. @param body HTML, escaped @returns the whole document */
  page(title: string, body: string, head?: string): string
  /** One process's name as the holder of leases. */
  readonly holder: string
}

export interface LoginLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** A provider as a relying party needs it. Everything that goes out goes through `fetch`, which guards addresses, sizes and times. */
export interface LoginProvider {
  readonly settings: ProviderSettings
  readonly profile: Profile
  readonly keySet: KeySet
  /** Rejects when the provider is away and nothing is known. */
  metadata(): Promise<ServerFacts>
  /** @throws Error when nothing came (the provider is away) */
  fetch(client: ClientSettings, request: LoginFetch): Promise<Response>
  /** How this client proves itself in a request: in the order to try them, one for each secret that may be known. */
  proofs(client: ClientSettings): Promise<readonly ClientProof[]>
}

export interface ServerFacts {
  /** Its endpoints by the names of its metadata; those in the configuration win. */
  readonly endpoints: Readonly<Record<string, string>>
  /** The same for clients that prove themselves by a certificate. */
  readonly mtlsEndpoints: Readonly<Record<string, string>>
  /** The metadata document as it came; empty without discovery. */
  readonly document: Readonly<Record<string, unknown>>
}

export interface LoginFetch {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: URLSearchParams | undefined
}

export interface ClientProof {
  /** The `Authorization` field. */
  readonly authorization?: string
  /** Members of the form. */
  readonly members: Readonly<Record<string, string>>
  /** The provider took it. */
  worked(): void
}

/**
 * What an authenticator type is, whole: how it is written, what of that can be wrong, what is weak in it, and how it is made.
 * To add one: a folder beside this file that exports its kind, and one line in `registry.ts`.
 */
import type { z } from 'zod'
import type { ApiKeyStore, StoreChangeFeed } from '../../ports/api-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Introspector } from '../../ports/introspector.ts'
import type { KeySet } from '../../ports/key-sets.ts'
import type { RevocationCheck } from '../../ports/revocations.ts'
import type { OcspResponders } from '../../ports/ocsp.ts'
import type { Once } from '../../ports/once.ts'
import type { ProofJudge } from '../bindings/dpop.ts'
import type { Trust, TrustSettings } from '../certificates/trust.ts'
import type { ClientSettings } from '../providers/client-settings.ts'
import type { Profile } from '../providers/profile.ts'
import type { ProviderSettings } from '../providers/settings.ts'
import type { SessionParts } from '../sessions/parts.ts'
import type { Authenticator } from './authenticator.ts'
import type { LookupLimits } from './introspection/lookup-limits.ts'
import type { AuthenticatorSettings } from './settings.ts'
import type { Vocabulary } from './vocabulary.ts'

/** An authenticator as it was written: right in shape, defaults applied. */
export interface ParsedAuthenticator {
  readonly type: string
}

export interface AuthenticatorKind<
  Parsed extends ParsedAuthenticator = ParsedAuthenticator,
  Settings extends AuthenticatorSettings = AuthenticatorSettings,
> {
  readonly type: Settings['type']
  /** What may be written: a strict object whose `type` is this one. */
  readonly schema: (words: Vocabulary) => z.ZodObject
  /** From what was written to what `create` reads. */
  readonly compile: (name: string, parsed: Parsed, context: CompileContext) => Settings
  /** Faults that the shape cannot show. */
  readonly check?: (name: string, parsed: Parsed, context: CheckFacts) => Iterable<AuthenticatorFault>
  /**
   * Whether two of this type on one route could take the same credential, which would leave it to the order of a list who
   * the caller is. Without this hook: where they read the same place.
   */
  readonly competes?: (one: Parsed, other: Parsed, context: CheckFacts) => boolean
  /** What keeps two of this type apart, for whoever has to mend it. */
  readonly apart?: string
  /** What is weak though valid, for `check`. */
  readonly weaknesses?: readonly WeaknessRule<Settings>[]
  /** Whether its credential is, or stands for, a token that a provider takes in exchange for another. */
  readonly bringsToken?: true
  /** @throws TypeError when the settings cannot work: validation reports that first */
  readonly create: (settings: Settings, parts: AuthenticatorParts) => Authenticator
}

/** Erases what only the kind itself knows of its types: whoever holds a list of kinds gives each what it made itself. */
export function defineKind<Parsed extends ParsedAuthenticator, Settings extends AuthenticatorSettings>(
  kind: AuthenticatorKind<Parsed, Settings>,
): AuthenticatorKind {
  return Object.freeze(kind) as unknown as AuthenticatorKind
}

export interface CompileContext {
  /** @returns the absolute path: relative ones start at the configuration's folder */
  readonly resolve: (path: string) => string
  /** Origins without a trailing slash; empty when unset. */
  readonly publicUrl: readonly string[]
  /** All authenticators of the configuration as they were written, the one in question among them. */
  readonly authenticators: readonly ParsedAuthenticator[]
}

export interface CheckFacts extends CompileContext {
  /** Of the authenticator that is checked: a path begins with it. */
  readonly path: readonly (string | number)[]
  /** The provider's settings; undefined when there is none of that name, or it has faults of its own. */
  readonly provider: (name: string) => ProviderSettings | undefined
  /** What was written at a path, references resolved. */
  readonly written: (path: readonly (string | number)[]) => unknown
  /** Whether each listener is on loopback. */
  readonly isLoopback: boolean
  readonly trustsProxies: boolean
  /** Where a listener stands off loopback without TLS. */
  readonly plainListener: number | undefined
}

export interface AuthenticatorFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  /** What is expected there. */
  readonly expected: string
}

/** One kind of weakness, listed in docs/checks.md. */
export interface WeaknessRule<Settings> {
  /** Kebab-case; stable. */
  readonly id: string
  readonly severity: 'error' | 'warning' | 'note'
  readonly about: string
  readonly fix: string
  readonly find: (settings: Settings) => Iterable<{ readonly member?: string; readonly message: string }>
}

/** What authenticators are made from, beside their settings. */
export interface AuthenticatorParts {
  readonly clock: Clock
  readonly revocations: RevocationCheck
  readonly apiKeys: Pick<ApiKeyStore, 'findByDigest' | 'findById' | 'hasImported' | 'lastSeen'>
  readonly changes: Pick<StoreChangeFeed, 'version' | 'sessions'>
  readonly sessions: SessionParts
  readonly once: Once
  /** Judges proofs of possession; one for the process. */
  readonly proofs: ProofJudge
  /** Judges client certificates by these files, as they are now. */
  readonly trust: (settings: TrustSettings) => Trust
  readonly ocsp: OcspResponders
  /** Of a provider that the settings name. */
  readonly provider: (name: string) => ProviderParts
  /** Told of each accepted use of an API key; as cheap as a map look-up. */
  readonly onKeyUse: (id: string, at: number, address?: string) => void
  /** Each time a token is looked up among the verified ones. */
  readonly onTokenCache: (outcome: 'hit' | 'miss') => void
}

export interface ProviderParts {
  readonly profile: Profile
  readonly keySet: KeySet
  /** Asks the provider about tokens, as the client that the settings say. */
  readonly introspector: (request: IntrospectorRequest) => Introspector
  /** One for the provider, whichever authenticator asks it. */
  readonly lookups: LookupLimits
}

export interface IntrospectorRequest {
  readonly client: ClientSettings
  /** Names of ours, beside the client id, that a signed answer may be addressed to. */
  readonly audience: readonly string[]
  readonly requiresSigned: boolean
}

import type { CredentialPlace } from '../identity.ts'
import type { ResourceSettings } from '../resources/resource.ts'

/** What the settings of every authenticator have; each type's own are in its folder. */
export interface AuthenticatorSettings {
  readonly type: string
  /** The name in the configuration. */
  readonly name: string
  /** Where it reads its credential: removed from what goes upstream. */
  readonly in: readonly CredentialPlace[]
  /** True where the credential is an API key, whatever it is wrapped in: keys are made for it, and good at it. */
  readonly takesApiKeys?: boolean
  /** The issuer of its identities, where no provider vouches for them. */
  readonly issuer?: string
  /** What it guards, described for clients that find their own way (RFC 9728). */
  readonly resource?: ResourceSettings
  /** Names of the providers that it relies on. */
  readonly providers?: readonly string[]
  /** Whether it needs the published keys of those providers, so that they are fetched ahead. */
  readonly fetchesKeys?: boolean
  /** Files whose content counts as part of the settings; absolute paths. */
  readonly files?: readonly string[]
}

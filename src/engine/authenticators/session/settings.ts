import type { ClientSettings } from '../../providers/client-settings.ts'
import type { AuthenticatorSettings } from '../settings.ts'

export interface SessionSettings extends AuthenticatorSettings {
  readonly type: 'session'
  /** The providers to sign in at, in the order in which they are offered. */
  readonly providers: readonly string[]
  /** The client that the gateway is at each of them. */
  readonly clients: Readonly<Record<string, ClientSettings>>
  /** What adds to the claims of the ID token. */
  readonly claimsFrom?: 'userinfo' | 'access-token'
  /** Milliseconds. */
  readonly idle: number
  readonly absolute: number
  /** What to ask for; undefined: what the routes require. */
  readonly scopes?: readonly string[]
  /** More parameters of the authorization request. */
  readonly parameters: Readonly<Record<string, string>>
  readonly choose: ChooseSettings
}

/** How one of several providers is chosen. Hosts and domains are lower-case. */
export interface ChooseSettings {
  readonly hosts: Readonly<Record<string, string>>
  readonly emailDomains: Readonly<Record<string, string>>
  /** What the page calls each provider. */
  readonly labels: Readonly<Record<string, string>>
}

export function isSession(settings: AuthenticatorSettings | undefined): settings is SessionSettings {
  return settings?.type === 'session'
}

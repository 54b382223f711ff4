/** Which authenticators sign browsers in, and the party that each is at a provider. */
import { isSession, type SessionSettings } from '../engine/authenticators/session/settings.ts'
import type { LoginDependencies } from './dependencies.ts'
import { createParty, type Party } from './party.ts'

export interface Choice {
  readonly settings: SessionSettings
  readonly provider: string
}

type Configured = Pick<LoginDependencies, 'configuration'>

export function sessionSettings({ configuration }: Configured): readonly SessionSettings[] {
  return Object.values(configuration.authenticators).filter((each) => isSession(each))
}

export function choicesOf(deps: Configured): readonly Choice[] {
  return sessionSettings(deps).flatMap((settings) =>
    settings.providers.map((provider) => ({ settings, provider })),
  )
}

/** @returns the authenticator of that name, when it still signs in at that provider */
export function choiceOf(deps: Configured, authenticator: string, provider: string): Choice | undefined {
  return choicesOf(deps).find((each) => each.settings.name === authenticator && each.provider === provider)
}

export function partyOf(
  deps: Pick<LoginDependencies, 'provider' | 'clock'>,
  { settings, provider }: Choice,
): Party {
  const client = settings.clients[provider]
  if (client === undefined) throw new TypeError(`authenticator ${settings.name} has no client at ${provider}`)
  return createParty(deps.provider(provider), client, deps.clock)
}

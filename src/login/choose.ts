/** Which provider a user signs in at: by what was asked for, the host, the e-mail domain, or by asking. */
import type { LoginDependencies } from './dependencies.ts'
import { choicesOf, type Choice } from './settings.ts'

export interface Wanted {
  readonly host: string
  readonly authenticator: string | undefined
  readonly provider: string | undefined
  readonly email: string | undefined
}

export type Chosen =
  | { readonly outcome: 'chosen'; readonly choice: Choice }
  | { readonly outcome: 'ask'; readonly choices: readonly Choice[]; readonly asksForEmail: boolean }
  /** Nobody signs in there. */
  | { readonly outcome: 'none' }

export function chooseProvider(deps: Pick<LoginDependencies, 'configuration'>, wanted: Wanted): Chosen {
  const all = choicesOf(deps).filter(
    ({ settings, provider }) =>
      (wanted.authenticator === undefined || settings.name === wanted.authenticator) &&
      (wanted.provider === undefined || provider === wanted.provider),
  )
  const [only, ...more] = all
  if (only === undefined) return { outcome: 'none' }
  if (more.length === 0) return { outcome: 'chosen', choice: only }
  const choice = byHost(all, wanted.host) ?? byEmail(all, wanted.email)
  if (choice !== undefined) return { outcome: 'chosen', choice }
  const asksForEmail = all.some(({ settings }) => Object.keys(settings.choose.emailDomains).length > 0)
  return { outcome: 'ask', choices: all, asksForEmail }
}

function byHost(all: readonly Choice[], host: string): Choice | undefined {
  return all.find(({ settings, provider }) => own(settings.choose.hosts, host) === provider)
}

function byEmail(all: readonly Choice[], email: string | undefined): Choice | undefined {
  const domain = domainOf(email)
  if (domain === undefined) return undefined
  return all.find(({ settings, provider }) => own(settings.choose.emailDomains, domain) === provider)
}

/** @returns the domain of an address, lower-case; undefined for what is none */
function domainOf(email: string | undefined): string | undefined {
  return /^[^\s@]{1,64}@([a-z0-9.-]{1,253})$/i.exec(email ?? '')?.[1]?.toLowerCase()
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** Where a key will be good: the authenticators that it belongs to, and what they demand of it. */
import type { ApiKeySettings } from '../engine/authenticators/api-key/settings.ts'
import type { Configuration } from '../configuration.ts'
import { isApiKey } from '../engine/authenticators/api-key/settings.ts'
import { distinctPeppers } from '../engine/authenticators/api-key/digest.ts'
import type { Secret } from '../engine/secret.ts'
import { invalid, type KeyProblem } from './problem.ts'

export interface KeyHome {
  readonly prefix: string
  /** Set when the key is limited to one authenticator. */
  readonly authenticator: string | undefined
  /** The strictest of the authenticators that will take the key; undefined where none sets one. */
  readonly maxLifetime: number | undefined
  /** The shortest of theirs. */
  readonly grace: number
  readonly peppers: readonly (Secret | undefined)[]
}

type Authenticators = Configuration['authenticators']

export function apiKeyAuthenticators(authenticators: Authenticators): readonly ApiKeySettings[] {
  return Object.values(authenticators).filter(isApiKey)
}

/**
 * @param name limits the key to this authenticator; without it the key is good at all with the one prefix
 * @throws KeyProblem when the configuration has no such authenticator, or several prefixes to choose from
 */
export function homeOfKey(authenticators: Authenticators, name: string | undefined): KeyHome {
  const all = apiKeyAuthenticators(authenticators)
  if (all.length === 0) throw noAuthenticator()
  if (name !== undefined) {
    const one = all.find((each) => each.name === name)
    if (one === undefined) throw invalid('authenticator', `must be one of ${namesOf(all)}`)
    return homeFrom([one], one.prefix, one.name)
  }
  const prefixes = new Set(all.map(({ prefix }) => prefix))
  const [prefix = ''] = prefixes
  if (prefixes.size > 1) {
    throw invalid('authenticator', `the configuration has several prefixes; name one of ${namesOf(all)}`)
  }
  return homeFrom(all, prefix, undefined)
}

/** Imported keys are good at every api-key authenticator, so they are stored under each distinct pepper. */
export function peppersForImport(authenticators: Authenticators): readonly (Secret | undefined)[] {
  const all = apiKeyAuthenticators(authenticators)
  if (all.length === 0) throw noAuthenticator()
  return distinctPeppers(all.map(({ pepper }) => pepper))
}

function homeFrom(
  homes: readonly ApiKeySettings[],
  prefix: string,
  authenticator: string | undefined,
): KeyHome {
  const lifetimes = homes.flatMap(({ maxLifetime }) => maxLifetime ?? [])
  return {
    prefix,
    authenticator,
    maxLifetime: lifetimes.length === 0 ? undefined : Math.min(...lifetimes),
    grace: Math.min(...homes.map(({ grace }) => grace)),
    peppers: distinctPeppers(homes.map(({ pepper }) => pepper)),
  }
}

function noAuthenticator(): KeyProblem {
  return invalid('', 'the configuration has no authenticator of type api-key (or basic); add one first')
}

function namesOf(all: readonly ApiKeySettings[]): string {
  return all.map(({ name, prefix }) => `${name} (${prefix}_…)`).join(', ')
}

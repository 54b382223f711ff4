/** Whose credentials a revocation is about, and how long those can live. */
import type { Configuration } from '../configuration.ts'
import { isIntrospection } from '../engine/authenticators/introspection/settings.ts'
import { isJwt } from '../engine/authenticators/jwt/settings.ts'
import { apiKeyIssuer } from '../engine/authenticators/api-key/identity.ts'
import type { Profile } from '../engine/providers/profile.ts'
import { profileFor } from '../engine/providers/registry.ts'
import type { RevocationKind } from '../ports/revocations.ts'
import { apiKeyAuthenticators } from './homes.ts'
import { invalid } from './problem.ts'

type Settings = Pick<Configuration, 'authenticators' | 'providers'>

export interface ChosenIssuers {
  /** Undefined stands for any issuer. */
  readonly issuers: readonly (string | undefined)[]
  readonly notices: readonly string[]
}

/**
 * A named issuer counts with its other published forms. Without a name, a token or session is revoked whoever issued it,
 * and a subject, client or certificate at each issuer of the configuration: too much is refused rather than too little.
 *
 * @throws KeyProblem when the issuer must be named
 */
export function issuersFor(
  configuration: Settings,
  kind: RevocationKind,
  issuer: string | undefined,
): ChosenIssuers {
  const profiles = Object.values(configuration.providers).map(profileFor)
  if (issuer !== undefined) return namedIssuer(configuration, profiles, issuer)
  if (kind === 'jti' || kind === 'session') return { issuers: [undefined], notices: [] }
  const known = knownIssuers(configuration, profiles)
  if (profiles.some(hasManyIssuers) || known.length === 0) {
    throw invalid(
      'issuer',
      `must be named: ${known.length === 0 ? 'the configuration has no issuer' : 'a provider of the configuration has many issuers'}`,
    )
  }
  const notices = known.length === 1 ? [] : [`no issuer was named: it holds at each of ${known.join(', ')}`]
  return { issuers: known, notices }
}

function namedIssuer(configuration: Settings, profiles: readonly Profile[], issuer: string): ChosenIssuers {
  const owners = profiles.filter((profile) => profile.acceptsIssuer(issuer))
  const issuers = [...new Set([issuer, ...owners.flatMap((profile) => profile.sameIssuers(issuer))])]
  const known = knownIssuers(configuration, profiles)
  if (owners.length > 0 || known.includes(issuer)) return { issuers, notices: [] }
  // Acted on all the same: the provider may have been taken out a moment ago, and come back.
  return {
    issuers,
    notices: [`no provider of the configuration has the issuer ${issuer}; known are: ${known.join(', ')}`],
  }
}

function knownIssuers(configuration: Settings, profiles: readonly Profile[]): readonly string[] {
  const ofProviders = profiles.filter((profile) => !hasManyIssuers(profile)).flatMap(({ issuers }) => issuers)
  const ofKeys = apiKeyAuthenticators(configuration.authenticators).length > 0 ? [apiKeyIssuer] : []
  const own = Object.values(configuration.authenticators).flatMap(({ issuer }) => issuer ?? [])
  return [...new Set([...ofProviders, ...ofKeys, ...own])]
}

function hasManyIssuers({ issuers }: Profile): boolean {
  return issuers.some((issuer) => issuer.includes('{'))
}

/**
 * @param issuer undefined for any
 * @returns milliseconds that an accepted token of the issuer can live from now at most; undefined where nothing bounds it
 */
export function longestLife(configuration: Settings, issuer: string | undefined): number | undefined {
  const lives = Object.values(configuration.authenticators)
    .filter((settings) => isJwt(settings) || isIntrospection(settings))
    .flatMap((settings) => {
      const provider = configuration.providers[settings.provider]
      const profile = provider === undefined ? undefined : profileFor(provider)
      if (profile === undefined || (issuer !== undefined && !profile.acceptsIssuer(issuer))) return []
      // A token may say that it was issued a little ahead of our clock, and is taken a little after its end.
      return settings.maxLifetime === undefined ? Infinity : settings.maxLifetime + 2 * profile.clockSkew
    })
  const longest = lives.length === 0 ? Infinity : Math.max(...lives)
  return longest === Infinity ? undefined : longest
}

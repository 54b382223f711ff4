/** An authenticator's settings, compiled once into what the checks read. */
import type { KeyObject } from 'node:crypto'
import type { JwtSettings } from './settings.ts'
import type { Profile } from '../../providers/profile.ts'
import { isHmacAlgorithm, isPublicKeyAlgorithm, type HmacAlgorithmName } from './algorithms.ts'
import type { ClaimRules } from './claims.ts'
import type { HeaderRules } from './header.ts'
import { hmacKey } from './hmac-secret.ts'
import type { KindRules } from './token-kind.ts'
import type { TimeRules } from './times.ts'

export interface JwtRules extends HeaderRules, ClaimRules, KindRules, TimeRules {
  /** Instead of the provider's published keys. */
  readonly secret: HmacSecret | undefined
}

export interface HmacSecret {
  readonly key: KeyObject
  /** @throws TypeError for what is no HMAC algorithm; the header rules let none through */
  algorithm(name: string): HmacAlgorithmName
}

/** @throws TypeError when the settings cannot work */
export function compileRules(settings: JwtSettings, profile: Profile): JwtRules {
  const fault = rulesFault(settings, profile)
  if (fault !== undefined) throw new TypeError(`authenticator ${settings.name}: ${fault}`)
  return Object.freeze({
    profile,
    algorithms: new Set(settings.algorithms.filter((name) => mayBeSignedWith(name, profile))),
    requiresAccessType: settings.requireType === 'at+jwt',
    audience: settings.audience,
    requiredClaims: settings.requiredClaims,
    clients: settings.clients ?? [],
    acceptsIdTokens: settings.accept === 'id-token',
    clockSkew: profile.clockSkew,
    ...(settings.maxLifetime === undefined ? {} : { maxLifetime: settings.maxLifetime }),
    secret: settings.algorithms.some(isHmacAlgorithm) ? { key: hmacKey(settings), algorithm } : undefined,
  })
}

/** @returns whether a provider of this kind signs with the algorithm at all */
export function mayBeSignedWith(name: string, { algorithms }: Profile): boolean {
  return algorithms === undefined || algorithms.includes(name)
}

function algorithm(name: string): HmacAlgorithmName {
  if (!isHmacAlgorithm(name)) throw new TypeError('not an HMAC algorithm')
  return name
}

/** Says what validation should have refused. Fails closed: a gap there must not become a token without an audience. */
function rulesFault(settings: JwtSettings, profile: Profile): string | undefined {
  const { algorithms, audience, clients = [] } = settings
  if (algorithms.length === 0) return 'no algorithms'
  const strange = algorithms.find((name) => !isHmacAlgorithm(name) && !isPublicKeyAlgorithm(name))
  if (strange !== undefined) return `unknown algorithm ${strange}`
  if (algorithms.some(isHmacAlgorithm) && algorithms.some(isPublicKeyAlgorithm)) {
    return 'HMAC and public-key algorithms together'
  }
  if (profile.opaqueBecause !== undefined) return profile.opaqueBecause
  if (!algorithms.some((name) => mayBeSignedWith(name, profile))) {
    return "no algorithm that this provider's tokens may be signed with"
  }
  if (audience !== undefined) return audience.length === 0 ? 'an empty list of audiences' : undefined
  return profile.audienceRule === 'clients' && clients.length > 0
    ? undefined
    : 'no audience, and the provider has no rule of its own'
}

/** A route's `authenticate`, compiled once: who may judge, where each looks, and how a client is told. */
import { compileChallenges, type Challenges } from './challenge.ts'
import { compilePlaces, type PlaceReader } from './present.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialPlace } from './identity.ts'

export interface Chain {
  readonly mode: 'none' | 'any' | 'all' | 'optional'
  readonly authenticators: readonly Authenticator[]
  /** Headers, cookies and parameters; what belongs to the connection is not among them. */
  readonly places: readonly PlaceReader[]
  /** Those that judge client certificates. */
  readonly byCertificate: readonly Authenticator[]
  /** Those that look up at a provider what nobody else takes. */
  readonly lookingUp: readonly Authenticator[]
  readonly challenges: Challenges
  /** Whether a browser that is not signed in can be sent to log in. */
  readonly hasSession: boolean
}

export function compileChain(mode: Chain['mode'], authenticators: readonly Authenticator[]): Chain {
  return Object.freeze({
    mode,
    authenticators,
    places: compilePlaces(authenticators),
    byCertificate: authenticators.filter(({ places }) => places.some(({ kind }) => kind === 'certificate')),
    lookingUp: authenticators.filter(({ type }) => type === 'introspection'),
    challenges: compileChallenges(authenticators),
    hasSession: authenticators.some(({ type }) => type === 'session'),
  })
}

/** The one that claims the value by its shape; among several tokens' authenticators the one whose audience fits; else one that takes any form. */
export function choose(
  authenticators: readonly Authenticator[],
  presented: Presented,
): Authenticator | undefined {
  let sure: Authenticator | undefined
  let possible: Authenticator | undefined
  for (const authenticator of authenticators) {
    if (!reads(authenticator, presented)) continue
    const answer = authenticator.takes(presented)
    // A look-up at a provider takes what is left, so anybody else who takes any form comes first.
    if (answer === 'maybe' && (possible === undefined || possible.type === 'introspection'))
      possible = authenticator
    if (answer !== 'yes') continue
    if (authenticators.length === 1) return authenticator
    if (authenticator.fitsAudience?.(presented) === true) return authenticator
    sure ??= authenticator
  }
  return sure ?? possible
}

/**
 * The one to whom a value goes that another, who takes any form, does not know after all: an imported key may look like an
 * opaque token.
 */
export function leftTo(
  { lookingUp }: Chain,
  presented: Presented,
  first: Authenticator,
): Authenticator | undefined {
  if (lookingUp.length === 0 || first.type === 'introspection' || first.takes(presented) !== 'maybe')
    return undefined
  return lookingUp.find((each) => reads(each, presented) && each.takes(presented) === 'maybe')
}

export function reads(authenticator: Authenticator, { place }: Presented): boolean {
  for (const own of authenticator.places) if (own === place || isSamePlace(own, place)) return true
  return false
}

function isSamePlace(own: CredentialPlace, place: CredentialPlace): boolean {
  return (
    own.kind === place.kind &&
    own.name === place.name &&
    (own.kind !== 'header' ||
      place.kind !== 'header' ||
      own.scheme?.toLowerCase() === place.scheme?.toLowerCase())
  )
}

/** The scheme by which a token was presented, for the challenge that tells what was wrong; undefined where no scheme knows errors. */
export function tokenScheme(
  presented: Presented,
  authenticator: Authenticator | undefined,
): 'Bearer' | 'DPoP' | undefined {
  const scheme = presented.scheme?.toLowerCase()
  if (scheme === 'dpop') return 'DPoP'
  if (scheme === 'bearer') return 'Bearer'
  return authenticator?.challenges.some((way) => way.scheme === 'Bearer') === true ? 'Bearer' : undefined
}

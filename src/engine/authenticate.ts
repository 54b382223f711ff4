/**
 * The proof of who is calling: looks for every credential that the route reads before any is verified, gives each to the
 * one authenticator that takes it, and never falls through from a bad credential to another or to anonymous.
 */
import { compileChallenges, isBearer, type Challenges } from './challenge.ts'
import { isGuess } from './errors.ts'
import { compilePlaces, readPlace, type PlaceReader } from './present.ts'
import { refuse, rejected, type Outcome, type Refusal, type Rejected, type Verified } from './outcome.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialFacts, Identity } from './identity.ts'
import type { GatewayRequest } from './request.ts'

/** A route's `authenticate`, compiled once. */
export interface Chain {
  readonly mode: 'none' | 'any' | 'all' | 'optional'
  readonly authenticators: readonly Authenticator[]
  readonly places: readonly PlaceReader[]
  readonly challenges: Challenges
}

/** Refuses guessing before any hash or signature is computed. */
export interface GuessGuard {
  /** @returns 0 to go on, or the seconds to wait */
  admit(address: string): number
  /** Counts a failed guess; the same credential counts once in a window. */
  failed(address: string, credential: string): void
}

export interface Authenticated {
  readonly outcome: 'authenticated'
  readonly identity: Identity
  readonly credential: CredentialFacts
  readonly presented: readonly Presented[]
  /** Who proved what: asked again while a stream stays open. */
  readonly proofs: readonly Proof[]
}

export interface Proof {
  readonly authenticator: Authenticator
  readonly presented: Presented
}

/** `authenticator` names who judged; absent where none was found. */
export interface NotAuthenticated {
  readonly outcome: 'refused'
  readonly refusal: Refusal
  readonly authenticator?: string
  readonly presented?: Presented
  readonly credentialId?: string
}

export type Authentication = Authenticated | NotAuthenticated | { readonly outcome: 'anonymous' }

const anonymous: Authentication = Object.freeze({ outcome: 'anonymous' })

export function compileChain(mode: Chain['mode'], authenticators: readonly Authenticator[]): Chain {
  return Object.freeze({
    mode,
    authenticators,
    places: compilePlaces(authenticators),
    challenges: compileChallenges(authenticators),
  })
}

/** A value for a credential known from memory; a promise only when a store or the network must be asked. */
export function authenticate(
  chain: Chain,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  if (chain.mode === 'none') return anonymous
  if (chain.mode === 'all') return authenticateAll(chain, request, guard)
  let found: Presented | Rejected | undefined
  for (const reader of chain.places) {
    const read = readPlace(reader, request)
    if (read === undefined) continue
    // No guess about whom the caller is: two credentials are one too many, even when one of them is bad.
    if (found !== undefined || isRepeated(read))
      return refused(chain, rejectedAs(read, 'several_credentials'))
    found = read
  }
  if (found === undefined) {
    return chain.mode === 'optional' ? anonymous : refused(chain, rejected('no_credential'))
  }
  if ('outcome' in found) return refusedUnread(chain, found, request)
  const authenticator = choose(chain.authenticators, found)
  if (authenticator === undefined) return refused(chain, rejected('no_authenticator_takes_it'), found)
  const presented = found
  const outcome = prove(authenticator, presented, request, guard)
  if (outcome instanceof Promise)
    return outcome.then((settled) => conclude(chain, authenticator, presented, settled))
  return conclude(chain, authenticator, presented, outcome)
}

/** Each member must be there and hold; the first named gives the subject, the first with scopes or roles gives those and the claims. */
async function authenticateAll(
  chain: Chain,
  request: GatewayRequest,
  guard: GuessGuard,
): Promise<Authentication> {
  const found: Presented[] = []
  for (const reader of chain.places) {
    const read = readPlace(reader, request)
    if (read === undefined) continue
    if ('outcome' in read) return refusedUnread(chain, read, request)
    found.push(read)
  }
  const pairs: [Authenticator, Presented][] = []
  for (const member of chain.authenticators) {
    const own = found.filter(
      (presented) => reads(member, presented) && !pairs.some(([, taken]) => taken === presented),
    )
    if (own.length > 1) return refused(chain, rejected('several_credentials', member.name))
    const [presented] = own
    if (presented === undefined) return refused(chain, rejected('no_credential', member.name))
    if (member.takes(presented) === 'no')
      return refused(chain, rejected('no_authenticator_takes_it', member.name), presented)
    pairs.push([member, presented])
  }
  if (pairs.length < found.length) return refused(chain, rejected('several_credentials'))
  const proven: Verified[] = []
  for (const [member, presented] of pairs) {
    const outcome = await prove(member, presented, request, guard)
    if (outcome.outcome === 'rejected') return refused(chain, outcome, presented, member)
    proven.push(outcome)
  }
  return {
    ...joined(proven),
    presented: found,
    proofs: pairs.map(([authenticator, presented]) => ({ authenticator, presented })),
  }
}

function joined(proven: readonly Verified[]): Omit<Authenticated, 'presented' | 'proofs'> {
  const first = proven[0]!
  const entitled =
    proven.find(({ identity }) => identity.scopes.length > 0 || identity.roles.length > 0) ?? first
  const identity: Identity = Object.freeze({
    ...first.identity,
    scopes: entitled.identity.scopes,
    roles: entitled.identity.roles,
    claims: entitled.identity.claims,
    method: proven.map((each) => each.identity.method).join(','),
    amr: Object.freeze(proven.flatMap((each) => each.identity.amr)),
  })
  const expiresAt = Math.min(...proven.map((each) => each.credential.expiresAt))
  // The strictest of all: a cookie or a key's own limits among the members count for the whole.
  const cookie = proven.find((each) => each.credential.place.kind === 'cookie')
  const limited = proven.find((each) => each.credential.kind === 'api-key')
  const credential: CredentialFacts = {
    ...(limited ?? first).credential,
    kind: first.credential.kind,
    expiresAt,
    place: (cookie ?? first).credential.place,
  }
  return { outcome: 'authenticated', identity, credential }
}

/** From memory first; what is not known to be good passes the guard before it may cost a hash or a signature. */
function prove(
  authenticator: Authenticator,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Outcome | Promise<Outcome> {
  const recalled = authenticator.recall(presented)
  if (recalled !== undefined) return recalled
  const wait = guard.admit(request.clientIp)
  if (wait > 0) return { outcome: 'rejected', reason: 'lockout', retryAfter: wait }
  const outcome = authenticator.verify(presented)
  return outcome instanceof Promise
    ? outcome.then((settled) => counted(settled, presented, request, guard))
    : counted(outcome, presented, request, guard)
}

function counted(
  outcome: Outcome,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Outcome {
  if (outcome.outcome === 'rejected' && isGuess(outcome.reason))
    guard.failed(request.clientIp, presented.value)
  return outcome
}

function conclude(
  chain: Chain,
  authenticator: Authenticator,
  presented: Presented,
  outcome: Outcome,
): Authentication {
  if (outcome.outcome === 'rejected') return refused(chain, outcome, presented, authenticator)
  return {
    outcome: 'authenticated',
    identity: outcome.identity,
    credential: outcome.credential,
    presented: [presented],
    proofs: [{ authenticator, presented }],
  }
}

/** The one that claims the value by its shape; among several tokens' authenticators the one whose audience fits; else one that takes any form. */
function choose(authenticators: readonly Authenticator[], presented: Presented): Authenticator | undefined {
  let sure: Authenticator | undefined
  let possible: Authenticator | undefined
  for (const authenticator of authenticators) {
    if (!reads(authenticator, presented)) continue
    const answer = authenticator.takes(presented)
    if (answer === 'maybe') possible ??= authenticator
    if (answer !== 'yes') continue
    if (authenticator.fitsAudience?.(presented) === true) return authenticator
    sure ??= authenticator
  }
  return sure ?? possible
}

function reads(authenticator: Authenticator, presented: Presented): boolean {
  const { place } = presented
  return authenticator.places.some(
    (own) =>
      own.kind === place.kind &&
      own.name === place.name &&
      (own.kind !== 'header' ||
        place.kind !== 'header' ||
        own.scheme?.toLowerCase() === place.scheme?.toLowerCase()),
  )
}

function isRepeated(read: Presented | Rejected): boolean {
  return 'outcome' in read && read.reason === 'credential_repeated'
}

function rejectedAs(read: Presented | Rejected, reason: 'several_credentials'): Rejected {
  return 'outcome' in read && read.reason === 'credential_repeated' ? read : rejected(reason)
}

/** A place held nothing that could be a credential; the challenge still tells of a Bearer scheme that came empty. */
function refusedUnread(chain: Chain, why: Rejected, request: GatewayRequest): NotAuthenticated {
  const answer = refused(chain, why)
  const scheme = request.header('authorization')?.slice(0, 7).trim().toLowerCase()
  if (answer.refusal.status !== 401 || scheme !== 'bearer') return answer
  return { ...answer, refusal: { ...answer.refusal, challenges: chain.challenges.invalidBearer } }
}

function refused(
  chain: Chain,
  why: Rejected,
  presented?: Presented,
  authenticator?: Authenticator,
): NotAuthenticated {
  const refusal = refuse(why.reason, {
    ...(why.detail === undefined ? {} : { detail: why.detail }),
    ...(why.retryAfter === undefined ? {} : { retryAfter: why.retryAfter }),
  })
  const challenges = challengesFor(chain, refusal, presented, authenticator)
  return {
    outcome: 'refused',
    refusal: challenges === undefined ? refusal : { ...refusal, challenges },
    ...(authenticator === undefined ? {} : { authenticator: authenticator.name }),
    ...(presented === undefined ? {} : { presented }),
    ...(why.credentialId === undefined ? {} : { credentialId: why.credentialId }),
  }
}

function challengesFor(
  chain: Chain,
  refusal: Refusal,
  presented: Presented | undefined,
  authenticator: Authenticator | undefined,
): readonly string[] | undefined {
  if (refusal.status !== 401) return undefined
  if (presented === undefined || refusal.code === 'credential_missing') return chain.challenges.missing
  const asBearer =
    authenticator === undefined
      ? isBearer('', presented.place)
      : isBearer(authenticator.type, presented.place)
  return asBearer ? chain.challenges.invalidBearer : chain.challenges.missing
}

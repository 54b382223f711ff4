/**
 * The proof of who is calling: looks for every credential that the route reads before any is verified, gives each to the
 * one authenticator that takes it, and never falls through from a bad credential to another or to anonymous.
 */
import { authenticateAll } from './authenticate-all.ts'
import { choose, leftTo, reads, type Chain } from './chain.ts'
import { isGuess } from './errors.ts'
import { prove } from './prove.ts'
import { readCertificate, readPlace } from './present.ts'
import { isPromise, withAbsent } from './settle.ts'
import { authenticatedBy, refused, refusedUnread } from './refused.ts'
import { rejected, type Absent, type Outcome, type Refusal, type Rejected, type Verified } from './outcome.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialFacts, Identity } from './identity.ts'
import type { GatewayRequest } from './request.ts'

export { compileChain, type Chain } from './chain.ts'

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
  readonly absent?: Absent
}

export interface Proof {
  readonly authenticator: Authenticator
  readonly presented: Presented
  readonly verified: Verified
  readonly request: GatewayRequest
}

/** `authenticator` names who judged; absent where none was found. */
export interface NotAuthenticated {
  readonly outcome: 'refused'
  readonly refusal: Refusal
  readonly authenticator?: string
  readonly presented?: Presented
  readonly credentialId?: string
  readonly absent?: Absent
}

/** `absent`: something that looked like a credential, and counts as if it had not been sent. */
export interface Anonymous {
  readonly outcome: 'anonymous'
  readonly absent?: Absent
}

export type Authentication = Authenticated | NotAuthenticated | Anonymous

const anonymous: Anonymous = Object.freeze({ outcome: 'anonymous' })

/** A value for a credential known from memory; a promise only when a store or the network must be asked. */
export function authenticate(
  chain: Chain,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  if (chain.mode === 'none') return anonymous
  if (chain.mode === 'all') return authenticateAll(chain, request, guard)
  let found: Presented | Rejected | undefined
  let all: (Presented | Rejected)[] | undefined
  for (const reader of chain.places) {
    const read = readPlace(reader, request)
    if (read === undefined) continue
    // One kind twice: whichever we took, somebody behind us might take the other.
    if ('outcome' in read && read.reason === 'credential_repeated') return refused(chain, read)
    if (found !== undefined) (all ??= [found]).push(read)
    found ??= read
  }
  if (all !== undefined) return chooseAmong(chain, all, request, guard)
  return found === undefined
    ? byConnection(chain, request, guard, undefined)
    : judgeOne(chain, found, request, guard)
}

function judgeOne(
  chain: Chain,
  found: Presented | Rejected,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  if ('outcome' in found) return refusedUnread(chain, found, request)
  const authenticator = choose(chain.authenticators, found)
  if (authenticator === undefined)
    return refused(chain, rejected('no_authenticator_takes_it'), { presented: found })
  if (authenticator.type === 'session') return judgeSession(chain, found, request, guard)
  const other = leftTo(chain, found, authenticator)
  return other === undefined
    ? judgedBy(chain, authenticator, found, request, guard)
    : judgedByEither(chain, [authenticator, other], found, request, guard)
}

/** What the first does not know is asked of the second; only its no counts, since to the first it was never a key. */
function judgedByEither(
  chain: Chain,
  [first, second]: readonly [Authenticator, Authenticator],
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  if (second.recall(presented, request) !== undefined)
    return judgedBy(chain, second, presented, request, guard)
  const outcome = prove(first, presented, request, { ...guard, failed: () => undefined })
  const settle = (settled: Outcome): Authentication | Promise<Authentication> => {
    if (settled.outcome === 'rejected' && isUnknown(settled))
      return judgedBy(chain, second, presented, request, { ...guard, admit: () => 0 })
    if (settled.outcome === 'rejected' && isGuess(settled.reason))
      guard.failed(request.clientIp, presented.value)
    return concluded(chain, first, presented, request, settled)
  }
  return isPromise(outcome) ? outcome.then(settle) : settle(outcome)
}

function isUnknown({ reason }: Rejected): boolean {
  return reason === 'key_unknown' || reason === 'key_malformed' || reason === 'no_authenticator_takes_it'
}

function judgedBy(
  chain: Chain,
  authenticator: Authenticator,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  const outcome = prove(authenticator, presented, request, guard)
  return isPromise(outcome)
    ? outcome.then((settled) => concluded(chain, authenticator, presented, request, settled))
    : concluded(chain, authenticator, presented, request, outcome)
}

function concluded(
  chain: Chain,
  authenticator: Authenticator,
  presented: Presented,
  request: GatewayRequest,
  outcome: Outcome,
): Authentication {
  switch (outcome.outcome) {
    case 'verified':
      return authenticatedBy([{ authenticator, presented, verified: outcome, request }], [presented])
    case 'rejected':
      return refused(chain, outcome, { presented, authenticator })
    case 'absent':
      // Only a session may be absent after all: from anything else it is a refusal.
      return refused(chain, rejected('no_authenticator_takes_it'), { presented, authenticator })
  }
}

/** A session that is unknown, ended or another's counts as if its cookie had not been sent. */
function judgeSession(
  chain: Chain,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  const judged = proveSession(chain, presented, request, guard)
  const settle = (answer: SessionAnswer): Authentication | Promise<Authentication> => {
    const { authenticator, outcome } = answer
    if (outcome.outcome === 'absent') return byConnection(chain, request, guard, outcome)
    return outcome.outcome === 'verified'
      ? authenticatedBy([{ authenticator, presented, verified: outcome, request }], [presented])
      : refused(chain, outcome, { presented, authenticator })
  }
  return isPromise(judged) ? judged.then(settle) : settle(judged)
}

interface SessionAnswer {
  readonly authenticator: Authenticator
  readonly outcome: Outcome
}

/** Several session authenticators read one cookie: the session itself says whose it is. */
function proveSession(
  chain: Chain,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): SessionAnswer | Promise<SessionAnswer> {
  const able = chain.authenticators.filter(
    (each) => each.type === 'session' && reads(each, presented) && each.takes(presented) !== 'no',
  )
  const next = (at: number, absent: Absent | undefined): SessionAnswer | Promise<SessionAnswer> => {
    const authenticator = able[at]!
    const outcome = prove(authenticator, presented, request, guard)
    const settle = (settled: Outcome): SessionAnswer | Promise<SessionAnswer> => {
      if (settled.outcome !== 'absent') return { authenticator, outcome: settled }
      const both = absent === undefined ? settled : bothAbsent(absent, settled)
      return at + 1 < able.length ? next(at + 1, both) : { authenticator, outcome: both }
    }
    return isPromise(outcome) ? outcome.then(settle) : settle(outcome)
  }
  return next(0, undefined)
}

/** The cookie is cleared only when nobody knows it: elsewhere it may be good. */
function bothAbsent(one: Absent, other: Absent): Absent {
  return one.fields === undefined ? one : other
}

/**
 * Two credentials are one too many, even when one of them is bad: no guess about whom the caller is. A session cookie is
 * first asked whether it stands for anything.
 */
async function chooseAmong(
  chain: Chain,
  found: readonly (Presented | Rejected)[],
  request: GatewayRequest,
  guard: GuessGuard,
): Promise<Authentication> {
  const left: (Presented | Rejected)[] = []
  let absent: Absent | undefined
  for (const each of found) {
    const isSession = !('outcome' in each) && choose(chain.authenticators, each)?.type === 'session'
    const judged = isSession ? await proveSession(chain, each, request, guard) : undefined
    if (judged?.outcome.outcome === 'absent') absent = judged.outcome
    else left.push(each)
  }
  if (left.length > 1) return withAbsent(refused(chain, rejected('several_credentials')), absent)
  const [only] = left
  if (only === undefined) return byConnection(chain, request, guard, absent)
  return withAbsent(await judgeOne(chain, only, request, guard), absent)
}

/**
 * What belongs to the connection counts only where nothing else was sent: beside another credential a client certificate is
 * that credential's proof, never a second one.
 */
function byConnection(
  chain: Chain,
  request: GatewayRequest,
  guard: GuessGuard,
  absent: Absent | undefined,
): Authentication | Promise<Authentication> {
  const presented = chain.byCertificate.length === 0 ? undefined : readCertificate(request)
  if (presented !== undefined) {
    const authenticator = choose(chain.byCertificate, presented) ?? chain.byCertificate[0]!
    const judged = judgedBy(chain, authenticator, presented, request, guard)
    return isPromise(judged)
      ? judged.then((settled) => withAbsent(settled, absent))
      : withAbsent(judged, absent)
  }
  if (chain.mode === 'optional') return absent === undefined ? anonymous : { ...anonymous, absent }
  return withAbsent(refused(chain, rejected(absent?.reason ?? 'no_credential')), absent)
}

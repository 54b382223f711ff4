/** The two ends of the proof: who was authenticated, or the refusal with its challenges. */
import { tokenScheme, type Chain } from './chain.ts'
import { travelsByItself } from './origin.ts'
import { refuse, type Refusal, type Rejected, type Verified } from './outcome.ts'
import type { Authenticated, NotAuthenticated, Proof } from './authenticate.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialFacts, Identity } from './identity.ts'
import type { GatewayRequest } from './request.ts'

/** @param proofs one for each accepted credential, the one that names the subject first */
export function authenticatedBy(proofs: readonly Proof[], presented: readonly Presented[]): Authenticated {
  const { identity, credential } = proofs.length === 1 ? proofs[0]!.verified : joinedBefore(proofs)
  return { outcome: 'authenticated', identity, credential, presented, proofs }
}

interface Joined {
  readonly identity: Identity
  readonly credential: CredentialFacts
}

// Known credentials prove the same each time: what is kept for an identity elsewhere (header lines, an assertion) is found again.
const joinedWith = new WeakMap<Verified, { readonly all: readonly Verified[]; readonly joined: Joined }>()

function joinedBefore(proofs: readonly Proof[]): Joined {
  const first = proofs[0]!.verified
  const before = joinedWith.get(first)
  if (before?.all.length === proofs.length && proofs.every(({ verified }, at) => verified === before.all[at]))
    return before.joined
  const all = proofs.map(({ verified }) => verified)
  const joined = join(all)
  joinedWith.set(first, { all, joined })
  return joined
}

/** The first named gives the subject; the first with scopes or roles gives those and the claims, whole: nothing is united. */
function join(proven: readonly Verified[]): Joined {
  const first = proven[0]!
  const entitled = proven.find(({ identity }) => isEntitled(identity)) ?? first
  const { withheld: _withheld, ...own } = first.identity
  const { withheld } = entitled.identity
  const identity: Identity = Object.freeze({
    ...own,
    ...(withheld === undefined ? {} : { withheld }),
    scopes: entitled.identity.scopes,
    roles: entitled.identity.roles,
    claims: entitled.identity.claims,
    method: proven.map((each) => each.identity.method).join(','),
    amr: Object.freeze(proven.flatMap((each) => each.identity.amr)),
  })
  const expiresAt = Math.min(...proven.map((each) => each.credential.expiresAt))
  // The strictest of all: a cookie among the members counts for the whole, and so do a key's own limits.
  const byItself = proven.find((each) => travelsByItself(each.credential.place))
  const key = proven.find((each) => each.credential.kind === 'api-key')?.credential
  // Whoever of them signed for the content: it must be what they signed.
  const contentDigests = proven.flatMap((each) => each.credential.contentDigests ?? [])
  const answerFields = proven.flatMap((each) => each.credential.answerFields ?? [])
  const credential: CredentialFacts = {
    ...first.credential,
    ...(key === undefined ? {} : limitsOf(key)),
    expiresAt,
    place: (byItself ?? first).credential.place,
    ...(contentDigests.length === 0 ? {} : { contentDigests }),
    ...(answerFields.length === 0 ? {} : { answerFields }),
  }
  return { identity, credential }
}

/** What an API key says of its own use, whichever credential comes first. */
function limitsOf({
  id,
  allowedIps,
  allowedRoutes,
  rateLimit,
  expiryNotice,
}: CredentialFacts): Partial<CredentialFacts> {
  return {
    ...(id === undefined ? {} : { keyId: id }),
    ...(allowedIps === undefined ? {} : { allowedIps }),
    ...(allowedRoutes === undefined ? {} : { allowedRoutes }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(expiryNotice === undefined ? {} : { expiryNotice }),
  }
}

/** Roles that a provider withheld count as there: passing over them would answer for somebody who is not known. */
function isEntitled({ scopes, roles, withheld }: Identity): boolean {
  return scopes.length > 0 || roles.length > 0 || withheld !== undefined
}

export interface Judged {
  readonly presented?: Presented
  readonly authenticator?: Authenticator
}

export function refused(chain: Chain, why: Rejected, judged: Judged = {}): NotAuthenticated {
  const { presented, authenticator } = judged
  const refusal = refuse(why.reason, {
    ...(why.detail === undefined ? {} : { detail: why.detail }),
    ...(why.retryAfter === undefined ? {} : { retryAfter: why.retryAfter }),
    ...(why.fields === undefined ? {} : { fields: why.fields }),
  })
  const challenges = challengesFor(chain, refusal, why, judged)
  return {
    outcome: 'refused',
    refusal: challenges === undefined ? refusal : { ...refusal, challenges },
    ...(authenticator === undefined ? {} : { authenticator: authenticator.name }),
    ...(presented === undefined ? {} : { presented }),
    ...(why.credentialId === undefined ? {} : { credentialId: why.credentialId }),
  }
}

/** A place held nothing that could be a credential; the challenge still tells of a scheme that came empty. */
export function refusedUnread(chain: Chain, why: Rejected, request: GatewayRequest): NotAuthenticated {
  const answer = refused(chain, why)
  if (answer.refusal.status !== 401) return answer
  const scheme = /^(?:bearer|dpop)(?= |$)/i.exec(request.header('authorization') ?? '')?.[0]
  return {
    ...answer,
    refusal: { ...answer.refusal, challenges: chain.challenges.refused(scheme, 'invalid_token') },
  }
}

function challengesFor(
  chain: Chain,
  { status, code }: Refusal,
  { proofError }: Rejected,
  { presented, authenticator }: Judged,
): readonly string[] | undefined {
  if (status !== 401) return undefined
  if (proofError !== undefined) return chain.challenges.refused('DPoP', proofError)
  if (presented === undefined || code === 'credential_missing') return chain.challenges.missing
  return chain.challenges.refused(tokenScheme(presented, authenticator), 'invalid_token')
}

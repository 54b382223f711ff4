/** `/.portcullis/callback/<provider>`: the way back. Everything is checked before a session begins. */
import { randomBytes } from 'node:crypto'
import { stepUpChallenge } from '../engine/challenge.ts'
import { cookieValues } from '../engine/cookies.ts'
import type { Reason } from '../engine/errors.ts'
import type { Identity } from '../engine/identity.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import { identityOf, revocableBy } from '../engine/authenticators/session/identity.ts'
import type { Claims } from '../engine/providers/profile.ts'
import { sealContent, type SessionContent } from '../engine/sessions/content.ts'
import {
  attemptLifetime,
  digestOfCookie,
  newCookieValue,
  sessionCookieName,
  setCookie,
} from '../engine/sessions/cookie.ts'
import type { SessionRecord } from '../ports/sessions.ts'
import { redirectTo } from './answers.ts'
import { findAttempt, forgetAttempt, type Attempt } from './attempt.ts'
import { isRefusal, parameterOf, type LoginAnswer, type LoginCall } from './call.ts'
import { completeClaims } from './claims.ts'
import type { LoginDependencies } from './dependencies.ts'
import { recordSession } from './events.ts'
import { faultOf, Unbelievable, type ProviderFault } from './fault.ts'
import { readIdToken } from './id-token.ts'
import type { Tokens } from './party.ts'
import { revokeQuietly } from './revoke.ts'
import { choiceOf, partyOf, type Choice } from './settings.ts'
import { callbackOf } from './start.ts'
import { stepUpFault, stepUpOf } from './step-up.ts'
import { contentOf } from './token-answer.ts'

export async function answerCallback(
  deps: LoginDependencies,
  call: LoginCall,
  provider: string,
): Promise<LoginAnswer> {
  const { request, origin } = call
  const query = new URLSearchParams(request.query)
  const state = parameterOf(query, 'state')
  if (isRefusal(state)) return state
  if (state === undefined || !/^[\w-]{22}$/.test(state)) return again('login_unknown')
  const attempt = await findAttempt(deps.sessions.vault, state, origin, request)
  // Not this browser's: a stranger's code would log somebody in as the stranger.
  if (attempt === undefined) return again('login_unknown')
  const ended = forgetAttempt(origin, state)
  const answer = await finish(deps, call, { attempt, provider, query })
  if (isRefusal(answer)) return withWayBack(answer, attempt, ended)
  return redirectTo(attempt.returnTo, [answer.cookie, ended])
}

/** Whoever tries again comes to where they wanted to go. */
function withWayBack(refusal: Refusal, { returnTo }: Attempt, ended: string): Refusal {
  const href = `/.portcullis/login?return_to=${encodeURIComponent(returnTo)}`
  return {
    ...refusal,
    fields: [...(refusal.fields ?? []), 'Set-Cookie', ended],
    ...(refusal.advice === undefined ? {} : { advice: { ...refusal.advice, href } }),
  }
}

interface Returned {
  readonly attempt: Attempt
  readonly provider: string
  readonly query: URLSearchParams
}

async function finish(
  deps: LoginDependencies,
  call: LoginCall,
  { attempt, provider, query }: Returned,
): Promise<{ readonly cookie: string } | Refusal> {
  const now = deps.clock.now()
  const end = attempt.startedAt + attemptLifetime
  if (now >= end) return again('login_expired')
  // The answer of one provider at the callback of another (RFC 9700 section 4.4).
  const choice = attempt.provider === provider ? choiceOf(deps, attempt.authenticator, provider) : undefined
  if (choice === undefined) return again('login_mixed_up')
  if (!(await deps.sessions.store.use(`login ${call.origin} ${attempt.state}`, end)))
    return again('login_replayed')
  try {
    const callback = new URL(callbackOf(call.origin, provider))
    callback.search = query.toString()
    const login = await redeem(deps, choice, attempt, callback)
    return await admit(deps, call, choice, attempt, login)
  } catch (error) {
    const fault = faultOf(error)
    deps.log.warn({ provider, reason: fault.detail, requestId: call.requestId }, 'a login failed')
    return refusalFor(fault)
  }
}

interface Login {
  readonly tokens: Tokens
  readonly claims: Claims
}

async function redeem(
  deps: LoginDependencies,
  choice: Choice,
  attempt: Attempt,
  callback: URL,
): Promise<Login> {
  const party = partyOf(deps, choice)
  const provider = deps.provider(choice.provider)
  const { state, nonce, verifier } = attempt
  const tokens = await party.redeem(callback, { state, nonce, verifier })
  if (tokens.idToken === undefined) throw new Unbelievable('the token answer has no ID token')
  const { accessToken } = tokens
  const client = choice.settings.clients[choice.provider]!.id
  const idToken = await readIdToken(tokens.idToken, {
    provider,
    clock: deps.clock,
    client,
    nonce,
    accessToken,
  })
  const claims = await completeClaims(idToken, tokens, { from: choice.settings.claimsFrom, party, provider })
  return { tokens, claims }
}

/** The provider vouches for the user; now whether we let them in. */
async function admit(
  deps: LoginDependencies,
  call: LoginCall,
  choice: Choice,
  attempt: Attempt,
  { tokens, claims }: Login,
): Promise<{ readonly cookie: string } | Refusal> {
  const { settings, provider } = choice
  const now = deps.clock.now()
  const { profile } = deps.provider(provider)
  const client = settings.clients[provider]!.id
  const content: SessionContent = {
    ...contentOf(tokens, { claims, client, askedScope: attempt.scope, idToken: tokens.idToken!, now }),
    ...(attempt.stepUp === undefined ? {} : { steppedUpFor: attempt.stepUp }),
  }
  const identity = identityOf(content, profile, settings.name)
  if ('outcome' in identity) throw new Unbelievable(identity.detail ?? 'the claims make no identity')
  const id = randomBytes(9).toString('base64url')
  const named = { id, createdAt: now, ...sidOf(claims) }
  const refusal =
    lacking(deps, attempt, claims, now) ??
    (revocableBy(named, identity, profile).some((facts) => deps.revocations.isRevoked(facts))
      ? refuse('session_revoked')
      : undefined)
  if (refusal !== undefined) {
    revokeQuietly(deps, choice, content)
    return refusal
  }
  return begin(deps, call, { choice, content, identity, named })
}

function lacking(
  deps: LoginDependencies,
  { stepUp }: Attempt,
  claims: Claims,
  now: number,
): Refusal | undefined {
  const demanded = stepUp === undefined ? undefined : stepUpOf(deps, stepUp)
  const fault = demanded === undefined ? undefined : stepUpFault(demanded, claims, now)
  if (demanded === undefined || fault === undefined) return undefined
  const seconds = demanded.maxAge === undefined ? undefined : Math.floor(demanded.maxAge / 1000)
  return refuse(fault, { challenges: [stepUpChallenge(demanded.acr, seconds, 'Session')] })
}

interface Beginning {
  readonly choice: Choice
  readonly content: SessionContent
  readonly identity: Identity
  readonly named: { readonly id: string; readonly createdAt: number; readonly sid?: string }
}

/** A new cookie at each login: one that was there before, whoever planted it, is worth nothing afterwards. */
async function begin(
  deps: LoginDependencies,
  { request, requestId, origin }: LoginCall,
  { choice, content, identity, named }: Beginning,
): Promise<{ readonly cookie: string } | Refusal> {
  const { settings, provider } = choice
  const name = sessionCookieName(origin)
  const value = newCookieValue()
  const digest = digestOfCookie(value)!
  const record: SessionRecord = {
    ...named,
    digest,
    authenticator: settings.name,
    provider,
    origin,
    issuer: identity.issuer,
    sub: String(content.claims['sub']),
    subject: identity.subject,
    expiresAt: named.createdAt + settings.absolute,
    idle: settings.idle,
    seenAt: named.createdAt,
    content: await sealContent(deps.sessions.vault, digest, content),
    revision: 1,
  }
  const replaces = cookieValues(request, name).flatMap((each) => digestOfCookie(each) ?? [])
  const ended = await deps.sessions.store.create(record, { replaces, now: deps.clock.now() })
  if (ended === undefined) return again('login_overtaken')
  for (const old of ended) recordSession(deps, old, { change: 'logout', how: 'replaced', request, requestId })
  recordSession(deps, record, { change: 'login', request, requestId, identity })
  return { cookie: setCookie(origin, name, value) }
}

function sidOf(claims: Claims): { readonly sid?: string } {
  const sid = claims['sid']
  return typeof sid === 'string' && sid !== '' && sid.length <= 512 ? { sid } : {}
}

function refusalFor({ kind, error, detail }: ProviderFault): Refusal {
  if (kind === 'away') return { ...again('login_unavailable', detail), retryAfter: 5 }
  return again(error === 'access_denied' ? 'login_denied' : 'login_failed', detail)
}

/** What a person is told; what exactly was wrong goes to the log. */
const advices: Readonly<Partial<Record<Reason, string>>> = {
  login_unknown: 'this attempt to sign in is over, or was begun in another browser',
  login_expired: 'this attempt to sign in took too long',
  login_replayed: 'this attempt to sign in is over',
  login_denied: 'the provider did not let you in',
  login_unavailable: 'the provider cannot be reached at the moment',
}

function again(reason: Reason, detail?: string): Refusal {
  return refuse(reason, {
    ...(detail === undefined ? {} : { detail }),
    advice: {
      text: advices[reason] ?? 'signing in did not work',
      label: 'Try again',
      href: '/.portcullis/login',
    },
  })
}

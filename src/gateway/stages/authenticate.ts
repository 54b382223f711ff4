/** Step 4: the proof of who is calling, and the rule for credentials that travel without the page's intent. */
import { authenticate, type Authentication } from '../../engine/authenticate.ts'
import { checkRequestOrigin, travelsByItself } from '../../engine/origin.ts'
import { refuse, type Absent, type Refusal } from '../../engine/outcome.ts'
import { loginLocation } from '../../engine/sessions/return-to.ts'
import type { GatewayRequest } from '../../engine/request.ts'
import { isNavigation } from '../../server/navigation.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

/** Reasons for which signing in (again) is the remedy. */
const mendedByLogin: readonly string[] = ['credential_missing', 'credential_expired', 'credential_revoked']

/** A person in front of a browser is sent to log in; programs get the refusal. @see CONTRACT: GET and HEAD navigations only */
function toLogin(exchange: ExchangeState, refusal: Refusal): Refusal {
  const { request, judged } = exchange
  const isAboutSession = judged === undefined || judged.place.kind === 'cookie'
  if (refusal.status !== 401 || !isAboutSession || !mendedByLogin.includes(refusal.code)) return refusal
  if (!isNavigationOf(request) || request.publicOrigin === undefined) return refusal
  const { path, query } = request
  return { ...refusal, redirect: loginLocation({ path, query, ...authenticatorOf(exchange) }) }
}

/** Told to the login only where it is not clear without it. */
function authenticatorOf({ snapshot, compiled }: ExchangeState): { readonly authenticator?: string } {
  const isSession = ({ type }: { readonly type: string }): boolean => type === 'session'
  const [only, ...more] = compiled!.chain.authenticators.filter(isSession)
  const all = [...snapshot.authenticators.values()].filter(isSession)
  return only === undefined || more.length > 0 || all.length === 1 ? {} : { authenticator: only.name }
}

export function isNavigationOf(request: GatewayRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  return isNavigation({
    method: request.method,
    accept: request.header('accept'),
    secFetchMode: request.header('sec-fetch-mode'),
  })
}

export function authenticateCaller(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const { compiled, request, snapshot } = exchange
  // A session belongs to one of our origins, and this host is none.
  if (compiled!.chain.hasSession && request.publicOrigin === undefined) return refuse('misdirected')
  const result = authenticate(compiled!.chain, request, snapshot.guard)
  return result instanceof Promise
    ? result.then((settled) => settle(exchange, settled))
    : settle(exchange, result)
}

function settle(exchange: ExchangeState, result: Authentication): StageResult {
  const { metrics } = exchange.snapshot.services
  if (result.absent !== undefined) noteAbsent(exchange, result.absent)
  switch (result.outcome) {
    case 'anonymous':
      return undefined
    case 'authenticated': {
      // A list that may be out of date cannot say that this credential still stands.
      if (areRevocationsStale(exchange)) return refuse('revocations_stale', { retryAfter: 1 })
      exchange.identity = result.identity
      exchange.credential = result.credential
      exchange.presented = result.presented
      exchange.proofs = result.proofs
      metrics.verified(result.identity.method).add()
      return undefined
    }
    case 'refused':
      exchange.judgedBy = result.authenticator
      exchange.judged = result.presented
      exchange.judgedId = result.credentialId
      metrics.authentication(result.authenticator ?? 'none', 'rejected', result.refusal.reason).add()
      if (result.refusal.code === 'locked_out') metrics.lockedOut()
      return exchange.compiled!.chain.hasSession ? toLogin(exchange, result.refusal) : result.refusal
  }
}

function areRevocationsStale({ snapshot }: ExchangeState): boolean {
  const { maxStale, then } = snapshot.configuration.outage.revocations
  const { clock, revocations } = snapshot.services
  return then === 'refuse' && revocations.staleFor(clock.now()) > maxStale
}

/** A session that ended counts as not sent: its cookie is cleared on whatever answer comes, and the log says why. */
function noteAbsent(exchange: ExchangeState, absent: Absent): void {
  exchange.absent = absent
  // It is good elsewhere: nothing happened to it.
  if (absent.fields === undefined) return
  const { audit, clock, log } = exchange.snapshot.services
  audit
    .record({
      time: clock.now(),
      type: 'session',
      outcome: 'record',
      reason: absent.reason,
      requestId: exchange.id,
      route: exchange.route?.id,
      clientIp: exchange.request.clientIp,
    })
    ?.catch((error: unknown) => log.error({ err: error }, 'an ended session could not be recorded'))
}

export function checkOrigin(exchange: ExchangeState): StageResult {
  const { credential, compiled } = exchange
  if (credential === undefined || !travelsByItself(credential.place)) return undefined
  return checkRequestOrigin({
    place: credential.place,
    request: exchange.request,
    isUpgrade: exchange.server.isUpgrade,
    ownOrigin: exchange.request.publicOrigin,
    isSession: credential.kind === 'session',
    cors: compiled!.settings.cors,
  })
}

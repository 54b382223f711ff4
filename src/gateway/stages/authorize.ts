/** Step 6: what the proven identity may do; the proof is never asked again here. */
import { authenticate } from '../../engine/authenticate.ts'
import { tokenScheme } from '../../engine/chain.ts'
import { scopeChallenge, stepUpChallenge } from '../../engine/challenge.ts'
import { evaluate, type Authorization } from '../../engine/authorization/evaluate.ts'
import { checkKeyLimits } from '../../engine/authorization/key-limits.ts'
import type { Refusal } from '../../engine/outcome.ts'
import { loginLocation } from '../../engine/sessions/return-to.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'
import { isNavigationOf } from './authenticate.ts'

/** Report-only rules must not be able to lock anyone out. */
const idleGuard = { admit: () => 0, failed: () => undefined }

export function authorizeCaller(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const { compiled, proofs, request } = exchange
  // Each key among several credentials has its own.
  for (const { verified } of proofs) {
    const refusal = checkKeyLimits(verified.credential, request.clientIp, compiled!.settings.id)
    if (refusal !== undefined) return refusal
  }
  if (compiled!.authorization !== undefined) {
    const refusal = evaluateFor(exchange, compiled!.authorization)
    if (refusal !== undefined) return withChallenge(exchange, refusal)
  }
  return compiled!.report === undefined ? undefined : reportBeside(exchange)
}

function evaluateFor(exchange: ExchangeState, authorization: Authorization): Refusal | undefined {
  return evaluate(authorization, {
    identity: exchange.identity,
    request: exchange.request,
    routeId: exchange.compiled!.settings.id,
    now: exchange.server.receivedAt,
  })
}

function withChallenge(exchange: ExchangeState, refusal: Refusal): Refusal {
  const rules = exchange.compiled!.settings.authorize
  const [proof] = exchange.proofs
  const scheme = proof === undefined ? undefined : tokenScheme(proof.presented, proof.authenticator)
  const metadata = proof?.authenticator.resourceMetadata
  const tell = (line: string): string[] => [
    metadata === undefined ? line : `${line}, resource_metadata="${metadata}"`,
  ]
  if (refusal.code === 'insufficient_scope') {
    return scheme === undefined
      ? refusal
      : { ...refusal, challenges: tell(scopeChallenge(rules?.scopes ?? [], scheme)) }
  }
  if (refusal.code === 'insufficient_user_authentication') {
    const maxAge = rules?.maxAge === undefined ? undefined : Math.floor(rules.maxAge / 1000)
    if (exchange.credential?.kind !== 'session')
      return { ...refusal, challenges: tell(stepUpChallenge(rules?.acr, maxAge, scheme)) }
    return backToProvider(exchange, {
      ...refusal,
      challenges: [stepUpChallenge(rules?.acr, maxAge, 'Session')],
    })
  }
  return refusal
}

/** Milliseconds after a login for this route within which it is not asked for again: the provider gave what it could. */
const once = 30_000

/** Signing in again may mend it; a browser is sent there once. */
function backToProvider(exchange: ExchangeState, refusal: Refusal): Refusal {
  const { request, credential, compiled, server, identity } = exchange
  const route = compiled!.settings.id
  const isJustBack =
    credential?.steppedUpFor === route && server.receivedAt - (credential.issuedAt ?? 0) < once
  if (isJustBack || !isNavigationOf(request)) return refusal
  const { path, query } = request
  const authenticator = identity?.method.split(',')[0]
  return {
    ...refusal,
    redirect: loginLocation({
      path,
      query,
      route,
      ...(authenticator === undefined ? {} : { authenticator }),
    }),
  }
}

/** Decides what the `report` keys would have said; only recorded, whatever comes out. */
async function reportBeside(exchange: ExchangeState): Promise<undefined> {
  const { compiled, request, snapshot } = exchange
  const { chain, authorization, limits } = compiled!.report!
  const note = (stage: string, reason: string): void => {
    exchange.report ??= { stage, reason }
    snapshot.services.metrics.wouldRefuse(compiled!.settings.id, stage)
  }
  try {
    if (chain !== undefined) {
      const result = await authenticate(chain, request, idleGuard)
      if (result.outcome === 'refused') note('authenticate', result.refusal.reason)
    }
    if (limits !== undefined) {
      const refusal = await snapshot.services.limiter.probe(limits, exchange)
      if (refusal !== undefined) note('rateLimit', refusal.reason)
    }
    if (authorization !== undefined) {
      const refusal = evaluateFor(exchange, authorization)
      if (refusal !== undefined) note('authorize', refusal.reason)
    }
  } catch (error) {
    snapshot.services.log.warn({ err: error, route: compiled!.settings.id }, 'a report-only rule failed')
  }
  return undefined
}

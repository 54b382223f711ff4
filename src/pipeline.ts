/**
 * A request's way, as a table: one direction, and a refusal at any stage ends it.
 * A stage returns a value or a promise; the runner awaits only promises, so a warm request runs straight through.
 */
import type { Refusal } from './engine/outcome.ts'
import type { ExchangeState } from './gateway/exchange-state.ts'
import { answerEndpoint } from './gateway/endpoints/answer.ts'
import { conclude, concludeFault } from './gateway/conclude.ts'
import { answered, type Stage } from './gateway/stage.ts'
import { authenticateCaller, checkOrigin } from './gateway/stages/authenticate.ts'
import { authorizeCaller } from './gateway/stages/authorize.ts'
import { getBackendToken } from './gateway/stages/backend-token.ts'
import { checkContent } from './gateway/stages/check-content.ts'
import { boundBody, forward, planForward } from './gateway/stages/forward.ts'
import { limitAddress, limitCaller } from './gateway/stages/limit.ts'
import { matchRoute, normaliseTarget } from './gateway/stages/match.ts'
import { recordAdmission } from './gateway/stages/record.ts'

/** Step 1, strict HTTP, is the listener's: what arrives here is well-formed. */
export const stages: readonly Stage[] = [
  { name: 'normalise', type: 'authentication', run: normaliseTarget },
  { name: 'own endpoints', type: 'authentication', run: answerEndpoint },
  { name: 'match', type: 'authentication', run: matchRoute },
  { name: 'limit by address', type: 'rate_limit', run: limitAddress },
  { name: 'authenticate', type: 'authentication', run: authenticateCaller },
  { name: 'origin', type: 'authentication', run: checkOrigin },
  { name: 'limit', type: 'rate_limit', run: limitCaller },
  { name: 'authorize', type: 'authorization', run: authorizeCaller },
  { name: 'bound the body', type: 'authorization', run: boundBody },
  { name: 'check the body', type: 'authentication', run: checkContent },
  { name: 'get a token for the backend', type: 'authorization', run: getBackendToken },
  { name: 'propagate', type: 'authorization', run: planForward },
  { name: 'record', type: 'authorization', run: recordAdmission },
  { name: 'forward', type: 'authorization', run: forward },
]

/** Walks the stages. Never throws: an exception is a bug, and answers 500. */
export function runPipeline(exchange: ExchangeState): void {
  walk(exchange, 0)
}

function walk(exchange: ExchangeState, from: number): void {
  let at = from
  try {
    for (; at < stages.length; at += 1) {
      const stage = stages[at]!
      exchange.stage = stage.name
      const result = stage.run(exchange)
      if (result instanceof Promise) {
        const next = at + 1
        // The catch is for both: a stage that failed, and an answer that could not be given.
        result
          .then((settled) => {
            if (settled === undefined) walk(exchange, next)
            else end(exchange, stage, settled)
            return undefined
          })
          .catch((error: unknown) => concludeFault(exchange, stage.type, error))
        return
      }
      if (result !== undefined) return end(exchange, stage, result)
    }
  } catch (error) {
    concludeFault(exchange, stages[at]!.type, error)
  }
}

function end(exchange: ExchangeState, stage: Stage, result: Refusal | typeof answered): void {
  if (result !== answered) conclude(exchange, stage.type, result)
}

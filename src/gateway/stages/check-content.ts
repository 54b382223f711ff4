/** After the decision, before anything of the body goes on: content that was signed must be what was signed. */
import { HeldBody } from '../held-body.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

/** Reads the body, within the route's limit, only where the accepted credential speaks of it; other bodies stream. */
export function checkContent(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const digests = exchange.credential?.contentDigests
  if (digests === undefined) return undefined
  const { server, snapshot, compiled } = exchange
  const body = new HeldBody(snapshot.services.bodyMemory)
  return body.fill(server.hasBody ? server.body() : undefined, digests).then((refusal) => {
    if (refusal === undefined) exchange.heldBody = body
    return refusal?.status === 401 ? { ...refusal, challenges: compiled!.chain.challenges.missing } : refusal
  })
}

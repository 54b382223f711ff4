/** The end of an exchange: a refusal becomes an answer and an audit event; every answer is counted. */
import { renderRefusal } from '../server/problem.ts'
import { isNamed } from '../engine/fields.ts'
import type { Answer, FieldLines } from '../exchange.ts'
import { publicCodes } from '../engine/errors.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { Decision } from '../telemetry/gateway-metrics.ts'
import { addOwnFields } from './decorate.ts'
import { decisionEvent } from './decision-event.ts'
import type { ExchangeState } from './exchange-state.ts'
import { answered, type Stage, type StageResult } from './stage.ts'

export function conclude(exchange: ExchangeState, type: Stage['type'], refusal: Refusal): void {
  const { services } = exchange.snapshot
  exchange.refusal = refusal
  exchange.heldBody?.release()
  if (!exchange.isRecorded) {
    exchange.isRecorded = true
    exchange.decisionMs = performance.now() - exchange.startedAt
    // A refusal is answered whether or not the log can be written: nothing passes by it.
    services.audit.record(decisionEvent(exchange, type, refusal))?.catch((error: unknown) => {
      services.log.error({ err: error }, 'an audit event of a refusal could not be written')
    })
  }
  if (refusal.code === 'rate_limited') services.metrics.rateLimited(exchange.route?.id ?? '', refusal.reason)
  const extra: string[] = [...(refusal.fields ?? [])]
  addOwnFields(exchange, extra)
  const { server } = exchange
  // As they came: a refusal of the target comes before there is a request.
  const answer = renderRefusal(refusal, {
    requestId: exchange.id,
    method: server.method,
    accept: rawField(server.fields, 'accept'),
    secFetchMode: rawField(server.fields, 'sec-fetch-mode'),
    contentType: rawField(server.fields, 'content-type'),
    extraFields: extra,
  })
  server.answer(answer)
  finish(exchange, answer.status)
}

/** A bug in a stage, or in an answer: it answers 500 where there is still room for an answer, and never leaves a client waiting. */
export function concludeFault(exchange: ExchangeState, type: Stage['type'], error: unknown): void {
  const { log } = exchange.snapshot.services
  log.error({ err: error, requestId: exchange.id, stage: exchange.stage }, 'a stage failed')
  try {
    conclude(exchange, type, refuse('internal_error'))
  } catch (again) {
    log.error({ err: again, requestId: exchange.id }, 'the refusal could not be answered')
    answerBarely(exchange)
  }
}

/** Nothing that may fail is left in it; it fails only where an answer is out already. */
function answerBarely({ server, id }: ExchangeState): void {
  try {
    server.answer({ status: 500, fields: ['X-Request-Id', id], body: '' })
  } catch {
    // The answer is out.
  }
}

export function rawField(fields: FieldLines, name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    if (isNamed(fields[index]!, name)) return fields[index + 1]
  }
  return undefined
}

/** Answers with something that is neither a refusal nor the upstream's: preflights and the gateway's own endpoints. */
export function answerDirectly(exchange: ExchangeState, answer: Answer): StageResult {
  exchange.isRecorded = true
  exchange.server.answer({ ...answer, fields: [...answer.fields, 'X-Request-Id', exchange.id] })
  finish(exchange, answer.status)
  return answered
}

/** Counts an answer once it is out. */
export function finish(exchange: ExchangeState, status: number): void {
  const { compiled, refusal, route, snapshot } = exchange
  const { metrics, log } = snapshot.services
  const milliseconds = performance.now() - exchange.startedAt
  const counted = compiled?.metrics ?? metrics.route(route?.id ?? '')
  counted.answered(status, refusal === undefined ? 'allow' : decisionOf(refusal)).add()
  counted.duration.observe(milliseconds / 1000)
  exchange.span?.end({
    status,
    method: exchange.server.method,
    ...(route === undefined ? {} : { route: route.id }),
    ...(refusal === undefined ? {} : { reason: refusal.reason }),
  })
  if (!log.isLevelEnabled('debug')) return
  log.debug(
    {
      requestId: exchange.id,
      route: route?.id ?? '',
      method: exchange.server.method,
      path: exchange.request.path,
      status,
      reason: refusal?.reason,
      durationMs: milliseconds,
    },
    'answered',
  )
}

/** A failure behind the gateway is no refusal of the caller. */
function decisionOf(refusal: Refusal): Decision {
  return publicCodes[refusal.code].status >= 500 ? 'error' : 'refuse'
}

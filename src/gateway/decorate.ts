/** What the gateway adds to an upstream's answer, and takes out of it. */
import { corsFields, isCorsField } from '../routing/cors.ts'
import { rateLimitFields } from '../limits/fields.ts'
import { editAnswerFields } from '../propagation/answer-fields.ts'
import type { FieldLines } from '../exchange.ts'
import type { ExchangeState } from './exchange-state.ts'

export function decorateAnswer(exchange: ExchangeState, _status: number, fields: FieldLines): FieldLines {
  const settings = exchange.compiled!.settings
  const out = editAnswerFields(fields, settings.response.headers, {
    dropsCors: settings.cors !== undefined ? isCorsField : undefined,
    onOwnCookie: (name) =>
      exchange.snapshot.services.log.warn(
        { cookie: name, route: settings.id },
        'an upstream tried to set a cookie of the gateway',
      ),
  })
  out.push('X-Request-Id', exchange.id)
  addOwnFields(exchange, out)
  return out
}

/** Fields on every answer of a route, the gateway's own refusals too. */
export function addOwnFields(exchange: ExchangeState, out: string[]): void {
  const { compiled, request, credential } = exchange
  if (compiled === undefined) return
  if (compiled.settings.cors !== undefined)
    out.push(...corsFields(compiled.settings.cors, request.header('origin')))
  if (!compiled.limits.isEmpty || exchange.limits.length > 0)
    out.push(...rateLimitFields(compiled.limits, exchange.limits))
  if (credential?.expiryNotice !== undefined) out.push('Portcullis-Key-Expires', credential.expiryNotice)
}

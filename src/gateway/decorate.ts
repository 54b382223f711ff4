/** What the gateway adds to an upstream's answer, and takes out of it. */
import { corsFields, isCorsField } from '../routing/cors.ts'
import { rateLimitFields } from '../limits/fields.ts'
import { editAnswerFields } from '../propagation/answer-fields.ts'
import type { AuditEntry } from '../ports/audit-log.ts'
import type { FieldLines } from '../exchange.ts'
import { isNamed } from '../engine/fields.ts'
import type { ExchangeState } from './exchange-state.ts'
import { isNavigationOf } from './stages/authenticate.ts'

export function decorateAnswer(exchange: ExchangeState, _status: number, fields: FieldLines): FieldLines {
  const { settings, limits } = exchange.compiled!
  const out = editAnswerFields(fields, settings.response.headers, {
    dropsCors: settings.cors === undefined ? undefined : isCorsField,
    dropsLimits: !limits.isEmpty || exchange.limits.length > 0,
    onOwnCookie: (name) => recordOwnCookie(exchange, name),
  })
  out.push('X-Request-Id', exchange.id)
  addOwnFields(exchange, out)
  keepOffTheBackButton(exchange, out)
  return out
}

/** A page that a signed-in user saw must not come back by the browser's back button once they are gone, unless its service says so. */
function keepOffTheBackButton({ credential, request }: ExchangeState, out: string[]): void {
  if (credential?.kind !== 'session' || !isNavigationOf(request)) return
  for (let index = 0; index < out.length; index += 2) if (isNamed(out[index]!, 'cache-control')) return
  out.push('Cache-Control', 'no-store')
}

/** Fields on every answer of a route, the gateway's own refusals too. */
export function addOwnFields(exchange: ExchangeState, out: string[]): void {
  const { compiled, request, credential, absent } = exchange
  if (compiled === undefined) return
  if (absent?.fields !== undefined) out.push(...absent.fields)
  if (credential?.answerFields !== undefined) out.push(...credential.answerFields)
  if (compiled.settings.cors !== undefined)
    out.push(...corsFields(compiled.settings.cors, request.header('origin')))
  if (!compiled.limits.isEmpty || exchange.limits.length > 0)
    out.push(...rateLimitFields(compiled.limits, exchange.limits))
  if (credential?.expiryNotice !== undefined) out.push('Portcullis-Key-Expires', credential.expiryNotice)
}

/** A backend must not be able to plant or replace a session: the cookie is gone from the answer, and the log says so. */
function recordOwnCookie(exchange: ExchangeState, name: string): void {
  const { audit, clock, log } = exchange.snapshot.services
  const route = exchange.route?.id ?? ''
  const entry: AuditEntry = {
    time: clock.now(),
    type: 'session',
    outcome: 'record',
    reason: 'own_cookie_dropped',
    requestId: exchange.id,
    route,
    data: { cookie: name.slice(0, 100) },
  }
  audit
    .record(entry)
    ?.catch((error: unknown) => log.error({ err: error, route }, 'a dropped cookie could not be recorded'))
}

import type { Reason } from '../engine/errors.ts'
import type { Identity } from '../engine/identity.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { SessionRecord } from '../ports/sessions.ts'
import type { LoginDependencies } from './dependencies.ts'

export const sessionChanges = ['login', 'refresh', 'logout', 'expired'] as const
export type SessionChange = (typeof sessionChanges)[number]

export interface SessionEvent {
  readonly change: SessionChange
  /** How it came about, where there are several ways: `back-channel`, `replaced`, `refused by the provider`. */
  readonly how?: string
  readonly reason?: Reason
  readonly request?: GatewayRequest
  readonly requestId?: string
  readonly identity?: Identity
}

type EventDependencies = Pick<LoginDependencies, 'audit' | 'clock' | 'log'>

/** Tells the audit log what became of a session. The names of sessions open nothing. */
export function recordSession(deps: EventDependencies, record: SessionRecord, event: SessionEvent): void {
  const { change, how, reason, request, requestId, identity } = event
  deps.audit
    .record({
      time: deps.clock.now(),
      type: 'session',
      outcome: 'record',
      reason,
      requestId,
      host: request?.host,
      clientIp: request?.clientIp,
      authenticator: record.authenticator,
      credential: { kind: 'session', id: record.id },
      identity: {
        issuer: record.issuer,
        subject: record.subject,
        ...(identity?.client === undefined ? {} : { client: identity.client }),
        ...(identity?.tenant === undefined ? {} : { tenant: identity.tenant }),
        ...(identity === undefined ? {} : { scopes: identity.scopes, roles: identity.roles }),
        amr: ['session'],
      },
      data: {
        change,
        ...(how === undefined ? {} : { how }),
        provider: record.provider,
        origin: record.origin,
      },
    })
    ?.catch((error: unknown) => deps.log.error({ err: error }, 'a session event could not be recorded'))
}

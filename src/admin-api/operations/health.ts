import type { Operation } from '../operation.ts'
import { AdminProblem } from '../problem.ts'
import { healthView } from '../views.ts'

export interface Health {
  readonly status: 'starting' | 'ready' | 'draining'
  /** Names of providers that cannot be reached now. They make nobody unready: the other routes work. */
  readonly providersAway: readonly string[]
}

export interface HealthSources {
  readonly health: () => Health
  /** Prometheus text. */
  readonly metrics: () => string | Promise<string>
  /** PEM; undefined while the audit log is off. */
  readonly auditKey: () => string | undefined
}

export function healthOperations({ health, metrics, auditKey }: HealthSources): readonly Operation[] {
  return [
    {
      id: 'livez',
      method: 'GET',
      path: '/.portcullis/livez',
      tag: 'health',
      summary: 'Says that the process runs',
      access: 'open',
      answers: { 200: { description: 'It runs', schema: healthView } },
      handle: () => ({ status: 200, body: { status: 'live' } }),
    },
    {
      id: 'readyz',
      method: 'GET',
      path: '/.portcullis/readyz',
      tag: 'health',
      summary: 'Says whether requests are taken',
      access: 'open',
      answers: {
        200: { description: 'Requests are taken', schema: healthView },
        503: { description: 'It is starting or draining', schema: healthView },
      },
      handle: () => {
        const { status, providersAway } = health()
        return { status: status === 'ready' ? 200 : 503, body: { status, providersAway } }
      },
    },
    {
      id: 'metrics',
      method: 'GET',
      path: '/metrics',
      tag: 'health',
      summary: 'Metrics in the text format of Prometheus',
      access: 'open',
      answers: { 200: { description: 'Metrics', type: 'text/plain; version=0.0.4; charset=utf-8' } },
      handle: async () => ({
        status: 200,
        body: await metrics(),
        type: 'text/plain; version=0.0.4; charset=utf-8',
      }),
    },
    {
      id: 'auditKey',
      method: 'GET',
      path: '/audit-key',
      tag: 'health',
      summary: 'The public key that audit checkpoints are signed with',
      access: 'open',
      answers: { 200: { description: 'PEM', type: 'application/x-pem-file' } },
      handle: () => {
        const body = auditKey()
        if (body === undefined) throw new AdminProblem('not_found', { detail: 'the audit log is off' })
        return { status: 200, body, type: 'application/x-pem-file' }
      },
    },
  ]
}

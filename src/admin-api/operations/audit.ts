import { z } from 'zod'
import { parseTime } from '../../engine/units.ts'
import { invalid } from '../../keys/problem.ts'
import { parseAs, type Operation } from '../operation.ts'
import { AdminProblem } from '../problem.ts'
import { auditPageView } from '../views.ts'

/** Times are milliseconds since the epoch. */
export interface AuditFilter {
  readonly since?: number
  readonly until?: number
  readonly subject?: string
  readonly route?: string
  readonly outcome?: string
  readonly reason?: string
  readonly requestId?: string
  readonly limit: number
}

const words = {
  subject: z.string().optional(),
  route: z.string().optional(),
  outcome: z.string().optional(),
  reason: z.string().optional().describe('The public code or the finer word.'),
  requestId: z.string().optional(),
}
const auditQuery = z.strictObject({
  since: z.string().optional().describe('RFC 3339 time.'),
  until: z.string().optional().describe('RFC 3339 time.'),
  ...words,
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
})

/** @param query undefined while the log, or its index, is off */
export function auditOperations(
  query: ((filter: AuditFilter) => Promise<readonly unknown[]>) | undefined,
): readonly Operation[] {
  return [
    {
      id: 'queryAudit',
      method: 'GET',
      path: '/api/v1/audit',
      tag: 'audit',
      summary: 'Searches the audit log',
      access: 'token',
      query: auditQuery,
      answers: { 200: { description: 'Events, newest first', schema: auditPageView } },
      handle: async (call) => {
        const { since, until, ...rest } = parseAs(auditQuery, call.query)
        if (query === undefined) throw new AdminProblem('not_found', { detail: 'the audit log is off' })
        const filter = {
          ...defined(rest),
          ...timeOf('since', since),
          ...timeOf('until', until),
          limit: rest.limit,
        }
        return { status: 200, body: { items: await query(filter) } }
      },
    },
  ]
}

function timeOf(
  name: 'since' | 'until',
  text: string | undefined,
): { readonly since?: number; readonly until?: number } {
  if (text === undefined) return {}
  const time = parseTime(text)
  if (time === undefined) throw invalid(name, 'must be an RFC 3339 time, such as 2027-01-31T12:00:00Z')
  return { [name]: time }
}

function defined(values: Readonly<Record<string, unknown>>): Omit<AuditFilter, 'limit'> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

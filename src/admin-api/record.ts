/** What the audit log is told of calls to the admin API: each that changes something, and each that was refused. */
import type { FastifyRequest } from 'fastify'
import type { Recorder } from '../keys/events.ts'
import type { AuditEntry } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Operation } from './operation.ts'
import { AdminProblem } from './problem.ts'

interface RecordingParts {
  readonly audit: Recorder
  readonly clock: Clock
  readonly onError: (error: unknown, requestId: string) => void
}

/** @throws AdminProblem when the log cannot be written: nobody is told that something unrecorded was done */
export async function recordCall(
  operation: Operation,
  status: number,
  request: FastifyRequest,
  parts: RecordingParts,
): Promise<void> {
  const entry: AuditEntry = {
    ...callFacts(request, parts.clock),
    outcome: 'allow',
    data: { operation: operation.id, status },
  }
  try {
    await parts.audit.record(entry)
  } catch (error) {
    parts.onError(error, request.id)
    throw new AdminProblem('dependency_unavailable', {
      detail: 'it was done, but the audit log could not be written',
    })
  }
}

/** Of refusals only those that say something of the caller; mistakes in a body are the operator's own affair. */
export async function recordRefusal(
  problem: AdminProblem,
  request: FastifyRequest,
  parts: RecordingParts,
): Promise<void> {
  if (!recorded.has(problem.code)) return
  try {
    await parts.audit.record({ ...callFacts(request, parts.clock), outcome: 'refuse', reason: problem.code })
  } catch (error) {
    parts.onError(error, request.id)
  }
}

const recorded: ReadonlySet<string> = new Set([
  'credential_missing',
  'credential_invalid',
  'forbidden',
  'misdirected',
  'rate_limited',
])

function callFacts(request: FastifyRequest, clock: Clock): Omit<AuditEntry, 'outcome'> {
  const [path = ''] = request.url.split('?')
  return {
    time: clock.now(),
    type: 'administration',
    requestId: request.id,
    method: request.method,
    host: request.headers.host ?? '',
    path,
    clientIp: request.ip.replace(/^::ffff:(?=\d+\.)/, ''),
  }
}

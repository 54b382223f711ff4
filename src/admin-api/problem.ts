/** How the admin API refuses: problem documents, as on the listeners (RFC 9457). */
import type { Fault } from '../keys/problem.ts'

/** What only the admin API says; the listeners' codes mean the same here. */
export const adminProblems = {
  bad_request: { status: 400, title: 'Bad request', detail: 'the request is malformed' },
  credential_missing: { status: 401, title: 'Credential missing', detail: 'the admin token is missing' },
  credential_invalid: {
    status: 401,
    title: 'Credential invalid',
    detail: 'the admin token was not accepted',
  },
  forbidden: { status: 403, title: 'Forbidden', detail: 'the request came from a web page of another site' },
  route_not_found: { status: 404, title: 'Not found', detail: 'there is nothing at this address' },
  api_disabled: {
    status: 404,
    title: 'API not enabled',
    detail: 'the API is off: it needs admin.token and an address on loopback',
  },
  not_found: { status: 404, title: 'Not found', detail: 'there is no such thing' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'this address does not take the method',
  },
  conflict: { status: 409, title: 'Conflict', detail: 'the state does not allow it' },
  payload_too_large: { status: 413, title: 'Payload too large', detail: 'the body is larger than allowed' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', detail: 'send application/json' },
  misdirected: { status: 421, title: 'Misdirected request', detail: 'the Host is not this address' },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'too many wrong tokens came from this address; try again later',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'the gateway failed to handle the request',
  },
  dependency_unavailable: {
    status: 503,
    title: 'Dependency unavailable',
    detail: 'something the gateway depends on is away',
  },
} as const

export type AdminCode = keyof typeof adminProblems

/** A refusal on its way to its answer. */
export class AdminProblem extends Error {
  readonly code: AdminCode
  readonly faults: readonly Fault[]
  /** Field lines of the answer. */
  readonly fields: Readonly<Record<string, string>>

  constructor(
    code: AdminCode,
    facts: {
      readonly detail?: string
      readonly faults?: readonly Fault[]
      readonly fields?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(facts.detail ?? adminProblems[code].detail)
    this.name = 'AdminProblem'
    this.code = code
    this.faults = facts.faults ?? []
    this.fields = facts.fields ?? {}
  }
}

export function problemDocument(problem: AdminProblem, requestId: string): Readonly<Record<string, unknown>> {
  const { status, title } = adminProblems[problem.code]
  return {
    type: `urn:portcullis:error:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    requestId,
    ...(problem.faults.length === 0 ? {} : { errors: problem.faults }),
  }
}

import type { CredentialFacts, Identity } from './identity.ts'
import { codeOf, publicCodes, type PublicCode, type Reason } from './errors.ts'

/** A refusal is a value: it ends the request's way at once. Made with `refuse`. */
export interface Refusal {
  readonly code: PublicCode
  readonly status: number
  /** The finer private word; equals `code` where there is none. */
  readonly reason: Reason
  /** For the operator (audit, log), never the caller; never a credential. */
  readonly detail?: string
  /** `WWW-Authenticate` field lines, in order. */
  readonly challenges?: readonly string[]
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number
  /** Methods for `Allow` on a 405. */
  readonly allow?: readonly string[]
  /** More field lines of the answer, flat: `DPoP-Nonce`, a cookie that is cleared. */
  readonly fields?: readonly string[]
  /** Where a browser is sent instead of being shown the refusal: a 302 to this location. */
  readonly redirect?: string
  /** For a person, on the page alone: what to do about it. */
  readonly advice?: Advice
}

export interface Advice {
  readonly text: string
  readonly label: string
  /** A path of our own. */
  readonly href: string
}

export interface RefusalFacts {
  readonly detail?: string
  readonly challenges?: readonly string[]
  readonly retryAfter?: number
  readonly allow?: readonly string[]
  readonly fields?: readonly string[]
  readonly redirect?: string
  readonly advice?: Advice
  /** Overrides the code's usual status (503 for `upstream_unavailable` without a healthy target). */
  readonly status?: number
}

/** Makes a refusal from the closed tables of `errors.ts`. */
export function refuse(reason: Reason, facts: RefusalFacts = {}): Refusal {
  const code = codeOf(reason)
  return { code, status: publicCodes[code].status, reason, ...facts }
}

/** An authenticator's answer once it looked at a credential. */
export type Outcome = Verified | Rejected | Absent

/**
 * What looked like a credential stands for nothing, and counts as if it had not been sent: only a session cookie whose
 * session is unknown, ended or another's.
 */
export interface Absent {
  readonly outcome: 'absent'
  readonly reason: Reason
  /** Field lines that make the browser forget it; none where it is good elsewhere. */
  readonly fields?: readonly string[]
}

export interface Verified {
  readonly outcome: 'verified'
  readonly identity: Identity
  readonly credential: CredentialFacts
}

export interface Rejected {
  readonly outcome: 'rejected'
  readonly reason: Reason
  readonly detail?: string
  /** Seconds, for `provider_unavailable`. */
  readonly retryAfter?: number
  /** What could still be told of the caller (a key's id, an unverified subject is never told). */
  readonly credentialId?: string
  /** The error that the challenge of the presented scheme tells, where it is not `invalid_token`; always told by the `DPoP` challenge. */
  readonly proofError?: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce'
  /** More field lines of the answer, flat. */
  readonly fields?: readonly string[]
}

export function rejected(reason: Reason, detail?: string): Rejected {
  return detail === undefined ? { outcome: 'rejected', reason } : { outcome: 'rejected', reason, detail }
}

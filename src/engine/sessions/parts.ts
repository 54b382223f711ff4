/** What the session authenticator is handed by those who begin, renew and end sessions. */
import type { SessionRecord, SessionStore } from '../../ports/sessions.ts'
import type { SessionContent } from './content.ts'
import type { SessionUsage } from './usage.ts'
import type { Vault } from './vault.ts'

export type RefreshResult =
  | { readonly outcome: 'refreshed'; readonly record: SessionRecord; readonly content: SessionContent }
  /** The provider refused, another user answered, or somebody logged out. */
  | { readonly outcome: 'ended' }
  /** Seconds. */
  | { readonly outcome: 'unavailable'; readonly retryAfter: number; readonly detail: string }

/** Renews a session's tokens: one at a time over all replicas, and for all who wait. Never rejects. */
export type RefreshSession = (record: SessionRecord) => Promise<RefreshResult>

/** Ends a session that was found to be over, and records it. */
export type EndSession = (record: SessionRecord, why: 'expired' | 'unusable') => Promise<void>

export interface SessionParts {
  readonly store: SessionStore
  readonly vault: Vault
  readonly usage: SessionUsage
  readonly refresh: RefreshSession
  readonly end: EndSession
}

/** What is remembered of a session, made once for each change of it. */
import type { RevocationFacts } from '../../../ports/revocations.ts'
import type { SessionRecord } from '../../../ports/sessions.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { Verified } from '../../outcome.ts'
import type { Profile } from '../../providers/profile.ts'
import type { SessionContent } from '../../sessions/content.ts'
import { refreshDue } from '../../sessions/refresh-due.ts'
import { identityOf, revocableBy, verifiedBy } from './identity.ts'

export interface Known {
  readonly record: SessionRecord
  readonly verified: Verified
  readonly revocable: readonly RevocationFacts[]
  /** Undefined where nothing can or need be refreshed. Milliseconds since the epoch. */
  readonly refreshAt: number | undefined
  readonly accessEndsAt: number
  /** The store's count of session changes under which it was read. */
  version: number
  seenAt: number
  /** What the store has for `seenAt`. */
  writtenAt: number
}

export interface KnownFrom {
  readonly record: SessionRecord
  readonly content: SessionContent
  readonly profile: Profile
  readonly method: string
  readonly place: CredentialPlace
}

/** @returns undefined when the claims make no identity any more (the provider's claim paths were changed) */
export function knownBy({
  record,
  content,
  profile,
  method,
  place,
}: KnownFrom): Omit<Known, 'version' | 'seenAt' | 'writtenAt'> | undefined {
  const identity = identityOf(content, profile, method)
  if ('outcome' in identity) return undefined
  return {
    record,
    verified: verifiedBy(record, content, identity, place),
    revocable: revocableBy(record, identity, profile),
    refreshAt: refreshDue(content),
    accessEndsAt: content.accessExpiresAt ?? Infinity,
  }
}

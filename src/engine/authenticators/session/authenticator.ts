/** Judges session cookies: from memory while nothing changed in the store, else by one look-up. */
import { LRUCache } from 'lru-cache'
import type { StoreChangeFeed } from '../../../ports/api-keys.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { RevocationCheck } from '../../../ports/revocations.ts'
import type { SessionRecord, SessionStore } from '../../../ports/sessions.ts'
import type { CredentialPlace } from '../../identity.ts'
import { rejected, type Absent, type Outcome, type Verified } from '../../outcome.ts'
import type { Profile } from '../../providers/profile.ts'
import type { GatewayRequest } from '../../request.ts'
import { accessTokenOf } from '../../sessions/access-token.ts'
import { openContent, type SessionContent } from '../../sessions/content.ts'
import { clearCookie, digestOfCookie, sessionCookieName } from '../../sessions/cookie.ts'
import type { EndSession, RefreshSession } from '../../sessions/parts.ts'
import type { SessionUsage } from '../../sessions/usage.ts'
import type { Vault } from '../../sessions/vault.ts'
import type { Authenticator, Presented, SubjectToken } from '../authenticator.ts'
import { attempt, isAway } from './attempt.ts'
import { knownBy, type Known } from './known.ts'
import type { SessionSettings } from './settings.ts'

export interface SessionDependencies {
  readonly store: Pick<SessionStore, 'find'>
  readonly changes: Pick<StoreChangeFeed, 'sessions'>
  readonly vault: Pick<Vault, 'open'>
  readonly usage: Pick<SessionUsage, 'note'>
  readonly clock: Clock
  readonly revocations: RevocationCheck
  readonly refresh: RefreshSession
  readonly end: EndSession
  profileOf(provider: string): Profile
  /** How many known sessions are remembered. */
  readonly remember?: number
}

export interface SessionAuthenticator extends Authenticator {
  readonly type: 'session'
  /** The same as `verify`, for who only wants to know: looking at a session does not keep it alive. */
  look(presented: Presented, request: GatewayRequest): Outcome | Promise<Outcome>
}

/** Whether a judgement counts as a use of the session. */
type Purpose = 'use' | 'look'

const unknown: Absent = Object.freeze({ outcome: 'absent', reason: 'session_unknown' })
const elsewhere: Absent = Object.freeze({ outcome: 'absent', reason: 'session_elsewhere' })

export function createSessionAuthenticator(
  settings: SessionSettings,
  deps: SessionDependencies,
): SessionAuthenticator {
  const { clock, changes, revocations } = deps
  const cache = new LRUCache<string, Known>({ max: deps.remember ?? 10_000 })
  const valueOf = new WeakMap<Verified, string>()

  function recall(presented: Presented, request: GatewayRequest): Outcome | undefined {
    if (!isOwnPlace(presented.place, request)) return elsewhere
    const known = current(presented.value)
    return known === undefined ? undefined : judge(known, request, 'use')
  }

  /** What is known of the session, read again when any session changed; undefined where that needs a promise. */
  function current(value: string): Known | undefined {
    const known = cache.get(value)
    if (known === undefined || known.version === changes.sessions) return known
    const { sessions: version } = changes
    const record = attempt(() => deps.store.find(known.record.digest))
    if (record === undefined || record instanceof Promise || isAway(record)) {
      cache.delete(value)
      return undefined
    }
    if (record.revision !== known.record.revision) {
      const content = openContent(deps.vault, record.digest, record.content)
      return content === undefined || content instanceof Promise
        ? undefined
        : keep(value, record, content, version, known.verified.credential.place)
    }
    known.version = version
    known.seenAt = Math.max(known.seenAt, record.seenAt)
    known.writtenAt = record.seenAt
    return known
  }

  function keep(
    value: string,
    record: SessionRecord,
    content: SessionContent,
    version: number,
    place: CredentialPlace,
  ): Known | undefined {
    const profile = settings.providers.includes(record.provider) ? deps.profileOf(record.provider) : undefined
    const made =
      profile === undefined ? undefined : knownBy({ record, content, profile, method: settings.name, place })
    if (made === undefined) return undefined
    const seenAt = Math.max(record.seenAt, cache.get(value)?.seenAt ?? 0)
    const known: Known = { ...made, version, seenAt, writtenAt: record.seenAt }
    cache.set(value, known)
    valueOf.set(known.verified, value)
    return known
  }

  /** Undefined: something must be asked (the store whether it was used elsewhere, the provider for a new token). */
  function judge(known: Known, request: GatewayRequest | undefined, purpose: Purpose): Outcome | undefined {
    const { record, verified } = known
    if (request !== undefined && record.origin !== request.publicOrigin) return elsewhere
    if (record.authenticator !== settings.name) return elsewhere
    const now = clock.now()
    if (now >= record.expiresAt || now >= known.seenAt + record.idle) return undefined
    if (known.revocable.some((facts) => revocations.isRevoked(facts)))
      return { ...rejected('session_revoked'), credentialId: record.id }
    if (known.refreshAt !== undefined && now >= known.refreshAt) {
      if (now >= known.accessEndsAt) return undefined
      // Beside the request, which goes on with the token that is still good.
      void deps.refresh(record).catch(() => undefined)
    }
    if (purpose === 'use') {
      known.seenAt = now
      deps.usage.note(record.digest, now, known.writtenAt, record.idle)
    }
    return verified
  }

  async function prove(
    presented: Presented,
    request: GatewayRequest | undefined,
    purpose: Purpose,
  ): Promise<Outcome> {
    const digest = digestOfCookie(presented.value)
    if (digest === undefined) return forgotten(unknown, presented, request)
    // Read before the look-up: a change while it runs must not be taken for seen.
    const version = changes.sessions
    const record = await attempt(() => deps.store.find(digest))
    if (record === undefined) return forgotten(unknown, presented, request)
    if (isAway(record)) return record
    return judgeRecord({ record, version, presented, request, purpose })
  }

  interface Found {
    readonly record: SessionRecord
    readonly version: number
    readonly presented: Presented
    readonly request: GatewayRequest | undefined
    readonly purpose: Purpose
  }

  async function judgeRecord(found: Found): Promise<Outcome> {
    const { record, version, presented, request, purpose } = found
    if (record.authenticator !== settings.name) return elsewhere
    if (request !== undefined && record.origin !== request.publicOrigin) return elsewhere
    const seenAt = Math.max(record.seenAt, cache.get(presented.value)?.seenAt ?? 0)
    const now = clock.now()
    if (now >= record.expiresAt || now >= seenAt + record.idle) {
      await deps.end(record, 'expired')
      return forgotten({ ...unknown, reason: 'session_expired' }, presented, request)
    }
    const content = await openContent(deps.vault, record.digest, record.content)
    const known =
      content === undefined ? undefined : keep(presented.value, record, content, version, presented.place)
    if (known === undefined) {
      // Sealed under a key that is gone, or made by a provider that is no longer configured: nobody can use it any more.
      await deps.end(record, 'unusable')
      return forgotten(unknown, presented, request)
    }
    const outcome = judge(known, request, purpose)
    return outcome ?? refreshFirst(found)
  }

  /** The access token has expired: the provider is asked whether the user may go on, and the request waits. */
  async function refreshFirst({ record, presented, request, purpose }: Found): Promise<Outcome> {
    const result = await deps.refresh(record)
    switch (result.outcome) {
      case 'ended':
        return forgotten({ ...unknown, reason: 'session_ended' }, presented, request)
      case 'unavailable':
        return { ...rejected('refresh_unavailable', result.detail), retryAfter: result.retryAfter }
      case 'refreshed': {
        const { record: renewed, content } = result
        const known = keep(presented.value, renewed, content, -1, presented.place)
        if (known === undefined) return forgotten({ ...unknown, reason: 'session_ended' }, presented, request)
        // The provider vouched just now, however short its new token lives.
        return judge(known, request, purpose) ?? known.verified
      }
    }
  }

  function forgotten(
    absent: Absent,
    { value, place }: Presented,
    request: GatewayRequest | undefined,
  ): Absent {
    cache.delete(value)
    const origin = request?.publicOrigin
    if (origin === undefined || place.kind !== 'cookie') return absent
    return { ...absent, fields: ['Set-Cookie', clearCookie(origin, place.name)] }
  }

  return Object.freeze({
    name: settings.name,
    type: 'session',
    places: settings.in,
    challenges: [{ scheme: 'Session', parameters: 'login="/.portcullis/login"' }],
    takes: () => 'yes',
    recall,
    verify: (presented: Presented, request: GatewayRequest) =>
      isOwnPlace(presented.place, request) ? prove(presented, request, 'use') : elsewhere,
    look(presented: Presented, request: GatewayRequest) {
      if (!isOwnPlace(presented.place, request)) return elsewhere
      const known = current(presented.value)
      const outcome = known === undefined ? undefined : judge(known, request, 'look')
      return outcome ?? prove(presented, request, 'look')
    },
    subjectToken(proven: Verified): SubjectToken | undefined {
      const token = accessTokenOf(proven.credential)
      if (token === undefined) return undefined
      const known = cache.get(valueOf.get(proven) ?? '')
      return { token: token.reveal(), type: 'access_token', expiresAt: known?.accessEndsAt ?? Infinity }
    },
    stands(proven: Verified) {
      const value = valueOf.get(proven)
      if (value === undefined) return unknown
      const known = current(value)
      const outcome = known === undefined ? undefined : judge(known, undefined, 'look')
      return outcome ?? prove({ value, place: proven.credential.place }, undefined, 'look')
    },
  } satisfies SessionAuthenticator)
}

/** A cookie without the `__Host-` prefix can be set by any sibling of the host: on https it is not even looked at. */
function isOwnPlace(place: CredentialPlace, { publicOrigin }: GatewayRequest): boolean {
  return (
    publicOrigin !== undefined && place.kind === 'cookie' && place.name === sessionCookieName(publicOrigin)
  )
}

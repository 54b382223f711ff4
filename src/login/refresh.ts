/**
 * Renews a session's tokens. One refresh at a time over all replicas: a refresh token may be good once, and two that use it
 * at the same time would end the session. A logout beats a refresh under way.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { openContent, sealContent, type SessionContent } from '../engine/sessions/content.ts'
import type { RefreshResult, RefreshSession } from '../engine/sessions/parts.ts'
import { refreshDue } from '../engine/sessions/refresh-due.ts'
import type { SessionRecord } from '../ports/sessions.ts'
import type { LoginDependencies } from './dependencies.ts'
import { recordSession } from './events.ts'
import { faultOf, type ProviderFault } from './fault.ts'
import { renewTokens } from './renew.ts'
import { revokeQuietly } from './revoke.ts'
import { choiceOf, type Choice } from './settings.ts'

/** Milliseconds. A holder that died gives the lease up after this long; a slow one renews it. */
const leaseFor = 10_000
const renewEvery = 3_000
/** How long one waits for another replica's refresh. */
const patience = 15_000
const lookEvery = 100
/** After a refresh that failed, requests are answered without asking the provider again for this long. */
const coolDown = 2_000

const ended: RefreshResult = Object.freeze({ outcome: 'ended' })

type Failed = Extract<RefreshResult, { readonly outcome: 'unavailable' }>

export function createRefresher(deps: LoginDependencies): RefreshSession {
  const underWay = new Map<string, Promise<RefreshResult>>()
  const failures = new LRUCache<string, { readonly until: number; readonly result: Failed }>({ max: 10_000 })

  return (record) => {
    const { digest } = record
    const joined = underWay.get(digest)
    if (joined !== undefined) return joined
    const failure = failures.get(digest)
    if (failure !== undefined && deps.clock.now() < failure.until) return Promise.resolve(failure.result)
    const refreshing = refresh(deps, record)
      .catch((error: unknown): RefreshResult => {
        deps.log.error({ err: error, session: record.id }, 'a session could not be refreshed')
        return unavailable('the store or the vault failed')
      })
      .then((result) => {
        underWay.delete(digest)
        if (result.outcome === 'unavailable')
          failures.set(digest, { until: deps.clock.now() + coolDown, result })
        else failures.delete(digest)
        return result
      })
    underWay.set(digest, refreshing)
    return refreshing
  }
}

async function refresh(deps: LoginDependencies, known: SessionRecord): Promise<RefreshResult> {
  const { store } = deps.sessions
  const { digest } = known
  const holder = `${deps.holder} ${crypto.randomUUID()}`
  const patienceEnds = performance.now() + patience
  for (;;) {
    const now = deps.clock.now()
    const lease = await store.acquireLease(digest, holder, now, now + leaseFor)
    if (lease.outcome === 'gone') return ended
    if (lease.outcome === 'taken') return asHolder(deps, lease.record, holder)
    if (performance.now() > patienceEnds)
      return unavailable('another replica refreshes, and does not come to an end')
    await delay(lookEvery)
    const current = await store.find(digest)
    if (current === undefined) return ended
    if (current.revision !== known.revision) return reopened(deps, current)
  }
}

async function asHolder(
  deps: LoginDependencies,
  record: SessionRecord,
  holder: string,
): Promise<RefreshResult> {
  const { store, vault } = deps.sessions
  const content = await openContent(vault, record.digest, record.content)
  const choice = choiceOf(deps, record.authenticator, record.provider)
  if (content === undefined || choice === undefined) return end(deps, record, 'cannot be refreshed any more')
  const due = refreshDue(content)
  // Somebody was faster: what they wrote is new.
  if (due === undefined || deps.clock.now() < due) {
    await store.releaseLease(record.digest, holder)
    return { outcome: 'refreshed', record, content }
  }
  const keeping = setInterval(() => {
    store
      .renewLease(record.digest, holder, deps.clock.now() + leaseFor)
      .catch((error: unknown) => deps.log.warn({ err: error }, 'a lease could not be renewed'))
  }, renewEvery)
  keeping.unref()
  try {
    const renewed = await renewTokens(deps, choice, content)
    return await adopt(deps, { record, choice, holder, renewed })
  } catch (error) {
    return await conclude(deps, record, holder, faultOf(error))
  } finally {
    clearInterval(keeping)
  }
}

interface Renewed {
  readonly record: SessionRecord
  readonly choice: Choice
  readonly holder: string
  readonly renewed: SessionContent | 'another user'
}

async function adopt(
  deps: LoginDependencies,
  { record, choice, holder, renewed }: Renewed,
): Promise<RefreshResult> {
  const { store, vault } = deps.sessions
  if (renewed === 'another user') return end(deps, record, 'the provider answered for another user')
  const sealed = await sealContent(vault, record.digest, renewed)
  switch (await store.update(record.digest, holder, sealed)) {
    case 'updated':
      recordSession(deps, record, { change: 'refresh' })
      return {
        outcome: 'refreshed',
        record: { ...record, content: sealed, revision: record.revision + 1 },
        content: renewed,
      }
    case 'gone':
      // Logged out meanwhile: the tokens that came too late must not outlive the session.
      revokeQuietly(deps, choice, renewed)
      return ended
    case 'lost': {
      const current = await store.find(record.digest)
      return current === undefined ? ended : reopened(deps, current)
    }
  }
}

async function conclude(
  deps: LoginDependencies,
  record: SessionRecord,
  holder: string,
  fault: ProviderFault,
): Promise<RefreshResult> {
  const { store } = deps.sessions
  if (fault.error === 'invalid_grant') {
    // Where our lease was lost, another replica may have used the token before us, and well.
    const current = await store.find(record.digest)
    if (current === undefined) return ended
    if (current.revision !== record.revision) return reopened(deps, current)
    return end(deps, record, 'refused by the provider')
  }
  await store.releaseLease(record.digest, holder)
  const told = { provider: record.provider, session: record.id, reason: fault.detail }
  if (fault.kind === 'away') deps.log.warn(told, 'a session could not be refreshed: the provider is away')
  else deps.log.error(told, 'a session could not be refreshed')
  return unavailable(fault.detail)
}

async function reopened({ sessions }: LoginDependencies, record: SessionRecord): Promise<RefreshResult> {
  const content = await openContent(sessions.vault, record.digest, record.content)
  return content === undefined ? ended : { outcome: 'refreshed', record, content }
}

async function end(deps: LoginDependencies, record: SessionRecord, how: string): Promise<RefreshResult> {
  for (const each of await deps.sessions.store.end({ digest: record.digest }))
    recordSession(deps, each, { change: 'logout', how })
  return ended
}

function unavailable(detail: string): Failed {
  return { outcome: 'unavailable', retryAfter: Math.ceil(coolDown / 1000), detail }
}

/**
 * Finds which of our keys were found in public, and does what their authenticator says. A report may come again: what was done
 * is not done twice, and not told twice.
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Configuration } from '../../configuration.ts'
import type { ApiKeySettings } from '../../engine/authenticators/api-key/settings.ts'
import { longestKey } from '../../engine/authenticators/api-key/authenticator.ts'
import { digestOfKey, distinctPeppers } from '../../engine/authenticators/api-key/digest.ts'
import { statusOfKey } from '../../engine/authenticators/api-key/life.ts'
import type { ApiKeyRecord, ApiKeyStore } from '../../ports/api-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import { credentialEvent, type Actor, type Recorder } from '../events.ts'
import { apiKeyAuthenticators } from '../homes.ts'
import type { LeakMatch } from './report.ts'

/** What was done about a key: `none` for one that was dead, or quarantined, already. */
export type LeakAction = 'revoked' | 'quarantined' | 'reported' | 'none'

export interface FoundLeak {
  readonly keyId: string
  readonly owner: string
  readonly action: LeakAction
  /** In what it was found, such as `commit`. */
  readonly source: string
  /** Where; without the key, should the address itself hold it. */
  readonly url: string
}

/** What GitHub is told of each match: whether it was a real key. Only ever a digest of it. */
export interface LeakAnswer {
  /** SHA-256 of the token, lower-case hexadecimal. */
  readonly token_hash: string
  readonly token_type: string
  readonly label: 'true_positive' | 'false_positive'
}

export interface LeakDeskOptions {
  readonly store: Pick<ApiKeyStore, 'findByDigest' | 'revoke' | 'quarantine'>
  readonly audit: Recorder
  readonly clock: Clock
  readonly configuration: () => Pick<Configuration, 'authenticators'>
  /** Writes what is known of uses and still pending: a quarantine goes by it. */
  readonly flushUses: () => Promise<void>
  /** For the log and the metric; once for each thing that is told. */
  readonly onFound: (leak: FoundLeak) => void
}

export interface LeakDesk {
  /** @throws when the store or the log failed: the report must come again */
  report(matches: readonly LeakMatch[], by: Actor): Promise<readonly LeakAnswer[]>
}

export function createLeakDesk(options: LeakDeskOptions): LeakDesk {
  const { store, clock } = options
  /** What was told already, so that a report that is sent again and again does not fill the log. */
  const told = new LRUCache<string, true>({ max: 10_000 })

  async function report(matches: readonly LeakMatch[], by: Actor): Promise<readonly LeakAnswer[]> {
    const authenticators = apiKeyAuthenticators(options.configuration().authenticators)
    const answers: LeakAnswer[] = []
    for (const match of matches) {
      const record = await find(match.token, authenticators)
      if (record !== undefined) await act(record, match, authenticators, by)
      answers.push({
        token_hash: createHash('sha256').update(match.token, 'utf8').digest('hex'),
        token_type: match.type,
        label: record === undefined ? 'false_positive' : 'true_positive',
      })
    }
    return answers
  }

  /** Imported keys may have any form, so each value is looked up, under each pepper that it could be stored with. */
  async function find(
    token: string,
    authenticators: readonly ApiKeySettings[],
  ): Promise<ApiKeyRecord | undefined> {
    if (token.length > longestKey) return undefined
    for (const pepper of distinctPeppers(authenticators.map((each) => each.pepper))) {
      const record = await store.findByDigest(digestOfKey(token, pepper))
      if (record !== undefined) return record
    }
    return undefined
  }

  async function act(
    record: ApiKeyRecord,
    match: LeakMatch,
    authenticators: readonly ApiKeySettings[],
    by: Actor,
  ): Promise<void> {
    const now = clock.now()
    const source = /^\w{1,64}$/.test(match.source) ? match.source.toLowerCase() : 'unknown'
    const url = shownUrl(match)
    const action = await end(record, reactionTo(record, authenticators), source, now)
    const seen = JSON.stringify([record.id, action === 'reported' ? action : 'ended', url])
    if (action !== 'revoked' && action !== 'quarantined' && told.has(seen)) return
    const { id: keyId, owner } = record
    await options.audit.record(
      credentialEvent(now, by, { change: 'leaked', keyId, owner, action, source, url }),
    )
    told.set(seen, true)
    options.onFound({ keyId, owner, action, source, url })
  }

  async function end(
    record: ApiKeyRecord,
    reaction: ApiKeySettings['onLeak'],
    source: string,
    now: number,
  ): Promise<LeakAction> {
    const status = statusOfKey(record, now)
    const reason = `found in public (GitHub: ${source})`
    if (reaction === 'report') return 'reported'
    if (status === 'revoked' || status === 'expired') return 'none'
    if (reaction === 'revoke') {
      await store.revoke(record.id, now, reason)
      return 'revoked'
    }
    if (status === 'quarantined') return 'none'
    await options.flushUses()
    await store.quarantine(record.id, now, reason)
    return 'quarantined'
  }

  return { report }
}

const severity = ['report', 'quarantine', 'revoke'] as const

/** The strictest of the authenticators that take the key; a key that none takes now is revoked, for one may come back. */
function reactionTo(
  record: ApiKeyRecord,
  authenticators: readonly ApiKeySettings[],
): ApiKeySettings['onLeak'] {
  const takers = authenticators.filter(
    ({ name, prefix }) =>
      (record.authenticator === undefined || record.authenticator === name) &&
      (record.origin === 'imported' || record.prefix === prefix),
  )
  const worst = Math.max(...takers.map(({ onLeak }) => severity.indexOf(onLeak)))
  return severity[worst] ?? 'revoke'
}

function shownUrl({ url, token }: LeakMatch): string {
  return url
    .replaceAll(token, '[key]')
    .replaceAll(/[^\x21-\x7e]/g, '')
    .slice(0, 2_048)
}

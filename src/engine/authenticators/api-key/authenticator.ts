/**
 * Judges API keys. The order keeps guessing cheap for us and telling nothing to others: form and checksum first,
 * then one look-up by digest, then the key's life, and only then what else stands against it.
 */
import { LRUCache } from 'lru-cache'
import type { ApiKeySettings } from './settings.ts'
import type { ApiKeyRecord, ApiKeyStore, StoreChanges } from '../../../ports/api-keys.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { RevocationCheck, RevocationFacts } from '../../../ports/revocations.ts'
import { bindToCertificate } from '../../bindings/bind.ts'
import { placeWay } from '../../challenge.ts'
import type { Reason } from '../../errors.ts'
import { ownText } from '../../fields.ts'
import type { CredentialPlace } from '../../identity.ts'
import { rejected, type Outcome, type Rejected, type Verified } from '../../outcome.ts'
import type { Authenticator, Presented } from '../authenticator.ts'
import { digestOfKey } from './digest.ts'
import { apiKeyIssuer, noticeBegins, verifiedByKey } from './identity.ts'
import { shapeOfKey } from './key-format.ts'
import { faultOfKey } from './life.ts'
import { isSeenLately, type Origin } from './quarantine.ts'

export interface ApiKeyDependencies {
  readonly store: Pick<ApiKeyStore, 'findByDigest' | 'hasImported' | 'lastSeen'>
  readonly changes: StoreChanges
  readonly clock: Clock
  readonly revocations: RevocationCheck
  /** Told of each accepted use, and of its address where that is to be remembered; must be as cheap as a map look-up. */
  readonly onUse: (id: string, at: number, address?: string) => void
  /** How many verified keys are remembered. */
  readonly remember?: number
}

interface Known {
  readonly record: ApiKeyRecord
  readonly digest: string
  readonly version: number
  readonly verified: Verified
  /** Milliseconds since the epoch from which `verified` must be made anew with the expiry notice. */
  readonly staleFrom: number
}

/** Longer values are no keys, only work: nobody types them and no import may bring them. */
export const longestKey = 4096
const jwsShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

export interface ApiKeyAuthenticator extends Authenticator {
  recall(presented: Presented, from: Origin): Outcome | undefined
  verify(presented: Presented, from: Origin): Outcome | Promise<Outcome>
}

export function createApiKeyAuthenticator(
  settings: ApiKeySettings,
  deps: ApiKeyDependencies,
): ApiKeyAuthenticator {
  const known = new LRUCache<string, Known>({ max: deps.remember ?? 10_000 })
  const prefix = `${settings.prefix}_`
  let imported: { readonly version: number; readonly any: boolean } | undefined

  /** From memory. After a change in the store the record is read again by its digest: still no hash, so a lockout does not hit a known key. */
  function recall(presented: Presented, from: Origin): Outcome | undefined {
    let entry = known.get(presented.value)
    if (entry === undefined) return undefined
    if (entry.version !== deps.changes.version) {
      entry = reread(presented, entry)
      if (entry === undefined) return undefined
    }
    const now = deps.clock.now()
    if (now >= entry.staleFrom || !isSamePlace(entry.verified.credential.place, presented.place)) {
      entry = keep(presented, entry.record, entry.digest, entry.version, now)
    }
    const outcome = judge(entry, now, from)
    return outcome instanceof Promise ? undefined : outcome
  }

  function reread(presented: Presented, entry: Known): Known | undefined {
    const { version } = deps.changes
    const found = attempt(() => deps.store.findByDigest(entry.digest))
    if (found === undefined || found instanceof Promise || 'outcome' in found) {
      known.delete(presented.value)
      return undefined
    }
    return keep(presented, found, entry.digest, version, deps.clock.now())
  }

  function verify(presented: Presented, from: Origin): Outcome | Promise<Outcome> {
    const { value } = presented
    if (value.length > longestKey || !isVisibleAscii(value)) return rejected('key_malformed')
    if (!value.startsWith(prefix)) return lookUp(presented, from, unknownReason(value), false)
    const shape = shapeOfKey(value, settings.prefix)
    if (shape === 'good') return lookUp(presented, from, 'key_unknown', false)
    const reason = shape === 'form' ? 'key_malformed' : 'key_checksum'
    // Only where keys were imported may a strange form, or a wrong checksum, be somebody else's format.
    const any = hasImported()
    if (any instanceof Promise)
      return any.then((is) => (is ? lookUp(presented, from, reason, true) : rejected(reason)))
    return any ? lookUp(presented, from, reason, true) : rejected(reason)
  }

  function lookUp(
    presented: Presented,
    from: Origin,
    unknown: Reason,
    onlyImported: boolean,
  ): Outcome | Promise<Outcome> {
    // Read before the look-up: a change while it runs must not be taken for seen.
    const { version } = deps.changes
    const digest = digestOfKey(presented.value, settings.pepper)
    const settle = (found: ApiKeyRecord | Rejected | undefined): Outcome | Promise<Outcome> => {
      if (found === undefined) return rejected(unknown)
      if ('outcome' in found) return found
      if (onlyImported && found.origin !== 'imported') return rejected(unknown)
      const now = deps.clock.now()
      return judge(keep(presented, found, digest, version, now), now, from)
    }
    const found = attempt(() => deps.store.findByDigest(digest))
    return found instanceof Promise ? found.then(settle) : settle(found)
  }

  function keep(
    presented: Presented,
    record: ApiKeyRecord,
    digest: string,
    version: number,
    now: number,
  ): Known {
    const begins = noticeBegins(record)
    const entry: Known = {
      record,
      digest,
      version,
      verified: verifiedByKey(record, settings.name, presented.place, now),
      staleFrom: begins > now ? begins : Infinity,
    }
    known.set(ownText(presented.value), entry)
    return entry
  }

  /** The secret held; now the rest. Life and revocation are judged on each use, never remembered. */
  function judge(entry: Known, now: number, from: Origin): Outcome | Promise<Outcome> {
    const { record } = entry
    const fault = isMeantForUs(record) ? faultOfKey(record, now) : 'key_not_for_authenticator'
    if (fault !== undefined) return { outcome: 'rejected', reason: fault, credentialId: record.id }
    if (deps.revocations.isRevoked(revocable(record)))
      return { outcome: 'rejected', reason: 'key_revoked', credentialId: record.id }
    if (record.quarantinedAt !== undefined) return judgeQuarantine(entry, now, from)
    return used(entry, now, settings.onLeak === 'quarantine' ? from : undefined)
  }

  /** Asked anew for each use: what passes today may be too long ago tomorrow. */
  function judgeQuarantine(entry: Known, now: number, from: Origin): Outcome | Promise<Outcome> {
    const { id } = entry.record
    const settle = (isSeen: boolean): Outcome =>
      isSeen ? used(entry, now, from) : { outcome: 'rejected', reason: 'key_quarantined', credentialId: id }
    try {
      const isSeen = isSeenLately(deps.store, entry.record, from, now)
      return isSeen instanceof Promise ? isSeen.then(settle, unavailable) : settle(isSeen)
    } catch (error) {
      return unavailable(error)
    }
  }

  /** @param from told only where the address is to be remembered */
  function used({ record, verified }: Known, now: number, from: Origin | undefined): Verified {
    if (from === undefined) deps.onUse(record.id, now)
    else deps.onUse(record.id, now, from.clientIp)
    return verified
  }

  function isMeantForUs(record: ApiKeyRecord): boolean {
    if (record.authenticator !== undefined && record.authenticator !== settings.name) return false
    return record.origin === 'imported' || record.prefix === settings.prefix
  }

  function hasImported(): boolean | Promise<boolean> {
    const { version } = deps.changes
    if (imported?.version === version) return imported.any
    const settle = (any: boolean): boolean => {
      imported = { version, any }
      return any
    }
    try {
      const any = deps.store.hasImported()
      // A store that cannot say is asked by the look-up, which then reports it.
      return any instanceof Promise ? any.then(settle, () => true) : settle(any)
    } catch {
      return true
    }
  }

  return {
    name: settings.name,
    type: 'api-key',
    places: settings.in,
    challenges: settings.in.map(placeWay),
    binding: bindToCertificate(deps),
    takes: (presented) => (presented.value.startsWith(prefix) ? 'yes' : 'maybe'),
    recall,
    verify,
  }
}

function revocable({ owner, certificate, createdAt }: ApiKeyRecord): RevocationFacts {
  return {
    issuer: apiKeyIssuer,
    subject: owner,
    ...(certificate === undefined ? {} : { certificate }),
    issuedAt: createdAt,
  }
}

function attempt(
  ask: () => ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>,
): ApiKeyRecord | Rejected | undefined | Promise<ApiKeyRecord | Rejected | undefined> {
  try {
    const found = ask()
    return found instanceof Promise ? found.catch(unavailable) : found
  } catch (error) {
    return unavailable(error)
  }
}

function unavailable(error: unknown): Rejected {
  return rejected('store_unavailable', error instanceof Error ? error.message : 'the store failed')
}

/** A token that no `jwt` authenticator took may land here. It is no guess at a key, so lockout does not count it. */
function unknownReason(value: string): Reason {
  return jwsShape.test(value) ? 'no_authenticator_takes_it' : 'key_unknown'
}

function isSamePlace(one: CredentialPlace, other: CredentialPlace): boolean {
  if (one === other) return true
  const scheme = one.kind === 'header' ? one.scheme : undefined
  return (
    one.kind === other.kind &&
    one.name === other.name &&
    scheme === (other.kind === 'header' ? other.scheme : undefined)
  )
}

function isVisibleAscii(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}

/** What operators do to keys: one home for the command line and the admin API, so that both mean and record the same. */
import { isApiKey } from '../engine/authenticators/api-key/settings.ts'
import type { Configuration } from '../configuration.ts'
import { formatTime } from '../engine/units.ts'
import type { ApiKeyRecord, ApiKeyStore } from '../ports/api-keys.ts'
import type { Clock } from '../ports/clock.ts'
import { Checker } from './checks.ts'
import { credentialEvent, type Actor, type Recorder } from './events.ts'
import { endOfGrace, forgeKey, successorGrants } from './forge.ts'
import { homeOfKey, type KeyHome } from './homes.ts'
import { readImport } from './import.ts'
import { readNewKey } from './inputs.ts'
import { conflict, invalid, KeyProblem, notFound } from './problem.ts'
import type { NewKey, Rotation } from './schemas.ts'
import { viewOfRotation, type RotationView } from './rotation.ts'
import { viewOfKey, type KeyView } from './view.ts'

export interface KeyManagerOptions {
  readonly store: ApiKeyStore
  readonly audit: Recorder
  readonly clock: Clock
  /** Asked for each operation: a reload changes it. */
  readonly configuration: () => Pick<Configuration, 'authenticators' | 'routes'>
}

/** The only place where a key is given out. */
export type CreatedKey = KeyView & { readonly key: string }

export type RotatedKey = CreatedKey & {
  /** The old key, and until when it lives on. */
  readonly replaces: { readonly id: string; readonly graceEndsAt: string }
}

export interface KeyPage {
  readonly keys: readonly KeyView[]
  /** `after` for the next page; absent on the last one. */
  readonly next?: string
}

/** Each method throws a `KeyProblem` for what cannot be done, and anything else for what broke. */
export interface KeyManager {
  create(input: NewKey, by: Actor): Promise<CreatedKey>
  list(page: { readonly after?: string; readonly limit: number; readonly owner?: string }): Promise<KeyPage>
  show(id: string): Promise<KeyView>
  /** Makes a successor with the same rights; the old key lives for the grace. */
  rotate(id: string, input: Rotation, by: Actor): Promise<RotatedKey>
  /** At once. Revoking twice keeps the first time and reason. */
  revoke(id: string, reason: string | undefined, by: Actor): Promise<KeyView>
  /** Ends the quarantine of a key that was found in public: it is good from everywhere again. */
  release(id: string, reason: string | undefined, by: Actor): Promise<KeyView>
  /** All or nothing. `list` is parsed JSON. */
  import(list: unknown, by: Actor): Promise<{ readonly imported: number; readonly ids: readonly string[] }>
}

/** An event names at most so many keys, so that a large import stays a handful of lines that an index can take. */
const idsPerEvent = 500

export function createKeyManager(options: KeyManagerOptions): KeyManager {
  const { store, audit, clock } = options

  async function create(input: NewKey, by: Actor): Promise<CreatedKey> {
    const { authenticators, routes } = options.configuration()
    const now = clock.now()
    const home = homeOfKey(authenticators, input.authenticator)
    const grants = readNewKey(input, home, routes, now)
    const { key, record } = forgeKey(home, now, grants)
    const { clash } = await store.insert([record])
    if (clash !== undefined) throw new Error('a fresh random key was there already')
    try {
      await audit.record(credentialEvent(now, by, { change: 'created', keyId: record.id, ...told(record) }))
    } catch (error) {
      // Nobody will be shown the key: it must not stay good either.
      await store.revoke(record.id, now, 'its creation could not be recorded')
      throw error
    }
    return { ...viewOfKey(record, now), key }
  }

  async function rotate(id: string, input: Rotation, by: Actor): Promise<RotatedKey> {
    const now = clock.now()
    const old = await find(id)
    const home = homeOfSuccessor(old, input)
    const graceEndsAt = endOfGrace(old, input, home, now)
    if (old.revokedAt !== undefined) throw conflict('the key is revoked; create a new one')
    if (old.successor !== undefined) throw conflict(`the key was rotated already; rotate ${old.successor}`)
    const forged = forgeKey(home, now, successorGrants(old, home, now))
    const { key } = forged
    const record: ApiKeyRecord = { ...forged.record, predecessor: id }
    // Recorded first: after the change there would be no way back, and the successor's key must reach somebody.
    await audit.record(
      credentialEvent(now, by, {
        change: 'rotated',
        keyId: id,
        successor: record.id,
        graceEndsAt: formatTime(graceEndsAt),
        ...told(record),
      }),
    )
    if (!(await store.rotate(id, record, graceEndsAt))) {
      await audit.record(credentialEvent(now, by, { change: 'not-rotated', keyId: id, successor: record.id }))
      throw conflict('the key was revoked or rotated meanwhile')
    }
    return {
      ...viewOfKey(record, now),
      key,
      replaces: { id, graceEndsAt: formatTime(graceEndsAt) },
    }
  }

  /** An imported key has no prefix: its successor is one of ours, good where our keys are. */
  function homeOfSuccessor(old: ApiKeyRecord, input: Rotation): KeyHome {
    const { authenticators } = options.configuration()
    if (old.origin === 'imported') return homeOfKey(authenticators, input.authenticator)
    if (input.authenticator !== undefined) {
      throw invalid('authenticator', 'is only for imported keys; a successor belongs where the old key does')
    }
    const sharers = Object.fromEntries(
      Object.entries(authenticators).filter(([, each]) => isApiKey(each) && each.prefix === old.prefix),
    )
    if (Object.keys(sharers).length === 0) {
      throw conflict(`the configuration has no authenticator with the key's prefix "${old.prefix ?? ''}"`)
    }
    return homeOfKey(sharers, old.authenticator)
  }

  async function revoke(id: string, reason: string | undefined, by: Actor): Promise<KeyView> {
    checkReason(reason)
    const now = clock.now()
    if (!(await store.revoke(id, now, reason))) throw notFound(id)
    const data = { change: 'revoked', keyId: id, ...(reason === undefined ? {} : { reason }) }
    await audit.record(credentialEvent(now, by, data))
    return show(id)
  }

  async function release(id: string, reason: string | undefined, by: Actor): Promise<KeyView> {
    checkReason(reason)
    const now = clock.now()
    const { quarantinedReason } = await find(id)
    if (!(await store.release(id))) throw conflict('the key is in no quarantine')
    const why = quarantinedReason === undefined ? {} : { quarantinedReason }
    const data = { change: 'released', keyId: id, ...why, ...(reason === undefined ? {} : { reason }) }
    try {
      await audit.record(credentialEvent(now, by, data))
    } catch (error) {
      // What nobody can account for must not stand: a leaked key goes back where it was.
      await store.quarantine(id, now, quarantinedReason)
      throw error
    }
    return show(id)
  }

  async function importAll(
    list: unknown,
    by: Actor,
  ): Promise<{ readonly imported: number; readonly ids: readonly string[] }> {
    const now = clock.now()
    const records = await readImport(list, options.configuration(), now)
    const { clash } = await store.insert(records)
    if (clash !== undefined) {
      const index = records.findIndex(({ id }) => id === clash)
      const message = 'the id or the key itself is in the store already; nothing was imported'
      throw new KeyProblem('conflict', [{ path: `[${index}]`, message }])
    }
    const ids = records.map(({ id }) => id)
    for (let at = 0; at < ids.length; at += idsPerEvent) {
      const keyIds = ids.slice(at, at + idsPerEvent)
      const [keyId = ''] = keyIds
      const named = ids.length === 1 ? { keyId } : { keyIds }
      await audit.record(credentialEvent(now, by, { change: 'imported', ...named, count: ids.length }))
    }
    return { imported: ids.length, ids }
  }

  async function find(id: string): Promise<ApiKeyRecord> {
    const record = await store.findById(id)
    if (record === undefined) throw notFound(id)
    return record
  }

  async function show(id: string): Promise<KeyView> {
    const record = await find(id)
    const now = clock.now()
    const seenFrom = await store.addressesOf(id)
    return viewOfKey(record, now, { seenFrom, rotation: await rotationOf(record, now) })
  }

  /** Of a key in the middle of a chain the rotation that replaces it: the one before it is over. */
  async function rotationOf(record: ApiKeyRecord, now: number): Promise<RotationView | undefined> {
    const { successor, predecessor } = record
    const other = successor ?? predecessor
    const partner = other === undefined ? undefined : await store.findById(other)
    if (partner === undefined) return undefined
    return successor === undefined
      ? viewOfRotation(partner, record, now)
      : viewOfRotation(record, partner, now)
  }

  async function list(page: Parameters<KeyManager['list']>[0]): Promise<KeyPage> {
    const now = clock.now()
    const records = await store.list({ ...page, limit: page.limit + 1 })
    const keys: KeyView[] = []
    for (const record of records.slice(0, page.limit)) {
      keys.push(viewOfKey(record, now, { rotation: await rotationOf(record, now) }))
    }
    const last = keys.at(-1)
    return records.length > page.limit && last !== undefined ? { keys, next: last.id } : { keys }
  }

  return { create, list, show, rotate, revoke, release, import: importAll }
}

function checkReason(reason: string | undefined): void {
  const checker = new Checker()
  checker.optionalText('reason', reason, 256)
  if (checker.faults.length > 0) throw new KeyProblem('invalid', checker.faults)
}

/** What a reader of the log must know of a key: whose it is and what it may do. */
function told(record: ApiKeyRecord): Readonly<Record<string, unknown>> {
  return {
    owner: record.owner,
    ...(record.name === undefined ? {} : { name: record.name }),
    ...(record.tenant === undefined ? {} : { tenant: record.tenant }),
    scopes: record.scopes,
    roles: record.roles,
    ...(record.authenticator === undefined ? {} : { authenticator: record.authenticator }),
    ...(record.certificate === undefined ? {} : { certificate: record.certificate }),
    ...(record.expiresAt === undefined ? {} : { expiresAt: formatTime(record.expiresAt) }),
  }
}

/** A list of keys that others made, from its JSON to records: all of it is right, or every fault is told. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Configuration } from '../configuration.ts'
import type { ApiKeyRecord } from '../ports/api-keys.ts'
import { longestKey } from '../engine/authenticators/api-key/authenticator.ts'
import { digestOfKey, digestOfSha256 } from '../engine/authenticators/api-key/digest.ts'
import { makeKeyId } from '../engine/authenticators/api-key/key-format.ts'
import type { Secret } from '../engine/secret.ts'
import { Checker } from './checks.ts'
import { peppersForImport } from './homes.ts'
import { readGrants } from './inputs.ts'
import { KeyProblem, type Fault } from './problem.ts'
import { importedKeySchema, type ImportedKey } from './schemas.ts'

/** Shorter ones are guessed, not stolen. Of a bare digest nobody can tell. */
const shortestKey = 8
/** Items read before requests of the same process get their turn. */
const turn = 500
/** More faults help nobody. */
const mostFaults = 100

/** @throws KeyProblem naming the index and member of each fault */
export async function readImport(
  list: unknown,
  configuration: Pick<Configuration, 'authenticators' | 'routes'>,
  now: number,
): Promise<readonly ApiKeyRecord[]> {
  const peppers = peppersForImport(configuration.authenticators)
  if (!Array.isArray(list)) {
    throw new KeyProblem('invalid', [{ path: '', message: 'must be a JSON list of keys' }])
  }
  const faults: Fault[] = []
  const records: ApiKeyRecord[] = []
  const seen = { ids: new Map<string, number>(), digests: new Map<string, number>() }
  for (const [index, item] of list.entries()) {
    const record = readItem(item, index, { configuration, peppers, now, faults })
    if (record !== undefined) {
      noteTwins(record, index, seen, faults)
      records.push(record)
    }
    if (faults.length >= mostFaults) break
    if (index % turn === turn - 1) await nextTurn()
  }
  if (faults.length > 0) throw new KeyProblem('invalid', faults)
  return records
}

interface Setting {
  readonly configuration: Pick<Configuration, 'routes'>
  readonly peppers: readonly (Secret | undefined)[]
  readonly now: number
  readonly faults: Fault[]
}

function readItem(item: unknown, index: number, setting: Setting): ApiKeyRecord | undefined {
  const shape = importedKeySchema.safeParse(item)
  if (!shape.success) {
    for (const issue of shape.error.issues) {
      setting.faults.push({ path: pathOf(index, issue.path), message: issue.message })
    }
    return undefined
  }
  const before = setting.faults.length
  const checker = new Checker(setting.faults, `[${index}]`)
  const { id, key, sha256, expiresAt: end, ...input } = shape.data
  const grants = readGrants(input, setting.configuration.routes, checker)
  const expiresAt = checker.time('expiresAt', end)
  if (id !== undefined) checker.id('id', id)
  checkProof({ key, sha256 }, checker)
  if (setting.faults.length > before) return undefined
  return {
    ...grants,
    id: id ?? makeKeyId(),
    digests: setting.peppers.map((pepper) =>
      key === undefined ? digestOfSha256(sha256 ?? '', pepper) : digestOfKey(key, pepper),
    ),
    origin: 'imported',
    createdAt: setting.now,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function checkProof({ key, sha256 }: Pick<ImportedKey, 'key' | 'sha256'>, checker: Checker): void {
  if ((key === undefined) === (sha256 === undefined)) checker.fault('', 'must have either key or sha256')
  else if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    checker.fault('sha256', 'must be 64 lower-case hexadecimal digits')
  } else if (key !== undefined) {
    if (!/^[\x21-\x7e]*$/.test(key)) checker.fault('key', 'must be visible ASCII without spaces')
    else if (key.length < shortestKey) checker.fault('key', `must have at least ${shortestKey} characters`)
    else if (key.length > longestKey) checker.fault('key', `must have at most ${longestKey} characters`)
  }
}

function noteTwins(
  record: ApiKeyRecord,
  index: number,
  seen: { readonly ids: Map<string, number>; readonly digests: Map<string, number> },
  faults: Fault[],
): void {
  const twin = seen.ids.get(record.id)
  if (twin !== undefined) faults.push({ path: `[${index}].id`, message: `is that of [${twin}] too` })
  seen.ids.set(record.id, index)
  const [digest = ''] = record.digests
  const same = seen.digests.get(digest)
  if (same !== undefined) faults.push({ path: `[${index}]`, message: `is the same key as [${same}]` })
  seen.digests.set(digest, index)
}

function pathOf(index: number, members: readonly PropertyKey[]): string {
  return members.reduce<string>(
    (path, member) => (typeof member === 'number' ? `${path}[${member}]` : `${path}.${String(member)}`),
    `[${index}]`,
  )
}

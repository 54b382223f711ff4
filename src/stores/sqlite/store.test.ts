import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Store } from '../../ports/store.ts'
import { describeApiKeys } from '../contract/api-keys.ts'
import { describeExpiryNotices } from '../contract/expiry-notices.ts'
import { describeMeta } from '../contract/meta.ts'
import { describeOutbox } from '../contract/outbox.ts'
import { describeRevocations } from '../contract/revocations.ts'
import { describeSessions } from '../contract/sessions.ts'
import { digestFor, keyRecord, revocation, setClock, type OpenFresh } from '../contract/setting.ts'
import { openStore } from '../open.ts'
import { migrations } from './schema.ts'

const directory = mkdtempSync(join(tmpdir(), 'portcullis-store-'))
let files = 0
const freshPath = (): string => join(directory, `${(files += 1)}.db`)
const open: OpenFresh = (clock) => openStore(freshPath(), { clock })

afterAll(() => rmSync(directory, { recursive: true }))

describeApiKeys('SQLite', open)
describeExpiryNotices('SQLite', open)
describeRevocations('SQLite', open)
describeOutbox('SQLite', open)
describeSessions('SQLite', open)
describeMeta('SQLite', open)

describe('a SQLite store', () => {
  const opened: Store[] = []
  const opening = async (path: string): Promise<Store> => {
    const store = await openStore(path, { clock: setClock() })
    opened.push(store)
    return store
  }

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })

  it('is readable by its owner alone, side files too, whatever the umask', async () => {
    const path = join(directory, 'new-folder', 'private.db')
    const before = process.umask(0)
    try {
      await (await opening(path)).apiKeys.insert([keyRecord('1')])
    } finally {
      process.umask(before)
    }
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'new-folder')).mode & 0o777).toBe(0o700)
  })

  it('takes over the file of the first version, and knows what was rotated there', async () => {
    const path = freshPath()
    const raw = new DatabaseSync(path)
    raw.exec(migrations[0]!)
    raw.exec('PRAGMA user_version = 1')
    const insert = raw.prepare(
      `INSERT INTO api_key (id, digests, owner, origin, prefix, scopes, roles, metadata, allowed_ips, allowed_routes, created_at, successor)
       VALUES (?, x'', 'acme', 'created', 'ptc', '[]', '[]', '{}', '[]', '[]', 1, ?)`,
    )
    insert.run('old', 'new')
    insert.run('new', null)
    raw.close()
    const store = await opening(path)
    expect((await store.apiKeys.findById('new'))?.predecessor).toBe('old')
    expect((await store.apiKeys.findById('old'))?.predecessor).toBeUndefined()
    const { version } = store.changes
    await store.apiKeys.quarantine('new', 5, undefined)
    expect(store.changes.version).not.toBe(version)
  })

  it('keeps everything over a restart', async () => {
    const path = freshPath()
    const first = await openStore(path, { clock: setClock() })
    await first.apiKeys.insert([keyRecord('1')])
    await first.revocations.add(revocation({ kind: 'jti', value: 'a' }))
    await first.close()
    const second = await opening(path)
    expect(await second.apiKeys.findById('1')).toEqual(keyRecord('1'))
    expect(await second.revocations.list()).toHaveLength(1)
  })

  it('refuses a file of a newer version, a database of another program and what is no database', async () => {
    const newer = freshPath()
    await (await openStore(newer, { clock: setClock() })).close()
    const raw = new DatabaseSync(newer)
    raw.exec('PRAGMA user_version = 999')
    raw.close()
    await expect(openStore(newer, { clock: setClock() })).rejects.toThrow(/newer version \(schema 999/)

    const foreign = freshPath()
    const other = new DatabaseSync(foreign)
    other.exec('PRAGMA application_id = 7; CREATE TABLE t (a)')
    other.close()
    await expect(openStore(foreign, { clock: setClock() })).rejects.toThrow(/another program/)

    const text = freshPath()
    writeFileSync(text, 'this is no database, only text that is long enough to be looked at'.repeat(50))
    await expect(openStore(text, { clock: setClock() })).rejects.toThrow(/is no SQLite database/)

    await expect(openStore(join(text, 'below-a-file.db'), { clock: setClock() })).rejects.toThrow(
      /cannot be opened/,
    )
  })

  it('stores no key and no digest as text', async () => {
    const store = await opening(freshPath())
    await expect(store.apiKeys.insert([keyRecord('1', { digests: ['ptc_not-a-digest'] })])).rejects.toThrow(
      /64 lower-case/,
    )
    expect(await store.apiKeys.findById('1')).toBeUndefined()
  })

  it('answers reads while a long import runs, and shows none of it before its end', async () => {
    const store = await opening(freshPath())
    await store.apiKeys.insert([keyRecord('old')])
    const records = Array.from({ length: 3_000 }, (_, index) => keyRecord(`import-${index}`))
    const progress = { isDone: false, reads: 0 }
    const importing = store.apiKeys.insert(records).finally(() => {
      progress.isDone = true
    })
    while (!progress.isDone) {
      const [first, last] = [store.apiKeys.findById('import-0'), store.apiKeys.findById('import-2999')]
      expect((await store.apiKeys.findById('old'))?.id).toBe('old')
      // Between the commit and its promise the import may be seen, but then whole.
      expect((await first)?.id === undefined).toBe((await last)?.id === undefined)
      progress.reads += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    await importing
    expect(progress.reads).toBeGreaterThan(3)
    expect(await store.apiKeys.findById('import-2999')).toBeDefined()
  })

  it('notices within a second what another process changed', async () => {
    const path = freshPath()
    const store = await opening(path)
    const { version } = store.changes
    const noticed = new Promise<number>((resolve) => {
      const stop = store.changes.subscribe(() => {
        stop()
        resolve(performance.now())
      })
    })
    const other = writerProcess(path, 1, 'other')
    const exit = once(other, 'exit')
    const [line] = (await once(other.stdout, 'data')) as [Buffer]
    const written = performance.now()
    expect(line.toString()).toContain('done')
    expect((await noticed) - written).toBeLessThan(1_000)
    expect(store.changes.version).not.toBe(version)
    expect(await store.apiKeys.findById('other-0')).toBeDefined()
    await exit
  })

  it('does not take foreign tables in the same file for a change', async () => {
    const path = freshPath()
    const store = await opening(path)
    const { version } = store.changes
    const index = new DatabaseSync(path, { timeout: 1_000 })
    index.exec('CREATE TABLE audit_index (a); INSERT INTO audit_index VALUES (1)')
    index.close()
    await store.changes.check()
    expect(store.changes.version).toBe(version)
  })

  it('lets two processes write at once: both wait, neither fails', async () => {
    const path = freshPath()
    const store = await opening(path)
    const other = writerProcess(path, 150, 'other')
    const exit = once(other, 'exit')
    await once(other.stdout, 'data')
    for (let index = 0; index < 150; index += 1) await store.apiKeys.insert([keyRecord(`own-${index}`)])
    expect((await exit)[0]).toBe(0)
    expect(await store.apiKeys.list({ limit: 1_000 })).toHaveLength(300)
  })

  it('waits for the lock without stopping the process', async () => {
    const path = freshPath()
    const store = await opening(path)
    const blocker = new DatabaseSync(path, { timeout: 1_000 })
    blocker.exec('BEGIN IMMEDIATE')
    let isWritten = false
    const writing = store.apiKeys.insert([keyRecord('1')]).finally(() => {
      isWritten = true
    })
    let turns = 0
    const until = performance.now() + 100
    while (performance.now() < until) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
    expect(turns).toBeGreaterThan(100)
    expect(isWritten).toBe(false)
    blocker.exec('COMMIT')
    blocker.close()
    await writing
    expect(await store.apiKeys.findById('1')).toBeDefined()
  })

  it('says so when the file was replaced under it, instead of growing deaf', async () => {
    const path = freshPath()
    const clock = setClock()
    const told = Promise.withResolvers<unknown>()
    const store = await openStore(path, { clock, onError: told.resolve })
    opened.push(store)
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    clock.time += 5
    expect(() => store.changes.check()).toThrow(/was replaced/)
    expect(await told.promise).toMatchObject({ message: expect.stringMatching(/was replaced/) })
    expect(store.changes.checkedAt).toBe(clock.time - 5)
  })

  it('hands entries of a dead process over again after a minute', async () => {
    const clock = setClock()
    const path = freshPath()
    const store = await openStore(path, { clock })
    opened.push(store)
    await store.outbox.put([{ time: 1, type: 'credential', outcome: 'record' }])
    const raw = new DatabaseSync(path, { timeout: 1_000 })
    raw.prepare('UPDATE outbox SET held_until = ?').run(clock.time + 60_000)
    raw.close()
    expect(await store.outbox.drain(10, () => undefined)).toBe(0)
    clock.time += 60_000
    expect(await store.outbox.drain(10, () => undefined)).toBe(1)
  })

  it('looks a key up as fast among 100,000 as among 1,000', async () => {
    const small = await filled(await opening(freshPath()), 1_000)
    const large = await filled(await opening(freshPath()), 100_000)
    lookUpTime(small, 1_000)
    lookUpTime(large, 100_000)
    // Interleaved, and the best of each: the machine's other work must not decide.
    let best = { small: Infinity, large: Infinity }
    for (let round = 0; round < 7; round += 1) {
      best = {
        small: Math.min(best.small, lookUpTime(small, 1_000)),
        large: Math.min(best.large, lookUpTime(large, 100_000)),
      }
    }
    expect(best.large / best.small).toBeLessThan(4)
  }, 60_000)
})

async function filled(store: Store, count: number): Promise<Store> {
  const records = Array.from({ length: count }, (_, index) => keyRecord(`key-${index}`))
  await store.apiKeys.insert(records)
  return store
}

function lookUpTime(store: Store, count: number): number {
  const digests = Array.from({ length: 1_000 }, () => digestFor(`key-${Math.floor(Math.random() * count)}`))
  const begin = performance.now()
  for (const digest of digests) {
    if (store.apiKeys.findByDigest(digest) === undefined) throw new Error('a key is missing')
  }
  return performance.now() - begin
}

/** Another process that writes keys into the same file. */
function writerProcess(path: string, count: number, name: string): ChildProcessByStdio<null, Readable, null> {
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('../open.ts', import.meta.url).href)})
    const { keyRecord } = await import(${JSON.stringify(new URL('../contract/setting.ts', import.meta.url).href)})
    const store = await openStore(${JSON.stringify(path)}, { clock: { now: () => Date.now() } })
    for (let index = 0; index < ${count}; index += 1) {
      await store.apiKeys.insert([keyRecord('${name}-' + index)])
      if (index === 0) console.log('done')
    }
    await store.close()`
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

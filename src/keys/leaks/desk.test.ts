import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Configuration } from '../../configuration.ts'
import type { ApiKeySettings } from '../../engine/authenticators/api-key/settings.ts'
import { Secret } from '../../engine/secret.ts'
import type { AuditEntry } from '../../ports/audit-log.ts'
import type { Store } from '../../ports/store.ts'
import { openStore } from '../../stores/open.ts'
import { createKeyManager, type KeyManager } from '../manager.ts'
import { createLeakDesk, type FoundLeak, type LeakDesk } from './desk.ts'
import type { LeakMatch } from './report.ts'

const github = { name: 'github', clientIp: '192.0.2.1', requestId: 'r1' }
const day = 86_400_000

function keysOf(name: string, edits: Partial<ApiKeySettings> = {}): ApiKeySettings {
  return { type: 'api-key', name, in: [], prefix: 'ptc', grace: day, onLeak: 'revoke', ...edits }
}

function match(token: string, edits: Partial<LeakMatch> = {}): LeakMatch {
  return { token, type: 'portcullis_key', url: 'https://github.com/a/b', source: 'commit', ...edits }
}

describe('a key that was found in public', () => {
  let now: number
  let configuration: Pick<Configuration, 'authenticators' | 'routes'>
  let store: Store
  let keys: KeyManager
  let desk: LeakDesk
  let events: AuditEntry[]
  let found: FoundLeak[]
  let flushes: number
  let failing: boolean

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1)
    const clock = { now: () => now }
    configuration = { authenticators: { keys: keysOf('keys') }, routes: [] }
    store = await openStore(':memory:', { clock })
    ;[events, found, flushes, failing] = [[], [], 0, false]
    const audit = {
      record: (entry: AuditEntry) => {
        if (failing) throw new Error('disk full')
        events.push(entry)
        return undefined
      },
    }
    const shared = { store: store.apiKeys, audit, clock, configuration: () => configuration }
    keys = createKeyManager(shared)
    desk = createLeakDesk({
      ...shared,
      flushUses: async () => void (flushes += 1),
      onFound: (leak) => found.push(leak),
    })
  })

  async function fresh(): Promise<{ readonly id: string; readonly key: string }> {
    const created = await keys.create({ owner: 'acme' }, 'test')
    events = []
    return created
  }

  it('is revoked by default, recorded and told', async () => {
    const { id, key } = await fresh()
    expect(await desk.report([match(key)], github)).toEqual([
      {
        token_hash: createHash('sha256').update(key).digest('hex'),
        token_type: 'portcullis_key',
        label: 'true_positive',
      },
    ])
    expect(await keys.show(id)).toMatchObject({
      status: 'revoked',
      revokedReason: 'found in public (GitHub: commit)',
    })
    expect(events).toMatchObject([
      {
        type: 'credential',
        outcome: 'record',
        clientIp: '192.0.2.1',
        requestId: 'r1',
        credential: { kind: 'api-key', id },
        data: { change: 'leaked', keyId: id, owner: 'acme', action: 'revoked', by: 'github' },
      },
    ])
    expect(found).toEqual([
      { keyId: id, owner: 'acme', action: 'revoked', source: 'commit', url: 'https://github.com/a/b' },
    ])
  })

  it('is quarantined where the authenticator says so, after pending uses were written', async () => {
    configuration = { authenticators: { keys: keysOf('keys', { onLeak: 'quarantine' }) }, routes: [] }
    const { id, key } = await fresh()
    await desk.report([match(key)], github)
    expect(await keys.show(id)).toMatchObject({
      status: 'quarantined',
      quarantinedReason: expect.stringContaining('GitHub'),
    })
    expect(flushes).toBe(1)
    const released = await keys.release(id, 'it was a test key', 'admin')
    expect(released).toMatchObject({ id, status: 'active' })
    expect(events.at(-1)?.data).toMatchObject({ change: 'released', keyId: id, reason: 'it was a test key' })
    await expect(keys.release(id, undefined, 'admin')).rejects.toMatchObject({ kind: 'conflict' })
  })

  it('is only reported where the authenticator says so, each time that it is found elsewhere', async () => {
    configuration = { authenticators: { keys: keysOf('keys', { onLeak: 'report' }) }, routes: [] }
    const { id, key } = await fresh()
    await desk.report([match(key), match(key)], github)
    await desk.report([match(key, { url: 'https://github.com/c/d' })], github)
    expect((await keys.show(id)).status).toBe('active')
    expect(found.map(({ action, url }) => `${action} ${url}`)).toEqual([
      'reported https://github.com/a/b',
      'reported https://github.com/c/d',
    ])
  })

  it('meets the strictest of the authenticators that take it', async () => {
    configuration = {
      authenticators: {
        one: keysOf('one', { onLeak: 'report' }),
        two: keysOf('two', { onLeak: 'quarantine' }),
        other: keysOf('other', { prefix: 'abc', onLeak: 'revoke' }),
      },
      routes: [],
    }
    const created = await keys.create({ owner: 'acme', authenticator: 'one' }, 'test')
    const imported = 'some-imported-key'
    await keys.import([{ id: 'imported', key: imported, owner: 'acme' }], 'test')
    found = []
    await desk.report([match(created.key), match(imported)], github)
    expect(found.map(({ keyId, action }) => [keyId, action])).toEqual([
      [created.id, 'reported'],
      ['imported', 'revoked'],
    ])
    configuration = {
      authenticators: { other: keysOf('other', { prefix: 'abc', onLeak: 'report' }) },
      routes: [],
    }
    const answers = await desk.report([match(created.key, { url: '' })], github)
    expect(answers[0]?.label).toBe('true_positive')
    expect((await keys.show(created.id)).status).toBe('revoked')
  })

  it('is found under each pepper', async () => {
    configuration = {
      authenticators: {
        one: keysOf('one', { pepper: new Secret('salt') }),
        two: keysOf('two', { prefix: 'abc', pepper: new Secret('brine') }),
      },
      routes: [],
    }
    const { key } = await keys.create({ owner: 'acme', authenticator: 'two' }, 'test')
    expect((await desk.report([match(key)], github))[0]?.label).toBe('true_positive')
  })

  it('is told apart from what only looks like one, in the order of the report', async () => {
    const { key } = await fresh()
    const answers = await desk.report([match('ghp_nothing'), match(key), match('x'.repeat(5_000))], github)
    expect(answers.map(({ label }) => label)).toEqual(['false_positive', 'true_positive', 'false_positive'])
    expect(found).toHaveLength(1)
  })

  it('is dealt with once, however often the report comes, and keeps its first reason', async () => {
    const { id, key } = await fresh()
    for (let time = 0; time < 3; time += 1) {
      now += 1_000
      const answers = await desk.report(
        [match(key, { source: time === 0 ? 'commit' : 'gist_content' })],
        github,
      )
      expect(answers[0]?.label).toBe('true_positive')
    }
    expect(events).toHaveLength(1)
    expect((await keys.show(id)).revokedReason).toContain('commit')
  })

  it('that is dead already stays so, and is told', async () => {
    const { id, key } = await fresh()
    await keys.revoke(id, 'left', 'admin')
    await desk.report([match(key)], github)
    expect(found).toMatchObject([{ keyId: id, action: 'none' }])
    expect((await keys.show(id)).revokedReason).toBe('left')
  })

  it('is revoked though the log fails, and told when the report comes again', async () => {
    const { id, key } = await fresh()
    failing = true
    await expect(desk.report([match(key)], github)).rejects.toThrow('disk full')
    expect((await keys.show(id)).status).toBe('revoked')
    failing = false
    await desk.report([match(key)], github)
    expect(events).toMatchObject([{ data: { change: 'leaked', keyId: id } }])
  })

  it('is in no event, not even where the address of its place holds it', async () => {
    const { key } = await fresh()
    const url = `https://example.com/?key=${key}&x=\n\u202e`
    const answers = await desk.report([match(key, { url, source: 'a b\n' })], github)
    expect(JSON.stringify([events, found, answers])).not.toContain(key)
    expect(found[0]).toMatchObject({ source: 'unknown', url: 'https://example.com/?key=[key]&x=' })
  })

  it('leaves the successor of a rotated key alone', async () => {
    const { id, key } = await fresh()
    const next = await keys.rotate(id, {}, 'admin')
    await desk.report([match(key)], github)
    expect((await keys.show(next.id)).status).toBe('active')
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mostAddresses, type ApiKeyRecord } from '../../ports/api-keys.ts'
import type { Store } from '../../ports/store.ts'
import { digestFor, keyRecord, setClock, type OpenFresh } from './setting.ts'

const complete: ApiKeyRecord = {
  ...keyRecord('complete'),
  name: 'nightly "export"',
  owner: 'Łódź partners',
  digests: [digestFor('plain'), digestFor('peppered')].sort(),
  authenticator: 'partner-keys',
  scopes: ['catalog:read', 'catalog:write'],
  roles: ['viewer'],
  tenant: 'north',
  metadata: { team: 'data', note: "it's; DROP TABLE api_key" },
  allowedIps: ['10.0.0.0/8', '2001:db8::/32'],
  allowedRoutes: ['catalog-read'],
  rateLimit: '10/1s',
  notBefore: 1_700_000_000_001,
  expiresAt: 1_900_000_000_000,
  predecessor: 'before',
  certificate: 'ab'.repeat(32),
}

/** What every store of API keys must do. */
export function describeApiKeys(name: string, open: OpenFresh): void {
  describe(`API keys in ${name}`, () => {
    let store: Store

    beforeEach(async () => {
      store = await open(setClock())
    })

    afterEach(() => store.close())

    it('gives a record back as it was put in, by id and by each digest', async () => {
      expect(await store.apiKeys.insert([complete])).toEqual({})
      expect(await store.apiKeys.findById('complete')).toEqual(complete)
      for (const digest of complete.digests) {
        expect(await store.apiKeys.findByDigest(digest)).toEqual(complete)
      }
    })

    it('keeps absent members absent', async () => {
      await store.apiKeys.insert([keyRecord('bare')])
      expect(Object.keys((await store.apiKeys.findById('bare')) ?? {}).sort()).toEqual(
        Object.keys(keyRecord('bare')).sort(),
      )
    })

    it('finds nothing for an unknown id or digest', async () => {
      await store.apiKeys.insert([keyRecord('one')])
      expect(await store.apiKeys.findById('two')).toBeUndefined()
      expect(await store.apiKeys.findByDigest(digestFor('two'))).toBeUndefined()
    })

    it('compares ids exactly', async () => {
      await store.apiKeys.insert([keyRecord('CaseMatters1')])
      expect(await store.apiKeys.findById('casematters1')).toBeUndefined()
      expect(await store.apiKeys.findById('CaseMatters1 ')).toBeUndefined()
    })

    it('refuses a list whole when an id is there already, naming it', async () => {
      await store.apiKeys.insert([keyRecord('old')])
      const list = [
        keyRecord('new-1'),
        keyRecord('old', { digests: [digestFor('other')] }),
        keyRecord('new-2'),
      ]
      expect(await store.apiKeys.insert(list)).toEqual({ clash: 'old' })
      expect(await store.apiKeys.findById('new-1')).toBeUndefined()
      expect(await store.apiKeys.findByDigest(digestFor('new-1'))).toBeUndefined()
    })

    it('refuses a list whole when a digest is there already, naming the newcomer', async () => {
      await store.apiKeys.insert([keyRecord('old')])
      const list = [keyRecord('new-1'), keyRecord('new-2', { digests: [digestFor('x'), digestFor('old')] })]
      expect(await store.apiKeys.insert(list)).toEqual({ clash: 'new-2' })
      expect(await store.apiKeys.findById('new-1')).toBeUndefined()
      expect((await store.apiKeys.findByDigest(digestFor('old')))?.id).toBe('old')
    })

    it('names the first of several clashes, also within the list', async () => {
      await store.apiKeys.insert([keyRecord('old')])
      const twin = keyRecord('second', { digests: [digestFor('first')] })
      expect(await store.apiKeys.insert([keyRecord('first'), twin, keyRecord('old')])).toEqual({
        clash: 'second',
      })
      expect(await store.apiKeys.insert([keyRecord('first'), keyRecord('first')])).toEqual({ clash: 'first' })
    })

    it('lists in order of creation, page by page', async () => {
      const ids = ['z', 'a', 'm', 'b', 'y']
      for (const id of ids) await store.apiKeys.insert([keyRecord(id)])
      const first = await store.apiKeys.list({ limit: 2 })
      expect(first.map(({ id }) => id)).toEqual(['z', 'a'])
      const second = await store.apiKeys.list({ after: 'a', limit: 2 })
      expect(second.map(({ id }) => id)).toEqual(['m', 'b'])
      expect((await store.apiKeys.list({ after: 'b', limit: 2 })).map(({ id }) => id)).toEqual(['y'])
      expect(await store.apiKeys.list({ after: 'y', limit: 2 })).toEqual([])
      expect(await store.apiKeys.list({ after: 'nobody', limit: 2 })).toEqual([])
    })

    it('lists the keys of one owner', async () => {
      await store.apiKeys.insert([
        keyRecord('1'),
        keyRecord('2', { owner: 'beta' }),
        keyRecord('3'),
        keyRecord('4', { owner: 'beta' }),
      ])
      const ids = (await store.apiKeys.list({ owner: 'beta', limit: 10 })).map(({ id }) => id)
      expect(ids).toEqual(['2', '4'])
      expect(await store.apiKeys.list({ owner: 'beta', after: '2', limit: 10 })).toHaveLength(1)
      expect(await store.apiKeys.list({ owner: "' OR 1=1 --", limit: 10 })).toEqual([])
    })

    it('knows whether any key was imported', async () => {
      await store.apiKeys.insert([keyRecord('1')])
      expect(await store.apiKeys.hasImported()).toBe(false)
      await store.apiKeys.insert([keyRecord('2', { origin: 'imported' })])
      expect(await store.apiKeys.hasImported()).toBe(true)
    })

    it('rotates in one step: the successor is there and the old key has its end', async () => {
      await store.apiKeys.insert([keyRecord('old')])
      expect(await store.apiKeys.rotate('old', keyRecord('new'), 1_800_000_000_500)).toBe(true)
      expect(await store.apiKeys.findById('old')).toMatchObject({
        successor: 'new',
        graceEndsAt: 1_800_000_000_500,
      })
      expect((await store.apiKeys.findByDigest(digestFor('new')))?.id).toBe('new')
    })

    it('does not rotate what is unknown, revoked or rotated already, and adds no successor then', async () => {
      await store.apiKeys.insert([keyRecord('old'), keyRecord('dead')])
      await store.apiKeys.revoke('dead', 1, undefined)
      await store.apiKeys.rotate('old', keyRecord('new-1'), 2)
      for (const [id, successor] of [
        ['old', 'new-2'],
        ['dead', 'new-3'],
        ['nobody', 'new-4'],
      ] as const) {
        expect(await store.apiKeys.rotate(id, keyRecord(successor), 3)).toBe(false)
        expect(await store.apiKeys.findById(successor)).toBeUndefined()
      }
      expect(await store.apiKeys.findById('old')).toMatchObject({ successor: 'new-1', graceEndsAt: 2 })
    })

    it('leaves the old key as it was when the successor clashes', async () => {
      await store.apiKeys.insert([keyRecord('old'), keyRecord('taken')])
      await expect(store.apiKeys.rotate('old', keyRecord('taken'), 2)).rejects.toThrow()
      expect(await store.apiKeys.findById('old')).toEqual(keyRecord('old'))
    })

    it('revokes, and keeps the first time and reason when asked again', async () => {
      await store.apiKeys.insert([keyRecord('1')])
      expect(await store.apiKeys.revoke('1', 5, 'leaked')).toBe(true)
      expect(await store.apiKeys.revoke('1', 9, 'other')).toBe(true)
      expect(await store.apiKeys.findById('1')).toMatchObject({ revokedAt: 5, revokedReason: 'leaked' })
      expect(await store.apiKeys.revoke('2', 5, undefined)).toBe(false)
    })

    it('writes last-used times in a batch and never moves one backwards', async () => {
      await store.apiKeys.insert([keyRecord('1'), keyRecord('2')])
      await store.apiKeys.touch([
        { id: '1', at: 100 },
        { id: '2', at: 200 },
        { id: 'nobody', at: 1 },
      ])
      await store.apiKeys.touch([
        { id: '1', at: 50 },
        { id: '2', at: 300 },
      ])
      expect((await store.apiKeys.findById('1'))?.lastUsedAt).toBe(100)
      expect((await store.apiKeys.findById('2'))?.lastUsedAt).toBe(300)
    })

    it('quarantines, keeps the first time and reason when asked again, and releases', async () => {
      await store.apiKeys.insert([keyRecord('1'), keyRecord('dead')])
      await store.apiKeys.revoke('dead', 1, undefined)
      expect(await store.apiKeys.quarantine('1', 5, 'leaked')).toBe(true)
      expect(await store.apiKeys.quarantine('1', 9, 'other')).toBe(true)
      expect(await store.apiKeys.findById('1')).toMatchObject({
        quarantinedAt: 5,
        quarantinedReason: 'leaked',
      })
      expect(await store.apiKeys.quarantine('dead', 5, undefined)).toBe(true)
      expect((await store.apiKeys.findById('dead'))?.quarantinedAt).toBeUndefined()
      expect(await store.apiKeys.quarantine('nobody', 5, undefined)).toBe(false)
      expect(await store.apiKeys.release('1')).toBe(true)
      expect(await store.apiKeys.findById('1')).toEqual(keyRecord('1'))
      expect(await store.apiKeys.release('1')).toBe(false)
      expect(await store.apiKeys.release('nobody')).toBe(false)
    })

    it('remembers the addresses of uses, latest first, and never moves one backwards', async () => {
      await store.apiKeys.insert([keyRecord('1'), keyRecord('2')])
      await store.apiKeys.touch([
        { id: '1', at: 100, address: '192.0.2.1' },
        { id: '1', at: 300, address: '2001:db8::/64' },
        { id: '2', at: 300, address: '192.0.2.9' },
        { id: '2', at: 400 },
        { id: 'nobody', at: 1, address: '192.0.2.3' },
      ])
      await store.apiKeys.touch([
        { id: '1', at: 200, address: '192.0.2.1' },
        { id: '1', at: 50, address: '2001:db8::/64' },
      ])
      expect(await store.apiKeys.addressesOf('1')).toEqual([
        { address: '2001:db8::/64', seenAt: 300 },
        { address: '192.0.2.1', seenAt: 200 },
      ])
      expect(await store.apiKeys.lastSeen('1', '192.0.2.1')).toBe(200)
      expect(await store.apiKeys.lastSeen('1', '192.0.2.9')).toBeUndefined()
      expect(await store.apiKeys.lastSeen('nobody', '192.0.2.3')).toBeUndefined()
      expect(await store.apiKeys.addressesOf('nobody')).toEqual([])
    })

    it('forgets addresses with time, and the one that was silent longest where there are too many', async () => {
      await store.apiKeys.insert([keyRecord('1'), keyRecord('2')])
      await store.apiKeys.touch([{ id: '2', at: 1, address: '198.51.100.1' }])
      const uses = Array.from({ length: mostAddresses + 3 }, (_, number) => ({
        id: '1',
        at: 1_000 + number,
        address: `10.0.${number >> 8}.${number & 255}`,
      }))
      await store.apiKeys.touch(uses)
      const kept = await store.apiKeys.addressesOf('1')
      expect(kept).toHaveLength(mostAddresses)
      expect(kept.at(-1)).toEqual({ address: '10.0.0.3', seenAt: 1_003 })
      expect(await store.apiKeys.addressesOf('2')).toHaveLength(1)
      await store.apiKeys.forgetAddresses(1_100)
      expect((await store.apiKeys.addressesOf('1')).at(-1)?.seenAt).toBe(1_100)
      expect(await store.apiKeys.addressesOf('2')).toEqual([])
    })

    it('moves the version with each change of a key, and not with a use', async () => {
      const versions = new Set([store.changes.version])
      await store.apiKeys.insert([keyRecord('1')])
      versions.add(store.changes.version)
      await store.apiKeys.rotate('1', keyRecord('2'), 2)
      versions.add(store.changes.version)
      await store.apiKeys.revoke('2', 1, undefined)
      versions.add(store.changes.version)
      expect(versions.size).toBe(4)
      await store.apiKeys.quarantine('1', 1, undefined)
      versions.add(store.changes.version)
      await store.apiKeys.release('1')
      versions.add(store.changes.version)
      expect(versions.size).toBe(6)
      await store.apiKeys.touch([{ id: '1', at: 1, address: '192.0.2.1' }])
      await store.apiKeys.forgetAddresses(2)
      versions.add(store.changes.version)
      expect(versions.size).toBe(6)
    })
  })
}

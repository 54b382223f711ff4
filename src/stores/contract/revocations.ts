import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../ports/store.ts'
import { revocation, setClock, type OpenFresh } from './setting.ts'

const issuer = 'https://login.example.com'

/** What every store of revocations must do. */
export function describeRevocations(name: string, open: OpenFresh): void {
  describe(`revocations in ${name}`, () => {
    let store: Store

    beforeEach(async () => {
      store = await open(setClock())
    })

    afterEach(() => store.close())

    it('gives back what was added, oldest first', async () => {
      const entries = [
        revocation({ kind: 'subject', issuer, value: 'alice', reason: 'left', createdAt: 1 }),
        revocation({ kind: 'jti', value: 'abc', expiresAt: 50, createdAt: 2 }),
        revocation({ kind: 'issuer', issuer, createdAt: 3 }),
        revocation({ kind: 'client', issuer, value: 'web', permanent: true, createdAt: 4 }),
      ]
      for (const entry of entries) await store.revocations.add(entry)
      expect(await store.revocations.list()).toEqual(entries)
    })

    it('keeps one entry for the same thing: the later time and the stronger permanence win', async () => {
      const first = revocation({
        kind: 'subject',
        issuer,
        value: 'alice',
        at: 10,
        permanent: true,
        createdAt: 1,
      })
      await store.revocations.add(first)
      await store.revocations.add({ ...first, at: 20, permanent: false, createdAt: 2, reason: 'again' })
      await store.revocations.add({ ...first, at: 5, permanent: false, createdAt: 3 })
      expect(await store.revocations.list()).toEqual([{ ...first, at: 20, reason: 'again' }])
    })

    it('keeps the later end, and no end over any', async () => {
      const jti = revocation({ kind: 'jti', value: 'a', expiresAt: 100 })
      await store.revocations.add(jti)
      await store.revocations.add({ ...jti, expiresAt: 50 })
      expect((await store.revocations.list())[0]?.expiresAt).toBe(100)
      const { expiresAt: _, ...forEver } = jti
      await store.revocations.add(forEver)
      await store.revocations.add(jti)
      expect((await store.revocations.list())[0]?.expiresAt).toBeUndefined()
    })

    it('tells the same value of two issuers, and of two kinds, apart', async () => {
      await store.revocations.add(revocation({ kind: 'subject', issuer: 'a', value: 'x' }))
      await store.revocations.add(revocation({ kind: 'subject', issuer: 'b', value: 'x' }))
      await store.revocations.add(revocation({ kind: 'client', issuer: 'a', value: 'x' }))
      expect(await store.revocations.list()).toHaveLength(3)
    })

    it('tells only what is new since a cursor, strengthened entries among it', async () => {
      const alice = revocation({ kind: 'subject', issuer, value: 'alice', at: 1 })
      const bob = revocation({ kind: 'subject', issuer, value: 'bob' })
      await store.revocations.add(alice)
      const first = await store.revocations.since(0)
      expect(first.revocations).toEqual([alice])
      expect((await store.revocations.since(first.cursor)).revocations).toEqual([])
      await store.revocations.add(bob)
      await store.revocations.add({ ...alice, at: 2 })
      const second = await store.revocations.since(first.cursor)
      expect(new Set(second.revocations.map(({ value }) => value))).toEqual(new Set(['alice', 'bob']))
      expect((await store.revocations.since(second.cursor)).revocations).toEqual([])
    })

    it('bounds a permanent entry: later credentials are good again, earlier ones stay refused', async () => {
      const alice = revocation({ kind: 'subject', issuer, value: 'alice', at: 10, permanent: true })
      await store.revocations.add(alice)
      await store.revocations.add(revocation({ kind: 'subject', issuer, value: 'bob', at: 10 }))
      const { cursor } = await store.revocations.since(0)
      expect(await store.revocations.bound({ kind: 'subject', issuer, value: 'alice' }, 50)).toBe(true)
      const news = await store.revocations.since(cursor)
      expect(news.revocations).toEqual([{ ...alice, at: 50, permanent: false }])
      expect(await store.revocations.bound({ kind: 'subject', issuer, value: 'alice' }, 60)).toBe(false)
      expect(await store.revocations.bound({ kind: 'subject', issuer, value: 'bob' }, 60)).toBe(false)
      expect(await store.revocations.bound({ kind: 'subject', value: 'alice' }, 60)).toBe(false)
      await store.revocations.add(alice)
      expect(await store.revocations.list()).toContainEqual({ ...alice, at: 50 })
    })

    it('bounds one whose time is still to come', async () => {
      const all = revocation({ kind: 'issuer', issuer, at: 1_000 })
      await store.revocations.add(all)
      expect(await store.revocations.bound({ kind: 'issuer', issuer }, 50)).toBe(true)
      expect(await store.revocations.list()).toEqual([{ ...all, at: 50 }])
    })

    it('drops what can no longer matter, and a cursor from before misses nothing', async () => {
      await store.revocations.add(revocation({ kind: 'jti', value: 'old', expiresAt: 10 }))
      const { cursor } = await store.revocations.since(0)
      await store.revocations.prune(10)
      await store.revocations.add(revocation({ kind: 'jti', value: 'new', expiresAt: 99 }))
      expect((await store.revocations.list()).map(({ value }) => value)).toEqual(['new'])
      expect((await store.revocations.since(cursor)).revocations.map(({ value }) => value)).toEqual(['new'])
    })

    it('moves both versions, and calls who subscribed', async () => {
      let calls = 0
      const stop = store.changes.subscribe(() => {
        calls += 1
      })
      const { version, revocations } = store.changes
      await store.revocations.add(revocation({ kind: 'jti', value: 'a' }))
      expect(store.changes.version).not.toBe(version)
      expect(store.changes.revocations).not.toBe(revocations)
      expect(calls).toBe(1)
      stop()
      await store.revocations.add(revocation({ kind: 'jti', value: 'b' }))
      expect(calls).toBe(1)
    })
  })
}

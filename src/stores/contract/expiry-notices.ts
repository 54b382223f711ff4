import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../ports/store.ts'
import { keyRecord, setClock, type OpenFresh } from './setting.ts'

const day = 86_400_000

/** What every memory of expiry notices must do. */
export function describeExpiryNotices(name: string, open: OpenFresh): void {
  describe(`expiry notices in ${name}`, () => {
    const now = 1_800_000_000_000
    let store: Store

    beforeEach(async () => {
      store = await open(setClock(now))
    })

    afterEach(() => store.close())

    const claimed = async (days: 14 | 7 | 1, at = now, limit = 10): Promise<string[]> =>
      (await store.expiryNotices.claim({ days, now: at, limit })).map(({ id }) => id).sort()

    it('gives each key that ends within the days once', async () => {
      await store.apiKeys.insert([
        keyRecord('soon', { expiresAt: now + 10 * day }),
        keyRecord('later', { expiresAt: now + 15 * day }),
        keyRecord('never'),
        keyRecord('over', { expiresAt: now }),
      ])
      expect(await claimed(14)).toEqual(['soon'])
      expect(await claimed(14)).toEqual([])
      expect(await claimed(14, now + day)).toEqual(['later'])
    })

    it('tells again at each nearer bound, and no farther one after a nearer one', async () => {
      await store.apiKeys.insert([keyRecord('a', { expiresAt: now + 10 * day })])
      expect(await claimed(14)).toEqual(['a'])
      expect(await claimed(7, now + 4 * day)).toEqual(['a'])
      expect(await claimed(14, now + 4 * day)).toEqual([])
      expect(await claimed(1, now + 9 * day)).toEqual(['a'])
      expect(await claimed(7, now + 9 * day)).toEqual([])
    })

    it('leaves revoked and rotated keys out', async () => {
      await store.apiKeys.insert([
        keyRecord('revoked', { expiresAt: now + day }),
        keyRecord('rotated', { expiresAt: now + day }),
      ])
      await store.apiKeys.revoke('revoked', now, undefined)
      await store.apiKeys.rotate('rotated', keyRecord('next'), now + 10)
      expect(await claimed(1)).toEqual([])
    })

    it('takes no more than the limit at once, and all in the end', async () => {
      await store.apiKeys.insert(['a', 'b', 'c'].map((id) => keyRecord(id, { expiresAt: now + day })))
      const first = await claimed(1, now, 2)
      expect(first).toHaveLength(2)
      expect([...first, ...(await claimed(1, now, 2))].sort()).toEqual(['a', 'b', 'c'])
    })

    it('gives a released key again', async () => {
      await store.apiKeys.insert([keyRecord('a', { expiresAt: now + 5 * day })])
      expect(await claimed(7)).toEqual(['a'])
      await store.expiryNotices.release(['a'])
      expect(await claimed(7)).toEqual(['a'])
    })

    it('is no change that caches must notice', async () => {
      await store.apiKeys.insert([keyRecord('a', { expiresAt: now + day })])
      const { version } = store.changes
      await claimed(1)
      expect(store.changes.version).toBe(version)
    })
  })
}

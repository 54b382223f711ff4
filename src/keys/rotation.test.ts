import { beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../stores/open.ts'
import type { Store } from '../ports/store.ts'
import { createKeyManager, type KeyManager } from './manager.ts'
import type { RotationView } from './rotation.ts'

const hour = 3_600_000

describe('the rotation of a key', () => {
  let now: number
  let store: Store
  let keys: KeyManager
  let old: string
  let next: string

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1)
    const clock = { now: () => now }
    store = await openStore(':memory:', { clock })
    keys = createKeyManager({
      store: store.apiKeys,
      audit: { record: () => undefined },
      clock,
      configuration: () => ({
        authenticators: {
          keys: { type: 'api-key', name: 'keys', in: [], prefix: 'ptc', grace: 24 * hour, onLeak: 'revoke' },
        },
        routes: [],
      }),
    })
    old = (await keys.create({ owner: 'acme' }, 'test')).id
    next = (await keys.rotate(old, {}, 'test')).id
  })

  async function rotationOf(id: string): Promise<RotationView | undefined> {
    return (await keys.show(id)).rotation
  }

  it('goes from new by both and draining to retired, and tells the last use of both keys', async () => {
    await store.apiKeys.touch([{ id: old, at: now }])
    expect(await rotationOf(old)).toEqual({
      stage: 'new',
      old,
      oldLastUsedAt: '2027-01-01T00:00:00Z',
      new: next,
    })
    now += hour / 2
    await store.apiKeys.touch([{ id: next, at: now }])
    expect(await rotationOf(old)).toMatchObject({ stage: 'both', newLastUsedAt: '2027-01-01T00:30:00Z' })
    now += hour
    expect(await rotationOf(old)).toMatchObject({ stage: 'draining', oldLastUsedAt: '2027-01-01T00:00:00Z' })
    now += 24 * hour
    expect(await rotationOf(old)).toMatchObject({ stage: 'retired' })
  })

  it('is told of both keys alike, in lists too', async () => {
    expect(await rotationOf(next)).toEqual(await rotationOf(old))
    const { keys: listed } = await keys.list({ limit: 10 })
    expect(listed.map(({ rotation }) => rotation?.stage)).toEqual(['new', 'new'])
    expect(await keys.show(next)).toMatchObject({ predecessor: old })
  })

  it('is over when the old key is revoked', async () => {
    await keys.revoke(old, undefined, 'test')
    expect(await rotationOf(next)).toMatchObject({ stage: 'retired' })
  })

  it('of a key in the middle of a chain is the one that replaces it', async () => {
    const third = (await keys.rotate(next, {}, 'test')).id
    expect(await rotationOf(next)).toMatchObject({ old: next, new: third })
    expect(await rotationOf(third)).toMatchObject({ old: next, new: third })
    expect(await rotationOf(old)).toMatchObject({ old, new: next })
  })

  it('is not told of a key that was never rotated', async () => {
    const { id } = await keys.create({ owner: 'beta' }, 'test')
    expect(await rotationOf(id)).toBeUndefined()
  })
})

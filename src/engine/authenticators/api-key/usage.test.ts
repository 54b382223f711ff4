import { afterEach, describe, expect, it } from 'vitest'
import type { KeyUse } from '../../../ports/api-keys.ts'
import { createUsageCollector, type UsageCollector } from './usage.ts'

describe('the usage collector', () => {
  let collector: UsageCollector | undefined
  const batches: (readonly KeyUse[])[] = []
  const errors: unknown[] = []
  const store = {
    failure: undefined as Error | undefined,
    forgetAddresses: async (): Promise<void> => undefined,
    touch: async (uses: readonly KeyUse[]): Promise<void> => {
      if (store.failure !== undefined) throw store.failure
      batches.push(uses)
    },
  }

  afterEach(async () => {
    await collector?.close()
    batches.length = 0
    errors.length = 0
    store.failure = undefined
  })

  function made(): UsageCollector {
    collector = createUsageCollector({
      store,
      clock: { now: () => 0 },
      onError: (error) => errors.push(error),
      every: 3_600_000,
    })
    return collector
  }

  it('writes uses in one batch, each key once', async () => {
    const usage = made()
    usage.note('a', 1_000)
    usage.note('a', 1_001)
    usage.note('b', 1_002)
    await usage.flush()
    expect(batches).toEqual([
      [
        { id: 'a', at: 1_000 },
        { id: 'b', at: 1_002 },
      ],
    ])
  })

  it('writes a key at most once a minute', async () => {
    const usage = made()
    usage.note('a', 1_000)
    await usage.flush()
    usage.note('a', 60_999)
    await usage.flush()
    usage.note('a', 61_000)
    await usage.flush()
    expect(batches).toEqual([[{ id: 'a', at: 1_000 }], [{ id: 'a', at: 61_000 }]])
  })

  it('writes each address of a key at most once an hour, of IPv6 the /64', async () => {
    const usage = made()
    usage.note('a', 1_000, '192.0.2.1')
    usage.note('a', 1_001, '192.0.2.1')
    usage.note('a', 1_002, '2001:db8::1')
    usage.note('a', 1_003, '2001:db8::2')
    await usage.flush()
    usage.note('a', 3_600_999, '192.0.2.1')
    usage.note('a', 3_601_000, '192.0.2.1')
    await usage.flush()
    expect(batches).toEqual([
      [
        { id: 'a', at: 1_000, address: '192.0.2.1' },
        { id: 'a', at: 1_000 },
        { id: 'a', at: 1_002, address: '2001:db8:0:0::/64' },
      ],
      [
        { id: 'a', at: 3_600_999 },
        { id: 'a', at: 3_601_000, address: '192.0.2.1' },
      ],
    ])
  })

  it('keeps what could not be written for the next batch', async () => {
    const usage = made()
    store.failure = new Error('locked')
    usage.note('a', 1_000)
    await usage.flush()
    expect(errors).toEqual([store.failure])
    store.failure = undefined
    usage.note('b', 2_000)
    await usage.flush()
    expect(batches).toEqual([
      [
        { id: 'a', at: 1_000 },
        { id: 'b', at: 2_000 },
      ],
    ])
  })

  it('writes the rest when it closes', async () => {
    const usage = made()
    usage.note('a', 1_000)
    await usage.close()
    expect(batches).toHaveLength(1)
  })

  it('holds no more than it may while the store is away', async () => {
    const usage = made()
    store.failure = new Error('away')
    for (let index = 0; index < 60_000; index += 1) usage.note(`k${index}`, 1)
    await usage.flush()
    store.failure = undefined
    await usage.flush()
    expect(batches.flat()).toHaveLength(50_000)
  })
})

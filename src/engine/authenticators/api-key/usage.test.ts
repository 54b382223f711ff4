import { afterEach, describe, expect, it } from 'vitest'
import { createUsageCollector, type UsageCollector } from './usage.ts'

describe('the usage collector', () => {
  let collector: UsageCollector | undefined
  const batches: (readonly { readonly id: string; readonly at: number }[])[] = []
  const errors: unknown[] = []
  const store = {
    failure: undefined as Error | undefined,
    touch: async (uses: readonly { readonly id: string; readonly at: number }[]): Promise<void> => {
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

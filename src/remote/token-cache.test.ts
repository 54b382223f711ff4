import { describe, expect, it } from 'vitest'
import { OAuthFailure } from './oauth-failure.ts'
import { createTokenCache, type CachedToken } from './token-cache.ts'
import type { IssuedToken } from './token-answer.ts'

function setUp(options: { atOnce?: number; capacity?: number } = {}) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const cache = createTokenCache({ clock, capacity: 10, random: () => 0, ...options })
  let count = 0
  const waiting: (() => void)[] = []
  const provider = {
    life: 100_000,
    failure: undefined as OAuthFailure | undefined,
    hangs: false,
    get count() {
      return count
    },
    release: () => waiting.splice(0).forEach((each) => each()),
    fetch: async (): Promise<IssuedToken> => {
      count += 1
      const token = `t${count}`
      if (provider.hangs) await new Promise<void>((resolve) => void waiting.push(resolve))
      if (provider.failure !== undefined) throw provider.failure
      return { token, expiresAt: clock.time + provider.life }
    },
  }
  const get = (key = 'k', notAfter?: number): CachedToken | Promise<CachedToken> =>
    cache.get(key, provider.fetch, notAfter)
  const token = async (key?: string, notAfter?: number): Promise<string> => {
    const found = await get(key, notAfter)
    return found.outcome === 'issued' ? found.token : found.fault
  }
  return { clock, cache, provider, get, token }
}

describe('a token', () => {
  it('is fetched once for all who wait, and then comes without a promise', async () => {
    const { get, provider, token } = setUp()
    expect(await Promise.all([token(), token(), token()])).toEqual(['t1', 't1', 't1'])
    expect(get()).toMatchObject({ outcome: 'issued', token: 't1' })
    expect(provider.count).toBe(1)
    expect(await token('other')).toBe('t2')
  })

  it('is renewed ahead of its end, beside the requests', async () => {
    const { clock, get, provider, token } = setUp()
    await token()
    clock.time += 80_000
    provider.hangs = true
    expect(get()).toMatchObject({ token: 't1' })
    expect(get()).toMatchObject({ token: 't1' })
    expect(provider.count).toBe(2)
    provider.release()
    await new Promise(setImmediate)
    expect(get()).toMatchObject({ token: 't2' })
  })

  it('that cannot be renewed serves until shortly before its end, and no longer', async () => {
    const { clock, provider, token } = setUp()
    await token()
    provider.failure = new OAuthFailure('unreachable', 'away')
    clock.time += 94_999
    expect(await token()).toBe('t1')
    clock.time += 1
    expect(await token()).toBe('unreachable')
  })

  it('lives no longer than the life that it was made from', async () => {
    const { clock, get, provider, token } = setUp()
    const end = clock.time + 10_000
    expect(await get('k', end)).toEqual({ outcome: 'issued', key: 'k', token: 't1', expiresAt: end })
    clock.time += 8_999
    expect(await token('k', end)).toBe('t1')
    clock.time += 1_001
    await token('k', end + 1)
    expect(provider.count).toBeGreaterThan(1)
  })

  it('that lives for a moment is used for most of it', async () => {
    const { clock, provider, token } = setUp()
    provider.life = 2_000
    await token()
    clock.time += 1_500
    expect(await token()).toBe('t1')
    clock.time += 400
    expect(await token()).not.toBe('t1')
  })

  it('is dropped when a backend does not take it, but not a newer one, and not again and again', async () => {
    const { cache, clock, provider, token } = setUp()
    expect(await token()).toBe('t1')
    cache.drop('k', 'another')
    expect(await token()).toBe('t1')
    cache.drop('k', 't1')
    expect(await token()).toBe('t2')
    cache.drop('k', 't1')
    cache.drop('k', 't2')
    expect(await token()).toBe('t2')
    clock.time += 1_000
    cache.drop('k', 't2')
    expect(await token()).toBe('t3')
    expect(provider.count).toBe(3)
    cache.drop('unknown', 't3')
  })
})

describe('a failure', () => {
  it('is remembered for a while that grows, and forgotten by a success', async () => {
    const { clock, get, provider, token } = setUp()
    provider.failure = new OAuthFailure('unreachable', 'away')
    expect(await get()).toMatchObject({ outcome: 'failed', fault: 'unreachable', retryAfter: 1_000 })
    clock.time += 400
    expect(get()).toMatchObject({ outcome: 'failed', retryAfter: 600 })
    expect(provider.count).toBe(1)
    clock.time += 600
    expect(await get()).toMatchObject({ retryAfter: 2_000 })
    provider.failure = undefined
    clock.time += 2_000
    expect(await token()).toBe('t3')
  })

  it('waits as long as the provider asks', async () => {
    const { clock, get, provider } = setUp()
    provider.failure = new OAuthFailure('unreachable', 'busy', { retryAfter: 7_000 })
    await get()
    clock.time += 6_999
    await get()
    expect(provider.count).toBe(1)
  })

  it('of ours is no failure of the provider', async () => {
    const { cache } = setUp()
    const bug = Promise.resolve(cache.get('k', () => Promise.reject(new RangeError('bug'))))
    await expect(bug).rejects.toThrow('bug')
  })
})

it('questions at once are bounded: a provider that hangs holds no more than that', async () => {
  const { get, provider } = setUp({ atOnce: 2 })
  provider.hangs = true
  const first = [get('a'), get('b')]
  expect(get('c')).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(/too many/) })
  expect(get('a')).toBe(first[0])
  provider.release()
  expect(await Promise.all(first.map((each) => Promise.resolve(each)))).toMatchObject([
    { token: 't1' },
    { token: 't2' },
  ])
})

it('entries are bounded', async () => {
  const { provider, token } = setUp({ capacity: 2 })
  for (const key of ['a', 'b', 'c', 'a']) await token(key)
  expect(provider.count).toBe(4)
})

/** The life of a key set, with time and timers in the test's hands and the provider's answers scripted. */
import { describe, expect, it } from 'vitest'
import { createSigner, testClock, type Json, type TestClock } from '../../test/support/tokens.ts'
import type { KeyLookup } from '../ports/key-sets.ts'
import type { FetchedAnswer } from './guarded-fetch.ts'
import { createKeySet, type ManagedKeySet, type RefreshOutcome } from './jwks.ts'

const a = createSigner('ES256', 'a')
const b = createSigner('ES256', 'b')
const second = 1_000
const minute = 60_000

interface Stand {
  readonly keySet: ManagedKeySet
  readonly clock: TestClock
  readonly refreshes: readonly RefreshOutcome[]
  /** How often the provider was asked. */
  readonly fetches: () => number
  /** Answers the oldest fetch that waits. */
  answer(keys: readonly Json[], headers?: Record<string, string>): Promise<void>
  answerRaw(body: string, status?: number): Promise<void>
  fail(message?: string): Promise<void>
  /** Lets time pass, and the timer go off when its time comes. */
  pass(milliseconds: number): Promise<void>
  /** Milliseconds until the next planned fetch. */
  readonly planned: () => number | undefined
  find(kid: string | undefined): KeyLookup | Promise<KeyLookup>
}

function stand(options: { staleKeys?: number; prefetch?: boolean } = {}): Stand {
  const clock = testClock()
  const refreshes: RefreshOutcome[] = []
  const waiting: PromiseWithResolvers<FetchedAnswer>[] = []
  let fetches = 0
  let timer: { readonly at: number; readonly task: () => void } | undefined
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  }
  const keySet = createKeySet({
    provider: 'corp',
    issuer: 'https://login.example.com',
    clock,
    staleKeys: options.staleKeys ?? 24 * 60 * minute,
    prefetch: options.prefetch ?? true,
    random: () => 0,
    onRefresh: (outcome) => void refreshes.push(outcome),
    fetchKeys: (signal) => {
      fetches += 1
      const answer = Promise.withResolvers<FetchedAnswer>()
      signal.addEventListener('abort', () => answer.reject(new Error('given up')))
      waiting.push(answer)
      return answer.promise
    },
    schedule: (delay, task) => {
      const own = { at: clock.time + delay, task }
      timer = own
      return () => {
        if (timer === own) timer = undefined
      }
    },
  })
  const next = (): PromiseWithResolvers<FetchedAnswer> => {
    const answer = waiting.shift()
    if (answer === undefined) throw new Error('nobody is waiting for an answer')
    return answer
  }
  return {
    keySet,
    clock,
    refreshes,
    fetches: () => fetches,
    answer: async (keys, headers = {}) => {
      next().resolve({ status: 200, headers, body: Buffer.from(JSON.stringify({ keys })) })
      await settle()
    },
    answerRaw: async (body, status = 200) => {
      next().resolve({ status, headers: {}, body: Buffer.from(body) })
      await settle()
    },
    fail: async (message = 'the provider is away') => {
      next().reject(new Error(message))
      await settle()
    },
    pass: async (milliseconds) => {
      clock.time += milliseconds
      const due = timer
      if (due !== undefined && due.at <= clock.time) {
        timer = undefined
        due.task()
      }
      await settle()
    },
    planned: () => (timer === undefined ? undefined : timer.at - clock.time),
    find: (kid) => keySet.find(kid === undefined ? { alg: 'ES256' } : { kid, alg: 'ES256' }),
  }
}

async function outcome(lookup: KeyLookup | Promise<KeyLookup>): Promise<string> {
  const found = await lookup
  return found.outcome === 'found' ? `key ${found.key.kid}` : found.outcome
}

describe('the first fetch', () => {
  it('begins at once, and is one for all who wait', async () => {
    const on = stand()
    expect(on.keySet.report().state).toBe('unfetched')
    const waiting = Promise.all([on.find('a'), on.find('a'), on.find(undefined)].map(outcome))
    await on.answer([a.jwk])
    expect(await waiting).toEqual(['key a', 'key a', 'key a'])
    expect(on.fetches()).toBe(1)
    expect(on.refreshes).toEqual(['success'])
  })

  it('can wait for the first token', async () => {
    const on = stand({ prefetch: false })
    expect(on.fetches()).toBe(0)
    const found = outcome(on.find('a'))
    await on.answer([a.jwk])
    expect(await found).toBe('key a')
  })

  it('is followed by answers from memory, without a promise', async () => {
    const on = stand()
    await on.answer([a.jwk])
    expect(on.find('a')).not.toBeInstanceOf(Promise)
    expect(on.fetches()).toBe(1)
  })

  it('that fails is told to those who waited, and tried again, ever more slowly', async () => {
    const on = stand()
    const found = on.find('a')
    await on.fail('away')
    expect(await found).toEqual({ outcome: 'unavailable', retryAfter: second })
    expect(on.keySet.report()).toMatchObject({ state: 'unavailable', lastError: 'away', keys: [] })
    const delays: (number | undefined)[] = []
    for (let turn = 0; turn < 7; turn += 1) {
      delays.push(on.planned())
      await on.pass(on.planned() ?? 0)
      await on.fail()
    }
    expect(delays.map((delay) => (delay ?? 0) / second)).toEqual([1, 2, 4, 8, 16, 30, 30])
  })

  it('that failed is tried again for a request after a second, so that a provider that is back is used', async () => {
    const on = stand()
    await on.fail()
    await on.pass(second)
    await on.fail()
    await on.pass(999)
    expect(await outcome(on.find('a'))).toBe('unavailable')
    expect(on.fetches()).toBe(2)
    await on.pass(1)
    const found = outcome(on.find('a'))
    expect(on.fetches()).toBe(3)
    await on.answer([a.jwk])
    expect(await found).toBe('key a')
    expect(on.keySet.report()).toMatchObject({ state: 'fresh' })
    expect(on.keySet.report().lastError).toBeUndefined()
  })

  it('that hung is not waited for again before as long has passed', async () => {
    const on = stand()
    on.clock.time += 5 * second
    await on.fail('late')
    on.clock.time += 4_999
    expect(await outcome(on.find('a'))).toBe('unavailable')
    expect(on.fetches()).toBe(1)
    on.clock.time += 1
    void on.find('a')
    expect(on.fetches()).toBe(2)
  })
})

describe('rubbish', () => {
  it.each<[string, string, number, RegExp]>([
    ['HTML', '<html>sign in</html>', 200, /not JSON/],
    ['an empty body', '', 200, /not JSON/],
    ['no object', '[]', 200, /not a JSON object/],
    ['no keys', '{"keys":[]}', 200, /no key/],
    ['another document', '{"issuer":"x"}', 200, /no list/],
    ['an error page in JSON', JSON.stringify({ keys: [b.jwk] }), 500, /status 500/],
    ['not modified', '', 304, /status 304/],
    ['a refusal', '{}', 403, /status 403/],
  ])('counts as a failed fetch and keeps what was there: %s', async (_what, body, status, message) => {
    const on = stand()
    await on.answer([a.jwk])
    const { generation } = on.keySet
    const refreshed = on.keySet.refresh()
    await on.answerRaw(body, status)
    expect(await refreshed).toBe('failure')
    expect(await outcome(on.find('a'))).toBe('key a')
    expect(on.keySet.generation).toBe(generation)
    expect(on.keySet.report().lastError).toMatch(message)
    expect(on.keySet.report().state).toBe('fresh')
  })

  it('invalid UTF-8 is not JSON either', async () => {
    const on = stand()
    await on.answerRaw(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'))
    expect(on.keySet.report().state).toBe('unavailable')
  })
})

describe('refreshing', () => {
  it('happens in the background, ahead of expiry, by what the answer says of its freshness', async () => {
    const on = stand()
    await on.answer([a.jwk], { 'cache-control': 'max-age=1800' })
    expect(on.planned()).toBe(0.75 * 30 * minute)
    await on.pass(on.planned() ?? 0)
    expect(on.fetches()).toBe(2)
    expect(on.find('a')).not.toBeInstanceOf(Promise)
    await on.answer([a.jwk])
    expect(on.planned()).toBe(0.75 * 10 * minute)
    expect(on.refreshes).toEqual(['success', 'unchanged'])
  })

  it('moves the generation only when the keys changed', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const { generation } = on.keySet
    void on.keySet.refresh()
    await on.answer([a.jwk, a.jwk])
    expect(on.keySet.generation).toBe(generation)
    void on.keySet.refresh()
    await on.answer([a.jwk, b.jwk])
    expect(on.keySet.generation).toBeGreaterThan(generation)
  })

  it('ends the use of a key that left the set', async () => {
    const on = stand()
    await on.answer([a.jwk, b.jwk])
    const found = await on.find('a')
    if (found.outcome !== 'found') throw new Error('not found')
    expect(on.keySet.holds(found.key)).toBe(true)
    void on.keySet.refresh()
    await on.answer([b.jwk])
    expect(on.keySet.holds(found.key)).toBe(false)
  })

  it('keeps a key that stayed, though it was fetched anew', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const found = await on.find('a')
    if (found.outcome !== 'found') throw new Error('not found')
    void on.keySet.refresh()
    await on.answer([b.jwk, a.jwk])
    expect(on.keySet.holds(found.key)).toBe(true)
  })

  it('is one fetch, however many ask for it', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const both = Promise.all([on.keySet.refresh(), on.keySet.refresh()])
    await on.answer([b.jwk])
    expect(await both).toEqual(['success', 'success'])
    expect(on.fetches()).toBe(2)
  })

  it('is waited for when freshness ran out unnoticed, as on a machine that slept', async () => {
    const on = stand()
    await on.answer([a.jwk])
    on.clock.time += 11 * minute
    const found = outcome(on.find('a'))
    await on.answer([b.jwk])
    expect(await found).toBe('unknown')
  })
})

describe('a provider that goes away', () => {
  it('leaves its keys in use, stale, for staleKeys and not longer', async () => {
    const on = stand({ staleKeys: 60 * minute })
    await on.answer([a.jwk])
    await on.pass(7.5 * minute)
    await on.fail('away')
    on.clock.time += 10 * minute
    expect(await outcome(on.find('a'))).toBe('key a')
    expect(on.keySet.report()).toMatchObject({ state: 'stale', lastError: 'away' })
    const found = await on.find('a')
    on.clock.time += 55 * minute
    expect(on.keySet.report().state).toBe('unavailable')
    expect(found.outcome === 'found' && on.keySet.holds(found.key)).toBe(false)
    expect(found.outcome === 'found' && on.keySet.generation === found.generation).toBe(false)
    const late = outcome(on.find('a'))
    await on.fail()
    expect(await late).toBe('unavailable')
  })

  it('makes an unknown kid unavailable, since nobody can say that it does not exist', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const first = on.find('new')
    await on.fail()
    expect(await first).toMatchObject({ outcome: 'unavailable' })
    expect(await outcome(on.find('new'))).toBe('unavailable')
    expect(await outcome(on.find('a'))).toBe('key a')
    expect(on.fetches()).toBe(2)
  })

  it('and comes back ends the unavailability without a request', async () => {
    const on = stand()
    await on.answer([a.jwk])
    void on.find('b')
    await on.fail()
    await on.pass(on.planned() ?? 0)
    await on.answer([a.jwk, b.jwk])
    expect(await outcome(on.find('b'))).toBe('key b')
  })
})

describe('an unknown kid', () => {
  it('is fetched for at once, even right after another fetch: keys rotate when they like', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const found = Promise.all([on.find('b'), on.find('b')].map(outcome))
    await on.answer([a.jwk, b.jwk])
    expect(await found).toEqual(['key b', 'key b'])
    expect(on.fetches()).toBe(2)
  })

  it('that came while an older fetch was under way gets one of its own: the older one proves nothing', async () => {
    const on = stand()
    const found = Promise.all([on.find('b'), on.find('b'), on.find('c')].map(outcome))
    await on.answer([a.jwk])
    expect(on.fetches()).toBe(2)
    await on.answer([a.jwk, b.jwk])
    expect(await found).toEqual(['key b', 'key b', 'unknown'])
    expect(on.fetches()).toBe(2)
  })

  it('starts a cool-down of 30 s for the whole provider', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const found = outcome(on.find('x1'))
    await on.answer([a.jwk])
    expect(await found).toBe('unknown')
    for (let n = 2; n < 500; n += 1) expect(await outcome(on.find(`x${n}`))).toBe('unknown')
    on.clock.time += 29_999
    expect(await outcome(on.find('y'))).toBe('unknown')
    expect(on.fetches()).toBe(2)
    on.clock.time += 1
    const after = outcome(on.find('b'))
    expect(on.fetches()).toBe(3)
    await on.answer([a.jwk, b.jwk])
    expect(await after).toBe('key b')
  })

  it('that was looked for is remembered for 60 s', async () => {
    const on = stand()
    await on.answer([a.jwk])
    void on.find('x')
    await on.answer([a.jwk])
    on.clock.time += 45 * second
    expect(await outcome(on.find('x'))).toBe('unknown')
    expect(on.fetches()).toBe(2)
    on.clock.time += 15 * second
    void on.find('x')
    expect(on.fetches()).toBe(3)
  })

  it('is forgotten with each new set', async () => {
    const on = stand()
    await on.answer([a.jwk])
    void on.find('x')
    await on.answer([a.jwk])
    on.clock.time += 31 * second
    void on.keySet.refresh()
    await on.answer([b.jwk])
    void on.find('x')
    expect(on.fetches()).toBe(4)
  })

  it('without kid asks once too, and several that fit ask nothing', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const none = outcome(on.keySet.find({ alg: 'RS256' }))
    await on.answer([a.jwk])
    expect(await none).toBe('unknown')
    void on.keySet.refresh()
    await on.answer([a.jwk, b.jwk])
    expect(await outcome(on.find(undefined))).toBe('unknown')
    expect(on.fetches()).toBe(3)
  })

  it('is not one that is published for something else', async () => {
    const on = stand()
    await on.answer([a.jwk])
    expect(on.keySet.find({ kid: 'a', alg: 'RS256' })).toEqual({ outcome: 'unfit' })
    expect(on.fetches()).toBe(1)
  })
})

describe('closing', () => {
  it('gives the fetch up, plans none, and still answers from memory', async () => {
    const on = stand()
    await on.answer([a.jwk])
    const waiting = outcome(on.find('b'))
    on.keySet.close()
    expect(await waiting).toBe('unavailable')
    expect(on.planned()).toBeUndefined()
    expect(await outcome(on.find('a'))).toBe('key a')
    expect(await outcome(on.find('c'))).toBe('unavailable')
    expect(await on.keySet.refresh()).toBe('failure')
    expect(on.fetches()).toBe(2)
    expect(on.refreshes).toEqual(['success'])
  })

  it('before anything was fetched leaves nothing', async () => {
    const on = stand()
    on.keySet.close()
    expect(await outcome(on.find('a'))).toBe('unavailable')
  })
})

it('the report names keys and times, and no key material', async () => {
  const on = stand()
  await on.answer([a.jwk, { ...b.jwk, alg: undefined, kid: undefined }], { 'cache-control': 'max-age=600' })
  expect(on.keySet.report()).toEqual({
    name: 'corp',
    issuer: 'https://login.example.com',
    state: 'fresh',
    fetchedAt: on.clock.time,
    expiresAt: on.clock.time + 10 * minute,
    keys: [
      { kid: 'a', alg: 'ES256', kty: 'EC', firstSeenAt: on.clock.time, lastSeenAt: on.clock.time },
      { kty: 'EC', firstSeenAt: on.clock.time, lastSeenAt: on.clock.time },
    ],
    keysGone: [],
  })
})

import { createPublicKey, sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Facts } from '../ports/facts.ts'
import { openAssertionKeys, type AssertionKeyOptions, type AssertionKeys } from './assertion-keys.ts'

const day = 86_400_000
const start = 1_800_000_000_000

function memory(): Facts & { readonly values: Map<string, string>; failing: boolean } {
  const values = new Map<string, string>()
  const facts = {
    values,
    failing: false,
    get: async (name: string) => {
      if (facts.failing) throw new Error('the store is away')
      return values.get(name)
    },
    set: async (name: string, value: string) => void values.set(name, value),
    setIfAbsent: async (name: string, value: string) => {
      const before = values.get(name)
      if (before === undefined) values.set(name, value)
      return before ?? value
    },
  }
  return facts
}

async function open(
  facts: Facts,
  more: Partial<AssertionKeyOptions> = {},
): Promise<AssertionKeys & { at: (now: number) => Promise<void> }> {
  let now = start
  const keys = await openAssertionKeys(facts, {
    clock: { now: () => now },
    rotateEvery: 30 * day,
    lifetime: 60_000,
    ...more,
  })
  return {
    ...keys,
    at: async (time) => {
      now = start + time
      await keys.maintain()
    },
  }
}

const kids = (keys: AssertionKeys): string[] => keys.published().keys.map(({ kid }) => kid)

describe('the first start', () => {
  it('makes one Ed25519 key, publishes its public half, and finds it again', async () => {
    const facts = memory()
    const keys = await open(facts)
    const [published] = keys.published().keys
    expect(published).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.stringMatching(/^[\w-]{43}$/),
      kid: expect.stringMatching(/^[\w-]{43}$/),
      use: 'sig',
      alg: 'EdDSA',
    })
    const signature = sign(null, Buffer.from('x'), keys.current().key)
    const publicKey = createPublicKey({ key: { ...published! }, format: 'jwk' })
    expect(verify(null, Buffer.from('x'), publicKey, signature)).toBe(true)
    expect((await open(facts)).current().kid).toBe(keys.current().kid)
  })

  it('of two instances at once ends with one key', async () => {
    const facts = memory()
    const [one, other] = await Promise.all([open(facts), open(facts)])
    expect(one.current().kid).toBe(other.current().kid)
  })

  it('refuses a key that cannot be read, without telling what it read', async () => {
    const facts = memory()
    facts.values.set('assertion-key/0', '{"activeFrom":0,"pkcs8":"c2VjcmV0"}')
    const failure = await open(facts).catch((error: unknown) => error)
    expect(String(failure)).toContain("the store's signing key 0 for assertions cannot be read")
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('c2VjcmV0')
  })
})

describe('rotation', () => {
  it('publishes the next key an hour before it signs, and the last one until what it signed is past', async () => {
    const keys = await open(memory())
    const [first] = kids(keys)
    await keys.at(30 * day - 3_600_001)
    expect(kids(keys)).toEqual([first])
    await keys.at(30 * day - 3_600_000)
    expect(kids(keys)).toHaveLength(2)
    expect(keys.current().kid).toBe(first)
    await keys.at(30 * day - 1)
    expect(keys.current().kid).toBe(first)
    await keys.at(30 * day)
    expect(keys.current().kid).toBe(kids(keys)[1])
    await keys.at(30 * day + 60_000 + 299_999)
    expect(kids(keys)[0]).toBe(first)
    await keys.at(30 * day + 60_000 + 300_000)
    expect(kids(keys)).toHaveLength(1)
    expect(kids(keys)[0]).not.toBe(first)
  })

  it('after a long sleep still publishes before it signs', async () => {
    const keys = await open(memory())
    const [first] = kids(keys)
    await keys.at(300 * day)
    expect(kids(keys)).toHaveLength(2)
    expect(keys.current().kid).toBe(first)
    await keys.at(300 * day + 3_600_000)
    expect(keys.current().kid).toBe(kids(keys)[1])
  })

  it('erases the private half of a key that is past', async () => {
    const facts = memory()
    const keys = await open(facts, { rotateEvery: 1000 })
    for (let time = 0; time < 500_000; time += 500) await keys.at(time)
    expect(kids(keys).length).toBeLessThan(370)
    expect(facts.values.get('assertion-key/0')).toBe('')
    const again = await open(facts, { rotateEvery: 1000 })
    expect(kids(again)).toEqual(kids(keys))
  })

  it('by one instance is learned of by the others before the key signs', async () => {
    const facts = memory()
    const one = await open(facts)
    const other = await open(facts)
    await one.at(30 * day - 3_600_000)
    await other.at(30 * day - 3_500_000)
    expect(kids(other)).toEqual(kids(one))
    await one.at(30 * day)
    await other.at(30 * day)
    expect(other.current().kid).toBe(one.current().kid)
  })

  it('follows a schedule that a reload brought, and never shortens how long a last key is published', async () => {
    const keys = await open(memory())
    keys.reschedule({ rotateEvery: day, lifetime: 1000 })
    await keys.at(day - 3_600_000)
    expect(kids(keys)).toHaveLength(2)
    await keys.at(day + 60_000 + 299_999)
    expect(kids(keys)).toHaveLength(2)
    await keys.at(day + 60_000 + 300_000)
    expect(kids(keys)).toHaveLength(1)
  })

  it('goes on in the background while keys are used, and keeps what there is when the store is away', async () => {
    const facts = memory()
    const errors: unknown[] = []
    let now = start
    const keys = await openAssertionKeys(facts, {
      clock: { now: () => now },
      rotateEvery: 30 * day,
      lifetime: 60_000,
      onError: (error) => errors.push(error),
    })
    const [first] = kids(keys)
    now = start + 30 * day
    facts.failing = true
    expect(keys.current().kid).toBe(first)
    await expect.poll(() => errors.length).toBe(1)
    facts.failing = false
    now += 60_000
    expect(keys.current().kid).toBe(first)
    await expect.poll(() => kids(keys).length).toBe(2)
  })
})

describe('a rotation that somebody asks for', () => {
  const stages = (keys: AssertionKeys): string[] => keys.list().map(({ stage }) => stage)

  it('goes from new by active and draining to retired, and tells when', async () => {
    const keys = await open(memory())
    const first = keys.current().kid
    expect(keys.list()).toEqual([{ kid: first, stage: 'active', activeFrom: start, lastUsedAt: start }])
    const [old, next] = (await keys.rotate({ withdraw: false }))!
    expect(old).toMatchObject({ kid: first, stage: 'active' })
    expect(next).toEqual({ kid: kids(keys)[1], stage: 'new', activeFrom: start + 600_000 })
    expect(keys.current().kid).toBe(first)
    await keys.at(600_000)
    expect(keys.current().kid).toBe(next!.kid)
    expect(keys.list()[0]).toEqual({
      kid: first,
      stage: 'draining',
      activeFrom: start,
      lastUsedAt: start,
      retiresAt: start + 600_000 + 60_000 + 300_000,
    })
    await keys.at(600_000 + 60_000 + 300_000)
    expect(stages(keys)).toEqual(['active'])
  })

  it('does not hurry one that is under way', async () => {
    const keys = await open(memory())
    await keys.rotate({ withdraw: false })
    expect(await keys.rotate({ withdraw: false })).toBeUndefined()
    expect(stages(keys)).toEqual(['active', 'new'])
  })

  it('withdraws every key that somebody may have, the next one too, and erases them', async () => {
    const facts = memory()
    const keys = await open(facts)
    await keys.rotate({ withdraw: false })
    const before = kids(keys)
    const [only, ...others] = (await keys.rotate({ withdraw: true }))!
    expect(others).toEqual([])
    expect(before).not.toContain(only!.kid)
    expect(keys.current().kid).toBe(only!.kid)
    expect([facts.values.get('assertion-key/0'), facts.values.get('assertion-key/1')]).toEqual(['', ''])
    expect(kids(await open(facts))).toEqual([only!.kid])
  })

  it('is learned of by other instances, a withdrawal too', async () => {
    const facts = memory()
    const [one, other] = [await open(facts), await open(facts)]
    await one.rotate({ withdraw: true })
    await other.at(60_000)
    expect(kids(other)).toEqual(kids(one))
  })

  it('of two at once leaves one key to sign with', async () => {
    const facts = memory()
    const [one, other] = [await open(facts), await open(facts)]
    await Promise.all([one.rotate({ withdraw: true }), other.rotate({ withdraw: true }), one.maintain()])
    await one.at(60_000)
    await other.at(60_000)
    expect(kids(one)).toHaveLength(1)
    expect(kids(other)).toEqual(kids(one))
  })
})

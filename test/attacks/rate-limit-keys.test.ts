/** A bucket is named by what callers choose: nobody may be spelled so that they draw from, or hide in, another's bucket. */
import { array, assert as check, constantFrom, property, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/engine/identity.ts'
import { createBucketKey, parseKeyKind, type BucketKey } from '../../src/limits/bucket-key.ts'
import { compileLimits, createRateLimiter, type LimitedExchange } from '../../src/limits/rate-limit.ts'
import { createMemoryCounters } from '../../src/stores/memory/counters.ts'
import { gatewayRequest, type RequestParts } from '../support/gateway-request.ts'

function exchange(identity: Partial<Identity> | undefined, parts: RequestParts = {}): LimitedExchange {
  const whole: Identity = { issuer: '', subject: '', scopes: [], roles: [], claims: {}, method: 'm', amr: [] }
  return {
    request: gatewayRequest(parts),
    identity: identity === undefined ? undefined : { ...whole, ...identity },
    credential: undefined,
    limits: [],
  }
}

// One for all: what it remembers of one caller must not serve another.
const known = new Map<string, BucketKey>()

function key(kind: string, caller: LimitedExchange): string {
  const keyOf = known.get(kind) ?? createBucketKey('r ', parseKeyKind(kind))
  known.set(kind, keyOf)
  return keyOf(caller)
}

describe('two callers', () => {
  it('share no bucket, wherever issuer ends and subject begins', () => {
    const text = array(constantFrom('a', ' ', '|', ':', '\n', '=', '#', '1'), { maxLength: 90 }).map((it) =>
      it.join(''),
    )
    const separator = constantFrom(' ', '|', ':', '\n', '=', '', ' =', '1 ')
    check(
      property(tuple(text, text, text, separator), ([a, b, c, between]) => {
        const early = { issuer: a, subject: b + between + c }
        const late = { issuer: a + between + b, subject: c }
        const isSame = early.issuer === late.issuer
        expect(key('identity', exchange(early)) === key('identity', exchange(late))).toBe(isSame)
      }),
      { numRuns: 2000 },
    )
  })

  it('share no bucket when one has the name of an address, and is known by it', () => {
    const anonymous = key('identity', exchange(undefined, { clientIp: '192.0.2.1' }))
    for (const subject of ['192.0.2.1', 'address 192.0.2.1', '\naddress 192.0.2.1']) {
      expect(key('identity', exchange({ issuer: '', subject }))).not.toBe(anonymous)
    }
    expect(key('header:x', exchange(undefined, { headers: { x: 'address 192.0.2.1' } }))).not.toBe(anonymous)
  })

  it('share no bucket when one is named like the digest of the other', () => {
    const long = 'x'.repeat(500)
    const hashed = key('header:x', exchange(undefined, { headers: { x: long } }))
    const name = hashed.slice('r header '.length)
    expect(key('header:x', exchange(undefined, { headers: { x: name } }))).not.toBe(hashed)
  })

  it('share no bucket when they have one key, one identity or one address in common and the rest not', () => {
    const identity = exchange({ issuer: 'i', subject: 'both' }).identity
    const key1 = {
      kind: 'api-key',
      id: 'key-1',
      expiresAt: Infinity,
      place: { kind: 'header', name: 'x' },
    } as const
    const facts = { request: gatewayRequest(), identity, limits: [] }
    const names = [
      key('key', { ...facts, credential: key1 }),
      key('key', { ...facts, credential: { ...key1, id: 'key-2' } }),
      key('key', { ...facts, credential: { ...key1, kind: 'jwt', id: 'token-1' } }),
      key('key', { ...facts, credential: undefined, identity: undefined }),
    ]
    expect(new Set(names).size).toBe(4)
    // A token's own id is no key: whoever gets a fresh one is the same caller.
    expect(key('key', { ...facts, credential: { ...key1, kind: 'jwt', id: 'token-2' } })).toBe(names[2])
    expect(key('key', { ...facts, credential: { ...key1, kind: 'jwt', keyId: 'key-1' } })).toBe(names[0])
  })

  it('share no bucket over routes whose ids run into each other', () => {
    const settings = [{ limit: { count: 1, period: 1000 }, key: 'header:x', burst: 0 }]
    const prefixes = ['a', 'a header:x', 'a header:x 1/1000+0'].map(
      (id) => compileLimits(id, settings).byCaller[0]!.prefix,
    )
    for (const one of prefixes) {
      for (const other of prefixes) expect(one !== other && one.startsWith(other)).toBe(false)
    }
  })
})

describe('one caller', () => {
  it('gains no fresh bucket by repeating, leaving out or stretching a field in the same way', () => {
    const limits = compileLimits('r', [{ limit: { count: 1, period: 60_000 }, key: 'header:x', burst: 0 }])
    for (const headers of [{}, { x: ['a', 'b'] }, { x: 'y'.repeat(9000) }]) {
      const limiter = createRateLimiter({ counters: createMemoryCounters(), clock: { now: () => 0 } })
      expect(limiter.takeByCaller(limits, exchange(undefined, { headers }))).toBeUndefined()
      expect(limiter.takeByCaller(limits, exchange(undefined, { headers }))).toMatchObject({ status: 429 })
    }
  })

  it('cannot fill the table with names of its own length', () => {
    const long = key('header:x', exchange(undefined, { headers: { x: 'y'.repeat(16_000) } }))
    const subject = key('identity', exchange({ issuer: 'i'.repeat(9000), subject: 's'.repeat(9000) }))
    expect(long.length).toBeLessThan(100)
    expect(subject.length).toBeLessThan(100)
  })

  it('does not gain by walking through its IPv6 network', () => {
    const keys = new Set<string>()
    for (let host = 1; host < 500; host += 1) {
      keys.add(key('address', exchange(undefined, { clientIp: `2001:db8:1:2::${host.toString(16)}` })))
    }
    expect(keys.size).toBe(1)
  })
})

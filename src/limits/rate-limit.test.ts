import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../test/support/gateway-request.ts'
import type { RateLimitSettings } from '../configuration.ts'
import type { CredentialFacts, Identity } from '../engine/identity.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { Counters } from '../ports/counters.ts'
import { createMemoryCounters } from '../stores/memory/counters.ts'
import { rateLimitFields } from './fields.ts'
import { compileLimits, createRateLimiter, type LimitedExchange, type RateLimiter } from './rate-limit.ts'

let now = 0
const clock = { now: () => now }
const limiter = (counters: Counters = createMemoryCounters()): RateLimiter =>
  createRateLimiter({ counters, clock })

function limit(key: string, count = 2, period = 60_000, burst = 0): RateLimitSettings {
  return { limit: { count, period }, key, burst }
}

function identity(subject: string, issuer = 'https://idp.example'): Identity {
  return { issuer, subject, scopes: [], roles: [], claims: {}, method: 'm', amr: ['jwt'] }
}

function apiKey(id: string, rateLimit?: string): CredentialFacts {
  const facts: CredentialFacts = {
    kind: 'api-key',
    id,
    expiresAt: Infinity,
    place: { kind: 'header', name: 'x-api-key' },
  }
  return rateLimit === undefined ? facts : { ...facts, rateLimit }
}

function exchange(
  parts: Partial<LimitedExchange> & { request?: never; with?: RequestParts } = {},
): LimitedExchange {
  return {
    request: gatewayRequest(parts.with),
    identity: parts.identity,
    credential: parts.credential,
    limits: [],
  }
}

function code(refusal: Refusal | undefined | Promise<Refusal | undefined>): string {
  if (refusal instanceof Promise) throw new Error('nothing here waits')
  return refusal === undefined ? 'passes' : `${refusal.reason} ${refusal.retryAfter}`
}

describe('limits by address', () => {
  const limits = compileLimits('r', [limit('address'), limit('identity')])

  it('are taken before the proof, and only they', () => {
    const limits_ = limiter()
    const first = exchange()
    expect(code(limits_.takeByAddress(limits, first))).toBe('passes')
    expect(first.limits).toEqual([{ quota: 2, window: 60, remaining: 1, reset: 30 }])
    expect(code(limits_.takeByAddress(limits, exchange()))).toBe('passes')
    expect(code(limits_.takeByAddress(limits, exchange()))).toBe('rate_limit 30')
    expect(code(limits_.takeByAddress(limits, exchange({ with: { clientIp: '192.0.2.2' } })))).toBe('passes')
    expect(code(limits_.takeByCaller(limits, exchange()))).toBe('passes')
  })

  it('count an IPv6 /64 as one', () => {
    const limits_ = limiter()
    const from = (clientIp: string): string =>
      code(limits_.takeByAddress(limits, exchange({ with: { clientIp } })))
    expect([from('2001:db8::1'), from('2001:db8::2'), from('2001:db8::ffff:3')]).toEqual([
      'passes',
      'passes',
      'rate_limit 30',
    ])
    expect(from('2001:db8:0:1::1')).toBe('passes')
  })
})

describe('limits by caller', () => {
  function run(key: string, ...callers: LimitedExchange[]): string[] {
    const limits = compileLimits('r', [limit(key, 1)])
    const limiter_ = limiter()
    return callers.map((caller) => code(limiter_.takeByCaller(limits, caller)).split(' ')[0]!)
  }

  it('tell identities apart by issuer and subject, whatever the address', () => {
    expect(
      run(
        'identity',
        exchange({ identity: identity('a') }),
        exchange({ identity: identity('b') }),
        exchange({ identity: identity('a', 'https://other.example') }),
        exchange({ identity: identity('a'), with: { clientIp: '198.51.100.9' } }),
      ),
    ).toEqual(['passes', 'passes', 'passes', 'rate_limit'])
  })

  it('tell keys of one owner apart, and count other credentials by identity', () => {
    const owner = identity('a')
    const token: CredentialFacts = { ...apiKey('jti-1'), kind: 'jwt' }
    expect(
      run(
        'key',
        exchange({ identity: owner, credential: apiKey('k1') }),
        exchange({ identity: owner, credential: apiKey('k2') }),
        exchange({ identity: owner, credential: apiKey('k1') }),
        exchange({ identity: owner, credential: token }),
        exchange({ identity: owner, credential: { ...token, id: 'jti-2' } }),
      ),
    ).toEqual(['passes', 'passes', 'rate_limit', 'passes', 'rate_limit'])
  })

  it('fall back to the address without an identity, apart from identities', () => {
    for (const key of ['identity', 'key']) {
      expect(
        run(
          key,
          exchange(),
          exchange({ identity: identity('192.0.2.1') }),
          exchange({ with: { clientIp: '192.0.2.2' } }),
          exchange(),
        ),
      ).toEqual(['passes', 'passes', 'passes', 'rate_limit'])
    }
  })

  it('count a route for everybody at once', () => {
    expect(
      run('route', exchange({ identity: identity('a') }), exchange({ identity: identity('b') })),
    ).toEqual(['passes', 'rate_limit'])
  })

  it('count by the value of a field, and by address where it is missing', () => {
    const tenant = (value: string | string[]): LimitedExchange =>
      exchange({ with: { headers: { 'X-Tenant': value } } })
    expect(
      run(
        'header:X-Tenant',
        tenant('a'),
        tenant('b'),
        tenant('a'),
        exchange(),
        exchange(),
        tenant(['a', 'b']),
      ),
    ).toEqual(['passes', 'passes', 'rate_limit', 'passes', 'rate_limit', 'passes'])
  })

  it('belong to their route, survive a reload that left them alone, and start anew when their shape changes', () => {
    const limits_ = limiter()
    const take = (route: string, settings: RateLimitSettings): string =>
      code(limits_.takeByCaller(compileLimits(route, [settings]), exchange()))
    expect(take('a', limit('route', 1))).toBe('passes')
    expect(take('b', limit('route', 1))).toBe('passes')
    expect(take('a', limit('route', 1))).toBe('rate_limit 60')
    expect(take('a', limit('route', 2))).toBe('passes')
  })

  it('are all taken, and the first that refuses is told', () => {
    const limits = compileLimits('r', [limit('route', 5), limit('identity', 1), limit('header:x', 1)])
    const limits_ = limiter()
    const caller = (): LimitedExchange => exchange({ identity: identity('a') })
    expect(code(limits_.takeByCaller(limits, caller()))).toBe('passes')
    const second = caller()
    expect(code(limits_.takeByCaller(limits, second))).toBe('rate_limit 60')
    expect(second.limits.map(({ remaining }) => remaining)).toEqual([3, 0])
  })

  it('give a burst on top, and refill evenly', () => {
    const limits = compileLimits('r', [limit('route', 2, 1000, 3)])
    const limits_ = limiter()
    const take = (): string => code(limits_.takeByCaller(limits, exchange()))
    now = 0
    expect(Array.from({ length: 6 }, take)).toEqual([...Array(5).fill('passes'), 'rate_limit 1'])
    now = 500
    expect([take(), take()]).toEqual(['passes', 'rate_limit 1'])
    now = 0
  })
})

describe("a key's own limit", () => {
  const none = compileLimits('a', [])

  it('spans routes, and the route and the key both limit', () => {
    const limits_ = limiter()
    const caller = (id = 'k'): LimitedExchange =>
      exchange({ identity: identity('o'), credential: apiKey(id, '2/1s') })
    expect(code(limits_.takeByCaller(none, caller()))).toBe('passes')
    const second = caller()
    expect(code(limits_.takeByCaller(compileLimits('b', [limit('route', 9)]), second))).toBe('passes')
    expect(second.limits.map(({ quota }) => quota)).toEqual([9, 2])
    expect(code(limits_.takeByCaller(none, caller()))).toBe('key_rate_limit 1')
    expect(code(limits_.takeByCaller(none, caller('other')))).toBe('passes')
  })

  it('that cannot be read means no pass at all', () => {
    const caller = exchange({ credential: apiKey('k', 'many') })
    expect(() => limiter().takeByCaller(none, caller)).toThrow(TypeError)
  })
})

describe('limits that are only recorded', () => {
  it('say what they would refuse, and neither tell nor cost the caller anything', () => {
    const settings = [limit('address', 1), limit('route', 1)]
    const limits_ = limiter()
    const report = compileLimits('r', settings, 'report')
    const caller = exchange()
    expect(code(limits_.probe(report, caller))).toBe('passes')
    expect(code(limits_.probe(report, caller))).toBe('rate_limit 60')
    expect(caller.limits).toEqual([])
    expect(code(limits_.takeByAddress(compileLimits('r', settings), caller))).toBe('passes')
  })
})

describe('counters elsewhere', () => {
  it('are waited for, one after the other', async () => {
    const memory = createMemoryCounters()
    const far: Counters = { take: async (...parts) => memory.take(...parts) }
    const limits = compileLimits('r', [limit('route', 3), limit('identity', 1)])
    const limits_ = limiter(far)
    await expect(limits_.takeByCaller(limits, exchange())).resolves.toBeUndefined()
    const second = exchange()
    await expect(limits_.takeByCaller(limits, second)).resolves.toMatchObject({ reason: 'rate_limit' })
    expect(second.limits).toHaveLength(2)
  })
})

describe('the fields of an answer', () => {
  const limits = compileLimits('r', [limit('identity', 100), limit('route', 1000, 1500, 5)])

  it('show the bucket unspent before anything was taken', () => {
    expect(rateLimitFields(limits, [])).toEqual([
      'RateLimit-Policy',
      '"default";q=100;w=60',
      'RateLimit',
      '"default";r=100;t=0',
    ])
  })

  it('show the tightest of those taken, and the refusing one on a refusal', () => {
    const loose = { quota: 1005, window: 2, remaining: 9, reset: 1 }
    const tight = { quota: 100, window: 60, remaining: 3, reset: 59 }
    expect(rateLimitFields(limits, [tight, loose])[3]).toBe('"default";r=3;t=59')
    expect(rateLimitFields(limits, [loose])).toEqual([
      'RateLimit-Policy',
      '"default";q=1005;w=2',
      'RateLimit',
      '"default";r=9;t=1',
    ])
    const spent = { ...tight, remaining: 0 }
    const refusing = { ...loose, remaining: 0 }
    expect(rateLimitFields(limits, [spent, refusing])[1]).toBe('"default";q=1005;w=2')
  })

  it('are none where nothing limits', () => {
    expect(rateLimitFields(compileLimits('r', []), [])).toEqual([])
  })
})

it('refuses to compile a key that it does not know', () => {
  for (const key of ['', 'Identity', 'header:', 'header:a b', 'cookie:x']) {
    expect(() => compileLimits('r', [limit(key)])).toThrow(TypeError)
  }
})

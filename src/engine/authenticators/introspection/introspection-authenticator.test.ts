import { describe, expect, it } from 'vitest'
import {
  active,
  away,
  introspectionBench,
  introspectionSettings,
} from '../../../../test/support/introspection.ts'
import { noon, presented, type Json } from '../../../../test/support/tokens.ts'
import type { IntrospectionAnswer } from '../../../ports/introspector.ts'
import { createLookupLimits } from './lookup-limits.ts'

/** A provider that answers when it is told to. */
function held(): {
  answer: () => Promise<IntrospectionAnswer>
  release: (answer: IntrospectionAnswer) => void
} {
  const waiting: ((answer: IntrospectionAnswer) => void)[] = []
  return {
    answer: () => new Promise((resolve) => void waiting.push(resolve)),
    release: (answer) => waiting.splice(0).forEach((each) => each(answer)),
  }
}

describe('a token', () => {
  it("that its provider vouches for yields an identity, by the provider's claim paths", async () => {
    const bench = introspectionBench()
    bench.answer = () => active({ jti: 'j1', act: { sub: 'helpdesk', act: { sub: 'robot' } } })
    expect(await bench.prove('opaque')).toMatchObject({
      outcome: 'verified',
      identity: {
        issuer: 'https://login.example.com',
        subject: 'alice',
        client: 'catalog-app',
        scopes: ['catalog:read'],
        method: 'opaque-token',
        amr: ['introspection'],
        actor: { sub: 'helpdesk', act: { sub: 'robot' } },
      },
      credential: {
        kind: 'introspection',
        id: 'j1',
        expiresAt: noon + 630_000,
        issuedAt: noon - 90_000,
        place: { kind: 'header', name: 'authorization' },
      },
    })
  })

  it('of any form is taken where nobody else takes it, but for what no provider issues', () => {
    const { authenticator } = introspectionBench()
    const takes = (value: string): string => authenticator.takes(presented(value))
    for (const value of ['x', 'aaa.bbb.ccc', 'a+/b==', '~'.repeat(16_384)]) expect(takes(value)).toBe('maybe')
    for (const value of ['', 'a b', 'é', 'a\u0000', '~'.repeat(16_385)]) expect(takes(value)).toBe('no')
  })

  it('may come without an issuer, and of a machine without a subject', async () => {
    const bench = introspectionBench()
    bench.answer = () => active({ iss: undefined, sub: undefined })
    expect(await bench.prove('opaque')).toMatchObject({
      identity: { issuer: 'https://login.example.com', subject: 'catalog-app' },
    })
    bench.answer = () => active({ sub: undefined, username: 'alice' })
    expect(await bench.judge('another')).toBe('token_claim')
    bench.answer = () => active({ sub: undefined, client_id: undefined })
    expect(await bench.judge('a third')).toBe('token_claim')
  })

  it("is not a machine's where its subject is to be read elsewhere", async () => {
    const bench = introspectionBench({}, { provider: { claims: { subject: ['uid'] } } })
    bench.answer = () => active({ sub: undefined })
    expect(await bench.judge('opaque')).toBe('token_claim')
    bench.answer = () => active({ uid: 'u1' })
    expect(await bench.prove('other')).toMatchObject({ identity: { subject: 'u1' } })
  })

  it('without an end is good for as long as the provider says so', async () => {
    const bench = introspectionBench()
    bench.answer = () => active({ exp: undefined })
    expect(await bench.prove('opaque')).toMatchObject({ credential: { expiresAt: Infinity } })
    const bounded = introspectionBench({ maxLifetime: 3_600_000 })
    bounded.answer = () => active({ exp: undefined })
    expect(await bounded.judge('opaque')).toBe('token_lifetime')
  })

  it("of Okta's organisation server is looked up, whatever it looks like, and read as Okta writes it", async () => {
    const organisation = 'https://acme.okta.com'
    const bench = introspectionBench(
      { audience: [organisation] },
      { provider: { type: 'okta', parameters: { domain: 'acme.okta.com' } } },
    )
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FjbWUub2t0YS5jb20ifQ.AAAA'
    expect(bench.authenticator.takes(presented(token))).toBe('maybe')
    const answer = { iss: organisation, aud: organisation, jti: 'AT.x', client_id: '0oa1', uid: 'u1' }
    bench.answer = () => active(answer)
    expect(await bench.prove(token)).toMatchObject({
      outcome: 'verified',
      identity: { issuer: organisation, subject: 'alice', client: '0oa1', scopes: ['catalog:read'] },
    })
    bench.answer = () => active({ ...answer, jti: 'RT.x' })
    expect(await bench.judge('refresh')).toBe('token_kind')
  })

  it.each<[string, Json, string]>([
    ['no audience', { aud: undefined }, 'token_audience'],
    ['a foreign audience', { aud: 'https://other.example' }, 'token_audience'],
    ['an audience that is none', { aud: 7 }, 'token_audience'],
    ['the audience as another spelling', { aud: 'https://API.example.com' }, 'token_audience'],
    ['another issuer', { iss: 'https://evil.example' }, 'token_issuer'],
    ['an issuer that is none', { iss: null }, 'token_issuer'],
    ['the kind of a refresh token', { token_type: 'refresh_token' }, 'token_kind'],
    ['the use of a refresh token', { token_use: 'refresh_token' }, 'token_kind'],
    ['the use of an ID token', { token_use: 'id' }, 'token_kind'],
    ['the type of a refresh token', { typ: 'Refresh' }, 'token_kind'],
    ['the type of an offline token', { typ: 'Offline' }, 'token_kind'],
    ['the type of an ID token', { typ: 'ID' }, 'token_kind'],
    ['a type that no field carries', { token_type: 'N_A' }, 'token_kind'],
    ['a type that is no text', { token_type: ['Bearer'] }, 'token_kind'],
    ['the hash of an ID token', { at_hash: 'x' }, 'token_kind'],
    ['a nonce and no mark', { nonce: 'x', scope: undefined, token_type: undefined }, 'token_kind'],
    [
      'our client as its audience and no mark',
      { aud: ['gw'], scope: undefined, token_type: undefined },
      'token_audience',
    ],
    ['events', { events: {} }, 'token_kind'],
    ['an end that has passed', { exp: noon / 1000 - 31 }, 'token_expired'],
    ['an end that is none', { exp: 'soon' }, 'token_claim'],
    ['a beginning that is to come', { nbf: noon / 1000 + 31 }, 'token_not_yet_valid'],
    ['an issue that is to come', { iat: noon / 1000 + 31 }, 'token_not_yet_valid'],
    ['a binding that nobody knows', { cnf: { jwk: {} } }, 'token_bound'],
    ['a subject that breaks a line', { sub: 'a\r\nb' }, 'token_claim'],
  ])('with %s is refused though it is active', async (_what, change, reason) => {
    const bench = introspectionBench()
    bench.answer = () => active(change)
    expect(await bench.judge('opaque')).toBe(reason)
    expect(await bench.judge('opaque')).toBe(reason)
    expect(bench.asked).toEqual(['opaque'])
  })

  it('for our own client id needs a mark of an access token', async () => {
    const bench = introspectionBench({ audience: ['gw'] })
    bench.answer = () => active({ aud: 'gw', scope: undefined, token_type: undefined })
    expect(await bench.judge('opaque')).toBe('token_kind')
    bench.answer = () => active({ aud: 'gw', scope: undefined })
    expect(await bench.judge('other')).toBe('verified')
  })

  it('of any audience passes where that is written', async () => {
    const bench = introspectionBench({ audience: 'any' })
    bench.answer = () => active({ aud: undefined })
    expect(await bench.judge('opaque')).toBe('verified')
  })

  it('that lives longer than allowed is refused', async () => {
    const bench = introspectionBench({ maxLifetime: 659_000 })
    expect(await bench.judge('opaque')).toBe('token_lifetime')
  })

  it('that is bound is held to its key', async () => {
    const bench = introspectionBench()
    const thumbprint = 'A'.repeat(43)
    bench.answer = () => active({ cnf: { jkt: thumbprint }, token_type: 'DPoP' })
    expect(await bench.judge('opaque')).toBe('bound_as_bearer')
    bench.answer = () => active({ cnf: { 'x5t#S256': thumbprint } })
    expect(await bench.judge('other')).toBe('bound_certificate_missing')
    bench.answer = () => active({ token_type: 'DPoP' })
    expect(await bench.judge('to no key')).toBe('token_bound')
    const required = introspectionBench({
      binding: { mode: 'required', dpop: { nonce: false, window: 60_000 } },
    })
    expect(await required.judge('opaque')).toBe('token_unbound')
  })
})

describe('an answer', () => {
  it('is remembered for cacheFor, and known from memory without a promise', async () => {
    const bench = introspectionBench({ cacheFor: 10_000 })
    expect(await bench.judge('opaque')).toBe('verified')
    bench.clock.time += 9_999
    expect(bench.authenticator.recall(presented('opaque'), undefined as never)).toMatchObject({
      outcome: 'verified',
    })
    bench.clock.time += 1
    expect(await bench.judge('opaque')).toBe('verified')
    expect(bench.asked).toEqual(['opaque', 'opaque'])
    expect(bench.cached).toEqual(['miss', 'hit', 'miss'])
  })

  it('is never remembered past the end of its token', async () => {
    const bench = introspectionBench({ cacheFor: 3_600_000, staleFor: 3_600_000 })
    bench.answer = () => active({ exp: noon / 1000 + 10 })
    await bench.judge('opaque')
    bench.clock.time += 9_999
    bench.answer = () => away
    expect(await bench.judge('opaque')).toBe('verified')
    bench.clock.time += 1
    expect(await bench.judge('opaque')).toBe('introspection_unavailable')
    bench.answer = () => active({ exp: noon / 1000 + 10 })
    bench.clock.time += 30_000
    expect(await bench.judge('opaque')).toBe('token_expired')
  })

  it('of no is remembered for five seconds, and at once takes the place of a yes', async () => {
    const bench = introspectionBench({ cacheFor: 1_000, staleFor: 60_000 })
    await bench.judge('opaque')
    bench.clock.time += 1_000
    bench.answer = () => ({ outcome: 'inactive' })
    expect(await bench.judge('opaque')).toBe('token_inactive')
    bench.clock.time += 4_999
    expect(await bench.judge('opaque')).toBe('token_inactive')
    expect(bench.asked).toHaveLength(2)
    bench.clock.time += 1
    bench.answer = () => away
    expect(await bench.judge('opaque')).toBe('introspection_unavailable')
    expect(bench.asked).toHaveLength(3)
  })

  it('that changed its mind about the token for whom it is takes the old one with it', async () => {
    const bench = introspectionBench({ cacheFor: 1_000, staleFor: 60_000 })
    await bench.judge('opaque')
    bench.clock.time += 1_000
    bench.answer = () => active({ aud: 'https://other.example' })
    expect(await bench.judge('opaque')).toBe('token_audience')
    bench.answer = () => away
    bench.clock.time += 5_000
    expect(await bench.judge('opaque')).toBe('introspection_unavailable')
  })

  it('that is known does not outlive a revocation', async () => {
    const bench = introspectionBench()
    bench.answer = () => active({ jti: 'j1' })
    await bench.judge('opaque')
    bench.revocations.covers = ({ jti, subject, client }) =>
      jti === 'j1' && subject === 'alice' && client === 'catalog-app'
    expect(await bench.judge('opaque')).toBe('token_revoked')
    bench.clock.time += 30_000
    expect(await bench.judge('opaque')).toBe('token_revoked')
  })

  it('says by which place its token came', async () => {
    const bench = introspectionBench()
    await bench.judge('opaque')
    const place = { kind: 'cookie', name: 'token' } as const
    expect(await bench.prove('opaque', { place })).toMatchObject({ credential: { place } })
    expect(bench.asked).toHaveLength(1)
  })
})

describe('many who wait', () => {
  it('with one token are one question', async () => {
    const bench = introspectionBench()
    const provider = held()
    bench.answer = provider.answer
    const all = Promise.all(Array.from({ length: 50 }, () => bench.judge('opaque')))
    const other = bench.judge('other')
    await new Promise(setImmediate)
    expect(bench.asked).toEqual(['opaque', 'other'])
    provider.release(active())
    expect(new Set(await all)).toEqual(new Set(['verified']))
    expect(await other).toBe('verified')
  })

  it('beyond the bounds are sent away, and who is known passes', async () => {
    const limits = createLookupLimits(
      { atOnce: 2, failures: 100, forgetOne: 1_000 },
      { atOnce: 3, failures: 100, forgetOne: 1_000 },
    )
    const bench = introspectionBench({}, { limits })
    await bench.judge('known')
    const provider = held()
    bench.answer = provider.answer
    const waiting = [bench.judge('a'), bench.judge('b')]
    expect(await bench.prove('c')).toMatchObject({ reason: 'introspection_limited', retryAfter: 1 })
    const neighbour = bench.judge('d', '192.0.2.2')
    expect(await bench.judge('e', '192.0.2.3')).toBe('introspection_limited')
    expect(await bench.judge('known')).toBe('verified')
    await new Promise(setImmediate)
    provider.release(active())
    expect(await Promise.all([...waiting, neighbour])).toEqual(['verified', 'verified', 'verified'])
    expect(bench.asked).toEqual(['known', 'a', 'b', 'd'])
  })
})

describe('a provider that is away', () => {
  it('is told to the caller, with when to come back', async () => {
    const bench = introspectionBench()
    bench.answer = () => away
    expect(await bench.prove('opaque')).toMatchObject({
      reason: 'introspection_unavailable',
      retryAfter: 2,
      detail: 'no answer',
    })
  })

  it('leaves known tokens good within staleFor, and nobody else', async () => {
    const bench = introspectionBench({ cacheFor: 1_000, staleFor: 5_000 })
    await bench.judge('opaque')
    bench.answer = () => away
    bench.clock.time += 5_999
    expect(await bench.judge('opaque')).toBe('verified')
    expect(await bench.judge('stranger')).toBe('introspection_unavailable')
    bench.revocations.covers = () => true
    expect(await bench.judge('opaque')).toBe('token_revoked')
    bench.revocations.covers = () => false
    bench.clock.time += 1
    expect(await bench.judge('opaque')).toBe('introspection_unavailable')
  })

  it('is not one that stumbles over some tokens: whoever makes them up keeps nobody else out', async () => {
    const bench = introspectionBench()
    for (const fault of ['malformed', 'server_error'] as const) {
      bench.answer = () => ({ ...(away as IntrospectionAnswer & { outcome: 'unavailable' }), fault })
      for (let turn = 0; turn < 20; turn += 1)
        expect(await bench.judge(`${fault}-${turn}`, '198.51.100.1')).toBe('introspection_unavailable')
      bench.answer = () => active()
      expect(await bench.judge(`good-${fault}`)).toBe('verified')
    }
  })

  it('is not asked again and again, while known tokens go on', async () => {
    const bench = introspectionBench({ cacheFor: 1_000, staleFor: 60_000 })
    await bench.judge('known')
    bench.answer = () => away
    for (const token of ['a', 'b', 'c', 'd', 'e']) await bench.judge(token)
    expect(bench.asked).toEqual(['known', 'a', 'b', 'c'])
    bench.clock.time += 1_000
    expect(await bench.judge('known')).toBe('verified')
    bench.clock.time += 2_000
    bench.answer = () => active()
    expect(await bench.judge('d')).toBe('verified')
    expect(await bench.judge('e')).toBe('verified')
  })
})

it('an error of ours is no answer, and keeps nobody waiting', async () => {
  const bench = introspectionBench()
  bench.answer = () => Promise.reject(new RangeError('bug'))
  await expect(bench.judge('opaque')).rejects.toThrow('bug')
  bench.answer = () => active()
  expect(await bench.judge('opaque')).toBe('verified')
  expect(introspectionSettings().name).toBe('opaque-token')
})

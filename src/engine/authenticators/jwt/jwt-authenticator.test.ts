import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { onBench } from '../../../../test/support/jwt-authenticator.ts'
import {
  accessClaims,
  audience,
  bearerPlace,
  createSigner,
  encode,
  issuer,
  jwtSettings,
  mint,
  noon,
  presented,
  type Json,
} from '../../../../test/support/tokens.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { Outcome, Verified } from '../../outcome.ts'
import { Secret } from '../../secret.ts'

const rsa = createSigner('RS256')
const pss = createSigner('PS256')
const p256 = createSigner('ES256')
const p384 = createSigner('ES384')
const eddsa = createSigner('EdDSA')
const ed25519 = createSigner('Ed25519')
const jwks = [rsa, pss, p256, p384, eddsa, ed25519].map(({ jwk }) => jwk)
const skew = 30_000

function verified(outcome: Outcome | undefined): Verified {
  if (outcome?.outcome !== 'verified') throw new Error(`not verified: ${JSON.stringify(outcome)}`)
  return outcome
}

describe('a good token', () => {
  it.each([rsa, pss, p256, p384, eddsa, ed25519])('is verified with $alg, at once', (signer) => {
    const outcome = onBench(jwks).verify(mint(signer, accessClaims()))
    expect(outcome).not.toBeInstanceOf(Promise)
    expect(verified(outcome as Outcome).identity.subject).toBe('alice')
  })

  it('becomes an identity and the facts of its credential', async () => {
    const claims = accessClaims({
      jti: 't-1',
      roles: ['viewer'],
      act: { sub: 'agent' },
      deep: { list: [{}] },
    })
    const { identity, credential } = verified(await onBench(jwks).verify(mint(rsa, claims)))
    expect(identity).toEqual({
      issuer,
      subject: 'alice',
      client: 'catalog-app',
      scopes: ['catalog:read'],
      roles: ['viewer'],
      claims,
      method: 'corp-token',
      amr: ['jwt'],
      actor: { sub: 'agent' },
    })
    expect(credential).toEqual({
      kind: 'jwt',
      id: 't-1',
      expiresAt: noon + 600_000 + skew,
      issuedAt: noon - 60_000 - skew,
      place: bearerPlace,
    })
  })

  it('gives an identity that nobody can change', async () => {
    const { identity, credential } = verified(
      await onBench(jwks).verify(mint(rsa, accessClaims({ deep: { list: [{ a: 1 }] } }))),
    )
    const { list } = identity.claims['deep'] as { list: object[] }
    for (const part of [
      identity,
      credential,
      identity.claims,
      identity.scopes,
      identity.amr,
      list,
      list[0],
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('may name several audiences, and the authenticator may expect several', async () => {
    const token = mint(rsa, accessClaims({ aud: ['other', audience] }))
    expect(await onBench(jwks).judge(token)).toBe('verified')
    expect(await onBench(jwks, { audience: ['x', 'other'] }).judge(token)).toBe('verified')
    expect(await onBench(jwks, { audience: 'any' }).judge(mint(rsa, accessClaims({ aud: undefined })))).toBe(
      'verified',
    )
  })

  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt'])(
    'may have the type %s',
    async (typ) => {
      expect(await onBench(jwks).judge(mint(rsa, accessClaims(), { typ }))).toBe('verified')
    },
  )

  it('needs no kid where exactly one published key fits', async () => {
    const token = mint(rsa, accessClaims(), { kid: undefined })
    expect(await onBench(jwks).judge(token)).toBe('verified')
    const second = createSigner('RS256', 'second')
    expect(await onBench([...jwks, second.jwk]).judge(token)).toBe('token_key_unknown')
  })
})

describe('a refused token', () => {
  it.each<[string, string, Json, Json]>([
    ['of another issuer', 'token_issuer', { iss: `${issuer}/` }, {}],
    ['of an issuer in another case', 'token_issuer', { iss: issuer.toUpperCase() }, {}],
    ['without issuer', 'token_issuer', { iss: undefined }, {}],
    ['with a list of issuers', 'token_issuer', { iss: [issuer] }, {}],
    ['for another audience', 'token_audience', { aud: 'other' }, {}],
    ['for an audience that begins alike', 'token_audience', { aud: `${audience}/` }, {}],
    ['for nobody', 'token_audience', { aud: [] }, {}],
    ['without audience', 'token_audience', { aud: undefined }, {}],
    ['with an audience that is an object', 'token_audience', { aud: { [audience]: true } }, {}],
    ['with a number among its audiences', 'token_audience', { aud: [audience, 1] }, {}],
    ['with a kid nobody published', 'token_key_unknown', {}, { kid: 'strange' }],
    ['with the kid of another kind of key', 'token_key_unfit', {}, { kid: 'ES256-1' }],
    ['with a kid that is a number', 'token_malformed', {}, { kid: 1 }],
    ['with an endless kid', 'token_malformed', {}, { kid: 'k'.repeat(257) }],
    ['of a logout type', 'token_type', {}, { typ: 'logout+jwt' }],
    ['of a proof type', 'token_type', {}, { typ: 'dpop+jwt' }],
    ['of a type with parameters', 'token_type', {}, { typ: 'at+jwt; x=1' }],
    ['of a type that is no text', 'token_type', {}, { typ: ['JWT'] }],
    ['that holds another token', 'token_type', {}, { cty: 'JWT' }],
    ['that is both signed and encrypted', 'token_malformed', {}, { enc: 'A256GCM' }],
    ['without exp', 'token_claim', { exp: undefined }, {}],
    ['with exp as text', 'token_claim', { exp: String(noon) }, {}],
    ['with exp null', 'token_claim', { exp: null }, {}],
    ['with exp zero', 'token_claim', { exp: 0 }, {}],
    ['with exp negative', 'token_claim', { exp: -1 }, {}],
    ['with exp beyond all dates', 'token_claim', { exp: 8.64e12 + 1 }, {}],
    ['with nbf as text', 'token_claim', { nbf: '0' }, {}],
    ['with iat null', 'token_claim', { iat: null }, {}],
    ['not valid yet by nbf', 'token_not_yet_valid', { nbf: noon / 1000 + 31 }, {}],
    ['issued in the future', 'token_not_yet_valid', { iat: noon / 1000 + 31 }, {}],
    ['without subject', 'token_claim', { sub: undefined }, {}],
    ['with an empty subject', 'token_claim', { sub: '' }, {}],
    ['with a subject that is a number', 'token_claim', { sub: 7 }, {}],
    ['with an endless subject', 'token_claim', { sub: 's'.repeat(513) }, {}],
    ['with a line break in the subject', 'token_claim', { sub: 'alice\r\nX-Auth-Roles: admin' }, {}],
    ['with a control character in a role', 'token_claim', { roles: ['a\u0085b'] }, {}],
    ['with a control character in a scope', 'token_claim', { scope: 'a\tb' }, {}],
    ['with half a character in the client', 'token_claim', { client_id: '\ud800' }, {}],
    ['with roles that are an object', 'token_claim', { roles: { admin: true } }, {}],
    ['with a role that is a number', 'token_claim', { roles: [1] }, {}],
    ['with 501 roles', 'token_claim', { roles: Array.from({ length: 501 }, (_, n) => `r${n}`) }, {}],
    [
      'with 501 scopes',
      'token_claim',
      { scope: Array.from({ length: 501 }, (_, n) => `s${n}`).join(' ') },
      {},
    ],
    ['with scopes that are a number', 'token_claim', { scope: 1 }, {}],
    ['with an actor that is text', 'token_claim', { act: 'agent' }, {}],
    ['with a jti that is a number', 'token_claim', { jti: 5 }, {}],
    ['bound to a key', 'token_bound', { cnf: { jkt: 'x' } }, {}],
    ['bound to nothing', 'token_bound', { cnf: null }, {}],
    ['that tells of an event', 'token_kind', { events: {} }, {}],
  ])('%s: %s', async (_what, reason, claims, header) => {
    expect(await onBench(jwks).judge(mint(rsa, accessClaims(claims), header))).toBe(reason)
  })

  it('is told expired from exp + clockSkew on, and only then', async () => {
    const bench = onBench(jwks)
    const token = mint(rsa, accessClaims({ exp: noon / 1000 }))
    bench.clock.time = noon + skew - 1
    expect(await bench.judge(token)).toBe('verified')
    bench.clock.time = noon + skew
    expect(await bench.judge(token)).toBe('token_expired')
  })

  it('may be ahead of the clock by the skew, no more', async () => {
    const bench = onBench(jwks)
    const token = mint(rsa, accessClaims({ nbf: noon / 1000 + 30, iat: noon / 1000 + 30 }))
    expect(await bench.judge(token)).toBe('verified')
  })

  it('is never called expired or revoked when its signature does not hold', async () => {
    const bench = onBench(jwks)
    bench.revocations.covers = () => true
    const forger = createSigner('RS256')
    expect(await bench.judge(mint(forger, accessClaims({ exp: 1 })))).toBe('token_signature')
    expect(await bench.judge(mint(forger, accessClaims()))).toBe('token_signature')
    expect(await bench.judge(mint(rsa, accessClaims({ exp: 1, nbf: undefined, iat: undefined })))).toBe(
      'token_expired',
    )
  })

  it('costs no look for a key when it is wrong anyway', async () => {
    const bench = onBench(jwks)
    await bench.judge(mint(rsa, accessClaims({ aud: 'other' }), { kid: 'strange' }))
    await bench.judge(mint(rsa, accessClaims({ exp: 'x' }), { kid: 'strange' }))
    expect(bench.keySet.asked).toEqual([])
  })

  it('tells the operator nothing of what stood in it', async () => {
    const secretly = 'MARKER-7f3a'
    for (const [claims, header] of [
      [{ iss: secretly }, {}],
      [{ aud: secretly }, {}],
      [{ sub: `${secretly}\n` }, {}],
      [{ exp: secretly }, {}],
      [{ roles: [secretly, 1] }, {}],
      [{}, { alg: `${secretly} !` }],
      [{}, { typ: secretly }],
      [{}, { kid: secretly }],
    ] as const) {
      const outcome = await onBench(jwks).verify(mint(rsa, accessClaims(claims), header))
      expect(outcome.outcome).toBe('rejected')
      expect(JSON.stringify(outcome)).not.toContain(secretly)
    }
  })
})

describe('settings', () => {
  it('maxLifetime bounds exp − iat and then needs iat', async () => {
    const bench = onBench(jwks, { maxLifetime: 660_000 })
    expect(await bench.judge(mint(rsa, accessClaims()))).toBe('verified')
    expect(await bench.judge(mint(rsa, accessClaims({ exp: noon / 1000 + 601 })))).toBe('token_lifetime')
    expect(await bench.judge(mint(rsa, accessClaims({ iat: undefined })))).toBe('token_lifetime')
  })

  it('requiredClaims must be there, by name or by path, and not be null', async () => {
    const bench = onBench(jwks, { requiredClaims: ['https://example.com/team', 'org.id'] })
    const full = { 'https://example.com/team': 'a', org: { id: 0 } }
    expect(await bench.judge(mint(rsa, accessClaims(full)))).toBe('verified')
    expect(await bench.judge(mint(rsa, accessClaims({ ...full, org: { id: null } })))).toBe('token_claim')
    expect(
      await bench.judge(mint(rsa, accessClaims({ ...full, 'https://example.com/team': undefined }))),
    ).toBe('token_claim')
    expect(await onBench(jwks, { requiredClaims: ['toString'] }).judge(mint(rsa, accessClaims()))).toBe(
      'token_claim',
    )
  })

  it('clients narrows who may have asked for the token', async () => {
    const bench = onBench(jwks, { clients: ['catalog-app'] })
    expect(await bench.judge(mint(rsa, accessClaims()))).toBe('verified')
    expect(await bench.judge(mint(rsa, accessClaims({ client_id: 'other' })))).toBe('token_client')
    expect(await bench.judge(mint(rsa, accessClaims({ client_id: undefined })))).toBe('token_client')
  })

  it('requireType refuses every type but at+jwt', async () => {
    const bench = onBench(jwks, { requireType: 'at+jwt' })
    expect(await bench.judge(mint(rsa, accessClaims(), { typ: 'at+jwt' }))).toBe('verified')
    expect(await bench.judge(mint(rsa, accessClaims()))).toBe('token_type')
    expect(await bench.judge(mint(rsa, accessClaims(), { typ: undefined }))).toBe('token_type')
  })

  it('algorithms is an allow-list', async () => {
    const bench = onBench(jwks, { algorithms: ['ES256'] })
    expect(await bench.judge(mint(p256, accessClaims()))).toBe('verified')
    expect(await bench.judge(mint(rsa, accessClaims()))).toBe('token_algorithm')
    for (const alg of ['RS384', 'RS512', 'PS384', 'PS512', 'ES512']) {
      const signer = createSigner(alg)
      const token = mint(signer, accessClaims())
      expect(await onBench([signer.jwk]).judge(token)).toBe('token_algorithm')
      expect(await onBench([signer.jwk], { algorithms: [alg] }).judge(token)).toBe('verified')
    }
  })

  it('HMAC tokens are checked with the secret, and no key is looked for', async () => {
    const secret = 'correct horse battery staple, 32+'
    const bench = onBench(jwks, { algorithms: ['HS256', 'HS512'], secret: new Secret(secret) })
    const hmac = (alg: 'HS256' | 'HS384' | 'HS512', key = secret): string => {
      const signed = `${encode({ alg, typ: 'JWT' })}.${encode(accessClaims())}`
      const hash = `sha${alg.slice(2)}`
      return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
    }
    expect(await bench.judge(hmac('HS256'))).toBe('verified')
    expect(await bench.judge(hmac('HS512'))).toBe('verified')
    expect(await bench.judge(hmac('HS384'))).toBe('token_algorithm')
    expect(await bench.judge(hmac('HS256', `${secret}x`))).toBe('token_signature')
    expect(await bench.judge(mint(rsa, accessClaims()))).toBe('token_algorithm')
    expect(bench.keySet.asked).toEqual([])
    const token = hmac('HS256')
    expect(bench.authenticator.recall(presented(token))?.outcome).toBe('verified')
  })

  it.each([
    ['an unknown algorithm', { algorithms: ['RS256', 'XS256'] }, /unknown algorithm XS256/],
    ['none', { algorithms: ['none'] }, /unknown algorithm/],
    ['no algorithm', { algorithms: [] }, /no algorithms/],
    [
      'HMAC beside public keys',
      { algorithms: ['HS256', 'RS256'], secret: new Secret('x'.repeat(32)) },
      /together/,
    ],
    ['HMAC without a secret', { algorithms: ['HS256'] }, /missing/],
    ['an empty list of audiences', { audience: [] }, /empty/],
  ])('refuse to be compiled with %s', (_what, settings, message) => {
    expect(() => onBench(jwks, settings)).toThrow(message)
  })

  it('refuse to be compiled without an audience, unless the provider has a rule of its own', () => {
    const { audience: _none, ...settings } = jwtSettings()
    expect(() => onBench(jwks, { ...settings, audience: undefined } as never)).toThrow(/audience/)
  })
})

describe('a token that was verified', () => {
  const token = mint(rsa, accessClaims({ jti: 't-1', sid: 's-1' }))

  it('is recalled, as the same identity', async () => {
    const bench = onBench(jwks)
    expect(bench.authenticator.recall(presented(token))).toBeUndefined()
    const first = verified(await bench.verify(token))
    const again = verified(bench.authenticator.recall(presented(token)))
    expect(again).toBe(first)
    expect(bench.cached).toEqual(['miss', 'hit'])
    expect(bench.keySet.asked).toHaveLength(1)
  })

  it('keeps the place that it came by this time', async () => {
    const bench = onBench(jwks)
    await bench.verify(token)
    const cookie: CredentialPlace = { kind: 'cookie', name: 'token' }
    const again = verified(bench.authenticator.recall(presented(token, cookie)))
    expect(again.credential).toMatchObject({ id: 't-1', place: cookie })
    expect(verified(bench.authenticator.recall(presented(token))).credential.place).toBe(bearerPlace)
  })

  it('is not recalled from its deadline on, and is then told expired', async () => {
    const bench = onBench(jwks)
    await bench.verify(token)
    bench.clock.time = noon + 600_000 + skew - 1
    expect(bench.authenticator.recall(presented(token))?.outcome).toBe('verified')
    bench.clock.time += 1
    expect(bench.authenticator.recall(presented(token))).toBeUndefined()
    expect(await bench.judge(token)).toBe('token_expired')
  })

  it('is not recalled before it is valid, should the clock go back', async () => {
    const bench = onBench(jwks)
    await bench.verify(token)
    bench.clock.time = noon - 91_000
    expect(bench.authenticator.recall(presented(token))).toBeUndefined()
    expect(await bench.judge(token)).toBe('token_not_yet_valid')
  })

  it('is revoked at once', async () => {
    const bench = onBench(jwks)
    await bench.verify(token)
    const asked: unknown[] = []
    bench.revocations.covers = (facts) => {
      asked.push(facts)
      return facts.jti === 't-1'
    }
    expect(bench.authenticator.recall(presented(token))).toEqual({
      outcome: 'rejected',
      reason: 'token_revoked',
    })
    expect(await bench.judge(token)).toBe('token_revoked')
    expect(asked[0]).toEqual({
      issuer,
      subject: 'alice',
      client: 'catalog-app',
      jti: 't-1',
      session: 's-1',
      issuedAt: noon - 60_000 - skew,
    })
  })

  it('is forgotten when its key leaves the set, and stays when another one comes', async () => {
    const bench = onBench([rsa.jwk])
    await bench.verify(token)
    bench.keySet.publish([rsa.jwk, p256.jwk])
    expect(bench.authenticator.recall(presented(token))?.outcome).toBe('verified')
    bench.keySet.publish([p256.jwk])
    expect(bench.authenticator.recall(presented(token))).toBeUndefined()
    expect(await bench.judge(token)).toBe('token_key_unknown')
  })

  it('is forgotten when its kid now names another key', async () => {
    const bench = onBench([rsa.jwk])
    await bench.verify(token)
    bench.keySet.publish([createSigner('RS256', rsa.kid).jwk])
    expect(bench.authenticator.recall(presented(token))).toBeUndefined()
    expect(await bench.judge(token)).toBe('token_signature')
  })

  it('is remembered by its exact characters, and a bad one not at all', async () => {
    const bench = onBench(jwks)
    await bench.verify(token)
    const forged = `${token.slice(0, -6)}AAAAAA`
    expect(bench.authenticator.recall(presented(forged))).toBeUndefined()
    expect(await bench.judge(forged)).toBe('token_signature')
    expect(bench.authenticator.recall(presented(forged))).toBeUndefined()
  })

  it('gives way to newer ones beyond the bound', async () => {
    const bench = onBench(jwks, {}, {}, 2)
    const tokens = ['a', 'b', 'c'].map((jti) => mint(rsa, accessClaims({ jti })))
    for (const each of tokens) await bench.verify(each)
    expect(tokens.map((each) => bench.authenticator.recall(presented(each))?.outcome)).toEqual([
      undefined,
      'verified',
      'verified',
    ])
  })
})

describe('a token whose key must be fetched', () => {
  it('is waited for', async () => {
    const bench = onBench(jwks)
    const found = bench.keySet.find({ kid: rsa.kid, alg: 'RS256' })
    const answers = Promise.withResolvers<Awaited<typeof found>>()
    bench.keySet.find = () => answers.promise
    const outcome = bench.verify(mint(rsa, accessClaims()))
    expect(outcome).toBeInstanceOf(Promise)
    answers.resolve(await found)
    expect(verified(await outcome).identity.subject).toBe('alice')
  })

  it('is refused with the time to come again while its provider is away', async () => {
    const bench = onBench(jwks)
    bench.keySet.answer = { outcome: 'unavailable', retryAfter: 2_400 }
    expect(await bench.verify(mint(rsa, accessClaims()))).toEqual({
      outcome: 'rejected',
      reason: 'key_set_unavailable',
      retryAfter: 3,
    })
  })
})

describe('who judges a token', () => {
  const bench = onBench(jwks)
  const { authenticator } = bench
  const token = (claims: Json = {}): string => mint(rsa, accessClaims(claims))

  it('is decided by its unverified issuer', () => {
    expect(authenticator.takes(presented(token()))).toBe('yes')
    const foreign = token({ iss: 'https://other.example' })
    expect(authenticator.takes(presented(foreign))).toBe('no')
    expect(authenticator.takes(presented(foreign))).toBe('no')
    expect(authenticator.takes(presented(token({ iss: undefined })))).toBe('no')
  })

  it('is nobody for what is no three-part token', () => {
    const [head = '', body = ''] = token().split('.')
    for (const value of [
      'ptc_abc',
      '',
      'a.b',
      'a.b.c',
      `${head}.${body}`,
      `${token()}.x.y`,
      `${head}.${encode('[]')}.x`,
    ]) {
      expect(authenticator.takes(presented(value))).toBe('no')
      expect(authenticator.affinity(value)).toBe('none')
    }
  })

  it('prefers the one whose audience is named', () => {
    expect(authenticator.affinity(token())).toBe('audience')
    expect(authenticator.affinity(token({ aud: ['x', audience] }))).toBe('audience')
    expect(authenticator.affinity(token({ aud: 'x' }))).toBe('issuer')
    expect(authenticator.fitsAudience(presented(token()))).toBe(true)
    expect(authenticator.fitsAudience(presented(token({ aud: 'x' })))).toBe(false)
    expect(authenticator.takes(presented(token({ aud: 'x' })))).toBe('yes')
  })

  it('needs no look into a token that is known', async () => {
    const known = token({ jti: 'known' })
    await bench.verify(known)
    expect(authenticator.affinity(known)).toBe('audience')
  })
})

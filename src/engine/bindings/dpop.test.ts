import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as client from 'dpop'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../../test/support/gateway-request.ts'
import { athOf, jktOf, proof, proofClaims, proofJwk } from '../../../test/support/proofs.ts'
import { createSigner, encode, mint, noon, testClock, type Json } from '../../../test/support/tokens.ts'
import { createMemoryOnce } from '../../stores/memory/once.ts'
import { publicKeyAlgorithms } from '../authenticators/jwt/algorithms.ts'
import { dpopAlgorithms } from '../challenge.ts'
import type { Reason } from '../errors.ts'
import { createProofJudge, type ProofRules, type Proven } from './dpop.ts'
import { createServerNonces, nonceSlot } from './nonce.ts'
import { readPublicJwk, thumbprintOf } from '../public-jwk.ts'
import type { Once } from '../../ports/once.ts'
import type { Rejected } from '../outcome.ts'

const token = 'a.good.token'
const signer = createSigner('ES256')
const rules: ProofRules = { nonce: false, window: 60_000 }
const here: RequestParts = { method: 'GET', path: '/items' }

/** A judge with a clock and a memory of its own. */
function onBench(most?: number) {
  const clock = testClock()
  const once = createMemoryOnce(clock, most === undefined ? {} : { most })
  const nonces = createServerNonces(Buffer.alloc(32, 3), clock)
  const proofs = createProofJudge({ clock, once, nonces })
  const judge = async (
    text: string | readonly string[],
    changes: Partial<ProofRules> = {},
    request: RequestParts = here,
    jkt = jktOf(signer),
  ): Promise<Proven | Rejected> =>
    proofs.judge(
      { request: gatewayRequest({ ...request, headers: { DPoP: text } }), token, jkt },
      { ...rules, ...changes },
    )
  const reason = async (...args: Parameters<typeof judge>): Promise<Reason | 'proven'> => {
    const outcome = await judge(...args)
    return outcome.outcome === 'proven' ? 'proven' : outcome.reason
  }
  return { clock, once, nonces, proofs, judge, reason }
}

describe('a good proof', () => {
  it.each([...dpopAlgorithms])('holds, signed with %s', async (alg) => {
    const own = createSigner(alg)
    const { reason } = onBench()
    expect(await reason(proof(own, token), {}, here, jktOf(own))).toBe('proven')
    expect(await reason(proof(own, token), {}, here, jktOf(own))).toBe('proven')
  })

  it('may be signed with every algorithm that is told to clients, and these are all', () => {
    expect([...dpopAlgorithms].toSorted()).toEqual(Object.keys(publicKeyAlgorithms).toSorted())
  })

  it('may have its type written out, and other things beside', async () => {
    const { reason } = onBench()
    for (const typ of ['application/dpop+jwt', 'DPoP+JWT'])
      expect(await reason(proof(signer, token, {}, { typ }))).toBe('proven')
    expect(await reason(proof(signer, token, { extra: [1] }, { kid: 'a', x5c: ['AA'] }))).toBe('proven')
    expect(await reason(proof(signer, token, { nonce: 'of somebody else' }))).toBe('proven')
  })

  it('may have a key that says what it is for', async () => {
    const jwk = { ...proofJwk(signer), use: 'sig', key_ops: ['verify'], alg: 'ES256', ext: true, kid: 'a' }
    expect(await onBench().reason(proof(signer, token, {}, { jwk }))).toBe('proven')
    const edwards = createSigner('EdDSA')
    const named = { ...proofJwk(edwards), alg: 'Ed25519' }
    expect(await onBench().reason(proof(edwards, token, {}, { jwk: named }), {}, here, jktOf(edwards))).toBe(
      'proven',
    )
  })
})

describe('a proof of the dpop package', () => {
  it.each(['ES256', 'Ed25519', 'RS256', 'PS256'] as const)('holds: %s', async (alg) => {
    const pair = await client.generateKeyPair(alg)
    const jkt = await client.calculateThumbprint(pair.publicKey)
    const { clock, nonces, judge, reason } = onBench()
    clock.time = Date.now()
    const made = (nonce?: string): Promise<string> =>
      client.generateProof(pair, 'https://api.example.com/items', 'GET', nonce, token)
    expect(await reason(await made(), {}, here, jkt)).toBe('proven')
    const asked = await judge(await made(), { nonce: true }, here, jkt)
    expect(asked).toMatchObject({ reason: 'dpop_nonce', fields: ['DPoP-Nonce', nonces.current()] })
    expect(await reason(await made(nonces.current()), { nonce: true }, here, jkt)).toBe('proven')
    expect(await reason(await made(), {}, { ...here, method: 'POST' }, jkt)).toBe('dpop_htm')
  })
})

describe('a proof is refused', () => {
  it.each<[string, Reason, Json, Json]>([
    ['no type', 'dpop_type', {}, { typ: undefined }],
    ['the type of a token', 'dpop_type', {}, { typ: 'JWT' }],
    ['a type in a list', 'dpop_type', {}, { typ: ['dpop+jwt'] }],
    ['a type with more', 'dpop_type', {}, { typ: 'dpop+jwt ' }],
    ['no algorithm', 'dpop_algorithm', {}, { alg: undefined }],
    ['alg none', 'dpop_algorithm', {}, { alg: 'none' }],
    ['a symmetric algorithm', 'dpop_algorithm', {}, { alg: 'HS256' }],
    ['an inherited algorithm', 'dpop_algorithm', {}, { alg: 'toString' }],
    ['another algorithm', 'dpop_key_unfit', {}, { alg: 'ES384' }],
    ['an algorithm of another kind', 'dpop_key_unfit', {}, { alg: 'RS256' }],
    ['a critical header', 'dpop_malformed', {}, { crit: ['exp'], exp: 1 }],
    ['an unencoded payload', 'dpop_malformed', {}, { b64: false }],
    ['no key', 'dpop_malformed', {}, { jwk: undefined }],
    ['a key by name', 'dpop_malformed', {}, { jwk: undefined, kid: 'a' }],
    ['a key by address', 'dpop_malformed', {}, { jwk: undefined, jku: 'https://keys.example.com' }],
    ['a key that is text', 'dpop_malformed', {}, { jwk: '{}' }],
    ['a list of keys', 'dpop_malformed', {}, { jwk: [proofJwk(signer)] }],
    ['an empty key', 'dpop_key_unfit', {}, { jwk: {} }],
    [
      'a padded coordinate',
      'dpop_key_unfit',
      {},
      { jwk: { ...proofJwk(signer), x: `${String(proofJwk(signer)['x'])}=` } },
    ],
    ['a short coordinate', 'dpop_key_unfit', {}, { jwk: { ...proofJwk(signer), x: 'AA' } }],
    ['the private key', 'dpop_key_unfit', {}, { jwk: signer.privateKey.export({ format: 'jwk' }) }],
    ['a symmetric key', 'dpop_key_unfit', {}, { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['a key for encryption', 'dpop_key_unfit', {}, { jwk: { ...proofJwk(signer), use: 'enc' } }],
    ['a key for another algorithm', 'dpop_key_unfit', {}, { jwk: { ...proofJwk(signer), alg: 'ES384' } }],
    ['another key', 'dpop_key', {}, { jwk: proofJwk(createSigner('ES256')) }],
    ['no id', 'dpop_malformed', { jti: undefined }, {}],
    ['an empty id', 'dpop_malformed', { jti: '' }, {}],
    ['an id that is a number', 'dpop_malformed', { jti: 1 }, {}],
    ['a long id', 'dpop_malformed', { jti: 'x'.repeat(257) }, {}],
    ['no method', 'dpop_malformed', { htm: undefined }, {}],
    ['another method', 'dpop_htm', { htm: 'POST' }, {}],
    ['another case of the method', 'dpop_htm', { htm: 'get' }, {}],
    ['methods in a list', 'dpop_malformed', { htm: ['GET'] }, {}],
    ['no target', 'dpop_malformed', { htu: undefined }, {}],
    ['another target', 'dpop_htu', { htu: 'https://api.example.com/other' }, {}],
    ['targets in a list', 'dpop_malformed', { htu: ['https://api.example.com/items'] }, {}],
    ['no time', 'dpop_malformed', { iat: undefined }, {}],
    ['a time that is text', 'dpop_malformed', { iat: String(noon / 1_000) }, {}],
    ['a time in milliseconds', 'dpop_stale', { iat: noon }, {}],
    ['an old time', 'dpop_stale', { iat: noon / 1_000 - 61 }, {}],
    ['a time to come', 'dpop_stale', { iat: noon / 1_000 + 61 }, {}],
    ['an end in the past', 'dpop_stale', { exp: noon / 1_000 }, {}],
    ['an end that is text', 'dpop_malformed', { exp: 'never' }, {}],
    ['a beginning to come', 'dpop_stale', { nbf: noon / 1_000 + 1 }, {}],
    ['no token', 'dpop_malformed', { ath: undefined }, {}],
    ['another token', 'dpop_ath', { ath: athOf('another') }, {}],
    ['the token itself', 'dpop_ath', { ath: token }, {}],
    ['a padded hash', 'dpop_ath', { ath: `${athOf(token)}=` }, {}],
    ['a nonce that is no text', 'dpop_malformed', { nonce: 1 }, {}],
  ])('with %s', async (_what, reason, claims, header) => {
    expect(await onBench().reason(proof(signer, token, claims, header))).toBe(reason)
  })

  it('with a time that never comes', async () => {
    const claims = JSON.stringify(proofClaims(token)).replace(/"iat":\d+/, '"iat":1e999')
    const made = mint(signer, claims, { typ: 'dpop+jwt', jwk: proofJwk(signer), kid: undefined })
    expect(await onBench().reason(made)).toBe('dpop_stale')
  })

  it('signed by a key that it does not bring', async () => {
    const thief = createSigner('ES256')
    expect(await onBench().reason(proof(thief, token, {}, { jwk: proofJwk(signer) }))).toBe('dpop_signature')
  })

  it('with a MAC that anybody can make of the public key', async () => {
    const jwk = proofJwk(signer)
    const head = encode({ typ: 'dpop+jwt', alg: 'HS256', jwk })
    const signed = `${head}.${encode(proofClaims(token))}`
    const mac = createHmac('sha256', signer.publicKey.export({ type: 'spki', format: 'pem' })).update(signed)
    expect(await onBench().reason(`${signed}.${mac.digest('base64url')}`)).toBe('dpop_algorithm')
  })

  it('with a small RSA key, though the token names it', async () => {
    const small = createSigner('RS256', 'small', 1024)
    expect(await onBench().reason(proof(small, token), {}, here, jktOf(small))).toBe('dpop_key_unfit')
  })

  it.each<[string, (good: string) => string | readonly string[]]>([
    ['none', () => []],
    ['an empty one', () => ''],
    ['two', (good) => [good, good]],
    ['two in one line', (good) => `${good}, ${good}`],
    ['a scheme before it', (good) => `DPoP ${good}`],
    ['a space after it', (good) => `${good} `],
    ['two parts', (good) => good.slice(0, good.lastIndexOf('.'))],
    ['four parts', (good) => `${good}.x`],
    ['no signature', (good) => `${good.slice(0, good.lastIndexOf('.'))}.`],
    ['padding', (good) => `${good}=`],
    ['another alphabet', (good) => good.replaceAll('_', '/').replaceAll('-', '+') + '+'],
    ['a repeated member', (good) => repeated(good)],
    ['a mebibyte', () => `${'x'.repeat(1 << 20)}.x.x`],
  ])('written as %s', async (_what, change) => {
    const reason = await onBench().reason(change(proof(signer, token)))
    expect(['dpop_malformed', 'dpop_missing']).toContain(reason)
  })

  function repeated(good: string): string {
    const [head = '', , signature = ''] = good.split('.')
    const claims = JSON.stringify(proofClaims(token)).replace('{', '{"htm":"POST",')
    return `${head}.${encode(claims)}.${signature}`
  }

  it('when any one byte of it is another', async () => {
    const { reason } = onBench()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom('A', 'Q', 'g', 'w', 'Z', '0', '9', '_', '-', '.'),
        async (at, letter) => {
          const good = proof(signer, token)
          const index = at % good.length
          if (good[index] === letter) return
          expect(await reason(good.slice(0, index) + letter + good.slice(index + 1))).not.toBe('proven')
        },
      ),
    )
  })

  it('with any member changed or left out, as long as a proof has it', async () => {
    const { reason } = onBench()
    for (const name of ['jti', 'htm', 'htu', 'iat', 'ath'])
      for (const value of [undefined, null, '', 'x', 0, 1, true, [], {}, ['GET'], { a: 1 }])
        if (!(name === 'jti' && value === 'x'))
          expect(await reason(proof(signer, token, { [name]: value }))).not.toBe('proven')
    for (const name of ['typ', 'alg', 'jwk'])
      for (const value of [undefined, null, '', 'x', 0, true, [], {}])
        expect(await reason(proof(signer, token, {}, { [name]: value }))).not.toBe('proven')
    for (const name of ['kty', 'crv', 'x', 'y'])
      for (const value of [undefined, null, '', 'AAAA', 0, []])
        expect(
          await reason(proof(signer, token, {}, { jwk: { ...proofJwk(signer), [name]: value } })),
        ).not.toBe('proven')
  })
})

describe('a proof and time', () => {
  it.each([-60, -1, 0, 1, 60])('holds %d seconds from now', async (seconds) => {
    expect(await onBench().reason(proof(signer, token, { iat: noon / 1_000 + seconds }))).toBe('proven')
  })

  it('goes by the configured window', async () => {
    const made = (seconds: number): string => proof(signer, token, { iat: noon / 1_000 + seconds })
    const { reason } = onBench()
    expect(await reason(made(-6), { window: 5_000 })).toBe('dpop_stale')
    expect(await reason(made(6), { window: 5_000 })).toBe('dpop_stale')
    expect(await reason(made(-290), { window: 300_000 })).toBe('proven')
  })
})

describe('a proof that comes again', () => {
  it('is refused for as long as it would be fresh, and then for its age', async () => {
    const { clock, reason } = onBench()
    const made = proof(signer, token, { iat: noon / 1_000 + 60 })
    expect(await reason(made)).toBe('proven')
    for (const seconds of [0, 1, 59, 60, 61, 119, 120]) {
      clock.time = noon + seconds * 1_000
      expect(await reason(made)).toBe('dpop_replayed')
    }
    clock.time += 1
    expect(await reason(made)).toBe('dpop_stale')
  })

  it('is known by its id, whatever else is new about it', async () => {
    const { reason } = onBench()
    expect(await reason(proof(signer, token, { jti: 'a:b' }))).toBe('proven')
    expect(await reason(proof(signer, token, { jti: 'a:b', iat: noon / 1_000 - 5 }))).toBe('dpop_replayed')
    const other = createSigner('ES256')
    expect(await reason(proof(other, token, { jti: 'a:b' }), {}, here, jktOf(other))).toBe('proven')
  })

  it('is no replay of itself while one request is judged twice', async () => {
    const { proofs } = onBench()
    const request = gatewayRequest({ ...here, headers: { DPoP: proof(signer, token) } })
    const judge = async (): Promise<string> =>
      (await proofs.judge({ request, token, jkt: jktOf(signer) }, rules)).outcome
    expect([await judge(), await judge()]).toEqual(['proven', 'proven'])
  })

  it('is not remembered when it was refused for anything else', async () => {
    const { once, reason } = onBench()
    const thief = createSigner('ES256')
    const claims = { jti: 'wanted' }
    await reason(proof(thief, token, claims, { jwk: proofJwk(signer) }))
    await reason(proof(thief, token, claims), {}, here)
    await reason(proof(signer, token, { ...claims, htm: 'POST' }))
    await reason(proof(signer, token, { ...claims, ath: athOf('x') }))
    await reason(proof(signer, token, claims), { nonce: true })
    expect(once.size).toBe(0)
    expect(await reason(proof(signer, token, claims))).toBe('proven')
    expect(once.size).toBe(1)
  })

  it('does not pass when it cannot be remembered', async () => {
    const { judge } = onBench(1)
    expect((await judge(proof(signer, token))).outcome).toBe('proven')
    expect(await judge(proof(signer, token))).toMatchObject({ reason: 'replay_unavailable', retryAfter: 1 })
  })

  it.each<[string, Once['remember'], string]>([
    ['elsewhere and new', async () => 'new' as const, 'proven'],
    ['elsewhere and seen', async () => 'seen' as const, 'dpop_replayed'],
    ['away', async () => Promise.reject(new Error('away')), 'replay_unavailable'],
  ])('waits for a memory that is %s', async (_what, remember, expected) => {
    const clock = testClock()
    const nonces = createServerNonces(Buffer.alloc(32), clock)
    const proofs = createProofJudge({ clock, once: { remember }, nonces })
    const request = gatewayRequest({ ...here, headers: { DPoP: proof(signer, token) } })
    const outcome = await proofs.judge({ request, token, jkt: jktOf(signer) }, rules)
    expect(outcome.outcome === 'proven' ? 'proven' : outcome.reason).toBe(expected)
  })
})

describe('a proof with a nonce of the server', () => {
  const wanted = { nonce: true }

  it('is asked for, and holds with the current one', async () => {
    const { nonces, judge } = onBench()
    expect(await judge(proof(signer, token), wanted)).toMatchObject({
      reason: 'dpop_nonce',
      proofError: 'use_dpop_nonce',
      fields: ['DPoP-Nonce', nonces.current()],
    })
    expect(await judge(proof(signer, token, { nonce: nonces.current() }), wanted)).toEqual({
      outcome: 'proven',
    })
  })

  it('holds with the previous one too, and then brings the current one', async () => {
    const { clock, nonces, judge } = onBench()
    const nonce = nonces.current()
    clock.time += nonceSlot
    const made = (): string => proof(signer, token, { nonce, iat: clock.time / 1_000 })
    expect(await judge(made(), wanted)).toEqual({
      outcome: 'proven',
      fields: ['DPoP-Nonce', nonces.current()],
    })
    clock.time += nonceSlot
    expect(await judge(made(), wanted)).toMatchObject({ proofError: 'use_dpop_nonce' })
  })

  it('is told of another fault first', async () => {
    const { reason } = onBench()
    expect(await reason(proof(signer, token, { htm: 'POST', nonce: 'x' }), wanted)).toBe('dpop_htm')
    expect(await reason(proof(signer, token, { nonce: 'x' }), wanted)).toBe('dpop_nonce')
  })
})

const vectors = join(import.meta.dirname, '../../../../shared/vectors/rfc/rfc-vectors.json')

describe.skipIf(!existsSync(vectors))('the published proof (RFC 9449, section 7.1)', () => {
  const all: readonly { id: string; token?: string; key?: Json; input?: unknown; expected: string }[] =
    existsSync(vectors) ? JSON.parse(readFileSync(vectors, 'utf8')).vectors : []
  const find = (id: string): Partial<(typeof all)[number]> => all.find((each) => each.id === id) ?? {}
  const published = {
    token: String(find('rfc9449-ath').input),
    proof: String(find('rfc9449-fig13').token),
    jkt: String(find('rfc9449-jkt').expected),
  }
  const request: RequestParts = {
    path: '/protectedresource',
    host: 'resource.example.org',
    publicOrigin: 'https://resource.example.org',
    headers: { DPoP: published.proof },
  }
  const judge = async (changes: Partial<typeof published>, parts: RequestParts = {}): Promise<string> => {
    const { clock, proofs } = onBench()
    clock.time = 1_562_262_618_000
    const target = { request: gatewayRequest({ ...request, ...parts }), ...published, ...changes }
    const outcome = await proofs.judge(target, rules)
    return outcome.outcome === 'proven' ? 'proven' : outcome.reason
  }

  it('holds, for its token, key, method and place', async () => {
    expect(await judge({})).toBe('proven')
    expect(await judge({ token: 'x' })).toBe('dpop_ath')
    expect(await judge({ jkt: jktOf(signer) })).toBe('dpop_key')
    expect(await judge({}, { method: 'POST' })).toBe('dpop_htm')
    expect(await judge({}, { path: '/other' })).toBe('dpop_htu')
  })

  it('for the token endpoint is no proof for a resource', async () => {
    const made = String(find('rfc9449-fig2').token)
    const parts: RequestParts = {
      method: 'POST',
      path: '/token',
      publicOrigin: 'https://server.example.com',
      headers: { DPoP: made },
    }
    expect(await judge({}, parts)).toBe('dpop_malformed')
    expect(thumbprintOf(readPublicJwk(find('rfc9449-fig2').key!)!)).toBe(published.jkt)
  })
})

/** Attacks through the key set, with a real provider on loopback behind a real authenticator. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createJwtAuthenticator,
  type JwtAuthenticator,
} from '../../src/engine/authenticators/jwt/jwt-authenticator.ts'
import { createProvider, type Provider } from '../../src/remote/provider.ts'
import { json, serveLoopback, type LoopbackServer } from '../support/loopback-server.ts'
import { testProofs } from '../support/proofs.ts'
import {
  accessClaims,
  createSigner,
  jwtSettings,
  mint,
  presented,
  providerSettings,
  testRevocations,
  type Json,
  type Signer,
} from '../support/tokens.ts'

const first = createSigner('ES256', 'first')
const second = createSigner('ES256', 'second')
const clock = { now: (): number => Date.now() }

let published: readonly Json[] = []
let server: LoopbackServer
let provider: Provider
let authenticator: JwtAuthenticator

beforeEach(async () => {
  published = [first.jwk]
  server = await serveLoopback((request, response) => json({ keys: published })(request, response))
  provider = createProvider(providerSettings({ endpoints: { jwks: `${server.origin}/keys` } }), { clock })
  authenticator = createJwtAuthenticator(jwtSettings(), {
    provider,
    clock,
    revocations: testRevocations(),
    proofs: testProofs(clock),
  })
  await provider.refresh()
})

afterEach(async () => {
  provider.close()
  await server.close()
})

function token(signer: Signer, changes: Json = {}, header: Json = {}): string {
  const now = Math.floor(Date.now() / 1000)
  return mint(signer, accessClaims({ iat: now - 10, exp: now + 600, ...changes }), header)
}

async function judge(value: string): Promise<string> {
  const outcome = authenticator.recall(presented(value)) ?? (await authenticator.verify(presented(value)))
  return outcome.outcome === 'verified' ? 'verified' : outcome.reason
}

describe('a flood of strange kids', () => {
  it('is one fetch, and good tokens go on passing', async () => {
    const { length } = server.asked
    for (let round = 0; round < 10; round += 1) {
      const flood = Array.from({ length: 50 }, (_, n) => judge(token(second, {}, { kid: `k-${round}-${n}` })))
      const good = judge(token(first, { jti: `good-${round}` }))
      expect(new Set(await Promise.all(flood))).toEqual(new Set(['token_key_unknown']))
      expect(await good).toBe('verified')
    }
    expect(server.asked.length - length).toBe(1)
  })

  it('for other audiences and issuers is none at all', async () => {
    const { length } = server.asked
    for (let n = 0; n < 50; n += 1) {
      expect(await judge(token(second, { aud: 'x' }, { kid: `k-${n}` }))).toBe('token_audience')
      expect(await judge(token(second, { iss: 'https://x.example' }, { kid: `k-${n}` }))).toBe('token_issuer')
    }
    expect(server.asked.length).toBe(length)
  })
})

describe('rotation', () => {
  it('loses no good token, and ends the old key with the next fetch', async () => {
    const old = token(first)
    expect(await judge(old)).toBe('verified')
    published = [first.jwk, second.jwk]
    const load = Array.from({ length: 100 }, (_, n) =>
      judge(token(n % 2 === 0 ? first : second, { jti: `load-${n}` })),
    )
    expect(new Set(await Promise.all(load))).toEqual(new Set(['verified']))
    published = [second.jwk]
    await provider.refresh()
    expect(await judge(old)).toBe('token_key_unknown')
    expect(await judge(token(second))).toBe('verified')
  })
})

describe('a key set that turned bad', () => {
  it('with an HMAC secret published, signs nothing', async () => {
    published = [{ kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url'), kid: 'first' }, first.jwk]
    await provider.refresh()
    expect(await judge(token(first))).toBe('verified')
    expect(await judge(token(second, {}, { alg: 'HS256', kid: 'first' }))).toBe('token_algorithm')
  })

  it('or is away, leaves what was known and refuses the rest as unavailable', async () => {
    await server.close()
    expect(await provider.refresh()).toBe('failure')
    expect(await judge(token(first))).toBe('verified')
    expect(await judge(token(second))).toBe('key_set_unavailable')
    server = await serveLoopback(json({ keys: [second.jwk] }), server.port)
    expect(await provider.refresh()).toBe('success')
    expect(await judge(token(second))).toBe('verified')
    expect(await judge(token(first))).toBe('token_key_unknown')
  })
})

/** Going on with what was revoked: from a cache, faster than the revocation, by a clock that differs, under another name. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIntrospectionAuthenticator } from '../../src/engine/authenticators/introspection/introspection-authenticator.ts'
import { createLookupLimits } from '../../src/engine/authenticators/introspection/lookup-limits.ts'
import { createJwtAuthenticator } from '../../src/engine/authenticators/jwt/jwt-authenticator.ts'
import type { Authenticator } from '../../src/engine/authenticators/authenticator.ts'
import type { CredentialPlace } from '../../src/engine/identity.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { profileFor } from '../../src/engine/providers/registry.ts'
import { createRevocationIndex, type RevocationIndex } from '../../src/engine/revocation/index.ts'
import { createRevocationManager, type RevocationManager } from '../../src/keys/revocations.ts'
import type { NewRevocation } from '../../src/keys/schemas.ts'
import type { KeySet } from '../../src/ports/key-sets.ts'
import type { Store } from '../../src/ports/store.ts'
import { openStore } from '../../src/stores/open.ts'
import { gatewayRequest } from '../support/gateway-request.ts'
import { active, introspectionSettings } from '../support/introspection.ts'
import { testProofs } from '../support/proofs.ts'
import {
  accessClaims,
  bearerPlace,
  createSigner,
  fixedKeySet,
  issuer,
  jwtSettings,
  mint,
  noon,
  presented,
  providerSettings,
  testClock,
  type Json,
  type TestClock,
} from '../support/tokens.ts'

const signer = createSigner('ES256')
const skew = 30
const seconds = noon / 1000

let clock: TestClock
let store: Store
let index: RevocationIndex
let revocations: RevocationManager
/** Resolves look-ups at the provider: a test decides when it answers. */
let gate: { readonly opened: Promise<void>; open(): void }

beforeEach(async () => {
  clock = testClock()
  store = await openStore(':memory:', { clock })
  index = createRevocationIndex({
    store: store.revocations,
    changes: store.changes,
    clock,
    onError: (error) => {
      throw error
    },
  })
  await index.refresh()
  revocations = createRevocationManager({
    store: store.revocations,
    audit: { record: () => undefined },
    clock,
    configuration: () => ({
      providers: { corp: providerSettings() },
      authenticators: { token: jwtSettings({ maxLifetime: 3_600_000 }) },
    }),
    afterwards: () => index.refresh(),
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = { opened: promise, open: resolve }
})

afterEach(async () => {
  index.close()
  await store.close()
})

function tokens(keySet: KeySet = fixedKeySet([signer.jwk])): Authenticator {
  return createJwtAuthenticator(jwtSettings(), {
    provider: { profile: profileFor(providerSettings()), keySet },
    clock,
    revocations: index,
    proofs: testProofs(clock),
  })
}

function lookedUp(answer: Json, waits = false): Authenticator {
  return createIntrospectionAuthenticator(introspectionSettings(), {
    profile: profileFor(providerSettings()),
    introspector: {
      introspect: async () => {
        if (waits) await gate.opened
        return active(answer)
      },
    },
    limits: createLookupLimits(),
    clock,
    revocations: index,
    proofs: testProofs(clock),
    cacheSize: 100,
  })
}

const request = gatewayRequest()

async function verdict(
  authenticator: Authenticator,
  token: string,
  place: CredentialPlace = bearerPlace,
): Promise<string> {
  const shown = presented(token, place)
  const outcome: Outcome =
    authenticator.recall(shown, request) ?? (await authenticator.verify(shown, request))
  return outcome.outcome === 'verified' ? 'verified' : outcome.reason
}

const revoke = (input: Partial<NewRevocation> = {}): Promise<unknown> =>
  revocations.revoke({ kind: 'subject', value: 'alice', issuer, ...input }, 'test')

describe('a token that was revoked', () => {
  const ways: Readonly<Record<string, Partial<NewRevocation>>> = {
    subject: {},
    client: { kind: 'client', value: 'catalog-app' },
    jti: { kind: 'jti', value: 'jti-1' },
    session: { kind: 'session', value: 'sid-1' },
    issuer: { kind: 'issuer', value: undefined, before: new Date(noon).toISOString() },
  }
  const claims = { jti: 'jti-1', sid: 'sid-1' }

  it.each(Object.entries(ways))(
    'by its %s is refused though it is remembered, and by whichever place it comes',
    async (_kind, input) => {
      const token = mint(signer, accessClaims(claims))
      const both = [
        [tokens(), token],
        [lookedUp(claims), 'opaque'],
      ] as const
      for (const [authenticator, value] of both) expect(await verdict(authenticator, value)).toBe('verified')
      await revoke(input)
      for (const [authenticator, value] of both) {
        for (const place of [
          bearerPlace,
          { kind: 'query', name: 'access_token' },
          { kind: 'cookie', name: 'token' },
        ] as const)
          expect(await verdict(authenticator, value, place)).toBe('token_revoked')
      }
    },
  )

  it('is refused though its keys were still on their way when it was revoked', async () => {
    const keys = fixedKeySet([signer.jwk])
    const slow: KeySet = {
      generation: 1,
      holds: (key) => keys.holds(key),
      find: async (selector) => {
        await gate.opened
        return keys.find(selector)
      },
    }
    const verifying = verdict(tokens(slow), mint(signer, accessClaims()))
    await revoke()
    gate.open()
    expect(await verifying).toBe('token_revoked')
  })

  it('is refused though its provider was about to say that it is good', async () => {
    const verifying = verdict(lookedUp({}, true), 'opaque')
    await revoke()
    gate.open()
    expect(await verifying).toBe('token_revoked')
  })

  it('is refused without a time of issue: it may be older than the revocation', async () => {
    await revoke()
    clock.time += 3_600_000
    const { iat: _, ...claimsWithout } = accessClaims({ exp: seconds + 7_200 })
    expect(await verdict(tokens(), mint(signer, claimsWithout))).toBe('token_revoked')
  })

  it('cannot be dated behind its revocation by a provider whose clock is ahead', async () => {
    await revoke()
    const issuedAt = (iat: number): Promise<string> =>
      verdict(tokens(), mint(signer, accessClaims({ iat, exp: iat + 600 })))
    // All of these may have been issued before the revocation: the clocks may differ by so much.
    for (const ahead of [0, 1, skew - 1, skew]) expect(await issuedAt(seconds + ahead)).toBe('token_revoked')
    clock.time += 60_000
    expect(await issuedAt(seconds + skew)).toBe('token_revoked')
    expect(await issuedAt(seconds + skew + 1)).toBe('verified')
  })

  it('by its jti stays so for as long as a slower clock would take it', async () => {
    const exp = seconds + 600
    await revoke({ kind: 'jti', value: 'jti-2', expiresAt: new Date(exp * 1000).toISOString() })
    const token = mint(signer, accessClaims({ jti: 'jti-2', exp }))
    clock.time = (exp + skew) * 1000 - 1
    await store.revocations.prune(clock.time)
    await index.refresh()
    expect(await verdict(tokens(), token)).toBe('token_revoked')
  })

  it('by its jti is not let in again by a second revocation that ends sooner', async () => {
    const end = (at: number): Promise<unknown> =>
      revoke({ kind: 'jti', value: 'jti-3', expiresAt: new Date(at * 1000).toISOString() })
    await end(seconds + 600)
    await end(seconds + 1)
    clock.time += 300_000
    await store.revocations.prune(clock.time)
    expect(await verdict(tokens(), mint(signer, accessClaims({ jti: 'jti-3' })))).toBe('token_revoked')
  })

  it('is not another one: neither a longer name nor another issuer is covered, and neither escapes by it', async () => {
    await revoke()
    for (const sub of ['alice ', 'Alice', 'alice\u200b', 'alic', 'alice2'])
      expect(await verdict(tokens(), mint(signer, accessClaims({ sub })))).toBe('verified')
    expect(await verdict(tokens(), mint(signer, accessClaims({ iss: `${issuer}/` })))).toBe('token_issuer')
  })
})

describe('a revocation', () => {
  it('made while the list is being read is not lost', async () => {
    const token = mint(signer, accessClaims())
    const authenticator = tokens()
    expect(await verdict(authenticator, token)).toBe('verified')
    const at = clock.now()
    await Promise.all([
      index.refresh(),
      store.revocations.add({ kind: 'client', issuer, value: 'other', at, permanent: false, createdAt: at }),
      revoke(),
    ])
    expect(await verdict(authenticator, token)).toBe('token_revoked')
  })

  it('among a hundred thousand others costs a request nothing that can be felt', async () => {
    const at = clock.now()
    const entry = { kind: 'jti', at, permanent: false, createdAt: at } as const
    const many = Array.from({ length: 100_000 }, (_, number) => ({ ...entry, value: `jti-${number}-x` }))
    index.close()
    index = createRevocationIndex({
      store: {
        since: async (cursor) => ({
          revocations: cursor === 0 ? [...many, { ...entry, kind: 'subject', issuer, value: 'alice' }] : [],
          cursor: 1,
        }),
        prune: async () => undefined,
      },
      changes: store.changes,
      clock,
      onError: () => undefined,
    })
    await index.refresh()
    const [authenticator, token] = [tokens(), mint(signer, accessClaims())]
    expect(await verdict(authenticator, token)).toBe('token_revoked')
    const other = mint(signer, accessClaims({ sub: 'bob', jti: 'jti-5' }))
    expect(await verdict(authenticator, other)).toBe('verified')
    const began = performance.now()
    for (let number = 0; number < 10_000; number += 1) authenticator.recall(presented(other), request)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})

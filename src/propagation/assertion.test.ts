import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import type { CredentialFacts, Identity } from '../engine/identity.ts'
import type { Facts } from '../ports/facts.ts'
import { createAssertions, type Assert, type AssertionSettings } from './assertion.ts'
import { openAssertionKeys, type AssertionKeys } from './assertion-keys.ts'

const start = 1_800_000_000_000
let now = start
let keys: AssertionKeys

beforeEach(async () => {
  now = start
  const values = new Map<string, string>()
  const facts: Facts = {
    get: async (name) => values.get(name),
    set: async (name, value) => void values.set(name, value),
    setIfAbsent: async (name, value) => {
      if (!values.has(name)) values.set(name, value)
      return values.get(name)!
    },
  }
  keys = await openAssertionKeys(facts, {
    clock: { now: () => now },
    rotateEvery: 7_200_000,
    lifetime: 60_000,
  })
})

function assertions(more: Partial<AssertionSettings> = {}): Assert {
  const settings = { lifetime: 60_000, perRequest: false, issuer: 'https://api.example.com', ...more }
  return createAssertions(settings, { clock: { now: () => now }, keys })
}

function person(parts: Partial<Identity> = {}): Identity {
  return {
    issuer: 'https://idp.example',
    subject: 'alice',
    client: 'web',
    tenant: 't1',
    scopes: ['read', 'two words', 'write'],
    roles: ['viewer'],
    claims: {},
    method: 'corp',
    amr: ['mtls', 'jwt'],
    actor: { sub: 'helpdesk' },
    ...parts,
  }
}

function credential(seconds = Infinity): CredentialFacts {
  return { kind: 'jwt', expiresAt: start + seconds * 1000, place: { kind: 'header', name: 'authorization' } }
}

function ask(assert: Assert, identity = person(), seconds = Infinity, upstream = 'catalog'): string {
  return assert({ identity, credential: credential(seconds), upstream, requestId: 'r-1' })
}

async function read(token: string): Promise<JWTPayload> {
  const set = createLocalJWKSet({ keys: [...keys.published().keys] })
  const { payload } = await jwtVerify(token, set, {
    currentDate: new Date(now),
    typ: 'portcullis+jwt',
    algorithms: ['EdDSA'],
  })
  return payload
}

describe('an assertion', () => {
  it('says who is calling, and for whom', async () => {
    const token = ask(assertions())
    expect(await read(token)).toEqual({
      iss: 'https://api.example.com',
      aud: 'catalog',
      sub: 'alice',
      sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
      client_id: 'web',
      scope: 'read write',
      roles: ['viewer'],
      tenant: 't1',
      amr: ['mtls', 'jwt'],
      act: { sub: 'helpdesk' },
      iat: start / 1000,
      exp: start / 1000 + 60,
    })
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'EdDSA',
      typ: 'portcullis+jwt',
      kid: keys.published().keys[0]!.kid,
    })
  })

  it('leaves out what there is not', async () => {
    const bare: Identity = {
      issuer: 'i',
      subject: 's',
      scopes: [],
      roles: [],
      claims: {},
      method: 'm',
      amr: ['api-key'],
    }
    expect(Object.keys(await read(ask(assertions(), bare)))).toEqual([
      'iss',
      'aud',
      'sub',
      'sub_id',
      'amr',
      'iat',
      'exp',
    ])
  })

  it('never lives past the exp of its credential, though the credential is accepted a little longer', async () => {
    expect((await read(ask(assertions(), person(), 20))).exp).toBe(start / 1000 + 20)
    const skewed = person({ claims: { exp: start / 1000 + 5 } })
    expect((await read(ask(assertions(), skewed, 35))).exp).toBe(start / 1000 + 5)
    now = start + 900
    expect((await read(ask(assertions(), person(), 20.7))).exp).toBe(start / 1000 + 20)
  })
})

describe('one assertion', () => {
  it('serves the same content and upstream for half its life, whichever credential it came by', () => {
    const assert = assertions()
    const first = ask(assert)
    expect(ask(assert, person(), 3600)).toBe(first)
    expect(ask(assert, person({ claims: { other: 1 } }))).toBe(first)
    now = start + 29_999
    expect(ask(assert)).toBe(first)
    now = start + 30_000
    expect(ask(assert)).not.toBe(first)
  })

  it('does not serve another content or upstream', () => {
    const assert = assertions()
    const tokens = new Set([
      ask(assert),
      ask(assert, person(), Infinity, 'orders'),
      ask(assert, person({ subject: 'bob' })),
      ask(assert, person({ issuer: 'https://other.example' })),
      ask(assert, person({ client: 'cli' })),
      ask(assert, person({ tenant: 't2' })),
      ask(assert, person({ scopes: ['read'] })),
      ask(assert, person({ roles: ['viewer', 'admin'] })),
      ask(assert, person({ amr: ['jwt'] })),
      ask(assert, person({ actor: { sub: 'other' } })),
    ])
    expect(tokens.size).toBe(10)
  })

  it('does not serve a credential that ends before it', async () => {
    const assert = assertions()
    const first = ask(assert)
    const short = ask(assert, person(), 30)
    expect(short).not.toBe(first)
    expect((await read(short)).exp).toBe(start / 1000 + 30)
    expect(ask(assert, person(), 60)).toBe(short)
  })

  it('does not outlive its key', async () => {
    const assert = assertions()
    now = start + 3_600_000
    await keys.maintain()
    now = start + 7_200_000 - 1000
    const before = ask(assert)
    now = start + 7_200_000
    const after = ask(assert)
    expect(after).not.toBe(before)
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    await expect(read(before)).resolves.toMatchObject({ sub: 'alice' })
  })

  it('is for one request alone where that is wanted', async () => {
    const assert = assertions({ perRequest: true })
    const [one, other] = [await read(ask(assert)), await read(ask(assert))]
    expect(one).toMatchObject({ rid: 'r-1', jti: expect.stringMatching(/^[\da-f-]{36}$/) })
    expect(one.jti).not.toBe(other.jti)
  })
})

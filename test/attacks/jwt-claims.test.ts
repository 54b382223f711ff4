/** Attacks with claims that a lenient reader would take: times, audiences, and text that becomes header lines. */
import { describe, expect, it } from 'vitest'
import { onBench } from '../support/jwt-authenticator.ts'
import { accessClaims, audience, createSigner, issuer, mint, noon, type Json } from '../support/tokens.ts'

const rsa = createSigner('RS256')
const bench = onBench([rsa.jwk])
const now = noon / 1000
const judge = (claims: Json | string): Promise<string> => bench.judge(mint(rsa, claims))
/** The good claims with one member written by hand. */
const written = (name: string, value: string): string => {
  const { [name]: _gone, ...rest } = accessClaims()
  return `${JSON.stringify(rest).slice(0, -1)},"${name}":${value}}`
}

it('the good claims that the attacks are made from are accepted', async () => {
  expect(await judge(accessClaims())).toBe('verified')
  expect(await judge(written('exp', String(now + 600)))).toBe('verified')
  expect(await judge(written('exp', `${now + 600}.5`))).toBe('verified')
})

describe('an exp that never comes', () => {
  it.each([
    '1e999',
    '1e308',
    '8640000000001',
    '99999999999999999999',
    '-1',
    '-1e999',
    '0',
    '-0',
    '"9999999999"',
    'null',
    'true',
    '[9999999999]',
    '{}',
    '""',
  ])('%s', async (value) => {
    expect(await judge(written('exp', value))).toBe('token_claim')
  })

  it('or is not there', async () => {
    expect(await judge(accessClaims({ exp: undefined }))).toBe('token_claim')
  })

  it('or lies in the past', async () => {
    expect(await judge(accessClaims({ exp: now - 30, iat: undefined }))).toBe('token_expired')
    expect(await judge(accessClaims({ exp: 1, iat: undefined }))).toBe('token_expired')
  })
})

describe('times that are none', () => {
  it.each(['"0"', '"2020-01-01T00:00:00Z"', 'null', 'false', '[]', '1e999', '-1'])(
    'nbf %s',
    async (value) => {
      expect(await judge(written('nbf', value))).toBe('token_claim')
    },
  )

  it.each(['"0"', 'null', '[]', '1e999', '-1'])('iat %s', async (value) => {
    expect(await judge(written('iat', value))).toBe('token_claim')
  })

  it('a lifetime that is hidden by leaving iat out or putting it late', async () => {
    const bounded = onBench([rsa.jwk], { maxLifetime: 3_600_000 })
    expect(await bounded.judge(mint(rsa, accessClaims({ exp: now + 86_400, iat: undefined })))).toBe(
      'token_lifetime',
    )
    expect(await bounded.judge(mint(rsa, accessClaims({ exp: now + 86_400, iat: now })))).toBe(
      'token_lifetime',
    )
    expect(await bounded.judge(mint(rsa, accessClaims({ exp: now + 86_400, iat: now + 86_000 })))).toBe(
      'token_not_yet_valid',
    )
  })
})

describe('a token for somebody else', () => {
  it.each<[string, unknown]>([
    ['another API', 'https://other.example'],
    ['a longer audience', `${audience}.evil.example`],
    ['a shorter audience', audience.slice(0, -1)],
    ['another case', audience.toUpperCase()],
    ['a path below', `${audience}/v2`],
    ['text that holds it', `x ${audience} y`],
    ['a list that holds such text', [`x,${audience}`]],
    ['a nested list', [[audience]]],
    ['an object', { aud: audience }],
    ['a wildcard', '*'],
    ['nothing', ''],
    ['null', null],
  ])('aud: %s', async (_what, aud) => {
    expect(await judge(accessClaims({ aud }))).toBe('token_audience')
  })

  it.each<[string, unknown]>([
    ['another issuer with the same keys', 'https://login.example.org'],
    ['a trailing slash', `${issuer}/`],
    ['another scheme', issuer.replace('https', 'http')],
    ['user information', 'https://login.example.com@evil.example'],
    ['a subdomain', 'https://login.example.com.evil.example'],
    ['a space', `${issuer} `],
    ['a list', [issuer]],
    ['null', null],
  ])('iss: %s', async (_what, iss) => {
    expect(await judge(accessClaims({ iss }))).toBe('token_issuer')
  })

  it('of another tenant of the same multi-tenant provider', async () => {
    const tenant = '11111111-2222-3333-4444-555555555555'
    const other = '99999999-2222-3333-4444-555555555555'
    const v2 = (of: string): string => `https://login.microsoftonline.com/${of}/v2.0`
    const claims = accessClaims({ iss: v2(tenant), tid: tenant })
    const entra = (jwk: Json, of = tenant) =>
      onBench([jwk], {}, { type: 'entra', parameters: { tenant: of } })
    expect(await entra(rsa.jwk).judge(mint(rsa, claims))).toBe('verified')
    expect(await entra(rsa.jwk).judge(mint(rsa, { ...claims, iss: v2(other), tid: other }))).toBe(
      'token_issuer',
    )
    expect(await entra(rsa.jwk, 'common').judge(mint(rsa, { ...claims, iss: v2(other) }))).toBe(
      'token_issuer',
    )
    expect(await entra({ ...rsa.jwk, issuer: v2(other) }, 'common').judge(mint(rsa, claims))).toBe(
      'token_key_unfit',
    )
  })
})

describe('text that would write header lines', () => {
  const lines = [
    'alice\r\nX-Auth-Roles: admin',
    'alice\nx',
    'alice\rx',
    'alice\0',
    'a\u007fb',
    'a\u0085b',
    'a\ud800b',
    '\udfff',
  ]

  it.each(lines)('in the subject: %j', async (text) => {
    expect(await judge(accessClaims({ sub: text }))).toBe('token_claim')
  })

  it.each(lines)('in client, scopes and roles: %j', async (text) => {
    expect(await judge(accessClaims({ client_id: text }))).toBe('token_claim')
    expect(await judge(accessClaims({ scope: text }))).toBe('token_claim')
    expect(await judge(accessClaims({ scope: undefined, scp: [text] }))).toBe('token_claim')
    expect(await judge(accessClaims({ roles: [text] }))).toBe('token_claim')
  })

  it.each(lines)('in a tenant that the settings name: %j', async (text) => {
    const tenanted = onBench([rsa.jwk], {}, { claims: { tenant: ['org'] } })
    expect(await tenanted.judge(mint(rsa, accessClaims({ org: text })))).toBe('token_claim')
  })

  it('while letters of any script pass', async () => {
    expect(await judge(accessClaims({ sub: 'Zoë 山田 🦊', roles: ['éditeur'] }))).toBe('verified')
  })
})

describe('claims of a strange type', () => {
  it.each<[string, Json]>([
    ['a subject that is a list', { sub: ['alice'] }],
    ['a subject that is an object', { sub: { toString: 'alice' } }],
    ['a subject that is null', { sub: null }],
    ['roles that look like a list', { roles: { 0: 'admin', length: 1 } }],
    ['scopes inside scopes', { scope: [['admin']] }],
    ['a client that is a list', { client_id: ['a'] }],
    ['more roles than fit', { roles: Array.from({ length: 501 }, (_, n) => `r${n}`) }],
    ['a subject that does not end', { sub: 'x'.repeat(10_000) }],
  ])('%s', async (_what, changes) => {
    expect(await judge(accessClaims(changes))).toBe('token_claim')
  })

  it('inherited members are nobody’s claims', async () => {
    const odd = onBench([rsa.jwk], {}, { claims: { subject: ['constructor', 'name'], roles: ['__proto__'] } })
    expect(await odd.judge(mint(rsa, accessClaims()))).toBe('token_claim')
  })
})

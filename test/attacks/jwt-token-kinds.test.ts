/** Tokens that the provider did sign, for another purpose: none of them lets anybody in. */
import { describe, expect, it } from 'vitest'
import { onBench } from '../support/jwt-authenticator.ts'
import { accessClaims, audience, createSigner, mint, type Json } from '../support/tokens.ts'

const rsa = createSigner('RS256')
const bench = onBench([rsa.jwk])
const judge = (changes: Json, header: Json = {}): Promise<string> =>
  bench.judge(mint(rsa, accessClaims(changes), header))

it('the good token that the attacks are made from is accepted', async () => {
  expect(await judge({})).toBe('verified')
})

describe('an ID token as an access token', () => {
  const unmarked = { scope: undefined, client_id: undefined, azp: 'web' }

  it.each<[string, Json]>([
    ['with at_hash', { at_hash: 'x' }],
    ['with c_hash', { c_hash: 'x' }],
    ['with token_use', { token_use: 'id' }],
    ['with the payload type', { typ: 'ID' }],
    ['with the payload type in another case', { typ: 'id' }],
    ['with an empty at_hash', { at_hash: null }],
  ])('%s, even where a scope stands in it', async (_what, marks) => {
    expect(await judge(marks)).toBe('token_kind')
    expect(await judge({ ...unmarked, ...marks })).toBe('token_kind')
  })

  it('with a nonce', async () => {
    expect(await judge({ ...unmarked, nonce: 'n' })).toBe('token_kind')
    expect(await judge({ ...unmarked, nonce: null })).toBe('token_kind')
  })

  it('with nothing that tells, for an audience that is a client id', async () => {
    const guid = '0f0f0f0f-1111-2222-3333-444444444444'
    const token = mint(rsa, accessClaims({ ...unmarked, aud: guid }))
    expect(await onBench([rsa.jwk], { audience: [guid] }).judge(token)).toBe('token_kind')
    expect(await onBench([rsa.jwk], { audience: [guid, audience] }).judge(token)).toBe('token_kind')
  })
})

describe('a logout or security event token', () => {
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }

  it.each<[string, Json]>([
    ['in its usual form', { events, sid: 's', jti: 'j' }],
    ['with no event', { events: {} }],
    ['with events null', { events: null }],
    ['with a scope', { events, scope: 'admin' }],
  ])('%s', async (_what, claims) => {
    expect(await judge(claims)).toBe('token_kind')
    const lenient = onBench([rsa.jwk], { accept: 'id-token' })
    expect(await lenient.judge(mint(rsa, accessClaims(claims)))).toBe('token_kind')
  })

  it.each([
    'logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'token-introspection+jwt',
    'JOSE',
    'oauth-authz-req+jwt',
    '',
    ' JWT',
    'at+jwt\n',
  ])('of the type %j', async (typ) => {
    expect(await judge({}, { typ })).toBe('token_type')
  })
})

describe('a token that is bound to a key, without the proof', () => {
  it.each<[string, unknown, string]>([
    ['by DPoP', { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }, 'bound_as_bearer'],
    [
      'to a certificate',
      { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' },
      'bound_certificate_missing',
    ],
  ])('%s', async (_what, cnf, reason) => {
    expect(await judge({ cnf })).toBe(reason)
  })

  it.each<[string, unknown]>([
    ['in a way that is not known', { 'x-new': 1 }],
    ['to nothing', {}],
    ['to null', null],
    ['to false', false],
    ['to text', ''],
    ['to a list', []],
  ])('%s', async (_what, cnf) => {
    expect(await judge({ cnf })).toBe('token_bound')
  })
})

describe('a token inside a token, or an encrypted one', () => {
  it.each(['JWT', 'jwt', 'application/jwt', 1])('cty %j', async (cty) => {
    expect(await judge({}, { cty })).toBe('token_type')
  })

  it('five parts', async () => {
    expect(await bench.judge(`${mint(rsa, accessClaims())}.AAAA.AAAA`)).toBe('token_malformed')
  })

  it('an enc header', async () => {
    expect(await judge({}, { enc: 'A256GCM' })).toBe('token_malformed')
    expect(await judge({}, { alg: 'RSA-OAEP', enc: 'A256GCM' })).toBe('token_algorithm')
  })
})

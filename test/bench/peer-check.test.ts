/** The check of the peers: one that lets everybody in would be fast. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createVerifier } from '../../bench/peers/verify.ts'

const secret = 'a secret of the peers that is long enough'
const rules = {
  secret,
  issuer: 'https://login.example',
  audience: 'https://api.example',
  scope: 'items:read',
}
const claims = {
  iss: rules.issuer,
  aud: rules.audience,
  sub: 'ada',
  scope: 'openid items:read',
  exp: Math.floor(Date.now() / 1000) + 60,
}

function token(changes: object = {}, head: object = { alg: 'HS256' }, key = secret): string {
  const input = [head, { ...claims, ...changes }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

describe('the check of the peers', () => {
  const verify = createVerifier(rules)

  it('lets a good token in, again and again', () => {
    const good = `Bearer ${token()}`
    const identity = { subject: 'ada', scopes: 'openid items:read', expires: claims.exp }
    expect([verify(good), verify(good)]).toEqual([identity, identity])
  })

  it.each([
    ['no token', undefined],
    ['another scheme', `Basic ${token()}`],
    ['another secret', `Bearer ${token({}, { alg: 'HS256' }, 'another secret of somebody else')}`],
    ['another algorithm', `Bearer ${token({}, { alg: 'none' })}`],
    ['no signature', `Bearer ${token().split('.').slice(0, 2).join('.')}.`],
    ['a fourth part', `Bearer ${token()}.x`],
    ['another issuer', `Bearer ${token({ iss: 'https://evil.example' })}`],
    ['another audience', `Bearer ${token({ aud: 'https://other.example' })}`],
    ['a past end', `Bearer ${token({ exp: 1_600_000_000 })}`],
    ['nonsense', 'Bearer a.b.c'],
  ])('refuses %s', (_, value) => expect(verify(value)).toBe(401))

  it('refuses a good token without the scope', () => {
    expect(verify(`Bearer ${token({ scope: 'items:reader' })}`)).toBe(403)
  })

  it('forgets the oldest of too many tokens, and still knows what it knew', () => {
    const small = createVerifier(rules)
    const tokens = Array.from({ length: 4_100 }, (_, index) => `Bearer ${token({ sub: `user-${index}` })}`)
    for (const value of tokens) expect(small(value)).toHaveProperty('subject')
    expect(small(tokens[0])).toHaveProperty('subject', 'user-0')
  })
})

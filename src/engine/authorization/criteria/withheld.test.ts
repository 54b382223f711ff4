import { describe, expect, it } from 'vitest'
import { gatewayRequest } from '../../../../test/support/gateway-request.ts'
import type { AuthorizeSettings } from '../../../configuration.ts'
import type { Identity } from '../../identity.ts'
import { compileAuthorize, evaluate } from '../evaluate.ts'

/** A user of Entra in more groups than fit: `roles` are read from `groups`. */
const crowded: Identity = {
  issuer: 'https://login.microsoftonline.com/t/v2.0',
  subject: 'alice',
  scopes: ['read'],
  roles: [],
  claims: { tid: 't', _claim_names: { groups: 'src1' } },
  method: 'entra',
  amr: ['jwt'],
  withheld: ['groups', 'roles'],
}

function judge(authorize: AuthorizeSettings, identity: Identity = crowded): string {
  const refusal = evaluate(compileAuthorize(authorize), {
    identity,
    request: gatewayRequest(),
    routeId: 'r',
    now: 0,
  })
  return refusal === undefined ? 'allowed' : `${refusal.code} ${refusal.reason}: ${refusal.detail ?? ''}`
}

describe('a token whose groups did not fit', () => {
  it.each<[string, AuthorizeSettings]>([
    ['roles', { roles: ['g-1'] }],
    ['a claim', { claims: { groups: ['g-1'] } }],
    ['a condition on roles', { when: '"g-1" in identity.roles' }],
    ['a condition on the claim', { when: '"g-1" in identity.claims.groups' }],
    ['who is not in a group', { when: '!("blocked" in identity.roles)' }],
    ['who has no such claim', { when: '!has(identity.claims.groups)' }],
    ['a condition that may read any claim', { when: 'size(identity.claims) < 100' }],
    ['a condition on the whole identity', { when: '[identity].all(each, !("blocked" in each.roles))' }],
  ])('is refused with that reason by %s', (_what, authorize) => {
    expect(judge(authorize)).toMatch(/^forbidden claim_withheld: .*"(?:groups|roles)"/)
  })

  it.each<[string, AuthorizeSettings]>([
    ['no condition', {}],
    ['scopes', { scopes: ['read'] }],
    ['another claim', { claims: { tid: ['t'] } }],
    ['a condition on something else', { when: 'identity.claims.tid == "t" && "read" in identity.scopes' }],
  ])('passes by %s', (_what, authorize) => {
    expect(judge(authorize)).toBe('allowed')
  })

  it('is told apart from one that has its groups', () => {
    const { withheld: _withheld, ...whole } = crowded
    expect(judge({ roles: ['g-1'] }, whole)).toMatch(/^forbidden role_missing/)
    expect(judge({ when: '!("blocked" in identity.roles)' }, whole)).toBe('allowed')
  })
})

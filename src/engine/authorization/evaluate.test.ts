import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../../test/support/gateway-request.ts'
import type { AuthorizeSettings } from '../../configuration.ts'
import type { CredentialFacts, Identity } from '../identity.ts'
import { compileAuthorize, evaluate } from './evaluate.ts'
import { checkKeyLimits } from './key-limits.ts'

const now = 1_800_000_000_000

function person(parts: Partial<Identity> = {}): Identity {
  return {
    issuer: 'https://idp.example',
    subject: 'alice',
    scopes: ['read', 'write'],
    roles: ['viewer'],
    claims: {},
    method: 'corp',
    amr: ['jwt'],
    ...parts,
  }
}

function judge(
  settings: AuthorizeSettings,
  identity: Identity | undefined = person(),
  parts: RequestParts = {},
): string {
  const refusal = evaluate(compileAuthorize(settings), {
    identity,
    request: gatewayRequest(parts),
    routeId: 'r',
    now,
  })
  return refusal === undefined ? 'allowed' : `${refusal.code} ${refusal.reason}`
}

function anonymously(settings: AuthorizeSettings): string {
  const facts = { identity: undefined, request: gatewayRequest(), routeId: 'r', now }
  return evaluate(compileAuthorize(settings), facts)?.reason ?? 'allowed'
}

function claiming(claims: Record<string, unknown>, demands: AuthorizeSettings['claims']): string {
  return judge({ claims: demands! }, person({ claims }))
}

const mismatch = 'forbidden claim_mismatch'

describe('scopes and roles', () => {
  it('need all scopes', () => {
    expect(judge({ scopes: ['read', 'write'] })).toBe('allowed')
    expect(judge({ scopes: ['read', 'delete'] })).toBe('insufficient_scope scope_missing')
    expect(judge({ scopes: ['Read'] })).toBe('insufficient_scope scope_missing')
    expect(judge({ scopes: ['read write'] }, person({ scopes: ['read', 'write'] }))).toContain(
      'scope_missing',
    )
  })

  it('need any role', () => {
    expect(judge({ roles: ['admin', 'viewer'] })).toBe('allowed')
    expect(judge({ roles: ['admin'] })).toBe('forbidden role_missing')
    expect(judge({ roles: [] })).toBe('forbidden role_missing')
  })
})

describe('claims', () => {
  it('equal one of the values, or have an element that does', () => {
    expect(claiming({ dept: 'sales' }, { dept: ['it', 'sales'] })).toBe('allowed')
    expect(claiming({ dept: ['hr', 'sales'] }, { dept: ['sales'] })).toBe('allowed')
    expect(claiming({ dept: 'sales' }, { dept: ['it'] })).toBe(mismatch)
    expect(claiming({ dept: [['sales']] }, { dept: ['sales'] })).toBe(mismatch)
    expect(claiming({ dept: { sales: true } }, { dept: ['sales'] })).toBe(mismatch)
    expect(claiming({}, { dept: ['sales'] })).toBe(mismatch)
    expect(claiming({ dept: 'sales' }, { dept: [] })).toBe(mismatch)
  })

  it('are of the same JSON type', () => {
    expect(claiming({ n: 1, b: true }, { n: [1], b: [true] })).toBe('allowed')
    expect(claiming({ n: '1' }, { n: [1] })).toBe(mismatch)
    expect(claiming({ n: 1 }, { n: ['1'] })).toBe(mismatch)
    expect(claiming({ b: 'true' }, { b: [true] })).toBe(mismatch)
    expect(claiming({ b: 1 }, { b: [true] })).toBe(mismatch)
    expect(claiming({ b: null }, { b: [false] })).toBe(mismatch)
  })

  it('are found by exact name first, then by path', () => {
    expect(claiming({ realm_access: { roles: ['a'] } }, { 'realm_access.roles': ['a'] })).toBe('allowed')
    expect(claiming({ 'https://example.com/tier': 'gold' }, { 'https://example.com/tier': ['gold'] })).toBe(
      'allowed',
    )
    expect(claiming({ 'a.b': 'x', a: { b: 'y' } }, { 'a.b': ['y'] })).toBe(mismatch)
    expect(claiming({ 'a.b': 'x', a: { b: 'y' } }, { 'a.b': ['x'] })).toBe('allowed')
  })

  it('all hold', () => {
    expect(claiming({ a: 1, b: 2 }, { a: [1], b: [2] })).toBe('allowed')
    expect(claiming({ a: 1, b: 2 }, { a: [1], b: [3] })).toBe(mismatch)
  })

  it('are never inherited', () => {
    expect(claiming({}, { 'constructor.name': ['Object'] })).toBe(mismatch)
    expect(claiming({ a: 'text' }, { 'a.length': [4] })).toBe(mismatch)
    expect(claiming({ a: ['x'] }, { 'a.length': [1] })).toBe(mismatch)
    expect(claiming({ a: ['x'] }, { 'a.0': ['x'] })).toBe(mismatch)
  })
})

describe('the address', () => {
  it('lies in a range', () => {
    const settings = { addresses: ['10.0.0.0/8', '2001:db8::/32'] }
    expect(judge(settings, person(), { clientIp: '10.9.8.7' })).toBe('allowed')
    expect(judge(settings, person(), { clientIp: '2001:db8::7' })).toBe('allowed')
    expect(judge(settings, person(), { clientIp: '11.0.0.1' })).toBe('forbidden address_refused')
    expect(judge({ addresses: [] })).toBe('forbidden address_refused')
  })
})

describe('the way and time of authentication', () => {
  it('is one of the accepted ways', () => {
    expect(judge({ acr: ['mfa', 'hw'] }, person({ claims: { acr: 'hw' } }))).toBe('allowed')
    expect(judge({ acr: ['mfa'] }, person({ claims: { acr: 'pwd' } }))).toBe(
      'insufficient_user_authentication acr_missing',
    )
    expect(judge({ acr: ['mfa'] }, person({ claims: { acr: ['mfa'] } }))).toContain('acr_missing')
    expect(judge({ acr: ['mfa'] })).toContain('acr_missing')
  })

  it('is recent enough', () => {
    const age = (seconds: number): string =>
      judge({ maxAge: 300_000 }, person({ claims: { auth_time: now / 1000 - seconds } }))
    expect(age(300)).toBe('allowed')
    expect(age(301)).toBe('insufficient_user_authentication authentication_too_old')
    expect(age(-30)).toBe('allowed')
    expect(age(-3600)).toContain('authentication_too_old')
    expect(judge({ maxAge: 300_000 })).toContain('authentication_too_old')
    expect(judge({ maxAge: 300_000 }, person({ claims: { auth_time: String(now / 1000) } }))).toContain(
      'too_old',
    )
  })
})

describe('conditions', () => {
  it('allow by true alone, and say whether they were false or could not be evaluated', () => {
    expect(judge({ when: 'identity.subject == "alice"' })).toBe('allowed')
    expect(judge({ when: 'identity.subject == "bob"' })).toBe('forbidden condition_false')
    expect(judge({ when: 'identity.tenant == "t"' })).toBe('forbidden condition_error')
    expect(judge({ when: 'identity.claims.yes' }, person({ claims: { yes: 'true' } }))).toBe(
      'forbidden condition_error',
    )
  })

  it('are compiled or not at all', () => {
    expect(() => compileAuthorize({ when: 'identity.scope == "a"' })).toThrow(TypeError)
  })
})

describe('the whole', () => {
  it('is asked in one order', () => {
    const all: AuthorizeSettings = {
      when: 'identity.subject == "bob"',
      maxAge: 1,
      acr: ['x'],
      claims: { c: [1] },
      roles: ['none'],
      scopes: ['none'],
      addresses: ['10.0.0.0/8'],
    }
    const reasons: string[] = []
    const names = ['addresses', 'scopes', 'roles', 'claims', 'acr', 'maxAge', 'when'] as const
    for (let index = 0; index < names.length; index += 1) {
      const left = Object.fromEntries(
        names.slice(index).map((name) => [name, all[name]]),
      ) as AuthorizeSettings
      reasons.push(judge(left).split(' ')[1]!)
    }
    expect(reasons).toEqual([
      'address_refused',
      'scope_missing',
      'role_missing',
      'claim_mismatch',
      'acr_missing',
      'authentication_too_old',
      'condition_false',
    ])
  })

  it('allows any identity when nothing is asked, and nobody where an identity is', () => {
    expect(judge({})).toBe('allowed')
    expect(anonymously({})).toBe('allowed')
    expect(anonymously({ scopes: ['a'] })).toBe('scope_missing')
    expect(anonymously({ roles: ['a'] })).toBe('role_missing')
    expect(anonymously({ claims: { a: [1] } })).toBe('claim_mismatch')
    expect(anonymously({ acr: ['a'] })).toBe('acr_missing')
    expect(anonymously({ maxAge: 1 })).toBe('authentication_too_old')
    expect(anonymously({ when: 'identity.subject != ""' })).toBe('condition_error')
  })

  it('tells which claims it reads', () => {
    const settings = {
      claims: { 'a.b': [1], c: [2] },
      acr: ['x'],
      maxAge: 1,
      when: 'identity.claims.level > 1',
    }
    expect(compileAuthorize(settings).claimsRead).toEqual(['a', 'a.b', 'acr', 'auth_time', 'c', 'level'])
  })
})

describe("a key's own limits", () => {
  const key = (parts: Partial<CredentialFacts>): CredentialFacts => ({
    kind: 'api-key',
    expiresAt: Infinity,
    place: { kind: 'header', name: 'x-api-key' },
    ...parts,
  })
  const check = (parts: Partial<CredentialFacts>): string =>
    checkKeyLimits(key(parts), '192.0.2.1', 'r')?.reason ?? 'allowed'

  it('are its addresses and routes; none written is no limit', () => {
    expect(check({})).toBe('allowed')
    expect(check({ allowedIps: [], allowedRoutes: [] })).toBe('allowed')
    expect(check({ allowedIps: ['192.0.2.0/24'], allowedRoutes: ['q', 'r'] })).toBe('allowed')
    expect(check({ allowedIps: ['10.0.0.0/8'] })).toBe('key_address_refused')
    expect(check({ allowedRoutes: ['q'] })).toBe('key_route_refused')
  })
})

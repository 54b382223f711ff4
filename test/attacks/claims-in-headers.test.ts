/** A claim becomes a header: one with line breaks, commas or other alphabets must neither end the field nor say more than one thing. */
import { array, assert as check, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/engine/identity.ts'
import { alice, plan, seen, valuesOf } from '../support/planning.ts'

function headersOf(identity: Partial<Identity>): string[] {
  return seen(plan({}, { identity: { ...alice, ...identity } }))
}

describe('a hostile claim', () => {
  it('with line breaks ends no field', () => {
    const attack = 'eve\r\nX-Auth-Roles: admin\r\n\r\nGET /admin HTTP/1.1'
    for (const field of ['subject', 'issuer', 'client', 'tenant'] as const) {
      const lines = headersOf({ [field]: attack })
      expect(lines.join('')).not.toMatch(/[\r\n]/)
      expect(lines.filter((line) => line.startsWith('X-Auth-Roles'))).toEqual(['X-Auth-Roles: viewer,editor'])
    }
  })

  it('with a comma makes no second role', () => {
    expect(headersOf({ roles: ['viewer,admin'] })).toContain('X-Auth-Roles: viewer%2Cadmin')
    expect(headersOf({ roles: ['viewer%2Cadmin'] })).toContain('X-Auth-Roles: viewer%252Cadmin')
    expect(headersOf({ roles: ['viewer, admin'] })).toContain('X-Auth-Roles: viewer%2C%20admin')
  })

  it('with a space makes no second scope', () => {
    expect(headersOf({ scopes: ['read admin:all', 'list'] })).toContain('X-Auth-Scopes: list')
    expect(headersOf({ scopes: ['read\tadmin', 'a\u00a0b'] })).toContain(
      'X-Auth-Scopes: read%09admin a%C2%A0b',
    )
  })

  it('in other alphabets is told apart from what looks like it', () => {
    expect(headersOf({ subject: 'аdmin' })).toContain('X-Auth-Subject: %D0%B0dmin')
    expect(headersOf({ subject: 'admin\u200b' })).toContain('X-Auth-Subject: admin%E2%80%8B')
    expect(headersOf({ subject: 'admın' })).toContain('X-Auth-Subject: adm%C4%B1n')
  })

  it('with an escape in it is not what the escape stands for', () => {
    expect(headersOf({ subject: 'adm%69n' })).toContain('X-Auth-Subject: adm%2569n')
  })

  it('of any content is one line of visible ASCII, and comes back whole', () => {
    const text = array(integer({ min: 0, max: 0xd7ff }), { minLength: 1 }).map((codes) =>
      String.fromCodePoint(...codes),
    )
    check(
      property(text, (subject) => {
        const [value, ...more] = valuesOf(plan({}, { identity: { ...alice, subject } }), 'x-auth-subject')
        expect(more).toEqual([])
        expect(value).toMatch(/^[\x21-\x7e]+$/)
        expect(decodeURIComponent(value!)).toBe(subject)
      }),
    )
  })
})

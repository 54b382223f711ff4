import { describe, expect, it } from 'vitest'
import { gatewayRequest } from '../../test/support/gateway-request.ts'
import { cookieValues, isOwnCookie, setCookieName, withoutCookies } from './cookies.ts'

function read(name: string, ...lines: string[]): readonly string[] {
  return cookieValues(gatewayRequest({ headers: { cookie: lines } }), name)
}

describe('reading a cookie', () => {
  it('finds each value in every Cookie field, in order', () => {
    expect(read('a', 'a=1; b=2;a=3', '\ta = 4=5 ')).toEqual(['1', '3', '4=5'])
    expect(read('a', 'a=')).toEqual([''])
  })

  it('compares the whole name, case and all', () => {
    expect(read('a', 'A=1; aa=2; a; =a; b=a=3')).toEqual([])
    expect(read('a')).toEqual([])
  })

  it('splits at every semicolon, quoted or not', () => {
    expect(read('s', 'x="y; s=1"')).toEqual(['1"'])
  })
})

describe('removing cookies', () => {
  const without = (line: string): string | undefined => withoutCookies(line, (name) => name === 's')

  it.each([
    ['a=1; s=2; b=3', 'a=1; b=3'],
    ['s=2; b=3', 'b=3'],
    ['a=1; s=2', 'a=1'],
    ['a=1;s=2;b=3; s = 4 ;c', 'a=1;b=3;c'],
    ['a="x; s=2"; b', 'a="x; b'],
    ['s; =s=1; ==s; b', 'b'],
    ['a=s=1;  b = 2 ;', 'a=s=1;  b = 2 ;'],
    ['a=1', 'a=1'],
  ])('of %s leaves %s', (line, left) => {
    expect(without(line)).toBe(left)
  })

  it('leaves nothing where none is left', () => {
    expect(without('s=1; s=2')).toBeUndefined()
  })
})

describe('the own cookies of the gateway', () => {
  it.each([
    'portcullis',
    '__Host-portcullis',
    '__host-Portcullis',
    '__Host-portcullis-login-abc',
    'portcullis-login-abc',
    'Portcullis_Login.abc',
    '__Secure-portcullis',
  ])('%s is one', (name) => {
    expect(isOwnCookie(name)).toBe(true)
  })

  it.each(['portcullis2', 'my-portcullis', 'portcullis-login', '__Host-session', ''])(
    '%s is none',
    (name) => {
      expect(isOwnCookie(name)).toBe(false)
    },
  )

  it.each([
    ['portcullis=x; Path=/', 'portcullis'],
    [' portcullis =x', 'portcullis'],
    ['=portcullis=x; Path=/', 'portcullis'],
    ['portcullis; Path=/', 'portcullis'],
    ['a=portcullis=x', 'a'],
  ])('%s sets %s', (line, name) => {
    expect(setCookieName(line)).toBe(name)
  })
})

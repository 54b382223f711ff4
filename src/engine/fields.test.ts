import { describe, expect, it } from 'vitest'
import {
  canonicalName,
  connectionOptions,
  isFieldName,
  isFieldValue,
  isNamed,
  lowerName,
  ownText,
  withoutHopByHop,
} from './fields.ts'

describe('hop-by-hop fields', () => {
  it('are removed whatever their case, the rest keeps its order and spelling', () => {
    const fields = [
      'Accept',
      '*/*',
      'TE',
      'trailers',
      'Keep-Alive',
      'timeout=5',
      'X-A',
      '1',
      'x-a',
      '2',
      'Upgrade',
      'h2c',
    ]
    expect(withoutHopByHop(fields)).toEqual(['Accept', '*/*', 'X-A', '1', 'x-a', '2'])
  })

  it('include what any of several Connection fields names', () => {
    const fields = [
      'connection',
      'close, X-One',
      'X-One',
      '1',
      'Connection',
      ' x-two ,',
      'x-TWO',
      '2',
      'X-Three',
      '3',
    ]
    expect(withoutHopByHop(fields)).toEqual(['X-Three', '3'])
    expect(connectionOptions(fields)).toEqual(new Set(['close', 'x-one', 'x-two']))
  })

  it('has no connection options where there is no Connection field', () => {
    expect(connectionOptions(['x-connection', 'close'])).toBeUndefined()
  })
})

describe('the shape of a field', () => {
  it('takes tokens as names and nothing else', () => {
    expect(isFieldName('X-Auth-Subject')).toBe(true)
    for (const name of ['', 'a b', 'a:', 'a\r\n', 'ü', 'a(b)']) {
      expect(isFieldName(name)).toBe(false)
    }
  })

  it('takes no line break, control byte or character outside Latin-1 in a value', () => {
    expect(isFieldValue('a\tb é')).toBe(true)
    for (const value of ['a\r\nb: c', 'a\nb', 'a\rb', 'a\0b', 'a\x7f', 'ж']) {
      expect(isFieldValue(value)).toBe(false)
    }
  })

  it('compares a written name with a lower-case one', () => {
    expect(isNamed('Content-Length', 'content-length')).toBe(true)
    expect(isNamed('Content-Lengths', 'content-length')).toBe(false)
    expect(isNamed('Content-Kength', 'content-length')).toBe(false)
  })
})

describe('the lower-case form of a name', () => {
  it('is what it would be without a memory of names, however often and in whatever form it comes', () => {
    for (const name of ['Authorization', 'authorization', 'AUTHORIZATION', 'X-Own', 'x-OWN', '', 'İ', 'K']) {
      for (let time = 0; time < 3; time += 1) expect(lowerName(name)).toBe(name.toLowerCase())
    }
    for (let number = 0; number < 5000; number += 1) expect(lowerName(`X-N-${number}`)).toBe(`x-n-${number}`)
    expect(lowerName('X-Request-Id')).toBe('x-request-id')
  })
})

describe('a text of its own', () => {
  it('is the same text', () => {
    for (const text of ['', 'a', 'é', '\ud800', '😀', 'x'.repeat(5000)]) expect(ownText(text)).toBe(text)
  })
})

describe('the form in which a careless backend knows a name', () => {
  it('folds case and every character that is no letter or digit', () => {
    for (const name of ['X-Auth-Subject', 'x_auth_subject', 'X.Auth~Subject']) {
      expect(canonicalName(name)).toBe('x-auth-subject')
    }
    expect(canonicalName('X-AUTH--SUBJECT9é')).toBe('x-auth--subject9-')
  })
})

import { describe, expect, it } from 'vitest'
import { parseSpiffeId } from './spiffe-id.ts'

describe('a SPIFFE ID', () => {
  it.each([
    ['spiffe://prod.example.org/ns/payments/sa/worker', 'prod.example.org', '/ns/payments/sa/worker'],
    ['spiffe://prod_1.example-org/a.b', 'prod_1.example-org', '/a.b'],
    ['spiffe://prod.example.org', 'prod.example.org', ''],
  ])('is %s', (text, trustDomain, path) => {
    expect(parseSpiffeId(text)).toEqual({ trustDomain, path })
  })

  it.each([
    'SPIFFE://prod.example.org/a',
    'spiffe:/prod.example.org/a',
    'spiffe://Prod.example.org/a',
    'spiffe://prod.example.org:443/a',
    'spiffe://user@prod.example.org/a',
    'spiffe://prod.example.org/',
    'spiffe://prod.example.org/a/',
    'spiffe://prod.example.org//a',
    'spiffe://prod.example.org/a/../b',
    'spiffe://prod.example.org/./a',
    'spiffe://prod.example.org/a%2Fb',
    'spiffe://prod.example.org/a?b',
    'spiffe://prod.example.org/a#b',
    'spiffe://prod.example.org/ä',
    'spiffe:///a',
    `spiffe://${'a'.repeat(256)}/a`,
    `spiffe://prod.example.org/${'a'.repeat(2_048)}`,
    'https://prod.example.org/a',
    '',
  ])('is not %s', (text) => {
    expect(parseSpiffeId(text)).toBeUndefined()
  })
})

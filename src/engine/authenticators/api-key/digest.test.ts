import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../secret.ts'
import { digestOfKey, digestOfSha256, distinctPeppers } from './digest.ts'

const key = 'ptc_example-key'
const sha256 = createHash('sha256').update(key).digest()

describe('the digest of a key', () => {
  it('is its SHA-256 in lower-case hex', () => {
    expect(digestOfKey(key, undefined)).toBe(sha256.toString('hex'))
  })

  it('is keyed with the pepper over the raw SHA-256', () => {
    const expected = createHmac('sha256', 'salt and pepper').update(sha256).digest('hex')
    expect(digestOfKey(key, new Secret('salt and pepper'))).toBe(expected)
    expect(digestOfSha256(sha256.toString('hex'), new Secret('salt and pepper'))).toBe(expected)
    expect(digestOfSha256(sha256.toString('hex'), undefined)).toBe(sha256.toString('hex'))
  })

  it('is needed once for each distinct pepper, none being one of them', () => {
    const peppers = distinctPeppers([new Secret('a'), undefined, new Secret('b'), new Secret('a'), undefined])
    expect(peppers.map((pepper) => pepper?.reveal())).toEqual(['a', undefined, 'b'])
  })
})

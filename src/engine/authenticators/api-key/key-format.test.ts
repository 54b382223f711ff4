import { crc32 } from 'node:zlib'
import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumOf, isKeyPrefix, makeKey, makeKeyId, shapeOfKey } from './key-format.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

describe('the form of a key', () => {
  it('is prefix, id, secret and checksum', () => {
    const { id, key } = makeKey('ptc')
    expect(key).toMatch(/^ptc_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/)
    expect(key.slice(4, 16)).toBe(id)
    expect(shapeOfKey(key, 'ptc')).toBe('good')
  })

  it('has the CRC-32 of all before it as its checksum, in base62, big-endian, padded with 0', () => {
    assert(
      property(string(), (text) => {
        let value = 0
        for (const digit of checksumOf(text)) value = value * 62 + alphabet.indexOf(digit)
        expect(value).toBe(crc32(Buffer.from(text)))
      }),
    )
    // The published check value of CRC-32/ISO-HDLC, 0xCBF43926.
    expect(checksumOf('123456789')).toBe('3jZRME')
    expect(checksumOf('')).toBe('000000')
  })

  it('tells every change of one character', () => {
    const { key } = makeKey('ptc')
    for (let at = 4; at < key.length; at += 1) {
      if (key[at] === '_') continue
      const other = key[at] === 'A' ? 'B' : 'A'
      expect(shapeOfKey(key.slice(0, at) + other + key.slice(at + 1), 'ptc')).toBe('checksum')
    }
  })

  it('is another form when cut, lengthened, or of another prefix', () => {
    const { key } = makeKey('ptc')
    for (const value of [
      key.slice(0, -1),
      `${key}0`,
      `${key}\n`,
      ` ${key}`,
      key.replace('ptc_', 'PTC_'),
      key.replace('_', '-'),
      'ptc_',
      'ptc',
      '',
    ]) {
      expect(shapeOfKey(value, 'ptc')).toBe('form')
    }
    expect(shapeOfKey(key, 'pt')).toBe('form')
  })

  it('takes all its digits equally often', () => {
    const counts = new Map<string, number>()
    for (let round = 0; round < 4_000; round += 1) {
      for (const digit of makeKeyId()) counts.set(digit, (counts.get(digit) ?? 0) + 1)
    }
    const expected = (4_000 * 12) / 62
    const chiSquared = alphabet
      .split('')
      .reduce((sum, digit) => sum + ((counts.get(digit) ?? 0) - expected) ** 2 / expected, 0)
    // 61 degrees of freedom: above 130 once in a million runs.
    expect(chiSquared).toBeLessThan(130)
  })

  it('throws bytes away that would favour some digits', () => {
    const bytes = [250, 255, 248, 0, 61, 62, 247]
    const random = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => bytes.shift() ?? 1)
    expect(makeKeyId(random).slice(0, 4)).toBe('0z0z')
  })

  it('knows what a prefix may be', () => {
    expect(['pt', 'ptc', 'a1b2c3d4e5'].every(isKeyPrefix)).toBe(true)
    expect(['p', 'a1b2c3d4e5f', 'PTC', 'p_c', 'ptc\n', ''].some(isKeyPrefix)).toBe(false)
  })
})

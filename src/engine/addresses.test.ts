import { describe, expect, it } from 'vitest'
import { addressBlock, compileRanges, isRange } from './addresses.ts'

describe('the block of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2::3:4:5:192.0.2.1', '1:2:0:3::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ['unknown', 'unknown'],
  ])('%s is %s', (address, block) => {
    expect(addressBlock(address)).toBe(block)
  })
})

describe('address ranges', () => {
  const ranges = compileRanges(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1'])

  it.each(['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8::1', '::1', '::ffff:10.1.2.3'])(
    'hold %s',
    (address) => {
      expect(ranges.has(address)).toBe(true)
    },
  )

  it.each(['11.0.0.0', '192.0.2.8', '2001:db9::', '::2', '', 'x', '10.0.0', '010.0.0.1'])(
    'do not hold %s',
    (address) => {
      expect(ranges.has(address)).toBe(false)
    },
  )

  it.each(['::ffff:10.0.0.0/104', '::ffff:a00:0/104', '::FFFF:10.1.2.3'])(
    'written as %s hold plain IPv4',
    (range) => {
      expect(compileRanges([range]).has('10.1.2.3')).toBe(true)
      expect(compileRanges([range]).has('11.1.2.3')).toBe(false)
    },
  )

  it('hold nothing when there are none', () => {
    expect(compileRanges([]).has('10.0.0.1')).toBe(false)
  })

  it.each([
    '',
    'x',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0',
    '::/129',
    'fe80::1%eth0',
    '::1/64/1',
  ])('"%s" is no range', (text) => {
    expect(isRange(text)).toBe(false)
    expect(() => compileRanges([text])).toThrow(TypeError)
  })
})

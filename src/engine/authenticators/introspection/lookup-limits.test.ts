import { describe, expect, it } from 'vitest'
import { createLookupLimits, type LookupLimits, type Permit } from './lookup-limits.ts'

const roomy = { atOnce: 1_000, failures: 1_000, forgetOne: 1_000 }

function admitted(limits: LookupLimits, address: string, now: number): Permit {
  const permit = limits.admit(address, now)
  if ('why' in permit) throw new Error(`refused: ${permit.why}`)
  return permit
}

function told(limits: LookupLimits, address: string, now: number): string {
  const permit = limits.admit(address, now)
  return 'why' in permit ? `${permit.why} ${permit.retryAfter}` : 'admitted'
}

describe('look-ups under way', () => {
  it('are bounded for each address, and end', () => {
    const limits = createLookupLimits({ ...roomy, atOnce: 2 }, roomy)
    const first = admitted(limits, '192.0.2.1', 0)
    admitted(limits, '192.0.2.1', 0)
    expect(told(limits, '192.0.2.1', 0)).toBe('address 1000')
    expect(told(limits, '192.0.2.2', 0)).toBe('admitted')
    first.answered(true, 0)
    expect(told(limits, '192.0.2.1', 0)).toBe('admitted')
  })

  it('count an IPv6 network as one address', () => {
    const limits = createLookupLimits({ ...roomy, atOnce: 1 }, roomy)
    admitted(limits, '2001:db8::1', 0)
    expect(told(limits, '2001:db8::2', 0)).toBe('address 1000')
    expect(told(limits, '2001:db8:0:1::1', 0)).toBe('admitted')
  })

  it('are bounded for the provider over all addresses', () => {
    const limits = createLookupLimits(roomy, { ...roomy, atOnce: 2 })
    admitted(limits, '192.0.2.1', 0)
    admitted(limits, '192.0.2.2', 0)
    expect(told(limits, '192.0.2.3', 0)).toBe('provider 1000')
  })
})

describe('failed look-ups', () => {
  it('are bounded for each address, and forgotten one by one', () => {
    const limits = createLookupLimits({ ...roomy, failures: 3 }, roomy)
    for (let turn = 0; turn < 3; turn += 1) admitted(limits, '192.0.2.1', 0).answered(false, 0)
    expect(told(limits, '192.0.2.1', 0)).toBe('address 1000')
    expect(told(limits, '192.0.2.1', 400)).toBe('address 600')
    expect(told(limits, '192.0.2.2', 0)).toBe('admitted')
    admitted(limits, '192.0.2.1', 1_000).answered(false, 1_000)
    expect(told(limits, '192.0.2.1', 1_000)).toBe('address 1000')
  })

  it('count before they are known to be failed: a volley at once gains nothing', () => {
    const limits = createLookupLimits({ ...roomy, failures: 3 }, roomy)
    const permits = [0, 0, 0].map((now) => admitted(limits, '192.0.2.1', now))
    expect(told(limits, '192.0.2.1', 0)).toBe('address 1000')
    permits[0]!.answered(true, 0)
    expect(told(limits, '192.0.2.1', 0)).toBe('admitted')
  })

  it('of one address are not taken from the provider beyond its own bound', () => {
    const limits = createLookupLimits({ ...roomy, failures: 3 }, { ...roomy, failures: 4 })
    for (let turn = 0; turn < 3; turn += 1) admitted(limits, '192.0.2.1', 0).answered(false, 0)
    for (let turn = 0; turn < 9; turn += 1) limits.admit('192.0.2.1', 0)
    admitted(limits, '192.0.2.2', 0).answered(false, 0)
    expect(told(limits, '192.0.2.3', 0)).toBe('provider 1000')
  })

  it('that were good cost nothing, however many', () => {
    const limits = createLookupLimits({ ...roomy, failures: 3 }, { ...roomy, failures: 3 })
    for (let turn = 0; turn < 50; turn += 1) admitted(limits, '192.0.2.1', turn).answered(true, turn)
    expect(told(limits, '192.0.2.1', 50)).toBe('admitted')
  })
})

describe('a provider that is away', () => {
  it('is asked by one at a time, after a pause, once it failed three times in a row', () => {
    const limits = createLookupLimits(roomy, roomy)
    for (let turn = 0; turn < 3; turn += 1) admitted(limits, '192.0.2.1', 0).failed(0, 0)
    expect(told(limits, '192.0.2.1', 0)).toBe('away 1000')
    expect(told(limits, '192.0.2.2', 999)).toBe('away 1')
    const probe = admitted(limits, '192.0.2.2', 1_000)
    expect(told(limits, '192.0.2.1', 1_000)).toBe('away 1000')
    probe.answered(false, 1_001)
    expect(told(limits, '192.0.2.1', 1_001)).toBe('admitted')
  })

  it('is left alone for as long as it asks', () => {
    const limits = createLookupLimits(roomy, roomy)
    for (let turn = 0; turn < 3; turn += 1) admitted(limits, '192.0.2.1', 0).failed(30_000, 0)
    expect(told(limits, '192.0.2.1', 29_000)).toBe('away 1000')
  })

  it('costs its users nothing once it is back', () => {
    const limits = createLookupLimits({ ...roomy, failures: 3 }, roomy)
    for (let turn = 0; turn < 20; turn += 1)
      admitted(limits, '192.0.2.1', turn * 2_000).failed(0, turn * 2_000)
    expect(told(limits, '192.0.2.1', 40_000)).toBe('admitted')
  })

  it('is not one that failed now and then', () => {
    const limits = createLookupLimits(roomy, roomy)
    for (let turn = 0; turn < 10; turn += 1) {
      admitted(limits, '192.0.2.1', 0).failed(0, 0)
      admitted(limits, '192.0.2.1', 0).failed(0, 0)
      admitted(limits, '192.0.2.1', 0).answered(true, 0)
    }
    expect(told(limits, '192.0.2.1', 0)).toBe('admitted')
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refused, startOfTime } from '../testing/log.ts'
import { Coalescer, windows, type CoalescedRefusals } from './coalesce.ts'

function coalescer(): { readonly it: Coalescer; readonly emitted: CoalescedRefusals[] } {
  const emitted: CoalescedRefusals[] = []
  return { it: new Coalescer((refusals) => emitted.push(refusals)), emitted }
}

describe('equal refusals', () => {
  it('are events of their own up to ten in a second, the rest are one with a count', () => {
    const { it: counted, emitted } = coalescer()
    const absorbed = Array.from({ length: 37 }, (_, n) => counted.absorb(refused(n), 'c', startOfTime + n))
    expect(absorbed.filter((is) => !is)).toHaveLength(10)
    expect(emitted).toEqual([])
    counted.flush()
    expect(emitted).toHaveLength(1)
    expect(emitted[0]).toMatchObject({
      count: 27,
      configuration: 'c',
      entry: {
        time: startOfTime + 36,
        type: 'authentication',
        outcome: 'refuse',
        reason: 'token_signature',
        code: 'credential_invalid',
        route: 'catalog-read',
        clientIp: '198.51.100.7',
        data: { first: '2026-11-24T16:00:00.010Z', last: '2026-11-24T16:00:00.036Z' },
      },
    })
    expect(emitted[0]?.entry).not.toHaveProperty('requestId')
    expect(emitted[0]?.entry).not.toHaveProperty('path')
  })

  it('are told apart by reason, route and address, and an IPv6 /64 is one address', () => {
    const { it: counted, emitted } = coalescer()
    for (let n = 0; n < 12; n++) {
      counted.absorb(refused(n), 'c', startOfTime)
      counted.absorb(refused(n, { reason: 'key_unknown' }), 'c', startOfTime)
      counted.absorb(refused(n, { route: 'other' }), 'c', startOfTime)
      counted.absorb(refused(n, { clientIp: `2001:db8::${n}` }), 'c', startOfTime)
      counted.absorb(refused(n, { clientIp: `192.0.2.${n}` }), 'c', startOfTime)
    }
    counted.flush()
    expect(emitted.map(({ count, entry }) => [count, entry.data?.['network'] ?? entry.clientIp])).toEqual([
      [2, '198.51.100.7'],
      [2, '198.51.100.7'],
      [2, '198.51.100.7'],
      [2, '2001:db8:0:0::/64'],
    ])
  })

  it('begin anew with each second, or each minute', () => {
    const { it: counted, emitted } = coalescer()
    for (let n = 0; n < 11; n++) counted.absorb(refused(n), 'c', startOfTime)
    expect(counted.absorb(refused(0), 'c', startOfTime + 1000)).toBe(false)
    expect(emitted.map(({ count }) => count)).toEqual([1])
    counted.window = windows.minute
    for (let n = 0; n < 11; n++) counted.absorb(refused(n), 'c', startOfTime + 2000)
    expect(counted.absorb(refused(0), 'c', startOfTime + 59_000)).toBe(true)
    expect(counted.absorb(refused(0), 'c', startOfTime + 60_000)).toBe(false)
    expect(emitted.map(({ count }) => count)).toEqual([1, 2])
  })

  it('of more addresses than are remembered are events of their own: none is lost, and memory stays bounded', () => {
    const { it: counted } = coalescer()
    for (let n = 0; n < 30_000; n++) {
      const clientIp = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
      expect(counted.absorb(refused(n, { clientIp }), 'c', startOfTime)).toBe(false)
    }
    expect(counted.waiting).toBe(0)
  })

  it('add up: what is written of its own and what is counted is what came', () => {
    const steps = fc.array(fc.record({ after: fc.nat(400), address: fc.nat(2), reason: fc.nat(1) }), {
      maxLength: 400,
    })
    fc.assert(
      fc.property(steps, (steps) => {
        const { it: counted, emitted } = coalescer()
        let now = startOfTime
        let own = 0
        for (const { after, address, reason } of steps) {
          now += after
          const entry = refused(now - startOfTime, {
            clientIp: `192.0.2.${address}`,
            reason: `reason-${reason}`,
          })
          if (!counted.absorb(entry, 'c', now)) own++
        }
        counted.flush()
        expect(own + emitted.reduce((sum, { count }) => sum + count, 0)).toBe(steps.length)
      }),
    )
  })
})

/** Guessing on after the gateway has had enough of it. */
import { describe, expect, it } from 'vitest'
import type { LockoutSettings } from '../../src/configuration.ts'
import {
  createLockout,
  createLockoutMemory,
  type Lockout,
  type LockoutMemory,
} from '../../src/limits/lockout.ts'

const settings: LockoutSettings = { failures: { count: 20, period: 60_000 }, for: 300_000 }

function start(memory?: LockoutMemory): { lockout: Lockout; clock: { time: number; now: () => number } } {
  const clock = { time: 1_000_000, now: () => clock.time }
  return { lockout: createLockout(settings, { clock, ...(memory === undefined ? {} : { memory }) }), clock }
}

/** Guesses as fast as it is let. @returns how many guesses were looked at */
function attack(
  lockout: Lockout,
  address: () => string,
  tries: number,
  tick: () => void = () => undefined,
): number {
  let looked = 0
  for (let index = 0; index < tries; index += 1) {
    tick()
    const from = address()
    if (lockout.admit(from) > 0) continue
    looked += 1
    lockout.failed(from, `guess-${index}`)
  }
  return looked
}

describe('a guesser', () => {
  it('gets twenty looks, then one a second', () => {
    const { lockout, clock } = start()
    const looked = attack(
      lockout,
      () => '192.0.2.1',
      6000,
      () => (clock.time += 10),
    )
    expect(looked).toBeLessThanOrEqual(20 + 60)
  })

  it('does not get more by changing addresses within an IPv6 network, or by spelling one in another way', () => {
    const { lockout } = start()
    let host = 0
    expect(attack(lockout, () => `2001:db8:0:1::${(host += 1).toString(16)}`, 1000)).toBe(20)
    expect(lockout.admit('2001:DB8:0000:0001:ffff:ffff:ffff:ffff')).toBeGreaterThan(0)
    const { lockout: mapped } = start()
    expect(attack(mapped, () => (host++ % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'), 1000)).toBe(20)
  })

  it('is not reset by a good credential of its own in between', () => {
    const { lockout } = start()
    attack(lockout, () => '192.0.2.1', 19)
    // A success is nothing that the lockout hears of: there is no call for it.
    expect(Object.keys(lockout).sort()).toEqual(['admit', 'failed'])
    expect(lockout.failed('192.0.2.1', 'the twentieth')).toBe(true)
  })

  it('is not set free by waiting just short of the window', () => {
    const { lockout, clock } = start()
    attack(lockout, () => '192.0.2.1', 19)
    clock.time += 59_999
    expect(lockout.failed('192.0.2.1', 'late')).toBe(true)
  })

  it('cannot flood the table to have its own count or lockout forgotten', () => {
    const { lockout } = start(createLockoutMemory(1000))
    attack(lockout, () => '192.0.2.1', 20)
    attack(lockout, () => '192.0.2.2', 19)
    let index = 0
    attack(lockout, () => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${(index += 1) & 255}`, 20_000)
    expect(lockout.admit('192.0.2.1')).toBeGreaterThan(0)
    expect(lockout.failed('192.0.2.2', 'the twentieth')).toBe(true)
  })
})

describe('a neighbour behind the same address', () => {
  it('is not locked out by one client that repeats an old credential', () => {
    const { lockout } = start()
    for (let index = 0; index < 10_000; index += 1) lockout.failed('192.0.2.1', 'the same old key')
    expect(lockout.admit('192.0.2.1')).toBe(0)
  })

  it('with a good new credential gets in within seconds, while the guesser is busy', () => {
    const { lockout, clock } = start()
    attack(lockout, () => '192.0.2.1', 20)
    clock.time += 1000
    expect(lockout.admit('192.0.2.1')).toBe(0)
  })
})

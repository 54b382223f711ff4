import { describe, expect, it } from 'vitest'
import type { LockoutSettings } from '../configuration.ts'
import { createLockout, createLockoutMemory, type Lockout } from './lockout.ts'

const usual: LockoutSettings = { failures: { count: 20, period: 60_000 }, for: 300_000 }

function start(settings: LockoutSettings | 'off' = usual): Lockout & { at: (now: number) => void } {
  let now = 1_000_000
  const lockout = createLockout(settings, { clock: { now: () => now } })
  return { ...lockout, at: (time) => void (now = 1_000_000 + time) }
}

function guess(lockout: Lockout, count: number, address = '192.0.2.1', from = 0): boolean[] {
  return Array.from({ length: count }, (_, index) => lockout.failed(address, `guess-${from + index}`))
}

describe('guessing', () => {
  it('locks an address out with the twentieth bad credential', () => {
    const lockout = start()
    expect(guess(lockout, 19)).not.toContain(true)
    expect(lockout.admit('192.0.2.1')).toBe(0)
    expect(lockout.failed('192.0.2.1', 'one more')).toBe(true)
    expect(lockout.admit('192.0.2.1')).toBe(300)
    expect(lockout.admit('192.0.2.2')).toBe(0)
  })

  it('counts one bad credential once in a window, and again in the next', () => {
    const lockout = start({ failures: { count: 2, period: 1000 }, for: 5000 })
    for (let time = 0; time < 10_000; time += 100) {
      lockout.at(time)
      expect(lockout.failed('192.0.2.1', 'an old key in a loop')).toBe(false)
    }
    expect(lockout.failed('192.0.2.1', 'another')).toBe(true)
  })

  it('forgets failures that left the window', () => {
    const lockout = start()
    guess(lockout, 10)
    lockout.at(30_000)
    guess(lockout, 9, '192.0.2.1', 10)
    lockout.at(60_000)
    expect(lockout.failed('192.0.2.1', 'nineteenth')).toBe(false)
    lockout.at(60_001)
    expect(guess(lockout, 10, '192.0.2.1', 100).indexOf(true)).toBe(9)
  })

  it('counts an IPv6 /64 as one address', () => {
    const lockout = start()
    for (let index = 0; index < 20; index += 1) lockout.failed(`2001:db8::${index}`, `guess-${index}`)
    expect(lockout.admit('2001:db8::ffff')).toBe(300)
    expect(lockout.admit('2001:db8:0:1::1')).toBe(0)
  })
})

describe('while an address is locked out', () => {
  it('one unknown credential a second is checked all the same', () => {
    const lockout = start()
    guess(lockout, 20)
    const answers: number[] = []
    for (let time = 0; time < 3000; time += 250) {
      lockout.at(time)
      answers.push(lockout.admit('192.0.2.1'))
    }
    expect(answers).toEqual([300, 300, 300, 300, 0, 299, 299, 299, 0, 298, 298, 298])
  })

  it('ends after its time', () => {
    const lockout = start()
    guess(lockout, 20)
    lockout.at(299_001)
    lockout.admit('192.0.2.1')
    expect(lockout.admit('192.0.2.1')).toBe(1)
    lockout.at(300_000)
    expect([lockout.admit('192.0.2.1'), lockout.admit('192.0.2.1')]).toEqual([0, 0])
  })

  it('begins anew when guessing goes on by the one look a second', () => {
    const lockout = start()
    guess(lockout, 20)
    for (let second = 1; second <= 20; second += 1) {
      lockout.at(second * 1000)
      lockout.failed('192.0.2.1', `slow-${second}`)
    }
    lockout.at(300_000)
    lockout.admit('192.0.2.1')
    expect(lockout.admit('192.0.2.1')).toBe(20)
  })
})

describe('a lockout', () => {
  it('can be off', () => {
    const lockout = start('off')
    expect(guess(lockout, 100)).not.toContain(true)
    expect(lockout.admit('192.0.2.1')).toBe(0)
  })

  it('is kept over a reload that hands its memory on', () => {
    const memory = createLockoutMemory()
    const clock = { now: () => 5 }
    guess(createLockout(usual, { clock, memory }), 20)
    expect(createLockout({ ...usual, for: 1000 }, { clock, memory }).admit('192.0.2.1')).toBe(300)
  })

  it('keeps neither credentials nor more addresses than its bound', () => {
    const memory = createLockoutMemory(100)
    const lockout = createLockout(
      { ...usual, failures: { count: 2, period: 60_000 } },
      { clock: { now: () => 5 }, memory },
    )
    for (let index = 0; index < 1000; index += 1) guess(lockout, 1, `10.0.${index >> 8}.${index & 255}`)
    for (let index = 0; index < 1000; index += 1) guess(lockout, 2, `10.1.${index >> 8}.${index & 255}`)
    expect(memory.counted.size).toBeLessThanOrEqual(100)
    expect(memory.locked.size).toBe(100)
    expect(JSON.stringify([...memory.counted, ...memory.locked])).not.toContain('guess')
  })
})

import { describe, expect, it } from 'vitest'
import { testClock } from '../../../test/support/tokens.ts'
import { createServerNonces, nonceSlot } from './nonce.ts'

const secret = Buffer.alloc(32, 1)

describe('a nonce of the server', () => {
  it('is good for its slot of time and the next, and tells which', () => {
    const clock = testClock()
    const nonces = createServerNonces(secret, clock)
    const nonce = nonces.current()
    expect(nonces.judge(nonce)).toBe('current')
    clock.time += nonceSlot
    expect(nonces.current()).not.toBe(nonce)
    expect(nonces.judge(nonce)).toBe('previous')
    clock.time += nonceSlot
    expect(nonces.judge(nonce)).toBe('unknown')
  })

  it('is the same in every process that has the secret, also when their clocks differ by a moment', () => {
    const clock = testClock()
    const ahead = testClock(clock.time + nonceSlot)
    const [here, there] = [createServerNonces(secret, clock), createServerNonces(secret, ahead)]
    expect(here.judge(there.current())).toBe('current')
    expect(there.judge(here.current())).toBe('previous')
    ahead.time += nonceSlot
    expect(here.judge(there.current())).toBe('unknown')
  })

  it('is another one under another secret', () => {
    const clock = testClock()
    const other = createServerNonces(Buffer.alloc(32, 2), clock)
    expect(createServerNonces(secret, clock).judge(other.current())).toBe('unknown')
  })

  it('is a plain short text that fits into a field', () => {
    expect(createServerNonces(secret, testClock()).current()).toMatch(/^[\w-]{22}$/)
  })

  it.each(['', 'x', 'x'.repeat(22), 'é'.repeat(22), 'x'.repeat(10_000)])('is not %j', (nonce) => {
    expect(createServerNonces(secret, testClock()).judge(nonce)).toBe('unknown')
  })

  it('is not made with a short secret', () => {
    expect(() => createServerNonces(Buffer.alloc(31), testClock())).toThrow(TypeError)
  })
})

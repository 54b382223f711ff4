import { describe, expect, it } from 'vitest'
import { TicketKeys, ticketKeysFrom } from './ticket-keys.ts'

const hours = 3_600_000
const secret = Buffer.alloc(32, 7)

describe('ticket keys', () => {
  it('are what node:tls wants, and stay for twelve hours of the clock', () => {
    const keys = new TicketKeys({ secret, since: 24 * hours })
    const first = keys.at(24 * hours)
    expect(first).toHaveLength(48)
    expect(first).toEqual(ticketKeysFrom(secret))
    expect(keys.at(36 * hours - 1)).toEqual(first)
    expect(keys.at(36 * hours)).not.toEqual(first)
  })

  it('cannot be made again once their time is over', () => {
    const keys = new TicketKeys({ secret, since: 0 })
    const first = keys.at(0)
    const second = keys.at(12 * hours)
    expect(keys.at(0)).toEqual(second)
    expect(second).not.toEqual(first)
  })

  it('are the same for all who share a secret, whenever they were asked', () => {
    const one = new TicketKeys({ secret, since: 5 * hours })
    const other = new TicketKeys({ secret, since: 5 * hours })
    one.at(6 * hours)
    one.at(30 * hours)
    expect(one.at(100 * hours)).toEqual(other.at(100 * hours))
    expect(new TicketKeys({ secret: Buffer.alloc(32, 8), since: 5 * hours }).at(100 * hours)).not.toEqual(
      other.at(100 * hours),
    )
  })

  it('leave the secret that was handed in as it was', () => {
    const mine = Buffer.from(secret)
    new TicketKeys({ secret: mine, since: 0 }).at(100 * hours)
    expect(mine).toEqual(secret)
  })

  it('change next at full half days', () => {
    const keys = new TicketKeys({ secret, since: 0 })
    expect(keys.restAt(0)).toBe(12 * hours)
    expect(keys.restAt(25 * hours)).toBe(11 * hours)
  })
})

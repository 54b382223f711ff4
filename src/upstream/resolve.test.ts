import { describe, expect, it } from 'vitest'
import { createResolver, type NameSource } from './resolve.ts'

function setUp(timeToLive: number | undefined) {
  const clock = { time: 0, now: () => clock.time }
  const table = {
    addresses: ['10.0.0.1', '10.0.0.2'],
    lookups: 0,
    isDown: false,
    lost: [] as string[],
  }
  const source: NameSource = {
    async addresses() {
      table.lookups += 1
      if (table.isDown) {
        throw new Error('ENOTFOUND')
      }
      return table.addresses.map((address) => ({ address, family: 4 }))
    },
    async timeToLive() {
      return timeToLive
    },
  }
  const resolver = createResolver(clock, (name, addresses) => table.lost.push(name, ...addresses), source)
  const first = async (): Promise<string | undefined> => (await resolver.addresses('catalog'))[0]?.address
  return { clock, table, resolver, first }
}

describe('the addresses of a name', () => {
  it('are looked up once for all who ask at the same time', async () => {
    const { table, resolver } = setUp(30)
    await Promise.all([1, 2, 3].map(() => resolver.addresses('catalog')))
    expect(table.lookups).toBe(1)
  })

  it('take turns', async () => {
    const { first } = setUp(30)
    expect([await first(), await first(), await first()]).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.1'])
  })

  it.each([
    [0, 1_000],
    [30, 30_000],
    [86_400, 60_000],
    [undefined, 10_000],
  ])('with %s s of life are looked up again after %s ms', async (timeToLive, holds) => {
    const { clock, table, resolver } = setUp(timeToLive)
    await resolver.addresses('catalog')
    clock.time = holds - 1
    await resolver.addresses('catalog')
    expect(table.lookups).toBe(1)
    clock.time = holds
    await resolver.addresses('catalog')
    expect(table.lookups).toBe(2)
  })

  it('stay what they were while the name cannot be looked up', async () => {
    const { clock, table, first } = setUp(1)
    await first()
    table.isDown = true
    clock.time = 5_000
    expect(await first()).toBe('10.0.0.2')
    expect(await first()).toBe('10.0.0.1')
    expect(table.lookups).toBe(2)
    table.isDown = false
    table.addresses = ['10.0.0.9']
    clock.time = 6_000
    expect(await first()).toBe('10.0.0.9')
  })

  it('that never were are an error', async () => {
    const { table, first } = setUp(1)
    table.isDown = true
    await expect(first()).rejects.toThrow('ENOTFOUND')
    table.isDown = false
    table.addresses = []
    await expect(first()).rejects.toThrow('no address')
  })

  it('that went away are told, also when only kept connections are used', async () => {
    const { clock, table, resolver, first } = setUp(1)
    await first()
    resolver.refresh('catalog')
    expect(table.lookups).toBe(1)
    clock.time = 5_000
    table.addresses = ['10.0.0.2', '10.0.0.3']
    resolver.refresh('catalog')
    await expect.poll(() => table.lost).toEqual(['catalog', '10.0.0.2', '10.0.0.3'])
  })

  it('written as an address are that address', async () => {
    const { table, resolver } = setUp(1)
    expect(await resolver.addresses('::1')).toEqual([{ address: '::1', family: 6 }])
    expect(table.lookups).toBe(0)
  })

  it('come from the system where no other source is given', async () => {
    const resolver = createResolver({ now: () => 0 }, () => undefined)
    const found = await resolver.addresses('localhost')
    expect(found.every(({ address }) => address === '127.0.0.1' || address === '::1')).toBe(true)
  })
})

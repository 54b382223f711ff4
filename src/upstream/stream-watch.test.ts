import { describe, expect, it } from 'vitest'
import { createStreamWatch } from './stream-watch.ts'

function setUp() {
  const clock = { time: 0, now: () => clock.time }
  const watch = createStreamWatch(clock, 10)
  const cuts: string[] = []
  const add = (name: string, deadline: number, stillGood: () => boolean = () => true): (() => void) => {
    const stream = { deadline, stillGood, cut: (reason: string) => void cuts.push(`${name} ${reason}`) }
    watch.add(stream)
    return () => watch.delete(stream)
  }
  return { clock, watch, cuts, add }
}

describe('the watch over open streams', () => {
  it('cuts a stream once its time is over, and only then', async () => {
    const { clock, cuts, add, watch } = setUp()
    add('short', 1_000)
    add('long', 2_000)
    add('endless', Infinity)
    clock.time = 1_000
    await expect.poll(() => cuts).toEqual(['short expired'])
    expect(watch.size).toBe(2)
    clock.time = 2_000
    await expect.poll(() => cuts).toEqual(['short expired', 'long expired'])
  })

  it('cuts a stream whose credential stands no more, or cannot be asked for', async () => {
    const { cuts, add } = setUp()
    add('revoked', Infinity, () => false)
    add('broken', Infinity, () => {
      throw new Error('a bug')
    })
    add('good', Infinity)
    await expect.poll(() => cuts).toEqual(['revoked revoked', 'broken revoked'])
  })

  it('asks no more about a stream that has ended', async () => {
    const { cuts, add, watch } = setUp()
    let asked = 0
    const end = add('ended', Infinity, () => {
      asked += 1
      return false
    })
    end()
    add('other', Infinity, () => false)
    await expect.poll(() => cuts).toEqual(['other revoked'])
    expect(asked).toBe(0)
    expect(watch.size).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import type { Clock } from '../../ports/clock.ts'
import type { Once } from '../../ports/once.ts'
import { setClock } from './setting.ts'

/** Opens an empty memory that holds at most so many things. */
export type OpenOnce = (clock: Clock, most: number) => Once | Promise<Once>

/** What every memory of things that may be used once must do. */
export function describeOnce(name: string, open: OpenOnce): void {
  describe(`what was used once, in ${name}`, () => {
    it('is new exactly once, however many ask at the same time', async () => {
      const clock = setClock()
      const once = await open(clock, 100)
      const ask = async (key: string): Promise<string> => once.remember(key, clock.time + 60_000)
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask('dpop:a:1')))
      expect(answers.filter((each) => each === 'new')).toHaveLength(1)
      expect(await ask('dpop:a:2')).toBe('new')
      expect(await ask('dpop:b:1')).toBe('new')
      expect(await ask('dpop:a:1')).toBe('seen')
    })

    it('is remembered to the very end, also when it comes again with another end', async () => {
      const clock = setClock()
      const once = await open(clock, 100)
      const end = clock.time + 60_000
      expect(await once.remember('dpop:a:1', end)).toBe('new')
      clock.time = end - 1
      expect(await once.remember('dpop:a:1', end - 30_000)).toBe('seen')
      clock.time = end
      expect(await once.remember('dpop:a:1', end + 30_000)).toBe('seen')
    })

    it('is not forgotten early by a clock that steps back', async () => {
      const clock = setClock()
      const once = await open(clock, 100)
      const end = clock.time + 60_000
      await once.remember('dpop:a:1', end)
      clock.time -= 600_000
      await once.remember('dpop:a:2', end)
      clock.time += 610_000
      expect(await once.remember('dpop:a:1', end)).toBe('seen')
    })

    it('makes room when its time is over, and takes a name that is free again', async () => {
      const clock = setClock()
      const once = await open(clock, 10)
      for (let n = 0; n < 10; n += 1) await once.remember(`dpop:${n}:1`, clock.time + 1_000)
      clock.time += 3_000
      for (let n = 5; n < 15; n += 1)
        expect(await once.remember(`dpop:${n}:1`, clock.time + 60_000)).toBe('new')
      clock.time += 3_000
      for (let n = 5; n < 15; n += 1)
        expect(await once.remember(`dpop:${n}:1`, clock.time + 60_000)).toBe('seen')
    })

    it('refuses when it is full instead of forgetting what could come again', async () => {
      const clock = setClock()
      const once = await open(clock, 10)
      for (let n = 0; n < 10; n += 1) await once.remember(`dpop:${n}:1`, clock.time + 60_000)
      await expect(async () => once.remember('dpop:x:1', clock.time + 60_000)).rejects.toThrow('full')
      expect(await once.remember('dpop:0:1', clock.time + 60_000)).toBe('seen')
    })

    it('refuses what would never end', async () => {
      const once = await open(setClock(), 10)
      for (const end of [Number.NaN, Infinity])
        await expect(async () => once.remember('dpop:a:1', end)).rejects.toThrow(RangeError)
    })
  })
}

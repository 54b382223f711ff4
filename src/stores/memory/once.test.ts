import { expect, it } from 'vitest'
import { describeOnce } from '../contract/once.ts'
import { setClock } from '../contract/setting.ts'
import { createMemoryOnce } from './once.ts'

describeOnce('memory', (clock, most) => createMemoryOnce(clock, { most }))

it('lets no one holder fill the memory for the others', () => {
  const clock = setClock()
  const once = createMemoryOnce(clock, { most: 100, mostForOne: 10 })
  const end = clock.time + 60_000
  for (let n = 0; n < 10; n += 1) once.remember(`dpop:greedy:${n}`, end)
  expect(() => once.remember('dpop:greedy:more', end)).toThrow('full')
  expect(once.remember('dpop:other:1', end)).toBe('new')
  expect(once.remember('logout:greedy:1', end)).toBe('new')
  clock.time = end + 2_000
  expect(once.remember('dpop:greedy:more', clock.time + 1_000)).toBe('new')
  expect(once.size).toBeLessThan(5)
})

it('holds no more than what can still come, under steady use', () => {
  const clock = setClock()
  const once = createMemoryOnce(clock)
  for (let n = 0; n < 50_000; n += 1) {
    clock.time += 10
    once.remember(`dpop:k${n % 7}:${n}`, clock.time + 1_000 + (n % 3) * 500)
  }
  expect(once.size).toBeLessThan(400)
})

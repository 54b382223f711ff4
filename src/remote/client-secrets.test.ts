import { describe, expect, it } from 'vitest'
import { Secret } from '../engine/secret.ts'
import { createClientSecrets, type SecretReport } from './client-secrets.ts'

function rotate(count: number) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const told: SecretReport[] = []
  const all = Array.from({ length: count }, (_, index) => new Secret(`s${index}`))
  const secrets = createClientSecrets(all, clock, (report) => void told.push(report))
  const order = (): number[] => secrets.candidates().map(({ position }) => position)
  const worked = (position: number): void => secrets.worked({ secret: all[position]!, position })
  return { clock, secrets, told, order, worked }
}

describe('secrets while they are rotated', () => {
  it('are tried newest first until one works', () => {
    const { order, worked } = rotate(3)
    expect(order()).toEqual([0, 1, 2])
    worked(0)
    expect(order()).toEqual([0, 1, 2])
  })

  it('stay with the one that works, and try the newest once a minute', () => {
    const { clock, order, worked } = rotate(2)
    order()
    worked(1)
    expect(order()).toEqual([1, 0])
    clock.time += 59_999
    expect(order()).toEqual([1, 0])
    clock.time += 1
    expect(order()).toEqual([0, 1])
    expect(order()).toEqual([1, 0])
    worked(0)
    expect(order()).toEqual([0, 1])
  })

  it('tell when another begins to work, and each time that an old one does', () => {
    const { clock, secrets, told, worked } = rotate(2)
    worked(1)
    clock.time += 5
    worked(1)
    worked(0)
    worked(0)
    expect(told).toEqual([
      { count: 2, working: 1, oldUsedAt: 1_000_000 },
      { count: 2, working: 1, oldUsedAt: 1_000_005 },
      { count: 2, working: 0, oldUsedAt: 1_000_005 },
    ])
    expect(secrets.report()).toEqual({ count: 2, working: 0, oldUsedAt: 1_000_005 })
  })
})

import { describe, expect, it } from 'vitest'
import type { Facts } from '../../ports/facts.ts'
import { createVault } from './vault.ts'

function facts(): Facts & { readonly values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    get: async (name) => values.get(name),
    set: async (name, value) => void values.set(name, value),
    setIfAbsent: async (name, value) => {
      if (!values.has(name)) values.set(name, value)
      return values.get(name)!
    },
  }
}

const day = 86_400_000

describe('the vault', () => {
  it('opens what it sealed, for what it was sealed for alone', async () => {
    const vault = createVault(facts(), { now: () => 0 })
    const sealed = await vault.seal('a refresh token', 'session a')
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('refresh')
    expect(await vault.open(sealed, 'session a')).toBe('a refresh token')
    expect(await vault.open(sealed, 'session b')).toBeUndefined()
  })

  it('never seals twice in the same way', async () => {
    const vault = createVault(facts(), { now: () => 0 })
    expect(await vault.seal('x', 'a')).not.toEqual(await vault.seal('x', 'a'))
  })

  it('opens nothing that was changed, cut or made up', async () => {
    const vault = createVault(facts(), { now: () => 0 })
    const sealed = await vault.seal('content', 'a')
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed)
      changed[at]! ^= 1
      expect(await vault.open(changed, 'a'), `byte ${at}`).toBeUndefined()
    }
    for (const length of [0, 1, 5, 17, 32, sealed.length - 1])
      expect(await vault.open(sealed.subarray(0, length), 'a')).toBeUndefined()
  })

  it('agrees with other replicas on the key, and with itself after a restart', async () => {
    const shared = facts()
    const [one, two] = [createVault(shared, { now: () => 0 }), createVault(shared, { now: () => 0 })]
    const [byOne, byTwo] = await Promise.all([one.seal('1', 'a'), two.seal('2', 'a')])
    expect(await two.open(byOne, 'a')).toBe('1')
    expect(await one.open(byTwo, 'a')).toBe('2')
    expect(await createVault(shared, { now: () => 0 }).open(byOne, 'a')).toBe('1')
    expect(shared.values.size).toBe(1)
  })

  it('takes a new key each 30 days, and opens what older keys sealed', async () => {
    const shared = facts()
    const clock = { time: 0, now: (): number => clock.time }
    const vault = createVault(shared, clock)
    const old = await vault.seal('old', 'a')
    clock.time = 31 * day
    const fresh = await vault.seal('new', 'a')
    expect(shared.values.size).toBe(2)
    expect(vault.open(old, 'a')).toBe('old')
    expect(vault.open(fresh, 'a')).toBe('new')
    expect([...shared.values.values()][0]).not.toBe([...shared.values.values()][1])
  })
})

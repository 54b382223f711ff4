import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKeyGate, type KeyGate } from '../support/key-gate.ts'

/** Each key is used first, so that what refuses it must reach what was remembered. */
describe('an API key that was good a moment ago', () => {
  let gate: KeyGate
  let id: string
  let key: string

  beforeEach(async () => {
    gate = await openKeyGate()
    ;({ id, key } = await gate.keys.create({ owner: 'acme', expires: '30d' }, 'test'))
    expect(await gate.verdict(key)).toBe('accepted')
  })

  afterEach(() => gate.close())

  it('is refused the moment that it is revoked', async () => {
    await gate.keys.revoke(id, 'leaked', 'test')
    expect(await gate.verdict(key)).toBe('key_revoked')
  })

  it('is refused within a second of being revoked by another process', async () => {
    const other = await gate.openAgain()
    const noticed = new Promise<void>((resolve) => {
      gate.store.changes.subscribe(resolve)
    })
    await other.apiKeys.revoke(id, gate.clock.time, 'leaked')
    const began = performance.now()
    await noticed
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(await gate.verdict(key)).toBe('key_revoked')
    await other.close()
  })

  it('is refused within a second of its owner being revoked by another process', async () => {
    const other = await gate.openAgain()
    const noticed = new Promise<void>((resolve) => {
      gate.store.changes.subscribe(resolve)
    })
    const { time } = gate.clock
    const standing = { kind: 'subject', issuer: 'urn:portcullis:api-key', value: 'acme' } as const
    await other.revocations.add({ ...standing, at: time, permanent: false, createdAt: time })
    await noticed
    // The index reads what is new right after the notice, without a request asking for it.
    await new Promise((resolve) => setImmediate(resolve))
    expect(await gate.verdict(key)).toBe('key_revoked')
    await other.close()
  })

  it('is refused the moment that it expires, with no look-up', async () => {
    gate.lookUps = 0
    gate.clock.time += 30 * 86_400_000
    expect(await gate.verdict(key)).toBe('key_expired')
    expect(gate.lookUps).toBe(0)
  })

  it('is refused the moment that its grace is over', async () => {
    const successor = await gate.keys.rotate(id, { grace: '1m' }, 'test')
    expect(await gate.verdict(key)).toBe('accepted')
    gate.clock.time += 60_000
    expect(await gate.verdict(key)).toBe('key_grace_over')
    expect(await gate.verdict(successor.key)).toBe('accepted')
  })

  it('is refused when all that its owner holds is revoked, and a new one is not', async () => {
    await gate.revocations.revoke(
      { kind: 'subject', value: 'acme', issuer: 'urn:portcullis:api-key' },
      'test',
    )
    expect(await gate.verdict(key)).toBe('key_revoked')
    gate.clock.time += 1
    const fresh = await gate.keys.create({ owner: 'acme' }, 'test')
    expect(await gate.verdict(fresh.key)).toBe('accepted')
  })

  it('is refused for good when its owner is revoked permanently', async () => {
    await gate.revocations.revoke(
      { kind: 'subject', value: 'acme', issuer: 'urn:portcullis:api-key', permanent: true },
      'test',
    )
    gate.clock.time += 86_400_000
    const fresh = await gate.keys.create({ owner: 'acme' }, 'test')
    expect(await gate.verdict(fresh.key)).toBe('key_revoked')
  })

  it('is not brought back by a second revocation, a rotation or an import', async () => {
    await gate.keys.revoke(id, 'leaked', 'test')
    await gate.keys.revoke(id, undefined, 'test')
    await expect(gate.keys.rotate(id, {}, 'test')).rejects.toThrow(/revoked/)
    await expect(gate.keys.import([{ key, owner: 'mallory' }], 'test')).rejects.toThrow(
      /in the store already/,
    )
    expect(await gate.verdict(key)).toBe('key_revoked')
  })
})

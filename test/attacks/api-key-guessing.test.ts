import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checksumOf, makeKey } from '../../src/engine/authenticators/api-key/key-format.ts'
import { isGuess } from '../../src/engine/errors.ts'
import { openKeyGate, type KeyGate } from '../support/key-gate.ts'

describe('guessing API keys', () => {
  let gate: KeyGate
  let key: string

  beforeEach(async () => {
    gate = await openKeyGate()
    key = (await gate.keys.create({ owner: 'acme' }, 'test')).key
  })

  afterEach(() => gate.close())

  it('costs no look-up while the checksum is wrong, whichever character was changed', async () => {
    for (let at = 'ptc_'.length; at < key.length; at += 1) {
      if (key[at] === '_') continue
      const guess = `${key.slice(0, at)}${key[at] === 'z' ? 'y' : 'z'}${key.slice(at + 1)}`
      expect(await gate.verdict(guess)).toBe('key_checksum')
    }
    expect(gate.lookUps).toBe(0)
  })

  it('costs one look-up with a right checksum, and is counted as a guess all the same', async () => {
    for (let tries = 0; tries < 20; tries += 1) {
      const reason = await gate.verdict(makeKey('ptc').key)
      expect(reason).toBe('key_unknown')
      expect(isGuess('key_unknown') && isGuess('key_checksum') && isGuess('key_malformed')).toBe(true)
    }
    expect(gate.lookUps).toBe(20)
  })

  it('is not helped by a known id: the secret alone decides', async () => {
    const unsigned = `${key.slice(0, 'ptc_'.length + 13)}${'0'.repeat(43)}`
    expect(await gate.verdict(unsigned + checksumOf(unsigned))).toBe('key_unknown')
  })

  it('tells the caller the same of an unknown and of a mistyped key', async () => {
    const answers = await Promise.all([gate.show(makeKey('ptc').key), gate.show(`${key.slice(0, -1)}!`)])
    const [unknown, mistyped] = answers.map((answer) => {
      if (answer.outcome !== 'refused') throw new Error('it was let in')
      const { code, status, challenges } = answer.refusal
      return { code, status, challenges }
    })
    expect(unknown).toEqual(mistyped)
    expect(unknown).toMatchObject({ code: 'credential_invalid', status: 401 })
  })
})

import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKeyGate, keySettings, type KeyGate } from '../support/key-gate.ts'

describe('values that look like a good API key', () => {
  let gate: KeyGate
  let key: string

  beforeEach(async () => {
    gate = await openKeyGate()
    key = (await gate.keys.create({ owner: 'acme' }, 'test')).key
    expect(await gate.verdict(key)).toBe('accepted')
  })

  afterEach(() => gate.close())

  it.each<[string, (key: string) => string]>([
    ['upper case', (value) => value.toUpperCase()],
    ['lower case', (value) => value.toLowerCase()],
    ['an upper-case prefix', (value) => value.replace('ptc', 'PTC')],
    ['a line break after it', (value) => `${value}\n`],
    ['a carriage return after it', (value) => `${value}\r`],
    ['a space after it', (value) => `${value} `],
    ['a tab before it', (value) => `\t${value}`],
    ['a NUL after it', (value) => `${value}\0`],
    ['a no-break space after it', (value) => `${value}\u00A0`],
    ['a zero-width space in it', (value) => `${value.slice(0, 20)}\u200B${value.slice(20)}`],
    [
      'full-width digits',
      (value) => value.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ],
    [
      'Arabic digits',
      (value) => value.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit))),
    ],
    ['a Kelvin sign for a K', (value) => `${value.replace(/[Kk]/g, '\u212A')}\u212A`],
    ['a Cyrillic prefix', (value) => value.replace('c', '\u0441')],
    ['quotes around it', (value) => `"${value}"`],
    ['percent escapes', (value) => value.replaceAll('_', '%5F')],
    ['a second key after a comma', (value) => `${value},${value}`],
    ['itself twice', (value) => value + value],
    ['one character less', (value) => value.slice(0, -1)],
    ['one character more', (value) => `${value}0`],
    ['another separator', (value) => value.replaceAll('_', '-')],
    ['a scheme before it', (value) => `Bearer ${value}`],
  ])('are refused with %s', async (_, change) => {
    const changed = change(key)
    expect(changed).not.toBe(key)
    expect(await gate.verdict(changed)).not.toBe('accepted')
  })

  it('are refused when they are the digest that the store holds (pass the hash)', async () => {
    const digest = createHash('sha256').update(key).digest('hex')
    expect(await gate.store.apiKeys.findByDigest(digest)).toBeDefined()
    for (const value of [digest, `ptc_${digest}`, Buffer.from(digest, 'hex').toString('base64url')]) {
      expect(await gate.verdict(value)).not.toBe('accepted')
    }
  })

  it('are refused when they are the digest that was imported', async () => {
    const sha256 = createHash('sha256').update('a-legacy-key').digest('hex')
    await gate.keys.import([{ sha256, owner: 'acme' }], 'test')
    expect(await gate.verdict(sha256)).toBe('key_unknown')
    expect(await gate.verdict('a-legacy-key')).toBe('accepted')
    expect(await gate.verdict('A-legacy-key')).toBe('key_unknown')
  })

  it.each([
    "' OR '1'='1",
    "x' UNION SELECT * FROM api_key --",
    '"; DROP TABLE api_key; --',
    "ptc_'||(SELECT_id_FROM_api_key)||'",
    '%',
    '_',
    '*',
    '[object Object]',
    'undefined',
    'null',
    '__proto__',
    'constructor',
    '0',
  ])('are refused when they are %j, and harm nothing', async (value) => {
    await gate.keys.import([{ key: 'a-legacy-key', owner: 'acme' }], 'test')
    expect(await gate.verdict(value)).not.toBe('accepted')
    expect(await gate.verdict(key)).toBe('accepted')
    expect((await gate.keys.list({ limit: 10, owner: value })).keys).toEqual([])
  })
})

describe('keys of another prefix or authenticator', () => {
  const here = keySettings()
  const there = keySettings({ name: 'other-keys', prefix: 'abc' })
  const twin = keySettings({ name: 'twin-keys' })
  let gate: KeyGate

  beforeEach(async () => {
    gate = await openKeyGate(here, there, twin)
  })

  afterEach(() => gate.close())

  it('are refused, though their secret is right', async () => {
    const other = await gate.keys.create({ owner: 'acme', authenticator: 'other-keys' }, 'test')
    expect(await gate.verdict(other.key)).toBe('key_not_for_authenticator')
    const limited = await gate.keys.create({ owner: 'acme', authenticator: 'twin-keys' }, 'test')
    expect(await gate.verdict(limited.key)).toBe('key_not_for_authenticator')
  })

  it('are refused when they are given the prefix of this one', async () => {
    const { key } = await gate.keys.create({ owner: 'acme', authenticator: 'other-keys' }, 'test')
    expect(await gate.verdict(key.replace(/^abc_/, 'ptc_'))).toBe('key_checksum')
  })
})

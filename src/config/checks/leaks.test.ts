import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration, type LoadResult } from '../load.ts'

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' })
const p256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)

describe('the keys that leak reports are signed with', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-leaks-'))
    await writeFile(join(folder, 'github.pem'), p256)
    await writeFile(
      join(folder, 'p384.pem'),
      pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    )
    await writeFile(
      join(folder, 'private.pem'),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    )
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function load(keys: unknown, standIns = false): Promise<LoadResult> {
    const file = join(folder, 'portcullis.yaml')
    const text = {
      version: 1,
      leaks: { github: { keys } },
      authenticators: { keys: { type: 'api-key' } },
      upstreams: { live: { targets: ['http://127.0.0.1:9'] } },
      routes: [{ id: 'live', match: { path: '/*' }, authenticate: ['keys'], upstream: 'live' }],
    }
    await writeFile(file, JSON.stringify(text))
    return loadConfiguration(file, { env: {}, standIns })
  }

  async function faults(keys: unknown): Promise<readonly (readonly [string, string])[]> {
    const result = await load(keys)
    return result.ok ? [] : result.faults.map(({ path, message }) => [path, message] as const)
  }

  it('are files, which are watched, or the text itself', async () => {
    const result = await load([
      { id: 'a', key: './github.pem' },
      { id: 'b', key: p256 },
    ])
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    expect(result.configuration.leaks).toEqual({
      github: {
        keys: [
          { id: 'a', file: join(folder, 'github.pem') },
          { id: 'b', pem: p256 },
        ],
      },
    })
    expect(result.files).toContain(join(folder, 'github.pem'))
  })

  it.each([
    ['of another curve', './p384.pem', 'this is no public key on P-256'],
    ['private', './private.pem', 'this is no public key on P-256'],
    [
      'no key',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'this is no public key on P-256',
    ],
  ])('are refused when they are %s', async (_what, key, message) => {
    expect(await faults([{ id: 'a', key }])).toEqual([['leaks.github.keys[0].key', message]])
  })

  it('are refused when they are not there, but for commands that need none', async () => {
    const keys = [{ id: 'a', key: './nowhere.pem' }]
    expect((await faults(keys)).map(([path]) => path)).toEqual(['leaks.github.keys[0].key'])
    expect((await load(keys, true)).ok).toBe(true)
  })

  it('have an id each, and nothing besides', async () => {
    const key = './github.pem'
    expect(
      await faults([
        { id: 'a', key },
        { id: 'a', key },
      ]),
    ).toEqual([['leaks.github.keys[1].id', 'another key has this id']])
    expect((await faults([])).map(([path]) => path)).toEqual(['leaks.github.keys'])
    expect((await faults([{ key }])).map(([path]) => path)).toEqual(['leaks.github.keys[0].id'])
    expect((await faults([{ id: 'a', key, secret: 'x' }])).map(([path]) => path)).toEqual([
      'leaks.github.keys[0].secret',
    ])
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providerSettings } from '../../test/support/tokens.ts'
import { profileFor } from '../engine/providers/registry.ts'
import type { FetchOptions } from './guarded-fetch.ts'
import { documentReader, usesMetadata, type DocumentReader } from './provider-documents.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-documents-'))
  await writeFile(join(folder, 'token'), 'ey.token.of-ours\n')
  await writeFile(join(folder, 'not-a-token'), 'two words\r\nx-evil: 1')
  await writeFile(join(folder, 'bundle.json'), '{"keys":[]}')
  await writeFile(join(folder, 'huge.json'), ' '.repeat(300_000))
})

afterAll(() => rm(folder, { recursive: true }))

interface Asked extends FetchOptions {
  readonly url: string
}

function reader(tokenFile: string): { readonly read: DocumentReader; readonly asked: Asked[] } {
  const settings = providerSettings({
    type: 'kubernetes',
    parameters: {
      issuer: 'https://oidc.example.com',
      server: 'https://10.0.0.1:6443',
      tokenFile: join(folder, tokenFile),
    },
  })
  const asked: Asked[] = []
  const read = documentReader(settings, profileFor(settings), async (url, options) => {
    asked.push({ url: String(url), ...options })
    return { status: 200, headers: {}, body: Buffer.from('{}') }
  })
  return { read, asked }
}

describe('a token that may read keys', () => {
  it('is shown to the API server', async () => {
    const { read, asked } = reader('token')
    await read('https://10.0.0.1:6443/openid/v1/jwks', 'keys')
    expect(asked[0]).toMatchObject({ authorization: 'Bearer ey.token.of-ours' })
  })

  it.each([
    'https://10.0.0.1/openid/v1/jwks',
    'https://10.0.0.1:6444/openid/v1/jwks',
    'http://10.0.0.1:6443/openid/v1/jwks',
    'https://10.0.0.1:6443@evil.example/openid/v1/jwks',
    'https://oidc.example.com/keys',
  ])('is not shown to %s', async (url) => {
    const { read, asked } = reader('token')
    await read(url, 'keys')
    expect(asked[0]).not.toHaveProperty('authorization')
  })

  it('is not sent when it is no token, nor told in the fault', async () => {
    const { read, asked } = reader('not-a-token')
    await expect(read('https://10.0.0.1:6443/openid/v1/jwks', 'keys')).rejects.toThrow(/holds no token$/)
    expect(asked).toEqual([])
  })
})

describe('a document in a file', () => {
  it('is read without asking anybody, and is bounded', async () => {
    const { read, asked } = reader('token')
    const answer = await read(join(folder, 'bundle.json'), 'keys')
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('{"keys":[]}') })
    await expect(read(join(folder, 'huge.json'), 'keys')).rejects.toThrow(/larger than/)
    await expect(read(join(folder, 'missing.json'), 'keys')).rejects.toThrow(/ENOENT/)
    expect(asked).toEqual([])
  })
})

describe('metadata', () => {
  it('is not asked for where the keys have an address of their own', () => {
    const spiffe = providerSettings({
      type: 'spiffe',
      parameters: { trustDomain: 'prod.example.org', bundle: '/bundle.json' },
      discovery: true,
    })
    expect(usesMetadata(spiffe, profileFor(spiffe))).toBe(false)
    const oidc = providerSettings({ discovery: true })
    expect(usesMetadata(oidc, profileFor(oidc))).toBe(true)
  })
})

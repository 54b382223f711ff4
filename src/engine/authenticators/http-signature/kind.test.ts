import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lint } from '../../../config/lint/lint.ts'
import { loadConfiguration, type LoadResult } from '../../../config/load.ts'
import { edCaller } from '../../../../test/support/signed-request.ts'
import { algorithms } from './algorithms.ts'
import { createHttpSignatureAuthenticator } from './authenticator.ts'
import type { HttpSignatureSettings } from './settings.ts'

async function load(authenticator: string, standIns = false): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-signature-'))
  const file = join(folder, 'portcullis.yaml')
  await writeFile(
    file,
    `version: 1
authenticators: { partners: { type: http-signature, ${authenticator} } }
upstreams: { a: { targets: ["http://127.0.0.1:1"] } }
routes: [{ id: a, match: { path: /a }, authenticate: [partners], upstream: a }]
`,
  )
  const loaded = await loadConfiguration(file, { env: { KEY: edCaller.shown }, standIns })
  await rm(folder, { recursive: true })
  return loaded
}

async function found(authenticator: string): Promise<readonly string[]> {
  const loaded = await load(authenticator)
  if (!loaded.ok) throw new Error(loaded.faults[0]!.message)
  return lint(loaded, { nodeVersion: 'v26.0.0' })
    .filter(({ path }) => path.startsWith('authenticators'))
    .map(({ id, path, message }) => `${id} ${path}: ${message}`)
}

const key = 'keys: [{ id: a, algorithm: ed25519, key: "${env:KEY}", owner: acme }]'

describe('`http-signature` in a configuration', () => {
  it('is checked without its keys: something of each kind stands in for them', async () => {
    const keys = algorithms.map(
      (algorithm) => `{ id: ${algorithm}, algorithm: ${algorithm}, key: "\${env:AWAY}", owner: acme }`,
    )
    const loaded = await load(`keys: [${keys.join(', ')}]`, true)
    expect(loaded).toMatchObject({ ok: true })
    const settings = loaded.ok ? loaded.configuration.authenticators['partners'] : undefined
    const deps = {
      clock: { now: () => 0 },
      once: { remember: () => 'new' as const },
      revocations: { isRevoked: () => false },
    }
    expect(() => createHttpSignatureAuthenticator(settings as HttpSignatureSettings, deps)).not.toThrow()
    const strict = await load(`keys: [${keys.join(', ')}]`)
    expect(strict.ok ? [] : strict.faults.map(({ message }) => message)).toEqual(
      algorithms.map(() => 'the environment variable AWAY is not set'),
    )
  })

  it('is weak in nothing with public keys and the usual components', async () => {
    expect(await found(key)).toEqual([])
    expect(await found(`${key}, components: ["@method", "@authority", "@path", "@query"]`)).toEqual([])
  })

  it('may be weak in what need not be covered', async () => {
    expect(await found(`${key}, components: ["@path"]`)).toEqual([
      'signature-covers-little authenticators.partners.components: signatures need not cover the method',
      'signature-covers-little authenticators.partners.components: signatures need not cover the target',
    ])
  })

  it('may be weak in secrets that the gateway could sign with', async () => {
    const shared = 'keys: [{ id: mac, algorithm: hmac-sha256, key: "${env:KEY}-", owner: acme }]'
    await expect(found(shared)).rejects.toThrow('PEM')
    const written = `keys: [{ id: mac, algorithm: hmac-sha256, key: ${'s'.repeat(32)}, owner: acme }]`
    expect(await found(written)).toEqual([
      'signature-shared-secret authenticators.partners.keys[0].algorithm: "mac" signs with a shared secret',
      'secret-in-file authenticators.partners.keys[0].key: a secret is written out in the configuration',
    ])
  })

  it('may hold a public key in so many words, which is no secret', async () => {
    const written = JSON.stringify(edCaller.shown)
    expect(await found(`keys: [{ id: a, algorithm: ed25519, key: ${written}, owner: acme }]`)).toEqual([])
  })
})

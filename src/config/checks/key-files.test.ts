import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selfSign } from '../../../test/support/certificate.ts'
import { loadConfiguration, type LoadResult } from '../load.ts'

const rest = `
providers:
  corp: { type: oidc, issuer: https://login.example.com, ca: a.pem }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: api }
upstreams:
  catalog: { targets: [https://catalog.internal], tls: { ca: a.pem, certificate: b.pem, key: b.key, serverName: catalog } }
routes:
  - { id: a, match: { path: /a }, authenticate: [corp-token], upstream: catalog }
`

describe('certificates and keys', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-keys-'))
    const write = (name: string, content: string): Promise<void> => writeFile(join(folder, name), content)
    for (const name of ['a', 'b']) {
      const { certificate, key } = selfSign()
      await write(`${name}.pem`, certificate)
      await write(`${name}.key`, key)
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await write(
      'locked.key',
      privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }),
    )
    await write('broken.pem', '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n')
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const load = async (tls: string, standIns = false): Promise<LoadResult> => {
    const file = join(folder, 'portcullis.yaml')
    await writeFile(file, `version: 1\nlisteners: [{ address: 127.0.0.1:0, tls: ${tls} }]${rest}`)
    return loadConfiguration(file, { env: {}, standIns })
  }
  const faults = async (tls: string): Promise<[string, string][]> => {
    const result = await load(tls)
    return result.ok ? [] : result.faults.map(({ path, message }) => [path, message])
  }

  it('are taken with absolute paths where they fit', async () => {
    const result = await load(
      '{ certificate: a.pem, key: a.key, also: [{ names: [b.example], certificate: b.pem, key: b.key }] }',
    )
    expect(result.ok ? result.configuration.listeners[0]?.tls : result.faults).toEqual({
      certificate: join(folder, 'a.pem'),
      key: join(folder, 'a.key'),
      also: [{ names: ['b.example'], certificate: join(folder, 'b.pem'), key: join(folder, 'b.key') }],
    })
    expect(result.ok ? result.configuration.upstreams['catalog']?.tls : undefined).toEqual({
      ca: join(folder, 'a.pem'),
      certificate: join(folder, 'b.pem'),
      key: join(folder, 'b.key'),
      serverName: 'catalog',
    })
  })

  it('may have OCSP answers beside them, which are watched and need not be there yet', async () => {
    const result = await load(
      '{ certificate: a.pem, key: a.key, ocsp: a.ocsp, also: [{ names: [b.example], certificate: b.pem, key: b.key, ocsp: b.ocsp }] }',
    )
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    const { tls } = result.configuration.listeners[0]!
    expect([tls?.ocsp, tls?.also[0]?.ocsp]).toEqual([join(folder, 'a.ocsp'), join(folder, 'b.ocsp')])
    expect(result.files).toEqual(expect.arrayContaining([join(folder, 'a.ocsp'), join(folder, 'b.ocsp')]))
  })

  it.each([
    [
      '{ certificate: a.pem, key: b.key }',
      'listeners[0].tls.key',
      'this key does not belong to the certificate beside it',
    ],
    [
      '{ certificate: a.pem, key: locked.key }',
      'listeners[0].tls.key',
      'this key is encrypted, and nobody is there to type its passphrase',
    ],
    [
      '{ certificate: a.key, key: a.key }',
      'listeners[0].tls.certificate',
      'there is no certificate in this file',
    ],
    [
      '{ certificate: broken.pem, key: a.key }',
      'listeners[0].tls.certificate',
      'there is no certificate in this file',
    ],
    ['{ certificate: a.pem, key: a.pem }', 'listeners[0].tls.key', 'there is no private key in this file'],
    ['{ certificate: a.pem, key: nowhere }', 'listeners[0].tls.key', 'the file does not exist'],
    [
      '{ certificate: a.pem, key: a.key, also: [{ names: [b.example], certificate: b.pem, key: a.key }] }',
      'listeners[0].tls.also[0].key',
      'this key does not belong to the certificate beside it',
    ],
  ])('%s is refused', async (tls, path, message) => {
    expect(await faults(tls)).toEqual([[path, message]])
  })

  it('that may not be read are refused', async () => {
    await writeFile(join(folder, 'private.key'), '')
    await chmod(join(folder, 'private.key'), 0)
    const told = await asNobody(folder, () => faults('{ certificate: a.pem, key: private.key }'))
    expect(told).toEqual([['listeners[0].tls.key', 'the file may not be read by this user']])
  })

  it('that are not there are a notice where no production secret is needed', async () => {
    const result = await load('{ certificate: a.pem, key: nowhere }', true)
    expect(result.ok ? result.notices : result.faults).toEqual([
      'listeners[0].tls.key: the file does not exist; nothing stands in its place',
    ])
  })
})

/** Root may read everything: steps down for the length of the task. */
async function asNobody<T>(folder: string, task: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return task()
  await chmod(folder, 0o777)
  await chmod(join(folder, 'portcullis.yaml'), 0o666)
  process.seteuid!(65_534)
  try {
    return await task()
  } finally {
    process.seteuid!(0)
  }
}

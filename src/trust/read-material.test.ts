import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createAuthority } from '../../test/support/certificates.ts'
import { readMaterial } from './read-material.ts'

it('authorities may stand in PEM and in a SPIFFE trust bundle, side by side', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-trust-'))
  const [mesh, partners] = [createAuthority('mesh').certificate, createAuthority('partners').certificate]
  const x5c = [new X509Certificate(mesh).raw.toString('base64')]
  await writeFile(
    join(folder, 'bundle.json'),
    JSON.stringify({ keys: [{ use: 'x509-svid', kty: 'EC', x5c }] }),
  )
  await writeFile(join(folder, 'partners.pem'), partners)
  const authorities = ['bundle.json', 'partners.pem'].map((name) => join(folder, name))
  const material = readMaterial({ authorities, revocation: [], scope: 'chain' })
  expect(typeof material === 'string' ? material : material.authorities?.anchors.size).toBe(2)
  await writeFile(join(folder, 'bundle.json'), '{"keys":[]}')
  expect(readMaterial({ authorities, revocation: [], scope: 'chain' })).toMatch(
    /bundle\.json: .*no authority/,
  )
  await rm(folder, { recursive: true })
})

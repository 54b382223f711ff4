import { mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issueAuthority, issueList } from '../../test/support/pki.ts'
import type { TrustSettings } from '../engine/certificates/trust.ts'
import { createTrustFiles, type TrustFiles } from './trust-files.ts'

const one = issueAuthority({ subject: 'one' })
const two = issueAuthority({ subject: 'two' })

describe('trust files', () => {
  let folder: string
  let files: TrustFiles
  let faults: string[]
  let changes: number
  let settings: TrustSettings

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-trust-'))
    faults = []
    changes = 0
    files = createTrustFiles({
      onChange: () => (changes += 1),
      onFault: (fault) => faults.push(fault),
      pollEvery: 3_600_000,
    })
    settings = {
      authorities: [join(folder, 'ca.pem')],
      revocation: [join(folder, 'lists.pem')],
      scope: 'chain',
    }
    await writeFile(join(folder, 'ca.pem'), one.pem)
    await writeFile(join(folder, 'lists.pem'), issueList({ issuer: one }).pem)
  })
  afterEach(async () => {
    files.close()
    await rm(folder, { recursive: true, force: true })
  })

  const names = (source: ReturnType<TrustFiles['open']>): string[] => [
    ...(source.material.authorities?.bySubject.keys() ?? []),
  ]

  it('are read at once, PEM and DER, several lists in one file', async () => {
    await writeFile(
      join(folder, 'lists.pem'),
      issueList({ issuer: one }).pem + issueList({ issuer: two }).pem,
    )
    const source = files.open(settings)
    expect(names(source)).toHaveLength(1)
    expect(source.material.lists?.size).toBe(2)
    await writeFile(join(folder, 'lists.pem'), issueList({ issuer: one }).der)
    await files.look()
    expect(source.material.lists?.size).toBe(1)
    expect(faults).toEqual([])
  })

  it('may be a SPIFFE trust bundle', async () => {
    const key = (use: string, ...made: readonly Buffer[]): object => ({
      use,
      kty: 'EC',
      x5c: made.map((each) => each.toString('base64')),
    })
    const write = (...keys: readonly object[]): Promise<void> =>
      writeFile(join(folder, 'ca.pem'), JSON.stringify({ keys, spiffe_sequence: 1 }))
    await write(key('x509-svid', one.der), key('jwt-svid'), key('x509-svid', two.der))
    const source = files.open(settings)
    expect(names(source)).toHaveLength(2)
    await write(key('x509-svid', one.der, two.der))
    await files.look()
    await write(key('jwt-svid'))
    await files.look()
    expect(faults).toHaveLength(2)
    expect(names(source)).toHaveLength(2)
  })

  it('are one source for the same settings', () => {
    expect(files.open(settings)).toBe(files.open({ ...settings }))
    expect(files.open({ ...settings, scope: 'leaf' })).not.toBe(files.open(settings))
  })

  it('change when they are replaced, rewritten, or a link to them is swapped', async () => {
    const source = files.open(settings)
    const before = source.material
    await files.look()
    expect(source.material).toBe(before)
    await writeFile(join(folder, 'next'), two.pem)
    await rename(join(folder, 'next'), join(folder, 'ca.pem'))
    await files.look()
    expect(names(source)).not.toEqual([...(before.authorities?.bySubject.keys() ?? [])])
    await writeFile(join(folder, 'real'), one.pem + two.pem)
    await unlink(join(folder, 'ca.pem'))
    await symlink(join(folder, 'real'), join(folder, 'ca.pem'))
    await files.look()
    expect(names(source)).toHaveLength(2)
    expect(changes).toBe(2)
  })

  it.each([
    ['gone', undefined],
    ['empty', ''],
    ['half written', one.pem.slice(0, 200)],
    ['something else', 'hello'],
    ['a list with a broken end', one.pem + two.pem.replace('MII', 'XXX')],
  ])('that are %s leave what was read before, are told once, and tried again', async (_, content) => {
    const source = files.open(settings)
    const before = source.material
    if (content === undefined) await unlink(join(folder, 'ca.pem'))
    else await writeFile(join(folder, 'ca.pem'), content)
    await files.look()
    await files.look()
    expect(source.material).toBe(before)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain('ca.pem')
    await writeFile(join(folder, 'ca.pem'), two.pem)
    await files.look()
    expect(source.material).not.toBe(before)
  })

  it('that never could be read trust nobody', async () => {
    await writeFile(join(folder, 'ca.pem'), 'hello')
    const source = files.open(settings)
    expect(source.material.authorities).toBeUndefined()
    await writeFile(join(folder, 'ca.pem'), one.pem)
    await files.look()
    expect(names(source)).toHaveLength(1)
  })
})

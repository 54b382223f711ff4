import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../engine/secret.ts'
import { Keeper, fingerprintOf, retired } from './keep.ts'

describe('what a reload keeps', () => {
  const keeper = new Keeper((settings: { url: string }) => ({ made: settings.url }))

  it('is a part whose settings are the same, whatever happens to its neighbours', () => {
    const first = keeper.build({ a: { url: '1' }, b: { url: '2' } }, undefined)
    const second = keeper.build({ a: { url: '1' }, b: { url: '3' }, c: { url: '4' } }, first)
    expect(second.get('a')!.part).toBe(first.get('a')!.part)
    expect(second.get('b')!.part).not.toBe(first.get('b')!.part)
    expect(retired(first, second)).toEqual([{ made: '2' }])
  })

  it('tells secrets apart though they print alike', () => {
    const of = (value: string): string => fingerprintOf({ secret: new Secret(value) })
    expect(of('one')).not.toBe(of('two'))
    expect(of('one')).toBe(of('one'))
    expect(fingerprintOf([new Secret('one')])).not.toBe(fingerprintOf([new Secret('two')]))
  })

  it('notices a file that changed under the same path', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'portcullis-keep-')), 'ca.pem')
    writeFileSync(file, 'one')
    const before = fingerprintOf({}, [file])
    writeFileSync(file, 'two')
    expect(fingerprintOf({}, [file])).not.toBe(before)
  })
})

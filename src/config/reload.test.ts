import { mkdtemp, rename, rm, symlink, unlink, utimes, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchConfiguration } from './reload.ts'

describe('watching a configuration', () => {
  let folder: string
  let file: string
  let abort: AbortController
  let seen: number
  let wake: () => void

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-watch-'))
    file = join(folder, 'portcullis.yaml')
    abort = new AbortController()
    seen = 0
    wake = () => undefined
    await writeFile(file, 'version: 1\n')
  })

  afterEach(async () => {
    abort.abort()
    await rm(folder, { recursive: true, force: true })
  })

  const start = async (files: readonly string[] = [], pollEvery = 50): Promise<void> => {
    watchConfiguration({
      file,
      files,
      signal: abort.signal,
      pollEvery,
      settleFor: 10,
      onChange: () => {
        seen++
        wake()
      },
    })
    // The first look is the measure of later ones: it must be over before a file changes.
    await rounds(3)
  }

  /** Waits until the content of the files was certainly looked at again. */
  const rounds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 50))

  const changed = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no change was seen within 10 s')), 10_000)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  it('sees a file that is written in place', async () => {
    await start()
    const change = changed()
    await writeFile(file, 'version: 1 # changed\n')
    await change
    expect(seen).toBe(1)
  })

  it('sees a file that an editor renames into place, again and again', async () => {
    await start()
    for (const text of ['one', 'two', 'three']) {
      const change = changed()
      await writeFile(`${file}.tmp`, text)
      await rename(`${file}.tmp`, file)
      await change
    }
    expect(seen).toBe(3)
  })

  it('sees a symbolic link that is swapped, as mounted secrets are', async () => {
    const [one, two, link] = [join(folder, '..1'), join(folder, '..2'), join(folder, '..data')]
    await mkdir(one)
    await mkdir(two)
    await writeFile(join(one, 'token'), 'old')
    await writeFile(join(two, 'token'), 'new')
    await symlink(one, link)
    await symlink(join(link, 'token'), join(folder, 'token'))
    await start([join(folder, 'token')])
    const change = changed()
    await symlink(two, `${link}.tmp`)
    await rename(`${link}.tmp`, link)
    await change
    expect(seen).toBe(1)
  })

  it('sees by its poll a file in a folder that did not exist at first', async () => {
    const late = join(folder, 'late', 'ca.pem')
    await start([late])
    const change = changed()
    await mkdir(join(folder, 'late'))
    await writeFile(late, 'pem')
    await change
  })

  it('sees a file that goes away', async () => {
    await start()
    const change = changed()
    await unlink(file)
    await change
  })

  it('takes a touched file, and the same content written again, for no change', async () => {
    await start()
    await utimes(file, new Date(), new Date())
    await writeFile(file, 'version: 1\n')
    await rounds(4)
    expect(seen).toBe(0)
  })

  it('says nothing more once it was ended', async () => {
    await start()
    abort.abort()
    await writeFile(file, 'version: 1 # changed\n')
    await rounds(4)
    expect(seen).toBe(0)
  })
})

import { mkdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { admitted, logFolder, segmentNames, writtenLog, type LogFolder } from '../testing/log.ts'
import { renderReport } from './render.ts'
import { verifyLog } from './verify.ts'

let folder: LogFolder
beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('verifying', () => {
  it('beside a gateway that writes, rotates and retains never cries wolf', async () => {
    const retain = { size: 256 * 1024, age: 400 * 86_400_000 }
    const log = await folder.open({ retain }, { tuning: { segmentBytes: 8192, batchEvents: 16 } })
    const stop = new AbortController()
    const writing = (async () => {
      for (let number = 0; !stop.signal.aborted; number++) {
        await log.record(admitted(number))
        if (number % 20 === 0) await log.flush()
      }
    })()
    let head = ''
    const hasRetained = async (): Promise<boolean> => !(await segmentNames(folder))[0]!.endsWith('01.jsonl')
    for (let round = 0; round < 40 || !(await hasRetained()); round++) {
      const report = await verifyLog(folder.directory, {
        publicKeyPem: log.publicKeyPem,
        ...(head !== '' && { head }),
      })
      expect(report).toMatchObject({ ok: true })
      expect(report.signed?.seq).toBeGreaterThan(0)
      head = JSON.stringify({ checkpoint: 1, ...log.head() })
    }
    stop.abort()
    await writing
    await log.close()
    expect((await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).retained).toBeGreaterThan(
      0,
    )
  })

  it('says that a kept head older than the log that is left proves nothing of its tail', async () => {
    const retain = { size: 16 * 1024, age: 400 * 86_400_000 }
    const log = await folder.open({ retain }, { tuning: { segmentBytes: 4096, batchEvents: 4 } })
    const head = JSON.stringify({ checkpoint: 1, ...log.head() })
    for (let number = 0; number < 100; number++) {
      await log.record(admitted(number))
      if (number % 8 === 0) await log.flush()
    }
    await log.close()
    const report = await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem, head })
    expect(report).toMatchObject({ ok: true, head: 'older-than-log' })
    expect(report.notices.join()).toContain('older than the log')
  })

  it('without a key checks the chain, and counts nothing as signed', async () => {
    await writtenLog(folder, 10)
    const report = await verifyLog(folder.directory)
    expect(report).toMatchObject({ ok: true, unsigned: { from: 1, to: 12 } })
    expect(report).not.toHaveProperty('signed')
    expect(report.notices.join()).toContain('signatures are not checked')
    expect(renderReport(report).join('\n')).toContain('signed    nothing')
  })

  it('of an empty directory finds no records; of none at all it fails', async () => {
    const log = await folder.open()
    await log.close()
    await using empty = await logFolder()
    await expect(verifyLog(empty.directory)).rejects.toThrow(/ENOENT/)
    await mkdir(empty.directory)
    expect(await verifyLog(empty.directory)).toMatchObject({ ok: true, records: 0 })
    const head = JSON.stringify({ checkpoint: 1, ...log.head() })
    expect(await verifyLog(empty.directory, { head })).toMatchObject({ ok: false, problem: 'cut', seq: 1 })
  })
})

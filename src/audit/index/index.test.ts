import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { indexName } from '../format/segments.ts'
import type { AuditFilter } from '../read/filter.ts'
import { queryAudit } from '../read/query.ts'
import { scanLog } from '../read/scan.ts'
import {
  admitted,
  logFolder,
  refused,
  startOfTime,
  segmentNames,
  writtenLog,
  type LogFolder,
} from '../testing/log.ts'
import { IndexDatabase } from './database.ts'
import { rebuildIndex } from './rebuild.ts'

let folder: LogFolder
const path = (): string => join(folder.directory, indexName)

beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

async function mixedLog(index: boolean): Promise<void> {
  const log = await folder.open({ index }, { tuning: { segmentBytes: 8192, batchEvents: 8 } })
  for (let number = 0; number < 200; number++) {
    folder.now += 1000
    const time = folder.now
    const wheel = number % 5
    if (wheel === 0) await log.record(refused(number, { time, route: `route-${number % 3}` }))
    else if (wheel === 1)
      await log.record(refused(number, { time, reason: 'forbidden', outcome: 'would-refuse' }))
    else await log.record(admitted(number, { time, route: `route-${number % 3}` }))
    if (number % 16 === 0) await log.flush()
  }
  await log.close()
}

function seqOf(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  try {
    const index = IndexDatabase.openForReading(path)
    const seq = index.position()?.seq
    index.close()
    return seq
  } catch {
    // The thread is making it.
    return undefined
  }
}

const seqs = (records: readonly { readonly seq: number }[]): number[] => records.map(({ seq }) => seq)

describe('the index', () => {
  it('is written behind the log by a thread, and is whole when the log is closed', async () => {
    await mixedLog(true)
    const index = IndexDatabase.openForReading(path())
    expect(index.count()).toBe(202)
    expect(index.position()).toMatchObject({ seq: 202 })
    index.close()
    expect((await stat(path())).mode & 0o777).toBe(0o600)
    expect(folder.alarms).toEqual([])
  })

  it('finds exactly what reading the log finds, for any question', async () => {
    await mixedLog(true)
    const maybe = <T>(...values: T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values)
    const time = fc.option(
      fc.nat(220_000).map((after) => startOfTime + after),
      { nil: undefined },
    )
    const filter: fc.Arbitrary<AuditFilter> = fc.record({
      since: time,
      until: time,
      subject: maybe('user-1', 'user-3', 'nobody'),
      route: maybe('route-0', 'route-1', 'catalog-read'),
      outcome: maybe('allow', 'refuse', 'would-refuse', 'record'),
      reason: maybe('token_signature', 'credential_invalid', 'forbidden', 'audit_start', 'other'),
      requestId: maybe('request-7', 'request-10'),
    })
    await fc.assert(
      fc.asyncProperty(filter, fc.integer({ min: 1, max: 250 }), async (filter, limit) => {
        const found = await queryAudit(folder.directory, { ...filter, limit })
        expect(found).toMatchObject({ source: 'index' })
        expect(found).not.toHaveProperty('notice')
        expect(found.records).toEqual(await scanLog(folder.directory, filter, limit))
      }),
      { numRuns: 100 },
    )
  })

  it('can be deleted: the next start builds it anew, and so does `rebuildIndex`', async () => {
    await mixedLog(true)
    const before = await queryAudit(folder.directory, { subject: 'user-3' })
    for (const suffix of ['', '-wal', '-shm']) await rm(`${path()}${suffix}`, { force: true })
    expect(rebuildIndex(folder.directory)).toBe(202)
    expect(await queryAudit(folder.directory, { subject: 'user-3' })).toEqual(before)
    await rm(path())
    const log = await folder.open({ index: true })
    await log.close()
    expect((await queryAudit(folder.directory, { subject: 'user-3' })).records).toEqual(before.records)
  })

  it('is begun anew when it is damaged or no database at all', async () => {
    await mixedLog(true)
    for (const suffix of ['-wal', '-shm']) await rm(`${path()}${suffix}`, { force: true })
    await writeFile(path(), 'this is no database'.repeat(1000))
    const found = await queryAudit(folder.directory, { subject: 'user-3', limit: 3 })
    expect(found).toMatchObject({ source: 'scan', notice: expect.stringContaining('the index was not used') })
    expect(found.records).toHaveLength(3)
    const log = await folder.open({ index: true })
    await log.close()
    expect(await queryAudit(folder.directory, { subject: 'user-3', limit: 3 })).toEqual({
      records: found.records,
      source: 'index',
    })
  })

  it('need not be current: what it has not read yet is read from the log', async () => {
    await mixedLog(true)
    const log = await folder.open({ index: false })
    await log.record(admitted(3, { time: folder.now }))
    await log.close()
    const found = await queryAudit(folder.directory, { subject: 'user-3', limit: 2 })
    expect(found.source).toBe('index')
    expect(seqs(found.records).at(-1)).toBe(204)
  })

  it('follows a running log within a second', async () => {
    const log = await folder.open({ index: true })
    await log.record(admitted(3))
    await log.flush()
    while (seqOf(path()) !== 2) await delay(20)
    await log.close()
  })

  it('forgets what retention dropped', async () => {
    const retain = { size: 16 * 1024, age: 400 * 86_400_000 }
    const log = await folder.open({ index: true, retain }, { tuning: { segmentBytes: 4096, batchEvents: 4 } })
    for (let number = 0; number < 100; number++) {
      await log.record(admitted(number))
      if (number % 8 === 0) await log.flush()
    }
    await log.close()
    const first = Number(/[0-9]+/.exec((await segmentNames(folder))[0] as string)?.[0])
    expect(first).toBeGreaterThan(10)
    const index = IndexDatabase.openForReading(path())
    expect(seqs(index.search({}, Infinity, 1000)).at(-1)).toBe(first)
    index.close()
    const found = await queryAudit(folder.directory, { limit: 1000 })
    expect(found).toMatchObject({ source: 'index' })
    expect(found.records).toEqual(await scanLog(folder.directory, {}, 1000))
  })

  it('is built anew from a segment whose end was taken back and written otherwise', async () => {
    await writtenLog(folder, 5, 1_000_000)
    const segment = join(folder.directory, (await segmentNames(folder))[0] as string)
    const whole = await readFile(segment)
    await appendFile(
      segment,
      (await folder.lines()).at(-1)!.replace('"seq":7', '"seq":8').replace('audit_stop', 'other') + '\n',
    )
    expect(rebuildIndex(folder.directory)).toBe(8)
    await writeFile(segment, whole)
    const log = await folder.open({ index: true })
    await log.close()
    const found = await queryAudit(folder.directory, { limit: 100 })
    expect(found.source).toBe('index')
    expect(found.records).toEqual(await scanLog(folder.directory, {}, 100))
  })

  it('cannot make the log say what it does not: a line that disagrees is not believed', async () => {
    await mixedLog(true)
    const index = IndexDatabase.open(path())
    index.insert({
      seq: 50,
      time: folder.now,
      type: 'authorization',
      outcome: 'allow',
      reason: undefined,
      code: undefined,
      subject: 'somebody-else',
      route: 'route-1',
      requestId: 'request-1',
      place: { segment: 1, offset: 0, length: 100 },
    })
    index.close()
    const found = await queryAudit(folder.directory, { subject: 'somebody-else' })
    expect(found).toMatchObject({ source: 'scan', records: [], notice: expect.stringContaining('record 50') })
  })

  it('raises an alarm and not more when it cannot be written', async () => {
    await writtenLog(folder, 3)
    await mkdir(path())
    const log = await folder.open({ index: true })
    await log.record(admitted(1))
    while (folder.alarms.length === 0) await delay(10)
    expect(folder.alarmKinds()[0]).toBe('index_failed')
    await log.close()
    expect((await folder.records()).at(-2)).toMatchObject({ requestId: 'request-1' })
  })
})

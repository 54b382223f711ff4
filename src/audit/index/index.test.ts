import { appendFile, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listSegments, type Segment } from '../format/segments.ts'
import type { AuditFilter } from '../read/filter.ts'
import { queryAudit } from '../read/query.ts'
import { scanLog } from '../read/scan.ts'
import { admitted, logFolder, refused, startOfTime, writtenLog, type LogFolder } from '../testing/log.ts'
import { BlockBuilder, blockBytes, readBlock } from './block.ts'
import { appendBlock, readIndex } from './files.ts'
import { rebuildIndex } from './rebuild.ts'

let folder: LogFolder

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

async function indexFiles(): Promise<string[]> {
  return (await readdir(folder.directory)).filter((name) => name.includes('.index')).sort()
}

async function newest(): Promise<Segment> {
  return (await listSegments(folder.directory)).at(-1)!
}

/** How many events the index holds, of segments that it speaks of from end to end. */
async function indexedEvents(): Promise<number> {
  let events = 0
  for (const segment of await listSegments(folder.directory)) {
    const { blocks = [], isSound } = (await readIndex(segment)) ?? {}
    expect(isSound).toBe(true)
    expect(blocks.at(-1)?.to).toBe((await stat(segment.path)).size)
    for (const [at, block] of blocks.entries()) {
      expect(block.from).toBe(blocks[at - 1]?.to ?? 0)
      events += block.events
    }
  }
  return events
}

async function agrees(filter: AuditFilter, limit = 1000): Promise<void> {
  const found = await queryAudit(folder.directory, { ...filter, limit })
  expect(found.records).toEqual(await scanLog(folder.directory, filter, limit))
}

describe('the index', () => {
  it('is written with the log, and is whole when the log is closed', async () => {
    await mixedLog(true)
    expect(await indexedEvents()).toBe(202)
    for (const name of await indexFiles())
      expect((await stat(join(folder.directory, name))).mode & 0o777).toBe(0o600)
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
        expect(found).not.toHaveProperty('notice')
        expect(found.records).toEqual(await scanLog(folder.directory, filter, limit))
      }),
      { numRuns: 100 },
    )
  })

  it('finds what was said of an event that had to be cut', async () => {
    const log = await folder.open({ index: true })
    const identity = { issuer: 'i', subject: 's'.repeat(5000), claims: { text: 'x'.repeat(9000) } }
    await log.record(admitted(1, { identity }))
    await log.close()
    const subject = (await folder.records()).at(-2)!.identity!.subject
    expect(subject).toContain('[cut')
    expect((await queryAudit(folder.directory, { subject })).records).toHaveLength(1)
  })

  it('lets a reader pass over what cannot hold the answer', async () => {
    await writtenLog(folder, 3000, 100_000_000)
    rebuildIndex(folder.directory)
    // What is not read cannot be found: proof that it was not read.
    const segment = await newest()
    const { blocks } = (await readIndex(segment))!
    expect(blocks.length).toBeGreaterThan(2)
    const handle = await open(segment.path, 'r+')
    await handle.write(Buffer.from('X'.repeat(20)), 0, 20, 200)
    await handle.close()
    const found = await queryAudit(folder.directory, { requestId: 'request-2999' })
    expect(found).toMatchObject({ source: 'index', records: [{ requestId: 'request-2999' }] })
  })

  it('tells of a running log what is written, though its last run is not indexed yet', async () => {
    const log = await folder.open({ index: true })
    for (let number = 0; number < 1500; number++) await log.record(admitted(number))
    await log.flush()
    for (const requestId of ['request-0', 'request-1100', 'request-1499'])
      expect((await queryAudit(folder.directory, { requestId })).records).toHaveLength(1)
    while (((await readIndex(await newest()))?.blocks.length ?? 0) === 0) await delay(5)
    await agrees({ subject: 'user-3' })
    await log.close()
  })

  it('can be deleted: the next start builds it anew, and so does `rebuildIndex`', async () => {
    await mixedLog(true)
    const before = await queryAudit(folder.directory, { subject: 'user-3' })
    for (const name of await indexFiles()) await rm(join(folder.directory, name))
    expect(await queryAudit(folder.directory, { subject: 'user-3' })).toEqual({ ...before, source: 'scan' })
    expect(rebuildIndex(folder.directory)).toBe(202)
    expect(await queryAudit(folder.directory, { subject: 'user-3' })).toEqual(before)
    for (const name of await indexFiles()) await rm(join(folder.directory, name))
    const log = await folder.open({ index: true })
    await log.close()
    expect(await indexedEvents()).toBe(204)
  })

  it('is made good after a crash, from the log', async () => {
    await mixedLog(true)
    const segment = await newest()
    const whole = await readFile(segment.indexPath)
    const damages: readonly (() => Promise<void>)[] = [
      // The last run was never written; half of a block was; another block was damaged.
      () => writeFile(segment.indexPath, ''),
      () => truncate(segment.indexPath, whole.length - 100),
      () => writeFile(segment.indexPath, Buffer.from(whole).fill(7, 2000, 2010)),
      () => writeFile(segment.indexPath, 'this is no index'.repeat(1000)),
    ]
    for (const damage of damages) {
      await damage()
      await agrees({ subject: 'user-3' })
      const log = await folder.open({ index: true })
      await log.close()
      await indexedEvents()
      await agrees({ subject: 'user-3' })
    }
    expect(folder.alarms).toEqual([])
  })

  it('says so when a part of it does not agree with the log, and finds everything all the same', async () => {
    await mixedLog(true)
    const segment = await newest()
    await writeFile(segment.indexPath, Buffer.alloc(blockBytes, 7))
    const found = await queryAudit(folder.directory, { subject: 'user-3' })
    expect(found.notice).toContain(segment.name)
    expect(found.records).toEqual(await scanLog(folder.directory, { subject: 'user-3' }, 100))
  })

  it('does not speak of lines that were taken back and written otherwise', async () => {
    await writtenLog(folder, 5, 1_000_000)
    const segment = await newest()
    const before = await readFile(segment.path)
    const lines = await folder.lines()
    await appendFile(
      segment.path,
      `${lines.at(-1)!.replace('"seq":7', '"seq":8').replace('audit_stop', 'other')}\n`,
    )
    rebuildIndex(folder.directory)
    // As after a power failure that kept the index and not the log.
    await writeFile(segment.path, before)
    const log = await folder.open({ index: true })
    await log.record(admitted(99))
    await log.close()
    expect((await queryAudit(folder.directory, { requestId: 'request-99' })).records).toHaveLength(1)
    await agrees({})
    await indexedEvents()
  })

  it('may speak twice of the same lines, and nothing is told twice', async () => {
    await writtenLog(folder, 40, 1_000_000)
    rebuildIndex(folder.directory)
    const segment = await newest()
    const records = await folder.records()
    const ends: number[] = []
    for (const line of await folder.lines()) ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(line) + 1)
    for (const [first, last] of [
      [10, 20],
      [15, 30],
      [12, 14],
    ] as const) {
      const block = new BlockBuilder(ends[first - 1]!)
      for (let at = first; at <= last; at++) {
        const record = records[at]!
        block.add(record, Date.parse(record.time), ends[at]!, record.hash)
      }
      await appendBlock(segment, block.bytes())
    }
    await agrees({})
    await agrees({ subject: 'user-3' })
    await agrees({ requestId: 'request-13' })
  })

  it('forgets what retention dropped', async () => {
    const retain = { size: 16 * 1024, age: 400 * 86_400_000 }
    const log = await folder.open({ index: true, retain }, { tuning: { segmentBytes: 4096, batchEvents: 4 } })
    for (let number = 0; number < 100; number++) {
      await log.record(admitted(number))
      if (number % 8 === 0) await log.flush()
    }
    await log.close()
    const segments = await listSegments(folder.directory)
    expect(segments[0]!.firstSeq).toBeGreaterThan(10)
    expect(await indexFiles()).toEqual(segments.map(({ name }) => name.replace('.jsonl', '.index')))
    await agrees({})
  })

  it('leaves nothing behind that belongs to no segment', async () => {
    await writtenLog(folder, 3)
    for (const name of ['audit-0000000000000777.index', 'audit-0000000000000001.index.4711'])
      await writeFile(join(folder.directory, name), 'left')
    const log = await folder.open({ index: true })
    await log.close()
    expect(await indexFiles()).toEqual(['audit-0000000000000001.index'])
  })

  it('can be built anew while a gateway writes', async () => {
    const log = await folder.open({ index: true }, { tuning: { segmentBytes: 400_000 } })
    for (let number = 0; number < 3000; number++) {
      await log.record(admitted(number))
      if (number % 500 === 499) {
        await log.flush()
        rebuildIndex(folder.directory)
      }
    }
    await agrees({ subject: 'user-3' })
    await log.close()
    await agrees({ subject: 'user-3' }, 5000)
  })

  it('raises an alarm and not more when it cannot be written', async () => {
    await writtenLog(folder, 3)
    const segment = await newest()
    await mkdir(segment.indexPath)
    const log = await folder.open({ index: true })
    await log.record(admitted(1))
    await log.close()
    expect(folder.alarmKinds()).toEqual(['index_failed'])
    expect((await folder.records()).at(-2)).toMatchObject({ requestId: 'request-1' })
    const found = await queryAudit(folder.directory, { requestId: 'request-1' })
    expect(found).toMatchObject({ source: 'scan', notice: expect.stringContaining('the index was not used') })
    expect(found.records).toHaveLength(2)
  })
})

describe('a block', () => {
  const build = (): Buffer => {
    const block = new BlockBuilder(100)
    for (let number = 0; number < 1000; number++) {
      const event = admitted(number, { identity: { issuer: 'i', subject: `caller-${number}` } })
      block.add(event, event.time, 200 + number, number.toString(16).padStart(64, '0'))
    }
    return block.bytes()
  }

  it('reads back as what it was made of', () => {
    expect(readBlock(build())).toMatchObject({
      events: 1000,
      from: 100,
      to: 1199,
      earliest: startOfTime,
      latest: startOfTime + 999,
      hash: (999).toString(16).padStart(64, '0'),
    })
  })

  it('is none with any bit changed', () => {
    const bytes = build()
    fc.assert(
      fc.property(fc.nat(blockBytes * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        return readBlock(changed) === undefined
      }),
    )
  })
})

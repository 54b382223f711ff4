import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileAuditLog } from '../file-audit-log.ts'
import { readFirstLink } from '../format/lines.ts'
import type { RetainFacts } from '../format/own-events.ts'
import { listSegments } from '../format/segments.ts'
import { admitted, logFolder, refused, segmentNames, startOfTime, type LogFolder } from '../testing/log.ts'
import { verifyLog } from '../verify/verify.ts'

const day = 86_400_000
const tuning = { segmentBytes: 4096, batchEvents: 8 }
let folder: LogFolder

beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

async function record(log: FileAuditLog, count: number, every = 1000): Promise<void> {
  for (let number = 0; number < count; number++) {
    folder.now += every
    await log.record(admitted(number, { time: folder.now }))
    if (number % 4 === 3) await log.flush()
  }
  await log.flush()
}

const retained = async (): Promise<RetainFacts[]> =>
  (await folder.records())
    .filter(({ reason }) => reason === 'retain')
    .map(({ data }) => data as unknown as RetainFacts)

const verify = (log: FileAuditLog): ReturnType<typeof verifyLog> =>
  verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })

describe('retention by size', () => {
  it('drops whole old segments, records what went, and the log still verifies', async () => {
    const log = await folder.open({ retain: { size: 32 * 1024, age: 400 * day } }, { tuning })
    await record(log, 200)
    expect(log.stats().bytes).toBeLessThan(40 * 1024)
    const report = await verify(log)
    expect(report).toMatchObject({ ok: true })
    const first = (await listSegments(folder.directory))[0]
    expect(report.retained).toBe((first?.firstSeq ?? 0) - 1)
    const facts = (await retained()).at(-1)
    expect(facts).toMatchObject({ cause: 'size' })
    const link = await readFirstLink(first?.path ?? '')
    const gone = facts?.segments.at(-1)
    expect([gone?.lastSeq, gone?.lastHash]).toEqual([(link?.seq ?? 0) - 1, link?.previousHash])
    await log.close()
    expect(await verify(log)).toMatchObject({ ok: true })
  })

  it('keeps the current segment, however small the size', async () => {
    const log = await folder.open({ retain: { size: 100, age: 400 * day } }, { tuning })
    await record(log, 30)
    expect(await segmentNames(folder)).toHaveLength(1)
    expect(log.stats().segments).toBe(1)
    await log.close()
    expect(await verify(log)).toMatchObject({ ok: true })
  })

  it('is found out when more was dropped than the signed event says', async () => {
    const log = await folder.open({ retain: { size: 32 * 1024, age: 400 * day } }, { tuning })
    await record(log, 200)
    await log.close()
    await rm(join(folder.directory, (await segmentNames(folder))[0] as string))
    expect(await verify(log)).toMatchObject({ ok: false, problem: 'dropped', seq: 1 })
  })

  it('lets the checkpoints of dropped records go too, in a way that verifies', async () => {
    const log = await folder.open({ retain: { size: 64 * 1024, age: 400 * day } }, { tuning })
    // A checkpoint for every event: 350 bytes beside 650.
    for (let number = 0; number < 170; number++) {
      folder.now += 1000
      await log.record(admitted(number, { time: folder.now }))
      await log.flush()
    }
    await log.close()
    expect((await retained()).some(({ checkpoints }) => checkpoints !== undefined)).toBe(true)
    const checkpoints = await folder.checkpoints()
    expect(checkpoints.length).toBeLessThan(150)
    expect(await verify(log)).toMatchObject({ ok: true })
    const again = await folder.open()
    await again.close()
    expect(await verify(again)).toMatchObject({ ok: true })
  })
})

describe('retention by age', () => {
  it('drops segments whose last record is older, and keeps the others', async () => {
    const log = await folder.open({ retain: { size: 1024 ** 3, age: 10 * day } }, { tuning })
    await record(log, 60, day / 4)
    const oldest = await readFirstLink((await listSegments(folder.directory))[0]?.path ?? '')
    expect(Date.parse(oldest?.time ?? '')).toBeGreaterThan(folder.now - 13 * day)
    expect((await retained())[0]).toMatchObject({ cause: 'age' })
    expect(await verify(log)).toMatchObject({ ok: true })
    await log.close()
  })

  it('is applied at a start, after a long rest', async () => {
    const before = await folder.open({}, { tuning })
    await record(before, 40)
    await before.close()
    folder.now = startOfTime + 500 * day
    const log = await folder.open({}, { tuning })
    await log.close()
    expect(await segmentNames(folder)).toHaveLength(1)
    expect(await verify(log)).toMatchObject({ ok: true })
  })
})

describe('a log that fills faster than it may', () => {
  it('raises one alarm, and coalesces refusals by the minute', async () => {
    const log = await folder.open({ retain: { size: 32 * 1024, age: 400 * day } }, { tuning })
    await record(log, 100)
    expect(folder.alarmKinds()).toEqual(['retention_pressure'])
    expect(log.stats().isUnderPressure).toBe(true)
    folder.now = Math.ceil(folder.now / 60_000) * 60_000
    for (let second = 0; second < 59; second++) {
      folder.now += 1000
      void log.record(refused(second, { time: folder.now }))
    }
    expect(log.stats().coalescing).toBe(49)
    await log.close()
    expect((await folder.records()).find(({ count }) => count !== undefined)).toMatchObject({ count: 49 })
  })

  it('is not one that is less than half full, however fast it began', async () => {
    const log = await folder.open({ retain: { size: 10 * 1024 ** 2, age: 400 * day } }, { tuning })
    await record(log, 100, 1)
    expect(folder.alarms).toEqual([])
    await log.close()
  })
})

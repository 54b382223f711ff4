import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditRecord } from '../format/event.ts'
import { admitted, logFolder, refused, startOfTime, writtenLog, type LogFolder } from '../testing/log.ts'
import { exportLog, type ExportOptions } from './export.ts'
import { queryAudit } from './query.ts'
import { tailAudit } from './tail.ts'
import { parseTime } from './time.ts'

let folder: LogFolder

beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

const seqs = (records: readonly AuditRecord[]): number[] => records.map(({ seq }) => seq)

describe('a query', () => {
  beforeEach(async () => {
    const log = await folder.open({}, { tuning: { segmentBytes: 3000, batchEvents: 4 } })
    for (let number = 1; number <= 30; number++) {
      await log.record(number % 3 === 0 ? refused(number) : admitted(number))
      if (number % 4 === 0) await log.flush()
    }
    await log.close()
  })

  it('gives the newest events that match, oldest first', async () => {
    const { records } = await queryAudit(folder.directory, { outcome: 'allow', limit: 3 })
    expect(records.map(({ requestId }) => requestId)).toEqual(['request-26', 'request-28', 'request-29'])
  })

  it('takes the public code and the finer word alike', async () => {
    const fine = await queryAudit(folder.directory, { reason: 'token_signature' })
    expect(fine.records).toHaveLength(10)
    expect(await queryAudit(folder.directory, { reason: 'credential_invalid' })).toEqual(fine)
  })

  it('derives the public code where only the finer word was recorded', async () => {
    await using other = await logFolder()
    const log = await other.open()
    const { code: _code, ...entry } = refused(1)
    await log.record(entry)
    await log.close()
    expect((await queryAudit(other.directory, { reason: 'credential_invalid' })).records).toHaveLength(1)
  })

  it('takes a span of time: from its beginning, up to before its end', async () => {
    const { records } = await queryAudit(folder.directory, {
      since: startOfTime + 10,
      until: startOfTime + 13,
    })
    expect(records.map(({ requestId }) => requestId)).toEqual(['request-10', 'request-11', 'request-12'])
  })

  it('of a directory without a log finds nothing', async () => {
    expect(await queryAudit(join(folder.directory, 'nowhere'), {})).toEqual({ records: [], source: 'scan' })
  })

  it('passes over lines that are no records', async () => {
    await writeFile(
      join(folder.directory, 'audit-0000000000000099.jsonl'),
      'garbage\n{"seq":1}\n[]\nnull\n{"time":',
    )
    expect((await queryAudit(folder.directory, { limit: 1 })).records[0]).toMatchObject({
      reason: 'audit_stop',
    })
  })
})

describe('the tail', () => {
  it('is the last events, over as many segments as it takes', async () => {
    await writtenLog(folder, 40)
    for (const lines of [0, 1, 7, 41, 42, 100]) {
      const records = await collect(tailAudit(folder.directory, { lines, follow: false }))
      const expected = Array.from({ length: 42 }, (_, index) => index + 1)
      expect(seqs(records)).toEqual(lines === 0 ? [] : expected.slice(-lines))
    }
  })

  it('goes on with new events as they come, through new segments, each once', async () => {
    const log = await folder.open({}, { tuning: { segmentBytes: 2000, batchEvents: 2 } })
    const stop = new AbortController()
    const seen: number[] = []
    const followed = (async () => {
      for await (const { seq } of tailAudit(folder.directory, {
        lines: 100,
        follow: true,
        signal: stop.signal,
      })) {
        seen.push(seq)
        if (seq === 61) stop.abort()
      }
    })()
    for (let number = 1; number <= 60; number++) {
      await log.record(admitted(number))
      if (number % 5 === 0) await log.flush()
    }
    await followed
    expect(seen).toEqual(Array.from({ length: 61 }, (_, index) => index + 1))
    await log.close()
  })

  it('waits for a log that is not there yet', async () => {
    const stop = new AbortController()
    const followed = collect(tailAudit(folder.directory, { lines: 5, follow: true, signal: stop.signal }))
    setTimeout(() => stop.abort(), 50)
    expect(await followed).toEqual([])
  })
})

describe('an export', () => {
  const text = async (options: ExportOptions): Promise<string> =>
    (await collect(exportLog(folder.directory, options))).join('')

  it('as jsonl keeps every byte, so that the chain can be checked elsewhere', async () => {
    await writtenLog(folder, 20)
    const lines = (await text({ format: 'jsonl' })).trimEnd().split('\n')
    expect(lines).toEqual(await folder.lines())
    for (const line of lines) {
      const body = line.replace(/,"hash":"[0-9a-f]+"\}$/, '}')
      expect(line).toContain(createHash('sha256').update(body).digest('hex'))
    }
  })

  it('as csv has a row for each event, the same columns in each, and quotes what needs it', async () => {
    const log = await folder.open()
    await log.record(admitted(1, { path: '/a,"b"', detail: 'two\nlines' }))
    await log.close()
    const rows = (await text({ format: 'csv' })).split('\r\n')
    expect(rows).toHaveLength(5)
    expect(rows[0]).toContain('time,seq,type,outcome,reason')
    expect(rows[2]).toContain('"/a,""b"""')
    expect(rows[2]).toContain('two\\x0alines')
  })

  it('takes a span', async () => {
    await writtenLog(folder, 20)
    const lines = await text({ format: 'jsonl', since: startOfTime + 5, until: startOfTime + 8 })
    expect(lines.match(/request-\d+/g)).toEqual(['request-5', 'request-6', 'request-7'])
  })
})

describe('a time', () => {
  it.each([
    ['2026-11-24T16:00:00Z', startOfTime],
    ['2026-11-24T16:00:00.250Z', startOfTime + 250],
    ['2026-11-24t17:00:00+01:00', startOfTime],
    ['2026-11-24 16:00Z', startOfTime],
    ['2026-11-24', Date.parse('2026-11-24')],
    ['15m', startOfTime - 900_000],
    ['7d', startOfTime - 604_800_000],
  ])('%s is understood', (text, time) => {
    expect(parseTime(text, startOfTime)).toBe(time)
  })

  it.each(['', 'yesterday', '2026-13-01', '15', '-5m', '2026-11-24T16:00:00', '1e3s'])(
    '%j is not',
    (text) => {
      expect(parseTime(text, startOfTime)).toBeUndefined()
    },
  )
})

import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditUnavailableError } from './errors.ts'
import { admitted, logFolder, refused, segmentNames, type LogFolder } from './testing/log.ts'
import { verifyLog } from './verify/verify.ts'

let folder: LogFolder

beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

/** Looks until it is so; the test's own time limit ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(5)
}

const reasons = async (): Promise<(string | undefined)[]> =>
  (await folder.records()).map(({ reason }) => reason)

describe('a relaxed log', () => {
  it('takes events without a promise and writes them within 100 ms', async () => {
    const log = await folder.open()
    const taken = performance.now()
    for (let number = 1; number <= 20; number++) expect(log.record(admitted(number))).toBeUndefined()
    await until(() => log.stats().queued === 0)
    expect(performance.now() - taken).toBeLessThan(1000)
    expect((await folder.records()).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 21 }, (_, index) => index + 1),
    )
    await log.close()
  })

  it('says how long the oldest event of a batch waited', async () => {
    const lags: number[] = []
    const log = await folder.open({}, { onLag: (seconds) => lags.push(seconds) })
    void log.record(admitted(1))
    folder.now += 40
    await log.flush()
    expect(lags).toEqual([0.04])
    await log.close()
  })

  it('slows its callers while the queue is full, and drops nothing', async () => {
    const log = await folder.open({}, { tuning: { queueBound: 100, batchEvents: 10 } })
    const answers = Array.from({ length: 1000 }, (_, number) => log.record(admitted(number)))
    expect(answers.slice(0, 100).every((answer) => answer === undefined)).toBe(true)
    expect(answers.slice(100).every((answer) => answer instanceof Promise)).toBe(true)
    await Promise.all(answers.map((answer) => Promise.resolve(answer)))
    await log.close()
    const ids = (await folder.records())
      .filter(({ type }) => type === 'authorization')
      .map(({ requestId }) => requestId)
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, number) => `request-${number}`))
  })

  it('signs a checkpoint each second with events, and none without', async () => {
    const log = await folder.open()
    void log.record(admitted(1))
    await until(() => log.head()?.seq === 2)
    const count = (await folder.checkpoints()).length
    await delay(1200)
    expect(await folder.checkpoints()).toHaveLength(count)
    await log.close()
  })
})

describe('a strict log', () => {
  it('answers when the event is in the file', async () => {
    const log = await folder.open({ mode: 'strict' })
    await log.record(admitted(1))
    expect((await folder.records()).at(-1)).toMatchObject({ requestId: 'request-1' })
    await log.close()
  })

  it('gathers the events of one turn into one batch, with one promise', async () => {
    const log = await folder.open({ mode: 'strict' })
    const answers = [1, 2, 3].map((number) => log.record(admitted(number)))
    expect(new Set(answers).size).toBe(1)
    await answers[0]
    expect(log.stats()).toMatchObject({ lastSeq: 4, queued: 0 })
    await log.close()
  })

  it('writes the next batch after the one under way, in the order of recording', async () => {
    const log = await folder.open({ mode: 'strict' })
    const done: number[] = []
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let turn = 0; turn < 20; turn++) {
        await log.record(admitted(turn * 8 + caller))
        done.push(caller)
      }
    })
    await Promise.all(callers)
    expect(done).toHaveLength(160)
    await log.close()
    expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({
      ok: true,
      records: 162,
    })
  })
})

describe('any log', () => {
  it('names the configuration that was in force when the event happened', async () => {
    let hash = 'before'
    const log = await folder.open({}, { configurationHash: () => hash })
    void log.record(admitted(1))
    hash = 'after'
    void log.record(admitted(2))
    await log.close()
    expect((await folder.records()).slice(1, 3).map(({ configuration }) => configuration)).toEqual([
      'before',
      'after',
    ])
  })

  it('coalesces equal refusals, and writes the count at the end of the second', async () => {
    const log = await folder.open()
    for (let number = 0; number < 500; number++) expect(log.record(refused(number))).toBeUndefined()
    expect(log.stats()).toMatchObject({ queued: 10, coalescing: 490 })
    await until(() => log.stats().coalescing === 0)
    await log.flush()
    const written = (await folder.records()).filter(({ outcome }) => outcome === 'refuse')
    expect(written.map(({ count }) => count)).toEqual([...Array<undefined>(10).fill(undefined), 490])
    await log.close()
  })

  it('never coalesces what was admitted or would only have been refused', async () => {
    const log = await folder.open()
    for (let number = 0; number < 50; number++) {
      void log.record(refused(1, { outcome: 'would-refuse' }))
      void log.record(admitted(1))
    }
    await log.close()
    expect((await folder.records()).filter(({ type }) => type !== 'administration')).toHaveLength(100)
  })

  it('writes what is still counted when it is closed, signs it and says that it stopped', async () => {
    const log = await folder.open()
    for (let number = 0; number < 30; number++) void log.record(refused(number))
    await log.close()
    const records = await folder.records()
    expect(records.at(-2)).toMatchObject({ count: 20 })
    expect(records.at(-1)).toMatchObject({ type: 'administration', outcome: 'record', reason: 'audit_stop' })
    expect(log.head()?.seq).toBe(records.at(-1)?.seq)
    expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).not.toHaveProperty(
      'unsigned',
    )
  })

  it('can be closed twice, and refuses events afterwards', async () => {
    const log = await folder.open()
    await Promise.all([log.close(), log.close()])
    await expect(log.record(admitted(1))).rejects.toThrow(AuditUnavailableError)
  })

  it('tells each event that was written, once', async () => {
    const told: string[] = []
    const log = await folder.open({}, { onEvent: (type, outcome) => told.push(`${type} ${outcome}`) })
    void log.record(admitted(1))
    void log.record(refused(2))
    await log.flush()
    expect(told).toEqual(['authorization allow', 'authentication refuse'])
    await log.close()
  })

  it('copies each line to standard output where that is a sink', async () => {
    const stdout = new PassThrough()
    const log = await folder.open({ sinks: ['stdout'] }, { stdout })
    void log.record(admitted(1))
    await log.close()
    const lines = (await folder.lines()).slice(1).map((line) => `${line}\n`)
    expect(await text(stdout.end())).toBe(lines.join(''))
  })

  it('goes on when standard output goes away, with one alarm', async () => {
    const stdout = new PassThrough()
    const log = await folder.open({ sinks: ['stdout'] }, { stdout })
    stdout.destroy(new Error('gone'))
    for (const number of [1, 2, 3]) {
      void log.record(admitted(number))
      await log.flush()
    }
    await log.close()
    expect(folder.alarmKinds()).toEqual(['sink_failed'])
    expect(await reasons()).toEqual(['audit_start', undefined, undefined, undefined, 'audit_stop'])
  })

  it('begins a new segment when one is large or old', async () => {
    const log = await folder.open({}, { tuning: { segmentBytes: 2000, segmentAge: 60_000 } })
    for (let number = 1; number <= 4; number++) {
      void log.record(admitted(number))
      await log.flush()
    }
    expect(await segmentNames(folder)).toEqual([
      'audit-0000000000000001.jsonl',
      'audit-0000000000000005.jsonl',
    ])
    folder.now += 60_000
    void log.record(admitted(5))
    await log.flush()
    expect(await segmentNames(folder)).toHaveLength(3)
    await log.close()
    expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({
      ok: true,
      segments: 3,
    })
  })

  it('gives a credential the same fingerprint always, and another with another key', async () => {
    const log = await folder.open()
    const print = log.fingerprint('ptc_secret')
    expect(print).toMatch(/^[0-9a-f]{32}$/)
    expect(log.fingerprint('ptc_secreu')).not.toBe(print)
    await log.close()
    const again = await folder.open()
    expect(again.fingerprint('ptc_secret')).toBe(print)
    await again.close()
    await using other = await logFolder()
    const elsewhere = await other.open()
    expect(elsewhere.fingerprint('ptc_secret')).not.toBe(print)
    await elsewhere.close()
  })

  it('takes 100,000 events, and prints what that cost', async () => {
    const log = await folder.open()
    let longest = 0
    const began = performance.now()
    for (let number = 0; number < 100_000; number++) {
      const answer = log.record(admitted(number))
      if (number % 200 === 0) {
        const before = performance.now()
        await new Promise((done) => setImmediate(done))
        longest = Math.max(longest, performance.now() - before)
      }
      await answer
    }
    await log.flush()
    const seconds = (performance.now() - began) / 1000
    await log.close()
    console.info(`audit: ${Math.round(100_000 / seconds)} events/s, longest turn ${longest.toFixed(1)} ms`) // oxlint-disable-line no-console
    expect(log.stats().lastSeq).toBe(100_002)
  })
})

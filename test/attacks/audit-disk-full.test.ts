/** A disk that fills, by accident or by somebody who fills it: no request passes unrecorded, and the chain stays whole. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuditUnavailableError } from '../../src/audit/errors.ts'
import type { FileAuditLog } from '../../src/audit/file-audit-log.ts'
import { admitted, logFolder, refused, type LogFolder } from '../../src/audit/testing/log.ts'
import { verifyLog } from '../../src/audit/verify/verify.ts'

const modes = ['relaxed', 'strict'] as const
let folder: LogFolder
afterEach(() => folder[Symbol.asyncDispose]())

async function idsInLog(): Promise<string[]> {
  return (await folder.records()).map(({ requestId }) => requestId).filter((id) => id !== undefined)
}

async function expectWhole(log: { readonly publicKeyPem: string }): Promise<void> {
  expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({ ok: true })
}

const mountPoint = mkdtempSync(join(tmpdir(), 'portcullis-full-'))

/** A real file system of half a megabyte; only root may make one. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'tmpfs', mountPoint], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

const isMounted = mountSmallDisk()
afterAll(() => {
  if (isMounted) execFileSync('umount', [mountPoint])
  rmSync(mountPoint, { recursive: true, force: true })
})

describe.runIf(isMounted)('a full disk', () => {
  let ballast: string

  beforeAll(() => {
    ballast = join(mountPoint, 'ballast')
  })
  beforeEach(async () => {
    folder = await logFolder(mountPoint)
  })
  afterEach(() => rm(ballast, { force: true }))

  /** Writes until nothing more goes in. */
  async function fill(): Promise<void> {
    const handle = await open(ballast, 'w')
    for (const size of [65_536, 4096, 512, 1]) {
      for (;;) {
        const isFull = await handle.write(Buffer.alloc(size)).then(
          () => false,
          () => true,
        )
        if (isFull) break
      }
    }
    await handle.close()
  }

  /** Records until the log refuses; the ids that it took and the one that it refused. */
  async function recordUntilRefused(
    log: FileAuditLog,
  ): Promise<{ taken: string[]; refusal: AuditUnavailableError }> {
    const taken: string[] = []
    for (let number = 0; number < 100_000; number++) {
      try {
        await log.record(admitted(number))
        taken.push(`request-${number}`)
        if (number % 16 === 0) await delay(1)
      } catch (error) {
        return { taken, refusal: error as AuditUnavailableError }
      }
    }
    throw new Error('the log never refused')
  }

  it.each(modes)('makes a %s log refuse events with an alarm, and lose none that it took', async (mode) => {
    const log = await folder.open({ mode })
    await fill()
    const { taken, refusal } = await recordUntilRefused(log)
    expect(refusal).toBeInstanceOf(AuditUnavailableError)
    expect(refusal).toMatchObject({
      code: 'ENOSPC',
      message: 'the audit log cannot be written: the disk is full (ENOSPC)',
    })
    expect(folder.alarmKinds()).toEqual(['write_failed'])
    expect(log.stats().isFailing).toBe(true)
    await expect(log.record(admitted(1))).rejects.toBe(refusal)
    await expect(log.record(refused(1))).rejects.toBe(refusal)
    await expect(log.flush()).rejects.toBe(refusal)

    await rm(ballast)
    // The alarm comes a moment after the write that worked again.
    while (log.stats().isFailing || folder.alarmKinds().length < 2) await delay(20)
    expect(folder.alarmKinds()).toEqual(['write_failed', 'write_recovered'])
    await log.record(admitted(1_000_000))
    await log.close()
    const ids = await idsInLog()
    expect(ids).toEqual([...taken, 'request-1000000'])
    const note = (await folder.records()).find(({ reason }) => reason === 'audit_interrupted')
    // The event of the refused caller (in relaxed mode it was turned away before it was taken), and two more.
    expect(note?.data).toMatchObject({ cause: 'ENOSPC', refused: 3 })
    await expectWhole(log)
  })

  it.each(modes)('holds no half line of a %s log, even while it is full', async (mode) => {
    const log = await folder.open({ mode })
    await fill()
    await recordUntilRefused(log)
    const report = await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })
    expect(report).toMatchObject({ ok: true })
    expect(report.torn).toBeUndefined()
    await rm(ballast)
    await log.close()
    await expectWhole(log)
  })

  it('tells what is lost when the gateway stops before there is room again', async () => {
    const log = await folder.open()
    await fill()
    await recordUntilRefused(log)
    const { queued } = log.stats()
    expect(queued).toBeGreaterThan(0)
    await expect(log.close()).rejects.toThrow(/the disk is full/)
    expect(folder.alarms.at(-1)).toMatchObject({
      kind: 'events_lost',
      detail: expect.stringContaining(`${queued} events`),
    })
    await rm(ballast)
    const again = await folder.open()
    await again.close()
    await expectWhole(again)
  })

  it('ends no process through a caller that does not wait', async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown): number => unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    const log = await folder.open({ mode: 'strict' })
    await fill()
    for (let number = 0; !log.stats().isFailing; number++) {
      void log.record(admitted(number))
      await delay(1)
    }
    void log.record(refused(1))
    await delay(20)
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
    await rm(ballast)
    await log.close()
  })

  it('refuses a start, with words, and leaves the log as it was', async () => {
    const before = await folder.open()
    await before.record(admitted(1))
    await before.close()
    await fill()
    const lines = await folder.lines()
    // What is left in the last block of a file may be room for a start or two.
    let attempt: FileAuditLog | undefined
    for (let starts = 0; starts < 20; starts++) {
      attempt = await folder.open().catch(() => undefined)
      if (attempt === undefined) break
      await attempt.close().catch(() => {})
    }
    expect(attempt).toBeUndefined()
    expect((await folder.lines()).slice(0, lines.length)).toEqual(lines)
    await rm(ballast)
    const again = await folder.open()
    await again.close()
    await expectWhole(again)
  })
})

function canLimitFiles(): boolean {
  return (
    spawnSync('prlimit', ['--version']).status === 0 && spawnSync('bash', ['-c', 'ulimit -f']).status === 0
  )
}

describe.runIf(canLimitFiles())('a file that may not grow', () => {
  beforeEach(async () => {
    folder = await logFolder()
  })

  it.each(modes)('makes a %s log refuse until it may, and lose nothing', async (mode) => {
    const script = join(
      import.meta.dirname,
      '../../src/audit/testing',
      `until-refused${extname(import.meta.filename)}`,
    )
    const settings = JSON.stringify({ directory: folder.directory, key: folder.key, mode })
    const command = 'ulimit -S -f 32; exec "$0" "$@"'
    const child = spawn('bash', ['-c', command, process.execPath, script, settings], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const taken: number[] = []
    const turnedAway: { refused: number; code: string }[] = []
    const alarms: string[] = []
    let isClosed = false
    for await (const line of createInterface(child.stdout)) {
      const fact = JSON.parse(line) as {
        taken?: number
        refused?: number
        code: string
        alarm?: string
        closed?: boolean
      }
      if (fact.taken !== undefined) taken.push(fact.taken)
      if (fact.alarm !== undefined) alarms.push(fact.alarm)
      if (fact.closed === true) isClosed = true
      if (fact.refused !== undefined && turnedAway.push({ refused: fact.refused, code: fact.code }) === 3) {
        execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
      }
    }
    expect(isClosed).toBe(true)
    expect(turnedAway.every(({ code }) => code === 'EFBIG')).toBe(true)
    expect(alarms).toEqual(['write_failed', 'write_recovered'])
    expect(await idsInLog()).toEqual(taken.map((number) => `request-${number}`))
    const log = await folder.open()
    await log.close()
    await expectWhole(log)
  })
})

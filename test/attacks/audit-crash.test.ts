/** The gateway is killed under load. In `strict` mode every request that a client saw admitted is in the log. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readPublicKeyPem } from '../../src/audit/key.ts'
import { logFolder, type LogFolder } from '../../src/audit/testing/log.ts'
import { verifyLog } from '../../src/audit/verify/verify.ts'

let folder: LogFolder
beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const script = join(import.meta.dirname, '../../src/audit/testing', `writer${extname(import.meta.filename)}`)

/** @returns the numbers of the events for which the log had answered when the process was killed */
async function writeUntilKilled(mode: 'strict' | 'relaxed', after: number): Promise<number[]> {
  const settings = JSON.stringify({ directory: folder.directory, key: folder.key, mode })
  const child = spawn(process.execPath, [script, settings], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await delay(after)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lines = (await readFile(`${folder.directory}.acknowledged`, 'utf8')).split('\n')
  return lines.slice(0, -1).map(Number)
}

it('kill -9 under load loses no event that a strict log had answered for, again and again', async () => {
  const acknowledged: number[][] = []
  for (const after of [150, 270, 400]) {
    acknowledged.push(await writeUntilKilled('strict', after))
    const log = await folder.open({ mode: 'strict' })
    await log.close()
    const report = await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })
    expect(report).toMatchObject({ ok: true })
    expect(report.unsigned).toBeUndefined()
  }
  const records = await folder.records()
  const seen = new Map<string, number>()
  for (const { requestId = '' } of records) seen.set(requestId, (seen.get(requestId) ?? 0) + 1)
  for (const numbers of acknowledged) {
    expect(numbers.length).toBeGreaterThan(20)
    expect(numbers.filter((number) => !seen.has(`request-${number}`))).toEqual([])
  }
  // Each run begins at 0: an event of all three runs is there three times.
  expect(seen.get('request-0')).toBe(3)
})

it('kill -9 leaves a log that verifies even before it is opened again, with its unsigned end told', async () => {
  await writeUntilKilled('strict', 300)
  const killed = await folder.records()
  const publicKeyPem = await readPublicKeyPem(folder.key)
  const report = await verifyLog(folder.directory, { publicKeyPem })
  expect(report).toMatchObject({ ok: true, unsigned: { to: killed.at(-1)?.seq } })
  const log = await folder.open()
  await log.close()
  const start = (await folder.records())[killed.length]
  expect(start).toMatchObject({ reason: 'audit_start', data: { unsigned: report.unsigned } })
})

it('kill -9 of a relaxed log leaves a chain that holds', async () => {
  await writeUntilKilled('relaxed', 400)
  const log = await folder.open()
  await log.close()
  expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({ ok: true })
})

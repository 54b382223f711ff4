import { spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { chmod, readFile, readdir, rm, stat, symlink, writeFile, appendFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownReasons } from './format/own-events.ts'
import { AuditLockedError } from './lock.ts'
import { admitted, logFolder, segmentNames, type LogFolder } from './testing/log.ts'
import { verifyLog } from './verify/verify.ts'

let folder: LogFolder

beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

/** Writes events and leaves the files as they are then. */
async function write(numbers: readonly number[]): Promise<{ readonly publicKeyPem: string }> {
  const log = await folder.open()
  for (const number of numbers) await log.record(admitted(number))
  await log.close()
  return log
}

async function lastSegment(): Promise<string> {
  return join(folder.directory, (await segmentNames(folder)).at(-1) as string)
}

async function reopen(): Promise<{ readonly publicKeyPem: string }> {
  const log = await folder.open()
  await log.close()
  return log
}

const starts = async (): Promise<unknown[]> =>
  (await folder.records()).filter(({ reason }) => reason === ownReasons.start).map(({ data }) => data)

describe('opening', () => {
  it('makes the directory, the key and the files for their owner alone', async () => {
    await write([1])
    const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
    expect(await modeOf(folder.directory)).toBe('700')
    expect(await modeOf(folder.key)).toBe('600')
    for (const name of await readdir(folder.directory)) {
      expect([name, await modeOf(join(folder.directory, name))]).toEqual([name, '600'])
    }
    expect(await readFile(folder.key, 'utf8')).toContain('BEGIN PRIVATE KEY')
  })

  it('records the start and signs it before it takes anything', async () => {
    const log = await folder.open()
    expect(log.head()).toMatchObject({ seq: 1 })
    await log.close()
    expect(await starts()).toEqual([{ key: log.head()?.key, mode: 'relaxed' }])
  })

  it('goes on with the chain where it ended', async () => {
    await write([1, 2])
    const { publicKeyPem } = await write([3])
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true, records: 7 })
    expect((await starts())[1]).toMatchObject({ checkpoint: { seq: 4 } })
  })

  it('warns of files that others can read', async () => {
    await write([1])
    await chmod(folder.directory, 0o755)
    await chmod(folder.key, 0o640)
    await reopen()
    expect(folder.alarms.map(({ kind }) => kind)).toEqual(['directory_permissions', 'key_permissions'])
  })

  it('refuses a key that is none, or of another kind, without quoting it', async () => {
    await writeFile(folder.key, 'my secret', { mode: 0o600 })
    await expect(folder.open()).rejects.toThrow(/not a private key/)
    await expect(folder.open()).rejects.not.toThrow(/my secret/)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(folder.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await expect(folder.open()).rejects.toThrow(/Ed25519/)
  })

  it('takes another key with an alarm, and the log verifies with both public halves', async () => {
    const before = await write([1])
    await rm(folder.key)
    const after = await write([2])
    expect(folder.alarmKinds()).toEqual(['key_changed'])
    const publicKeyPem = before.publicKeyPem + after.publicKeyPem
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true })
    expect(await verifyLog(folder.directory, { publicKeyPem: after.publicKeyPem })).toMatchObject({
      ok: false,
      problem: 'bad_checkpoint',
    })
  })

  it('never writes through a symbolic link', async () => {
    await write([1])
    const target = join(folder.directory, '..', 'target')
    await writeFile(target, '')
    await rm(join(folder.directory, 'checkpoints.log'))
    await symlink(target, join(folder.directory, 'checkpoints.log'))
    await expect(folder.open()).rejects.toThrow(/ELOOP/)
    expect(await readFile(target, 'utf8')).toBe('')
  })
})

describe('the directory', () => {
  it('is refused to a second gateway in the same process, and free after the first is closed', async () => {
    const log = await folder.open()
    await expect(folder.open()).rejects.toThrow(AuditLockedError)
    await expect(folder.open()).rejects.toThrow(
      /in use by another gateway \(process \d+, instance gateway-1, since/,
    )
    await log.close()
    await reopen()
  })

  it('stays refused to other processes after a second attempt in this one', async () => {
    const log = await folder.open()
    await expect(folder.open()).rejects.toThrow(AuditLockedError)
    const script = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('BEGIN EXCLUSIVE')`
    const { stderr } = spawnSync(process.execPath, ['-e', script, join(folder.directory, 'audit.lock')])
    expect(stderr.toString()).toContain('database is locked')
    await log.close()
  })

  it('is refused to a second process, and taken over at once when the first is killed', async () => {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'testing', `writer${extname(import.meta.filename)}`),
      JSON.stringify({ directory: folder.directory, key: folder.key, mode: 'strict' }),
    ])
    await once(child.stdout, 'data')
    await expect(folder.open()).rejects.toThrow(
      new RegExp(`in use by another gateway \\(process ${child.pid}`),
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    const log = await folder.open()
    await log.close()
    expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({ ok: true })
  })
})

describe('a start after a crash', () => {
  it('cuts a torn last line, says so, and goes on', async () => {
    await write([1, 2])
    await appendFile(await lastSegment(), '{"time":"2026-11-24T16:00:00.003Z","seq":5,"previo')
    const { publicKeyPem } = await write([3])
    expect(folder.alarms).toEqual([
      { kind: 'torn_line', detail: expect.stringContaining('50 bytes after record 4') },
    ])
    expect((await starts())[1]).toMatchObject({
      torn: { bytes: 50, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true, records: 7 })
  })

  it('keeps beside the log what was more than a torn line', async () => {
    await write([1, 2])
    const damage = `${'\0'.repeat(600)}\n{"half":`
    await appendFile(await lastSegment(), damage)
    const { publicKeyPem } = await write([3])
    const [, start] = (await starts()) as { torn: { savedAs: string } }[]
    const saved = join(folder.directory, start?.torn.savedAs as string)
    expect(await readFile(saved, 'utf8')).toBe(damage)
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true })
  })

  it('records the unsigned range that it found', async () => {
    const { publicKeyPem } = await write([1, 2, 3])
    const checkpoints = await folder.checkpoints()
    await writeFile(join(folder.directory, 'checkpoints.log'), `${checkpoints[0]}\n{"checkpoint":1,"s`)
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({
      ok: true,
      unsigned: { from: 2, to: 5 },
    })
    await reopen()
    expect((await starts())[1]).toMatchObject({ unsigned: { from: 2, to: 5 } })
    const report = await verifyLog(folder.directory, { publicKeyPem })
    expect(report).toMatchObject({ ok: true, records: 7 })
    expect(report.unsigned).toBeUndefined()
  })

  it('goes on in a segment that was made and never written to', async () => {
    await write([1])
    await writeFile(join(folder.directory, 'audit-0000000000000004.jsonl'), '')
    const { publicKeyPem } = await write([2])
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true, records: 6 })
  })

  it('goes on from the segment before when the newest holds only a torn line', async () => {
    await write([1])
    await writeFile(join(folder.directory, 'audit-0000000000000004.jsonl'), '{"time"')
    const { publicKeyPem } = await write([2])
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({ ok: true, records: 6 })
  })
})

describe('a start after tampering', () => {
  it('raises an alarm when signed records are missing, and leaves the gap for all to see', async () => {
    const { publicKeyPem } = await write([1, 2, 3])
    const lines = await folder.lines()
    await folder.rewrite((await segmentNames(folder))[0] as string, lines.slice(0, 3))
    await reopen()
    expect(folder.alarmKinds()).toEqual(['records_missing'])
    expect((await starts())[1]).toMatchObject({ missing: { from: 4, to: 5 } })
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({
      ok: false,
      problem: 'dropped',
      seq: 4,
    })
  })

  it('raises an alarm when every record is gone and the checkpoints are not', async () => {
    const { publicKeyPem } = await write([1, 2, 3])
    await rm(await lastSegment())
    await reopen()
    expect(folder.alarmKinds()).toEqual(['records_missing'])
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({
      ok: false,
      problem: 'dropped',
      seq: 1,
    })
  })

  it('raises an alarm when the newest records do not hold together, and changes none of them', async () => {
    const { publicKeyPem } = await write([1, 2, 3])
    const lines = await folder.lines()
    const changed = lines.with(2, (lines[2] as string).replace('user-2', 'user-9'))
    await folder.rewrite((await segmentNames(folder))[0] as string, changed)
    await reopen()
    expect(folder.alarmKinds()).toEqual(['chain_broken'])
    expect((await folder.lines()).slice(0, 5)).toEqual(changed)
    expect(await verifyLog(folder.directory, { publicKeyPem })).toMatchObject({
      ok: false,
      problem: 'changed',
      seq: 3,
    })
  })

  it('raises an alarm when the last checkpoint is forged', async () => {
    await write([1])
    const checkpoints = await folder.checkpoints()
    const forged = (checkpoints.at(-1) as string).replace(/"signature":"..../, '"signature":"AAAA')
    await writeFile(
      join(folder.directory, 'checkpoints.log'),
      `${[...checkpoints.slice(0, -1), forged].join('\n')}\n`,
    )
    await reopen()
    expect(folder.alarmKinds()).toEqual(['chain_broken'])
  })
})

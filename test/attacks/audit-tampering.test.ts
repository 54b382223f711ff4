/** Whoever can write the audit files, but has not the key, changes the past. `verify` names the first record concerned. */
import { generateKeyPairSync, hash } from 'node:crypto'
import { readFile, rename, rm, writeFile, copyFile, truncate, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { genesis } from '../../src/audit/format/chain.ts'
import {
  checkpointLineHash,
  keyId,
  readCheckpoint,
  signCheckpoint,
} from '../../src/audit/format/checkpoint.ts'
import { checkpointsName } from '../../src/audit/format/segments.ts'
import { admitted, logFolder, segmentNames, writtenLog, type LogFolder } from '../../src/audit/testing/log.ts'
import { verifyLog, type VerifyOptions } from '../../src/audit/verify/verify.ts'
import type { VerifyReport } from '../../src/audit/verify/report.ts'

let folder: LogFolder
let publicKeyPem: string

beforeEach(async () => {
  folder = await logFolder()
  publicKeyPem = (await writtenLog(folder, 40)).publicKeyPem
})
afterEach(() => folder[Symbol.asyncDispose]())

const verify = (options: VerifyOptions = {}): Promise<VerifyReport> =>
  verifyLog(folder.directory, { publicKeyPem, ...options })

interface Lines {
  readonly segment: string
  readonly lines: string[]
}

/** The lines of one segment, for changing. */
async function linesOf(index: number): Promise<Lines> {
  const segment = (await segmentNames(folder)).at(index) as string
  const text = await readFile(join(folder.directory, segment), 'utf8')
  return { segment, lines: text.trimEnd().split('\n') }
}

const seqOf = (line: string | undefined): number => (JSON.parse(line ?? '{}') as { seq: number }).seq

/** Computes a line's hash anew, as anyone can. */
function rehash(line: string): string {
  const body = `${line.slice(0, -75)}}`
  return `${body.slice(0, -1)},"hash":"${hash('sha256', body)}"}`
}

/** Makes a chain of any lines that holds in itself. */
function rechain(lines: readonly string[], firstSeq: number, previousHash: string): string[] {
  let previous = previousHash
  return lines.map((line, index) => {
    const chained = rehash(
      line
        .replace(/"seq":\d+/, `"seq":${firstSeq + index}`)
        .replace(/"previousHash":"[0-9a-f]+"/, `"previousHash":"${previous}"`),
    )
    previous = chained.slice(-66, -2)
    return chained
  })
}

async function allLines(): Promise<Lines[]> {
  const names = await segmentNames(folder)
  return await Promise.all(names.map((_, index) => linesOf(index)))
}

const checkpointsPath = (): string => join(folder.directory, checkpointsName)

async function rewriteCheckpoints(change: (lines: string[]) => string[]): Promise<void> {
  await writeFile(
    checkpointsPath(),
    change(await folder.checkpoints())
      .map((line) => `${line}\n`)
      .join(''),
  )
}

describe('an untouched log', () => {
  it('verifies, over several segments, and says what it cannot prove', async () => {
    const report = await verify()
    expect(report).toMatchObject({ ok: true, records: 42, head: 'none', signed: { seq: 42 } })
    expect(report.unsigned).toBeUndefined()
    expect(report.segments).toBeGreaterThan(3)
    expect(report.notices.join()).toContain('a cut tail cannot be excluded')
  })

  it('verifies against a kept head without reservation', async () => {
    const head = (await folder.checkpoints()).at(-1) as string
    const report = await verify({ head })
    expect(report).toMatchObject({ ok: true, head: 'holds', notices: [] })
  })

  it('verifies against an old head, also one that was reformatted', async () => {
    const head = JSON.stringify(JSON.parse((await folder.checkpoints())[1] as string), undefined, 2)
    expect(await verify({ head })).toMatchObject({ ok: true, head: 'holds' })
  })
})

describe('a changed record', () => {
  const members = [
    'time', 'seq', 'previousHash', 'instance', 'configuration', 'type', 'outcome', 'requestId', 'route', 'method',
    'host', 'path', 'clientIp', 'authenticator', 'credential', 'identity', 'durationMs', 'hash',
  ] // prettier-ignore

  it.each(members)('is named when a byte of its `%s` is changed', async (member) => {
    const { segment, lines } = await linesOf(1)
    const line = lines[2] as string
    const at =
      line.indexOf(`"${member}":`) +
      member.length +
      (member === 'identity' || member === 'credential' ? 14 : 4)
    const was = line[at] as string
    lines[2] = `${line.slice(0, at)}${was === '1' ? '2' : '1'}${line.slice(at + 1)}`
    expect(lines[2]).not.toBe(line)
    await folder.rewrite(segment, lines)
    expect(await verify()).toMatchObject({
      ok: false,
      problem: 'changed',
      seq: seqOf(line),
      segment,
      line: 3,
    })
  })

  it('is named when its hash was computed anew', async () => {
    const { segment, lines } = await linesOf(1)
    const seq = seqOf(lines[2])
    lines[2] = rehash((lines[2] as string).replace('"outcome":"allow"', '"outcome":"refuse"'))
    await folder.rewrite(segment, lines)
    expect(await verify()).toMatchObject({ ok: false, problem: 'changed', seq })
  })

  it('is caught by the next checkpoint when every later hash was computed anew', async () => {
    const all = await allLines()
    const lines = all.flatMap((each) => each.lines)
    lines[9] = (lines[9] as string).replace('user-', 'nobody-')
    const forged = rechain(lines, 1, genesis)
    let at = 0
    for (const { segment, lines } of all)
      await folder.rewrite(segment, forged.slice(at, (at += lines.length)))
    const report = await verify()
    expect(report).toMatchObject({ ok: false, problem: 'changed' })
    expect((report as { seq: number }).seq).toBe(10)
  })

  it('is caught when the chain alone was made to fit and no key is given', async () => {
    const all = await allLines()
    const lines = all.flatMap((each) => each.lines)
    lines[9] = (lines[9] as string).replace('user-', 'nobody-')
    const forged = rechain(lines, 1, genesis)
    let at = 0
    for (const { segment, lines } of all)
      await folder.rewrite(segment, forged.slice(at, (at += lines.length)))
    expect(await verifyLog(folder.directory)).toMatchObject({ ok: false, problem: 'changed' })
  })
})

describe('records that are missing', () => {
  it('are named when one was dropped', async () => {
    const { segment, lines } = await linesOf(1)
    const [gone] = lines.splice(3, 1)
    await folder.rewrite(segment, lines)
    expect(await verify()).toMatchObject({ ok: false, problem: 'dropped', seq: seqOf(gone) })
  })

  it('are named when several were dropped and the rest renumbered', async () => {
    const { segment, lines } = await linesOf(-1)
    const [first, ...others] = lines
    const previousHash = (JSON.parse(first as string) as { previousHash: string }).previousHash
    await folder.rewrite(segment, rechain(others, seqOf(first), previousHash))
    expect((await verify()).ok).toBe(false)
  })

  it('are named when a segment is missing in the middle', async () => {
    const { segment, lines } = await linesOf(2)
    await rm(join(folder.directory, segment))
    expect(await verify()).toMatchObject({ ok: false, problem: 'dropped', seq: seqOf(lines[0]) })
  })

  it('are named when the first segment is missing, with no signed event that says why', async () => {
    await rm(join(folder.directory, (await segmentNames(folder))[0] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'dropped', seq: 1 })
  })

  it('are named when the first segment is missing and a retain event was forged without the key', async () => {
    const { segment, lines } = await linesOf(0)
    const last = JSON.parse(lines.at(-1) as string) as { seq: number; hash: string }
    const tail = await linesOf(-1)
    const previous = JSON.parse(tail.lines.at(-1) as string) as { seq: number; hash: string }
    const facts = { cause: 'age', segments: [{ name: segment, lastSeq: last.seq, lastHash: last.hash }] }
    const event = `{"time":"2026-11-24T16:00:00.500Z","seq":0,"previousHash":"00","instance":"gateway-1","configuration":"c","type":"administration","outcome":"record","reason":"retain","data":${JSON.stringify(facts)},"hash":"${genesis}"}`
    const forged = rechain([event], previous.seq + 1, previous.hash)
    await folder.rewrite(tail.segment, [...tail.lines, ...forged])
    await rm(join(folder.directory, segment))
    expect(await verify()).toMatchObject({ ok: false, problem: 'dropped', seq: 1 })
  })

  it('are named when the last segment is missing: a checkpoint names what was in it', async () => {
    const { segment, lines } = await linesOf(-1)
    await rm(join(folder.directory, segment))
    expect(await verify()).toMatchObject({ ok: false, problem: 'cut', seq: seqOf(lines[0]) })
  })

  it('are named when everything is gone but the checkpoints', async () => {
    for (const name of await segmentNames(folder)) await rm(join(folder.directory, name))
    expect(await verify()).toMatchObject({ ok: false, problem: 'cut', seq: 1 })
  })

  it('are named when the last line was torn off', async () => {
    const { segment } = await linesOf(-1)
    const path = join(folder.directory, segment)
    await truncate(path, (await stat(path)).size - 20)
    expect(await verify()).toMatchObject({ ok: false, problem: 'cut', seq: 42 })
  })

  it('are told by a kept head when the tail was cut together with its checkpoints', async () => {
    const head = (await folder.checkpoints()).at(-1) as string
    const kept = readCheckpoint((await folder.checkpoints()).at(-3) as string)?.seq as number
    await rewriteCheckpoints((lines) => lines.slice(0, -2))
    for (const { segment, lines } of await allLines()) {
      const left = lines.filter((line) => seqOf(line) <= kept)
      if (left.length === 0) await rm(join(folder.directory, segment))
      else await folder.rewrite(segment, left)
    }
    const without = await verify()
    expect(without).toMatchObject({ ok: true, head: 'none' })
    expect(without.notices.join()).toContain('a cut tail cannot be excluded')
    expect(await verify({ head })).toMatchObject({ ok: false, problem: 'cut', seq: kept + 1 })
  })
})

describe('records in another order', () => {
  it('are named when two neighbours were swapped', async () => {
    const { segment, lines } = await linesOf(1)
    const [a, b] = [lines[2] as string, lines[3] as string]
    await folder.rewrite(segment, lines.with(2, b).with(3, a))
    expect(await verify()).toMatchObject({ ok: false, problem: 'swapped', seq: seqOf(a), segment, line: 3 })
  })

  it('are named when the last two were swapped', async () => {
    await using small = await logFolder()
    const log = await writtenLog(small, 5)
    const lines = await small.lines()
    const [a, b] = [lines.at(-2) as string, lines.at(-1) as string]
    await small.rewrite((await segmentNames(small))[0] as string, [...lines.slice(0, -2), b, a])
    expect(await verifyLog(small.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({
      ok: false,
      problem: 'swapped',
      seq: seqOf(a),
    })
  })

  it('are named when two distant ones were swapped', async () => {
    const one = await linesOf(1)
    const other = await linesOf(3)
    const [a, b] = [one.lines[1] as string, other.lines[1] as string]
    await folder.rewrite(one.segment, one.lines.with(1, b))
    await folder.rewrite(other.segment, other.lines.with(1, a))
    expect(await verify()).toMatchObject({
      ok: false,
      problem: 'swapped',
      seq: seqOf(a),
      segment: one.segment,
    })
  })

  it('are named when whole segments changed places', async () => {
    const [, one, two] = await segmentNames(folder)
    const { lines } = await linesOf(1)
    const path = (name: string | undefined): string => join(folder.directory, name as string)
    await rename(path(one), path('x'))
    await rename(path(two), path(one))
    await rename(path('x'), path(two))
    expect(await verify()).toMatchObject({ ok: false, problem: 'swapped', seq: seqOf(lines[0]) })
  })
})

describe('a line that was not written there', () => {
  it('is named when it is a copy of an earlier record', async () => {
    const { segment, lines } = await linesOf(1)
    await folder.rewrite(segment, lines.toSpliced(5, 0, lines[1] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted', segment, line: 6 })
  })

  it('is named when it is a copy of a later record', async () => {
    const { segment, lines } = await linesOf(1)
    await folder.rewrite(segment, lines.toSpliced(2, 0, lines[5] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted', segment, line: 3 })
  })

  it('is named when it is a record twice in a row', async () => {
    const { segment, lines } = await linesOf(1)
    await folder.rewrite(segment, lines.toSpliced(3, 0, lines[2] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted', seq: seqOf(lines[2]) })
  })

  it('is named when it was forged with a fitting seq, previousHash and hash', async () => {
    const { segment, lines } = await linesOf(1)
    const before = JSON.parse(lines[2] as string) as { seq: number; hash: string }
    const forged = rechain(
      [lines[3] as string].map((line) => line.replace('user-', 'boss-')),
      before.seq + 1,
      before.hash,
    )
    await folder.rewrite(segment, lines.toSpliced(3, 0, ...forged))
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted', seq: before.seq + 1 })
  })

  it.each(['', 'hello', '{}', '{"time":"x","seq":1}'])('is named when it is no record: %j', async (text) => {
    const { segment, lines } = await linesOf(1)
    await folder.rewrite(segment, lines.toSpliced(4, 0, text))
    expect(await verify()).toMatchObject({
      ok: false,
      problem: 'inserted',
      seq: seqOf(lines[4]),
      segment,
      line: 5,
    })
  })

  it('is named when a whole segment was copied', async () => {
    const [, one] = await segmentNames(folder)
    await copyFile(
      join(folder.directory, one as string),
      join(folder.directory, 'audit-0000000000009999.jsonl'),
    )
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted' })
  })

  it('costs bounded memory, however long it is', async () => {
    const { segment, lines } = await linesOf(1)
    await folder.rewrite(segment, lines.toSpliced(4, 0, 'x'.repeat(32 * 1024 * 1024)))
    expect(await verify()).toMatchObject({ ok: false, problem: 'inserted', seq: seqOf(lines[4]) })
  })
})

describe('checkpoints', () => {
  it.each(['seq', 'hash', 'time', 'key', 'previous', 'signature'])(
    'are named when `%s` was edited',
    async (member) => {
      await rewriteCheckpoints((lines) => {
        const line = lines[2] as string
        const at = line.indexOf(`"${member}":`) + member.length + 3 + (member === 'time' ? 20 : 2)
        return lines.with(2, `${line.slice(0, at)}${line[at] === '1' ? '2' : '1'}${line.slice(at + 1)}`)
      })
      expect(await verify()).toMatchObject({
        ok: false,
        problem: 'bad_checkpoint',
        segment: checkpointsName,
        line: 3,
      })
    },
  )

  it('are named when one was taken out of the middle', async () => {
    await rewriteCheckpoints((lines) => lines.toSpliced(2, 1))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', line: 3 })
  })

  it('are named when two were swapped, or one repeated', async () => {
    const lines = await folder.checkpoints()
    await rewriteCheckpoints(() => lines.with(2, lines[3] as string).with(3, lines[2] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', line: 3 })
    await rewriteCheckpoints(() => lines.toSpliced(3, 0, lines[2] as string))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', line: 4 })
  })

  it('are named when the first ones were taken away', async () => {
    await rewriteCheckpoints((lines) => lines.slice(2))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint' })
  })

  it('are missed when the file is gone or empty', async () => {
    await writeFile(checkpointsPath(), '')
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 1 })
    await rm(checkpointsPath())
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 1 })
  })

  it('are missed when those since before the last start were taken away', async () => {
    const before = (await folder.checkpoints()).length
    const log = await folder.open()
    await log.record(admitted(50))
    await log.close()
    await rewriteCheckpoints((lines) => lines.slice(0, before))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 43 })
  })

  it('are missed when more than a minute of records has none', async () => {
    const log = await folder.open()
    for (const minute of [1, 2, 3]) {
      await log.record(admitted(minute * 60_000))
      await log.flush()
    }
    await log.close()
    const start = (await folder.checkpoints()).findIndex((line) => readCheckpoint(line)?.seq === 43)
    await rewriteCheckpoints((lines) => lines.slice(0, start + 1))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 44 })
  })

  it('are refused when all were signed anew with another key', async () => {
    const other = generateKeyPairSync('ed25519')
    await rewriteCheckpoints((lines) => resign(lines, other.privateKey, keyId(other.publicKey)))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 1, line: 1 })
  })

  it('are refused when another key signed under the id of ours', async () => {
    const other = generateKeyPairSync('ed25519')
    const ours = readCheckpoint((await folder.checkpoints())[0] as string)?.key as string
    await rewriteCheckpoints((lines) => resign(lines, other.privateKey, ours))
    expect(await verify()).toMatchObject({ ok: false, problem: 'bad_checkpoint', seq: 1, line: 1 })
  })

  it('are refused as a kept head when another key signed it, or it is none', async () => {
    const other = generateKeyPairSync('ed25519')
    const [head] = resign(await folder.checkpoints(), other.privateKey, keyId(other.publicKey))
    expect(await verify({ head: head as string })).toMatchObject({ ok: false, problem: 'bad_head' })
    expect(await verify({ head: '{"seq":1}' })).toMatchObject({ ok: false, problem: 'bad_head' })
    expect(await verify({ head: 'nonsense' })).toMatchObject({ ok: false, problem: 'bad_head' })
  })

  it('of another log, kept as the head, contradict this one', async () => {
    await using other = await logFolder()
    await copyFile(folder.key, other.key)
    await writtenLog(other, 10)
    const head = (await other.checkpoints()).at(-1) as string
    // The same key and the same clock, but another history.
    const contradiction = await verify({ head })
    expect(contradiction).toMatchObject({ ok: false, problem: 'changed' })
  })

  function resign(
    lines: readonly string[],
    privateKey: Parameters<typeof signCheckpoint>[1],
    key: string,
  ): string[] {
    let previous = genesis
    return lines.map((line) => {
      const { seq, hash, time } = readCheckpoint(line) as NonNullable<ReturnType<typeof readCheckpoint>>
      const signed = signCheckpoint({ seq, hash, time, key, previous }, privateKey)
      previous = checkpointLineHash(signed)
      return signed
    })
  }
})

describe('any tampering at all', () => {
  it('with any byte of any segment or of the checkpoints is noticed', async () => {
    const names = [...(await segmentNames(folder)), checkpointsName]
    const files = await Promise.all(names.map((name) => readFile(join(folder.directory, name))))
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, flip) => {
        const index = which % names.length
        const path = join(folder.directory, names[index] as string)
        const original = files[index] as Buffer
        const changed = Buffer.from(original)
        const at = where % changed.length
        // Without its last newline the last checkpoint reads as torn, as after a crash: a cut tail, for `--head`.
        fc.pre(names[index] !== checkpointsName || at < changed.length - 1)
        changed[at] = (changed[at] as number) ^ flip
        await writeFile(path, changed)
        const report = await verify()
        await writeFile(path, original)
        expect(report.ok).toBe(false)
      }),
      { numRuns: 300 },
    )
    expect((await verify()).ok).toBe(true)
  })

  it('by dropping, repeating or moving any lines is noticed, and named not after the first place that differs', async () => {
    const { segment, lines } = await linesOf(2)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...lines, ...lines], { minLength: 1 }), async (others) => {
        fc.pre(others.length !== lines.length || others.some((line, index) => line !== lines[index]))
        await folder.rewrite(segment, others)
        const report = await verify()
        const differs = lines.findIndex((line, index) => line !== others[index])
        const first = seqOf(lines[0]) + (differs < 0 ? lines.length : differs)
        expect(report.ok).toBe(false)
        expect((report as { seq: number }).seq).toBeLessThanOrEqual(first)
      }),
      { numRuns: 100 },
    )
  })
})

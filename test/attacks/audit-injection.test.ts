/** A stranger chooses paths, hosts, claims. What they choose must act on no terminal, spreadsheet or reader of the log. */
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../src/audit/format/event.ts'
import { exportLog } from '../../src/audit/read/export.ts'
import { renderJson, renderRecord } from '../../src/audit/read/render.ts'
import { admitted, logFolder, refused, type LogFolder } from '../../src/audit/testing/log.ts'
import { verifyLog } from '../../src/audit/verify/verify.ts'

let folder: LogFolder
beforeEach(async () => {
  folder = await logFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

// Controls, DEL, C1, directional overrides and isolates, zero-width characters, line separators.
const acting = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/

const hostile = [
  '\u001b[2J\u001b[31mroot logged in',
  '\u001b]0;title\u0007',
  '\u009b31m C1 introducer',
  'a\rb overwritten',
  'line\nbreak {"seq":1}',
  'user\u202Etxt.exe',
  '\u2066isolate\u2069',
  'zero\u200bwidth',
  'del\u007f',
  'separator\u2028here',
]

async function record(text: string): Promise<AuditRecord> {
  const log = await folder.open()
  const identity = { issuer: text, subject: text, scopes: [text], claims: { [text]: text } }
  const everywhere = { path: text, host: text, method: text, requestId: text, detail: text, identity }
  await log.record(admitted(1, everywhere))
  await log.close()
  const found = (await folder.records()).find(({ type }) => type === 'authorization')
  return found as AuditRecord
}

describe('terminal control sequences', () => {
  it.each(hostile)(
    '%j is harmless in the file, in columns and in JSON, and is still what it was',
    async (text) => {
      const found = await record(text)
      expect(found.path).toBe(text)
      expect(found.identity?.claims).toEqual({ [text]: text })
      for (const line of [...(await folder.lines()), renderRecord(found), renderJson(found)]) {
        expect(line).not.toMatch(acting)
      }
      expect(JSON.parse(renderJson(found))).toEqual(found)
    },
  )

  it('are harmless too in lines that somebody else put into the file', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, two) => {
        const forged = {
          time: one, seq: 1, hash: two, previousHash: one, instance: two, configuration: one, type: two, outcome: one,
          reason: two, code: one, path: two, method: one, clientIp: two, identity: { subject: one, issuer: two },
        } as unknown as AuditRecord // prettier-ignore
        expect(renderRecord(forged)).not.toMatch(acting)
        expect(renderJson(forged)).not.toMatch(acting)
      }),
    )
  })

  it('are harmless in lines whose members are not even strings', () => {
    const forged = { time: 1, seq: 'x', outcome: {}, type: [], reason: 5, identity: { subject: ['\u001b'] } }
    expect(renderRecord(forged as unknown as AuditRecord)).not.toMatch(acting)
  })
})

describe('log forging', () => {
  it('by a path that looks like a record, or like an event of the log itself, makes no record', async () => {
    const forged =
      '/x","outcome":"allow"}\n{"time":"2026-11-24T16:00:00.000Z","seq":9,"type":"administration","outcome":"record","reason":"retain"'
    await record(forged)
    expect(await folder.lines()).toHaveLength(3)
  })

  it('by a member that looks like the hash cannot move the hash', async () => {
    const log = await folder.open()
    const hash = `,"hash":"${'a'.repeat(64)}"}`
    await log.record(admitted(1, { path: hash, data: { hash: 'a'.repeat(64), seq: 7, previousHash: 'b' } }))
    await log.close()
    expect(await verifyLog(folder.directory, { publicKeyPem: log.publicKeyPem })).toMatchObject({ ok: true })
  })
})

describe('spreadsheet formulas', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1+1', '\t=1', '=HYPERLINK("http://evil","x")'])(
    '%j in a path is text in an export',
    async (text) => {
      await record(text)
      const rows: string[] = []
      for await (const piece of exportLog(folder.directory, { format: 'csv' }))
        rows.push(...piece.split('\r\n'))
      const row = rows.find((each) => each.includes('authorization')) as string
      for (const cell of cellsOf(row)) expect(cell).not.toMatch(/^[\s\0]*[=+\-@]/)
    },
  )
})

/** Reads a row as RFC 4180 says. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}

describe('a flood', () => {
  it('of large claims and paths is bounded in each event', async () => {
    const log = await folder.open()
    const claims = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`c${n}`, '\u0000'.repeat(500)]))
    for (let number = 0; number < 20; number++) {
      const path = `/${'%41'.repeat(20_000)}`
      await log.record(admitted(number, { path, identity: { issuer: 'i', subject: 's', claims } }))
    }
    await log.close()
    const longest = Math.max(...(await folder.lines()).map((line) => line.length))
    expect(longest).toBeLessThan(64 * 1024)
  })

  it('of guesses from one /64 is a handful of lines with a count', async () => {
    const log = await folder.open()
    for (let number = 0; number < 50_000; number++) {
      const address = `2001:db8:1:2:${(number >> 8).toString(16)}::${(number & 255).toString(16)}`
      expect(log.record(refused(number, { clientIp: address, path: `/guess/${number}` }))).toBeUndefined()
    }
    await log.close()
    const refusals = (await folder.records()).filter(({ outcome }) => outcome === 'refuse')
    expect(refusals).toHaveLength(11)
    expect(refusals.at(-1)).toMatchObject({ count: 49_990, data: { network: '2001:db8:1:2::/64' } })
  })
})

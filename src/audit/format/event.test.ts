import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../ports/audit-log.ts'
import { admitted } from '../testing/log.ts'
import { sealLine } from '../testing/line.ts'
import { genesis, maxLineBytes } from './chain.ts'
import { eventMembers, eventTime, parseRecord, type AuditRecord } from './event.ts'

function written(entry: AuditEntry, count?: number): { readonly line: string; readonly record: AuditRecord } {
  const event = { entry, configuration: 'c0ffee', ...(count !== undefined && { count }) }
  const members = eventMembers(event, 'gateway-1').text
  const { line } = sealLine(eventTime(entry.time), { seq: 0, hash: genesis }, members)
  return { line, record: parseRecord(line) as AuditRecord }
}

describe('an event', () => {
  it('says what was recorded, with the instance and the configuration of its time', () => {
    const { record } = written(admitted(5), 3)
    expect(record).toMatchObject({
      time: '2026-11-24T16:00:00.005Z',
      instance: 'gateway-1',
      configuration: 'c0ffee',
      type: 'authorization',
      outcome: 'allow',
      path: '/catalog/items/5',
      identity: { subject: 'user-5' },
      count: 3,
    })
  })

  it('leaves out what is absent', () => {
    expect(Object.keys(written({ time: 0, type: 'session', outcome: 'record' }).record)).toEqual([
      'time',
      'seq',
      'previousHash',
      'instance',
      'configuration',
      'type',
      'outcome',
      'hash',
    ])
  })

  it('bounds a large path, and large claims, and says so', () => {
    const claims = Object.fromEntries(
      Array.from({ length: 1000 }, (_, number) => [`claim-${number}`, 'x'.repeat(100)]),
    )
    const entry = admitted(1, {
      path: `/${'a'.repeat(100_000)}`,
      identity: { issuer: 'i', subject: 's', claims },
    })
    const { line, record } = written(entry)
    expect(line.length).toBeLessThan(12_000)
    expect(record.path).toMatch(/^\/a+\[cut: \d+ more characters\]$/)
    expect(record.identity?.subject).toBe('s')
    expect(line).toContain('more"')
  })

  it('is written even when it cannot be said in JSON', () => {
    const cycle: Record<string, unknown> = { number: 10n }
    cycle['self'] = cycle
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
    const throwing = {
      get claim(): never {
        throw new Error('no')
      },
    }
    for (const data of [cycle, { deep }, throwing]) {
      expect(written(admitted(1, { data })).record).toMatchObject({ seq: 1, requestId: 'request-1' })
    }
    expect(written(admitted(1, { time: Number.NaN })).record.time).toBe('1970-01-01T00:00:00.000Z')
  })

  it('is one line of bounded length, whatever a stranger chose', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
    )
    fc.assert(
      fc.property(
        text,
        fc.array(text, { maxLength: 200 }),
        fc.dictionary(text, fc.jsonValue()),
        (path, scopes, claims) => {
          const identity = { issuer: path, subject: path, scopes, claims }
          const { line, record } = written(admitted(1, { path, host: path, requestId: path, identity }))
          expect(line).not.toContain('\n')
          expect(Buffer.byteLength(line)).toBeLessThan(maxLineBytes)
          expect(record.type).toBe('authorization')
        },
      ),
    )
  })
})

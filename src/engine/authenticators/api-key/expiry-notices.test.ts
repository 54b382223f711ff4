import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../../ports/audit-log.ts'
import type { ApiKeyRecord } from '../../../ports/api-keys.ts'
import { startExpiryScan, type ExpiryScan } from './expiry-notices.ts'

const start = 1_800_000_000_000
const day = 86_400_000

function record(id: string, expiresAt: number): ApiKeyRecord {
  return {
    id,
    owner: 'acme',
    digests: [],
    origin: 'created',
    scopes: [],
    roles: [],
    metadata: {},
    allowedIps: [],
    allowedRoutes: [],
    createdAt: 0,
    expiresAt,
  }
}

describe('expiry notices', () => {
  const clock = { time: start, now: () => clock.time }
  const due = new Map<number, ApiKeyRecord[]>()
  let events: AuditEntry[]
  let counted: number[]
  let released: string[]
  let failAt: string | undefined
  let scan: ExpiryScan

  beforeEach(() => {
    due.clear()
    events = []
    counted = []
    released = []
    failAt = undefined
    clock.time = start
    scan = startExpiryScan({
      notices: {
        claim: async ({ days, limit }) => (due.get(days) ?? []).splice(0, limit),
        release: async (ids) => {
          released.push(...ids)
        },
      },
      audit: {
        record: async (entry) => {
          if (entry.data?.['keyId'] === failAt) throw new Error('the disk is full')
          events.push(entry)
        },
      },
      clock,
      onExpiring: (days) => counted.push(days),
      onError: () => undefined,
    })
  })

  afterEach(() => scan.close())

  it('tells each key that is due, in an event and a count', async () => {
    due.set(14, [record('a', start + 13.5 * day)])
    due.set(1, [record('b', start + 0.5 * day)])
    expect(await scan.scan()).toBe(2)
    expect(counted).toEqual([1, 14])
    expect(events[1]).toEqual({
      time: start,
      type: 'credential',
      outcome: 'record',
      credential: { kind: 'api-key', id: 'a' },
      data: {
        change: 'expiring',
        keyId: 'a',
        owner: 'acme',
        daysLeft: 14,
        expiresAt: '2027-01-28T20:00:00Z',
      },
    })
    expect(events[0]?.data?.['daysLeft']).toBe(1)
  })

  it('goes on until all are told', async () => {
    due.set(
      7,
      Array.from({ length: 250 }, (_, index) => record(`k${index}`, start + 6 * day)),
    )
    expect(await scan.scan()).toBe(250)
  })

  it('gives back what it could not record', async () => {
    due.set(7, [record('a', start + day), record('b', start + day), record('c', start + day)])
    failAt = 'b'
    await expect(scan.scan()).rejects.toThrow('the disk is full')
    expect(released).toEqual(['b', 'c'])
    expect(counted).toEqual([7])
  })

  it('runs one scan at a time', async () => {
    due.set(7, [record('a', start + day)])
    expect(await Promise.all([scan.scan(), scan.scan()])).toEqual([1, 1])
    expect(events).toHaveLength(1)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditTypes, type AuditEntry } from '../../ports/audit-log.ts'
import { admitted, refused } from '../testing/log.ts'
import { eventMembers, eventTime, membersByJson, type PendingEvent } from './event.ts'

const nasty = [
  '"',
  '\\',
  '\u0000',
  '\n',
  '\u007f',
  '\u00ad',
  '\u2028',
  '\u202e',
  '\ud800',
  '\ufeff',
  'é',
  '😀',
  '</script>',
]
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
  fc.array(fc.constantFrom(...nasty, 'a', 'path'), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.nat(9000).map((length) => 'x'.repeat(length)),
)
const few = fc.option(text, { nil: undefined })
const facts = fc.oneof(fc.dictionary(text, fc.jsonValue()), fc.constant({ undefined, nothing: undefined }))
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Number.NaN, Infinity))
const entry = fc.record({
  time: fc.integer(),
  type: fc.constantFrom(...auditTypes),
  outcome: fc.constantFrom('allow' as const, 'refuse' as const),
  reason: few,
  code: few,
  detail: few,
  requestId: few,
  traceId: few,
  route: few,
  method: few,
  host: few,
  path: few,
  clientIp: few,
  authenticator: few,
  durationMs: fc.option(number, { nil: undefined }),
  tls: fc.option(fc.record({ version: text, cipher: text }), { nil: undefined }),
  credential: fc.option(fc.record({ kind: text, fingerprint: text }), { nil: undefined }),
  identity: fc.option(
    fc.record({ issuer: text, subject: text, scopes: fc.array(text), actor: fc.jsonValue(), claims: facts }),
    { nil: undefined },
  ),
  report: fc.option(fc.record({ stage: text, reason: text }), { nil: undefined }),
  data: fc.option(facts, { nil: undefined }),
}) as fc.Arbitrary<AuditEntry>

function agrees(event: PendingEvent): void {
  expect(eventMembers(event, 'gateway-1')).toEqual(membersByJson(event, 'gateway-1'))
}

describe('the quick way to say an event', () => {
  it('gives the same bytes as JSON.stringify, whatever a stranger chose', () => {
    fc.assert(
      fc.property(entry, few, fc.option(number, { nil: undefined }), (entry, configuration, count) => {
        agrees({ entry, configuration: configuration ?? 'c', ...(count === undefined ? {} : { count }) })
      }),
      { numRuns: 300 },
    )
  })

  it('gives the same bytes for members of a type that nothing declares', () => {
    const odd = [12, null, true, {}, [], { toJSON: () => 'x' }, { toJSON: () => undefined }, Symbol('s'), 5n]
    for (const value of odd) {
      for (const name of ['path', 'type', 'reason', 'identity', 'data', 'tls', 'durationMs'])
        agrees({ entry: admitted(1, { [name]: value }), configuration: 'c' })
    }
  })

  it('cuts at the very length at which JSON.stringify would', () => {
    for (let length = 7500; length < 8200; length += 1)
      agrees({ entry: refused(1, { path: 'a'.repeat(length) }), configuration: 'c' })
    // Escaped for terminals it is six times as long, which does not count.
    agrees({ entry: refused(1, { path: '\u202e'.repeat(4000) }), configuration: 'c' })
  })

  it('says what is not frozen anew each time', () => {
    const identity = { issuer: 'i', subject: 'first' }
    const event = { entry: admitted(1, { identity }), configuration: 'c' }
    agrees(event)
    identity.subject = 'second'
    agrees(event)
    expect(eventMembers(event, 'gateway-1').text).toContain('"subject":"second"')
  })

  it('knows a member by its name, also where one object is several', () => {
    const shared = Object.freeze({ kind: 'k', issuer: 'i', subject: 's', version: 'v', cipher: 'c' })
    const report = Object.freeze({ stage: 's', reason: 'r' })
    const entry = admitted(1, { tls: shared, credential: shared, identity: shared, data: shared, report })
    for (let time = 0; time < 2; time += 1) agrees({ entry, configuration: 'c' })
    agrees({ entry: admitted(1, { data: report, report: undefined }), configuration: 'c' })
    agrees({
      entry: refused(1, { route: 'same', method: 'same', code: 'same', reason: 'same' }),
      configuration: 'c',
    })
  })

  it('follows a reload, and keeps instances apart', () => {
    const event = { entry: admitted(1), configuration: 'before' }
    expect(eventMembers(event, 'one').text).toContain('"instance":"one","configuration":"before"')
    expect(eventMembers({ ...event, configuration: 'after' }, 'one').text).toContain(
      '"configuration":"after"',
    )
    expect(eventMembers({ ...event, configuration: 'after' }, 'two').text).toContain('"instance":"two"')
  })
})

describe('the time of an event', () => {
  it('is what Date says', () => {
    const expected = (time: number): string => new Date(Math.abs(time) <= 8.64e15 ? time : 0).toISOString()
    const times = [
      0, 1, 999, 1000, 1_795_521_600_412, 253_402_300_799_999, 253_402_300_800_000, -1, 1.5, 8.64e15,
    ]
    for (const time of times) expect(eventTime(time)).toBe(expected(time))
    for (const time of [Number.NaN, Infinity, 1e17]) expect(eventTime(time)).toBe('1970-01-01T00:00:00.000Z')
    fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => eventTime(time) === expected(time)))
  })
})

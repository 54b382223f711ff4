import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admitted, refused } from '../testing/log.ts'
import { askFor, NamesBuilder, type Named } from './names.ts'

function namesOf(...events: Named[]): Uint8Array {
  const names = new NamesBuilder()
  for (const event of events) names.add(event)
  return names.bytes
}

describe('the names of a run', () => {
  it('hold every name that was put in, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (subject, requestId) => {
        const names = namesOf(admitted(1, { requestId, identity: { issuer: 'i', subject } }), refused(2))
        return askFor({ subject, requestId })(names) && askFor({ subject, outcome: 'refuse' })(names)
      }),
    )
  })

  it('hold hardly anything else, with a thousand callers', () => {
    const names = namesOf(
      ...Array.from({ length: 1024 }, (_, number) =>
        admitted(number, { identity: { issuer: 'i', subject: `caller-${number}` } }),
      ),
    )
    const wrong = Array.from({ length: 20_000 }, (_, number) => `stranger-${number}`).filter((subject) =>
      askFor({ subject })(names),
    )
    expect(wrong.length).toBeLessThan(100)
  })

  it('tell a subject from a route of the same name', () => {
    const names = namesOf(admitted(1, { route: 'reports', identity: { issuer: 'i', subject: 'alice' } }))
    expect(askFor({ route: 'reports', subject: 'alice' })(names)).toBe(true)
    expect(askFor({ subject: 'reports' })(names)).toBe(false)
    expect(askFor({ route: 'alice' })(names)).toBe(false)
  })

  it('hold the finer word, and the public code also where only the finer word was told', () => {
    const names = namesOf({ outcome: 'refuse', reason: 'token_signature' })
    expect(askFor({ reason: 'token_signature' })(names)).toBe(true)
    expect(askFor({ reason: 'credential_invalid' })(names)).toBe(true)
    expect(askFor({ reason: 'token_expired' })(names)).toBe(false)
  })

  it('hold each subject that an object named at its time', () => {
    const identity = { issuer: 'i', subject: 'first' }
    const names = new NamesBuilder()
    names.add(admitted(1, { identity }))
    identity.subject = 'second'
    names.add(admitted(2, { identity }))
    for (const subject of ['first', 'second']) expect(askFor({ subject })(names.bytes)).toBe(true)
  })

  it('may hold the answer to a question that names nothing', () => {
    expect(askFor({ since: 1 })(namesOf())).toBe(true)
  })
})

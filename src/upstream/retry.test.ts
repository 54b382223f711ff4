import { describe, expect, it } from 'vitest'
import type { ConnectionFault } from './connection.ts'
import { Retries, type Failure } from './retry.ts'

const inTime = { isInTime: (): boolean => true }

function failure(kind: ConnectionFault['kind'], { isReused = false, isHeard = false } = {}): Failure {
  return { isReused, fault: { kind, detail: '', isHeard } }
}

describe('retries', () => {
  it('follow a lost connection for idempotent methods only', () => {
    for (const [method, verdict] of [
      ['GET', 'elsewhere'],
      ['HEAD', 'elsewhere'],
      ['OPTIONS', 'elsewhere'],
      ['PUT', 'elsewhere'],
      ['DELETE', 'elsewhere'],
      ['POST', 'give-up'],
      ['PATCH', 'give-up'],
      ['PURGE', 'give-up'],
    ] as const) {
      expect(new Retries(method, 1, inTime).afterFailure(failure('lost'))).toBe(verdict)
    }
  })

  it('are as many as configured', () => {
    const retries = new Retries('GET', 2, inTime)
    expect([1, 2, 3].map(() => retries.afterFailure(failure('lost')))).toEqual([
      'elsewhere',
      'elsewhere',
      'give-up',
    ])
  })

  it('follow a connection that was never made, whatever the method', () => {
    expect(new Retries('POST', 1, inTime).afterConnectFailure()).toBe('elsewhere')
    expect(new Retries('POST', 0, inTime).afterConnectFailure()).toBe('give-up')
  })

  it('never follow once the body was taken', () => {
    const retries = new Retries('PUT', 5, inTime)
    retries.bodyTaken()
    expect(retries.afterFailure(failure('lost'))).toBe('give-up')
    expect(retries.afterFailure(failure('lost', { isReused: true }))).toBe('give-up')
    expect(retries.declines(503)).toBe(false)
  })

  it('follow at no cost, and once, a kept connection that was closed without a byte', () => {
    const retries = new Retries('GET', 0, inTime)
    expect(retries.afterFailure(failure('lost', { isReused: true, isHeard: true }))).toBe('give-up')
    expect(retries.afterFailure(failure('lost', { isReused: true }))).toBe('afresh')
    expect(retries.afterFailure(failure('lost', { isReused: true }))).toBe('give-up')
    expect(new Retries('POST', 5, inTime).afterFailure(failure('lost', { isReused: true }))).toBe('give-up')
  })

  it('follow a request that was never sent, at no cost and whatever the method', () => {
    const retries = new Retries('POST', 0, inTime)
    expect(retries.afterFailure(failure('unsent', { isReused: true }))).toBe('afresh')
  })

  it('do not go on without end where new connections are closed before anything is sent', () => {
    const retries = new Retries('POST', 1, inTime)
    expect(retries.afterFailure(failure('unsent'))).toBe('elsewhere')
    expect(retries.afterFailure(failure('unsent'))).toBe('give-up')
  })

  it('follow 502, 503 and 504 only', () => {
    for (const status of [200, 400, 429, 500, 501, 505]) {
      expect(new Retries('GET', 1, inTime).declines(status)).toBe(false)
    }
    for (const status of [502, 503, 504]) {
      const retries = new Retries('GET', 1, inTime)
      expect([retries.declines(status), retries.declines(status)]).toEqual([true, false])
      expect(new Retries('POST', 1, inTime).declines(status)).toBe(false)
    }
  })

  it('end when the time is over', () => {
    const retries = new Retries('GET', 5, { isInTime: () => false })
    expect(retries.afterFailure(failure('lost'))).toBe('give-up')
    expect(retries.afterConnectFailure()).toBe('give-up')
  })
})

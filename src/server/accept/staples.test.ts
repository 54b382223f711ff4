import { describe, expect, it } from 'vitest'
import { ocspAnswer } from '../../../test/support/ocsp.ts'
import { issueAuthority, issueClient } from '../../../test/support/pki.ts'
import { readStaple } from './staples.ts'

const authority = issueAuthority({ subject: 'authority' })
const stranger = issueAuthority({ subject: 'stranger' })
const namesake = issueAuthority({ subject: 'authority' })
const server = issueClient({ subject: 'server', issuer: authority })
const other = issueClient({ subject: 'other', issuer: authority })
const chain = Buffer.from(server.pem + authority.pem)
const minute = 60_000

describe('an answer about our certificate', () => {
  it('is sent along until it runs out, whether it carries a nonce or not', () => {
    for (const withoutNonce of [true, false]) {
      const der = ocspAnswer({ issuer: authority, about: server, withoutNonce, minutes: 10 })
      const staple = readStaple(der, chain, Date.now())
      expect(staple).toMatchObject({ der })
      const { until } = staple as { until: number }
      expect(until - Date.now()).toBeGreaterThan(8 * minute)
      expect(until - Date.now()).toBeLessThan(11 * minute)
    }
  })

  it('finds its issuer anywhere in the file', () => {
    const der = ocspAnswer({ issuer: authority, about: server })
    expect(readStaple(der, Buffer.from(server.pem + stranger.pem + authority.pem), Date.now())).toMatchObject(
      { der },
    )
  })

  it.each([
    [
      'that says it is revoked',
      () => ocspAnswer({ issuer: authority, about: server, isRevoked: true }),
      /revoked/,
    ],
    ['about another certificate', () => ocspAnswer({ issuer: authority, about: other }), /no answer about/],
    ['of another authority', () => ocspAnswer({ issuer: stranger, about: server }), /did not appoint/],
    ['of another authority of that name', () => ocspAnswer({ issuer: namesake, about: server }), /signature/],
    [
      'signed by somebody',
      () => ocspAnswer({ issuer: authority, about: server, signer: other }),
      /may not|did not/,
    ],
    ['that is none', () => Buffer.from('nothing'), /./],
    ['that is empty', () => Buffer.alloc(0), /./],
    ['without end', () => Buffer.alloc(65_537, 0x30), /too large/],
  ])('%s is of no use', (_name, make, why) => {
    expect(readStaple(make(), chain, Date.now())).toMatch(why)
  })

  it('is of no use before its time and after it', () => {
    const der = ocspAnswer({ issuer: authority, about: server, minutes: 10 })
    expect(readStaple(der, chain, Date.now() + 11 * minute)).toMatch(/run out/)
    expect(readStaple(der, chain, Date.now() - 11 * minute)).toMatch(/future/)
  })

  it('is of no use where the file has no issuer to check it by', () => {
    const der = ocspAnswer({ issuer: authority, about: server })
    expect(readStaple(der, Buffer.from(server.pem), Date.now())).toMatch(/issuer/)
    expect(readStaple(der, Buffer.from('no certificate'), Date.now())).toMatch(/certificate/)
  })
})

import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { gatewayRequest } from '../../../../test/support/gateway-request.ts'
import type { ApiKeySettings } from './settings.ts'
import type { ApiKeyRecord } from '../../../ports/api-keys.ts'
import type { RevocationFacts } from '../../../ports/revocations.ts'
import type { ClientCertificate } from '../../certificates/client-certificate.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { Outcome } from '../../outcome.ts'
import { prove } from '../../prove.ts'
import { Secret } from '../../secret.ts'
import type { Presented } from '../authenticator.ts'
import { createApiKeyAuthenticator, type ApiKeyAuthenticator } from './authenticator.ts'
import { digestOfKey } from './digest.ts'
import { makeKey } from './key-format.ts'

const header: CredentialPlace = { kind: 'header', name: 'x-api-key' }
const query: CredentialPlace = { kind: 'query', name: 'key' }
const settings: ApiKeySettings = {
  type: 'api-key',
  name: 'partner-keys',
  in: [header],
  prefix: 'ptc',
  maxLifetime: 90 * 86_400_000,
  grace: 86_400_000,
  onLeak: 'revoke',
}
const start = 1_800_000_000_000
const day = 86_400_000

describe('the api-key authenticator', () => {
  const clock = { time: start, now: () => clock.time }
  const changes = { version: 1 }
  let records: Map<string, ApiKeyRecord>
  let lookUps: number
  let failure: Error | undefined
  let isAsync: boolean
  let used: (readonly [string, number] | readonly [string, number, string])[]
  let seen: Map<string, number>
  let revoked: (facts: RevocationFacts) => boolean
  const { id, key } = makeKey('ptc')

  const store = {
    findByDigest: (digest: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined> => {
      lookUps += 1
      if (failure !== undefined) {
        if (!isAsync) throw failure
        return Promise.reject(failure)
      }
      const found = [...records.values()].find(({ digests }) => digests.includes(digest))
      return isAsync ? Promise.resolve(found) : found
    },
    lastSeen: (of: string, address: string): number | undefined | Promise<number | undefined> => {
      if (failure !== undefined) throw failure
      const at = seen.get(`${of} ${address}`)
      return isAsync ? Promise.resolve(at) : at
    },
    hasImported: () => [...records.values()].some(({ origin }) => origin === 'imported'),
  }

  beforeEach(() => {
    clock.time = start
    records = new Map()
    lookUps = 0
    failure = undefined
    isAsync = false
    used = []
    seen = new Map()
    revoked = () => false
  })

  interface Subject {
    recall(presented: Presented, clientIp?: string): Outcome | undefined
    verify(presented: Presented, clientIp?: string): Outcome | Promise<Outcome>
    takes(presented: Presented): 'yes' | 'maybe' | 'no'
    readonly authenticator: ApiKeyAuthenticator
  }

  function made(edits: Partial<ApiKeySettings> = {}, remember = 100): Subject {
    const authenticator = createApiKeyAuthenticator(
      { ...settings, ...edits },
      {
        store,
        changes,
        clock,
        revocations: { isRevoked: (facts) => revoked(facts) },
        onUse: (usedId, at, address) =>
          used.push(address === undefined ? [usedId, at] : [usedId, at, address]),
        remember,
      },
    )
    return {
      recall: (presented, clientIp = '192.0.2.1') => authenticator.recall(presented, { clientIp }),
      verify: (presented, clientIp = '192.0.2.1') => authenticator.verify(presented, { clientIp }),
      takes: (presented) => authenticator.takes(presented),
      authenticator,
    }
  }

  function keep(edits: Partial<ApiKeyRecord> = {}, pepper?: Secret): ApiKeyRecord {
    const record: ApiKeyRecord = {
      id,
      owner: 'acme',
      digests: [digestOfKey(key, pepper)],
      origin: 'created',
      prefix: 'ptc',
      scopes: ['catalog:read'],
      roles: ['viewer'],
      metadata: {},
      allowedIps: [],
      allowedRoutes: [],
      createdAt: start - day,
      ...edits,
    }
    records.set(record.id, record)
    changes.version += 1
    return record
  }

  const shown = (value: string, place: CredentialPlace = header): Presented => ({ value, place })

  async function reasonFor(value: string, authenticator = made()): Promise<string> {
    const outcome = await authenticator.verify(shown(value))
    return outcome.outcome === 'verified' ? 'verified' : outcome.reason
  }

  function verifiedFacts(outcome: Outcome | undefined): Extract<Outcome, { outcome: 'verified' }> {
    if (outcome?.outcome !== 'verified') throw new Error(`not verified: ${JSON.stringify(outcome)}`)
    return outcome
  }

  it('makes the identity from the record', async () => {
    keep({
      name: 'nightly',
      tenant: 'north',
      metadata: { team: 'data', key_id: 'forged', key_name: 'forged' },
      allowedIps: ['10.0.0.0/8'],
      allowedRoutes: ['r'],
      rateLimit: '10/1s',
      expiresAt: start + 60 * day,
    })
    const outcome = verifiedFacts(await made().verify(shown(key)))
    expect(outcome.identity).toEqual({
      issuer: 'urn:portcullis:api-key',
      subject: 'acme',
      tenant: 'north',
      scopes: ['catalog:read'],
      roles: ['viewer'],
      claims: { team: 'data', key_id: id, key_name: 'nightly' },
      method: 'partner-keys',
      amr: ['api-key'],
    })
    expect(outcome.credential).toEqual({
      kind: 'api-key',
      id,
      expiresAt: start + 60 * day,
      issuedAt: start - day,
      place: header,
      allowedIps: ['10.0.0.0/8'],
      allowedRoutes: ['r'],
      rateLimit: '10/1s',
    })
    expect(Object.isFrozen(outcome.identity)).toBe(true)
    expect(used).toEqual([[id, start]])
  })

  it('never lets metadata pass for a name that the key does not have', async () => {
    keep({ metadata: { key_name: 'forged' } })
    expect(verifiedFacts(await made().verify(shown(key))).identity.claims).toEqual({ key_id: id })
  })

  it('refuses a mistyped or malformed key without a look-up', async () => {
    keep()
    const typo = key.slice(0, -10) + (key.at(-10) === 'x' ? 'y' : 'x') + key.slice(-9)
    expect(await reasonFor(typo)).toBe('key_checksum')
    expect(await reasonFor(key.slice(0, -1))).toBe('key_malformed')
    expect(await reasonFor('ptc_')).toBe('key_malformed')
    expect(await reasonFor('no visible')).toBe('key_malformed')
    expect(await reasonFor('x'.repeat(4_097))).toBe('key_malformed')
    expect(lookUps).toBe(0)
  })

  it('looks a well-formed key up once and tells an unknown one', async () => {
    expect(await reasonFor(key)).toBe('key_unknown')
    expect(await reasonFor('some-other-key')).toBe('key_unknown')
    expect(lookUps).toBe(2)
  })

  it('does not count a token that nobody took as a guessed key', async () => {
    expect(await reasonFor('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln')).toBe('no_authenticator_takes_it')
  })

  it('takes its prefix for sure and anything else perhaps', () => {
    const authenticator = made()
    expect(authenticator.takes(shown(key))).toBe('yes')
    expect(authenticator.takes(shown('ptc_x'))).toBe('yes')
    expect(authenticator.takes(shown('PTC_x'))).toBe('maybe')
    expect(authenticator.takes(shown('other'))).toBe('maybe')
  })

  it.each([
    [{ notBefore: start + 1 }, 'key_not_yet_valid'],
    [{ notBefore: start }, 'verified'],
    [{ expiresAt: start }, 'key_expired'],
    [{ expiresAt: start + 1 }, 'verified'],
    [{ graceEndsAt: start, successor: 'x' }, 'key_grace_over'],
    [{ graceEndsAt: start + 1, successor: 'x' }, 'verified'],
    [{ revokedAt: start }, 'key_revoked'],
    [{ revokedAt: start + day, expiresAt: start }, 'key_revoked'],
  ] as const)('judges the life of a key with %j: %s', async (edits, reason) => {
    keep(edits)
    expect(await reasonFor(key)).toBe(reason)
  })

  it('tells who was refused once the secret held', async () => {
    keep({ expiresAt: start })
    expect(await made().verify(shown(key))).toEqual({
      outcome: 'rejected',
      reason: 'key_expired',
      credentialId: id,
    })
  })

  it('asks the standing revocations with the key’s owner and creation', async () => {
    keep()
    let asked: RevocationFacts | undefined
    revoked = (facts) => {
      asked = facts
      return true
    }
    expect(await reasonFor(key)).toBe('key_revoked')
    expect(asked).toEqual({ issuer: 'urn:portcullis:api-key', subject: 'acme', issuedAt: start - day })
  })

  it('keeps keys of other prefixes and of other authenticators out', async () => {
    keep({ authenticator: 'other-keys' })
    expect(await reasonFor(key)).toBe('key_not_for_authenticator')
    keep({ authenticator: 'partner-keys' })
    expect(await reasonFor(key)).toBe('verified')
    keep()
    expect(await reasonFor(key, made({ name: 'b', prefix: 'abc' }))).toBe('key_not_for_authenticator')
  })

  it('finds a key under its pepper only', async () => {
    keep({}, new Secret('one'))
    expect(await reasonFor(key, made({ pepper: new Secret('one') }))).toBe('verified')
    expect(await reasonFor(key, made({ pepper: new Secret('two') }))).toBe('key_unknown')
    expect(await reasonFor(key, made())).toBe('key_unknown')
  })

  it.each(['short', 'Legacy-Key.123/+=', 'ptc_old-format', 'ptc_123456789012_', 'a.b.c', 'ABC_def'])(
    'takes the imported key %s at every authenticator',
    async (legacy) => {
      const { prefix: _, ...record } = keep({ origin: 'imported', digests: [digestOfKey(legacy, undefined)] })
      records.set(id, record)
      expect(await reasonFor(legacy)).toBe('verified')
      expect(await reasonFor(legacy, made({ name: 'b', prefix: 'abc' }))).toBe('verified')
    },
  )

  it('does not let a created key pass with a wrong checksum because something was imported', async () => {
    keep({ id: 'other', origin: 'imported', digests: [digestOfKey('legacy', undefined)] })
    const forged = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
    keep({ digests: [digestOfKey(forged, undefined)] })
    expect(await reasonFor(forged)).toBe('key_checksum')
  })

  it('recalls a verified key without a look-up, and judges its life anew', async () => {
    keep({ expiresAt: start + 1_000 })
    const authenticator = made()
    expect(authenticator.recall(shown(key))).toBeUndefined()
    const first = await authenticator.verify(shown(key))
    lookUps = 0
    expect(authenticator.recall(shown(key))).toBe(first)
    clock.time = start + 1_000
    expect(authenticator.recall(shown(key))).toMatchObject({ reason: 'key_expired' })
    clock.time = start
    revoked = () => true
    expect(authenticator.recall(shown(key))).toMatchObject({ reason: 'key_revoked' })
    expect(lookUps).toBe(0)
  })

  it('reads a known key’s record again after a change, without verifying it anew', async () => {
    const record = keep()
    const authenticator = made()
    await authenticator.verify(shown(key))
    keep({ scopes: ['other'] })
    expect(verifiedFacts(authenticator.recall(shown(key))).identity.scopes).toEqual(['other'])
    keep({ revokedAt: start })
    expect(authenticator.recall(shown(key))).toMatchObject({ reason: 'key_revoked' })
    records.delete(record.id)
    changes.version += 1
    expect(authenticator.recall(shown(key))).toBeUndefined()
    expect(await reasonFor(key, authenticator)).toBe('key_unknown')
  })

  it('verifies anew after a change where the store answers later', async () => {
    keep()
    isAsync = true
    const authenticator = made()
    verifiedFacts(await authenticator.verify(shown(key)))
    verifiedFacts(authenticator.recall(shown(key)))
    changes.version += 1
    expect(authenticator.recall(shown(key))).toBeUndefined()
  })

  it('does not take a change that came during a look-up for seen', async () => {
    keep()
    isAsync = true
    const authenticator = made()
    const verifying = authenticator.verify(shown(key))
    keep({ revokedAt: start })
    verifiedFacts(await verifying)
    expect(authenticator.recall(shown(key))).toBeUndefined()
    expect(await authenticator.verify(shown(key))).toMatchObject({ reason: 'key_revoked' })
  })

  it('remembers no more keys than it may, and none that was refused', async () => {
    keep()
    const authenticator = made({}, 1)
    await authenticator.verify(shown(key))
    await authenticator.verify(shown('unknown-key'))
    expect(authenticator.recall(shown(key))).toBeDefined()
    expect(authenticator.recall(shown('unknown-key'))).toBeUndefined()
    keep({ id: 'b', digests: [digestOfKey('imported', undefined)], origin: 'imported' })
    await authenticator.verify(shown('imported'))
    expect(authenticator.recall(shown(key))).toBeUndefined()
  })

  it('says where the key was read this time', async () => {
    keep()
    const authenticator = made({ in: [header, query] })
    await authenticator.verify(shown(key))
    expect(verifiedFacts(authenticator.recall(shown(key, query))).credential.place).toEqual(query)
    expect(verifiedFacts(authenticator.recall(shown(key))).credential.place).toEqual(header)
  })

  it('tells the end of a key in grace, and of one with 14 days left, from memory too', async () => {
    keep({ expiresAt: start + 15 * day })
    const authenticator = made()
    expect(verifiedFacts(await authenticator.verify(shown(key))).credential.expiryNotice).toBeUndefined()
    clock.time = start + day
    expect(verifiedFacts(authenticator.recall(shown(key))).credential.expiryNotice).toBe(
      '2027-01-30T08:00:00Z',
    )
    keep({ expiresAt: start + 60 * day, successor: 'x', graceEndsAt: start + 2 * day })
    expect(verifiedFacts(authenticator.recall(shown(key))).credential).toMatchObject({
      expiryNotice: '2027-01-17T08:00:00Z',
      expiresAt: start + 2 * day,
    })
  })

  it.each([true, false])('fails closed when the store cannot answer (later: %s)', async (later) => {
    keep()
    const authenticator = made()
    await authenticator.verify(shown(key))
    isAsync = later
    failure = new Error('disk I/O error')
    changes.version += 1
    expect(authenticator.recall(shown(key))).toBeUndefined()
    expect(await authenticator.verify(shown(key))).toEqual({
      outcome: 'rejected',
      reason: 'store_unavailable',
      detail: 'disk I/O error',
    })
  })

  describe('of a key in quarantine', () => {
    const friend = '198.51.100.7'
    const stranger = '203.0.113.9'

    beforeEach(() => {
      keep({ quarantinedAt: start - day })
      seen.set(`${id} ${friend}`, start - 29 * day)
    })

    it.each([false, true])(
      'takes it only from addresses seen in the last 30 days (asynchronous store: %s)',
      async (is) => {
        isAsync = is
        const authenticator = made()
        expect((await authenticator.verify(shown(key), friend)).outcome).toBe('verified')
        expect(await authenticator.verify(shown(key), stranger)).toEqual({
          outcome: 'rejected',
          reason: 'key_quarantined',
          credentialId: id,
        })
        expect(authenticator.recall(shown(key), stranger)?.outcome).toBe(is ? undefined : 'rejected')
        clock.time += day
        expect(await authenticator.verify(shown(key), friend)).toMatchObject({ reason: 'key_quarantined' })
      },
    )

    it('counts an IPv6 caller by the /64', async () => {
      seen.set(`${id} 2001:db8:0:0::/64`, start - 1)
      expect((await made().verify(shown(key), '2001:db8::ffff')).outcome).toBe('verified')
      expect((await made().verify(shown(key), '2001:db8:0:1::1')).outcome).toBe('rejected')
    })

    it('remembers the address of a use that passed, and of no other', async () => {
      const authenticator = made()
      await authenticator.verify(shown(key), stranger)
      await authenticator.verify(shown(key), friend)
      expect(used).toEqual([[id, start, friend]])
    })

    it('says that it is dead rather than that it is held', async () => {
      keep({ quarantinedAt: start - day, revokedAt: start - 1 })
      expect(await made().verify(shown(key), stranger)).toMatchObject({ reason: 'key_revoked' })
    })

    it('refuses while the store cannot say', async () => {
      const authenticator = made()
      await authenticator.verify(shown(key), friend)
      failure = new Error('locked')
      expect(authenticator.recall(shown(key), friend)).toMatchObject({ reason: 'store_unavailable' })
    })
  })

  it('tells where a key comes from only where leaks lead to a quarantine', async () => {
    keep()
    await made().verify(shown(key))
    await made({ onLeak: 'quarantine' }).verify(shown(key))
    expect(used).toEqual([
      [id, start],
      [id, start, '192.0.2.1'],
    ])
  })

  it('refuses a key whose certificate was revoked', async () => {
    const certificate = 'ab'.repeat(32)
    revoked = (facts) => facts.certificate === certificate
    keep()
    expect((await made().verify(shown(key))).outcome).toBe('verified')
    keep({ certificate })
    expect(await made().verify(shown(key))).toMatchObject({ reason: 'key_revoked' })
  })

  it('holds a key to the certificate that it was made for', async () => {
    const der = Buffer.from('a certificate')
    const own: ClientCertificate = {
      der,
      chain: [],
      fingerprint: createHash('sha256').update(der).digest('hex'),
      thumbprint: createHash('sha256').update(der).digest('base64url'),
      source: 'connection',
      fault: () => undefined,
    }
    keep({ certificate: own.fingerprint })
    const { authenticator } = made()
    const ask = async (certificate?: ClientCertificate): Promise<string> => {
      const request = gatewayRequest(certificate === undefined ? {} : { certificate })
      const outcome = await prove(authenticator, shown(key), request, {
        admit: () => 0,
        failed: () => undefined,
      })
      return outcome.outcome === 'rejected' ? outcome.reason : outcome.outcome
    }
    expect(await ask(own)).toBe('verified')
    expect(await ask()).toBe('bound_certificate_missing')
    expect(await ask({ ...own, thumbprint: 'x' })).toBe('bound_certificate_other')
    expect(await ask({ ...own, fault: () => 'expired' })).toBe('bound_certificate_fault')
    keep({ certificate: 'no fingerprint' })
    expect(await ask(own)).toBe('token_bound')
  })
})

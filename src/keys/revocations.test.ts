import { beforeEach, describe, expect, it } from 'vitest'
import type { Configuration, ProviderSettings } from '../configuration.ts'
import type { JwtSettings } from '../engine/authenticators/jwt/settings.ts'
import type { AuditEntry } from '../ports/audit-log.ts'
import type { Store } from '../ports/store.ts'
import { openStore } from '../stores/open.ts'
import { KeyProblem } from './problem.ts'
import { createRevocationManager, type RevocationManager } from './revocations.ts'
import type { NewRevocation } from './schemas.ts'

const now = Date.UTC(2027, 0, 1)
const issuer = 'https://login.example.com'

function provider(
  name: string,
  type: ProviderSettings['type'],
  parameters: Record<string, string>,
): ProviderSettings {
  return {
    name,
    type,
    parameters,
    discovery: true,
    endpoints: {},
    clockSkew: 30_000,
    staleKeys: 0,
    claims: {},
    allowInsecure: false,
  }
}

function jwt(name: string, of: string, maxLifetime?: number): JwtSettings {
  return {
    type: 'jwt',
    name,
    in: [],
    provider: of,
    algorithms: [],
    secretEncoding: 'utf8',
    requiredClaims: [],
    binding: { mode: 'none', dpop: { nonce: false, window: 60_000 } },
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
  }
}

const corp = provider('corp', 'oidc', { issuer })
const entra = provider('entra', 'entra', { tenant: '11111111-2222-3333-4444-555555555555' })
const keys = { type: 'api-key', name: 'keys', in: [], prefix: 'ptc', grace: 0, onLeak: 'revoke' } as const

describe('revoking what others issued', () => {
  let configuration: Pick<Configuration, 'authenticators' | 'providers'>
  let store: Store
  let events: AuditEntry[]
  let refreshed: number
  let revocations: RevocationManager

  beforeEach(async () => {
    configuration = {
      providers: { corp },
      authenticators: { token: jwt('token', 'corp', 3_600_000) },
    }
    store = await openStore(':memory:', { clock: { now: () => now } })
    events = []
    refreshed = 0
    revocations = createRevocationManager({
      store: store.revocations,
      clock: { now: () => now },
      configuration: () => configuration,
      audit: {
        record: (entry) => {
          events.push(entry)
          return undefined
        },
      },
      afterwards: async () => {
        refreshed += 1
      },
    })
  })

  async function pathsOf(input: NewRevocation): Promise<string[]> {
    try {
      await revocations.revoke(input, 'x')
    } catch (error) {
      if (error instanceof KeyProblem) return error.faults.map(({ path }) => path)
      throw error
    }
    throw new Error('it was not refused')
  }

  it('revokes a subject of the one issuer from now on back, says so and records it', async () => {
    const input: NewRevocation = { kind: 'subject', value: 'alice', reason: 'left' }
    const { revocations: made, notices } = await revocations.revoke(input, 'cli:root')
    expect(made).toEqual([
      {
        kind: 'subject',
        issuer,
        value: 'alice',
        at: '2027-01-01T00:00:00Z',
        permanent: false,
        reason: 'left',
        createdAt: '2027-01-01T00:00:00Z',
      },
    ])
    expect(notices).toEqual([])
    expect(await store.revocations.list()).toEqual([
      { kind: 'subject', issuer, value: 'alice', at: now, permanent: false, reason: 'left', createdAt: now },
    ])
    expect(refreshed).toBe(1)
    expect(events[0]).toMatchObject({
      type: 'credential',
      outcome: 'record',
      data: { change: 'revoked', kind: 'subject', issuer, value: 'alice', by: 'cli:root' },
    })
  })

  it('holds at each issuer of the configuration when none is named, and says so', async () => {
    configuration = {
      providers: { corp, entra },
      authenticators: { token: jwt('token', 'corp'), keys },
    }
    const { revocations: made, notices } = await revocations.revoke({ kind: 'subject', value: 'a' }, 'x')
    expect(made.map((each) => each.issuer)).toEqual([
      issuer,
      'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
      'https://sts.windows.net/11111111-2222-3333-4444-555555555555/',
      'urn:portcullis:api-key',
    ])
    expect(notices[0]).toMatch(/holds at each of/)
  })

  it('holds for all published forms of a named issuer', async () => {
    configuration = { providers: { entra }, authenticators: {} }
    const v1 = 'https://sts.windows.net/11111111-2222-3333-4444-555555555555/'
    const { revocations: made } = await revocations.revoke({ kind: 'subject', value: 'a', issuer: v1 }, 'x')
    expect(made.map((each) => each.issuer)).toHaveLength(2)
  })

  it('acts on an issuer that it does not know, and warns of it', async () => {
    const { revocations: made, notices } = await revocations.revoke(
      { kind: 'subject', value: 'a', issuer: `${issuer}/` },
      'x',
    )
    expect(made.map((each) => each.issuer)).toEqual([`${issuer}/`])
    expect(notices[0]).toContain(issuer)
  })

  it('asks for the issuer where a provider has many', async () => {
    const many = provider('many', 'entra', { tenant: 'organizations' })
    configuration = { providers: { many }, authenticators: {} }
    expect(await pathsOf({ kind: 'subject', value: 'a' })).toEqual(['issuer'])
  })

  describe('of a token', () => {
    const endOf = async (input: Partial<NewRevocation> = {}): Promise<string | undefined> =>
      (await revocations.revoke({ kind: 'jti', value: 't', ...input }, 'x')).revocations[0]?.expiresAt

    it('counts whoever issued it, unless an issuer is named', async () => {
      await revocations.revoke({ kind: 'jti', value: 't' }, 'x')
      await revocations.revoke({ kind: 'jti', value: 't', issuer }, 'x')
      expect((await revocations.list()).map((each) => each.issuer)).toEqual([undefined, issuer])
    })

    it('is kept past its own end when that is known', async () => {
      expect(await endOf({ expiresAt: '2027-01-01T12:00:00Z' })).toBe('2027-01-01T13:00:00Z')
    })

    it('is kept for the longest life that its issuer’s tokens may have', async () => {
      expect(await endOf()).toBe('2027-01-01T01:01:00Z')
      configuration = {
        providers: { corp, entra },
        authenticators: { a: jwt('a', 'corp', 3_600_000), b: jwt('b', 'entra', 7_200_000) },
      }
      expect(await endOf({ value: 'u' })).toBe('2027-01-01T02:01:00Z')
      expect(await endOf({ issuer })).toBe('2027-01-01T01:01:00Z')
    })

    it('is kept for ever where nothing bounds that life', async () => {
      configuration = {
        providers: { corp },
        authenticators: { a: jwt('a', 'corp', 3_600_000), b: jwt('b', 'corp') },
      }
      expect(await endOf()).toBeUndefined()
      expect(await endOf({ value: 'u', issuer: 'https://unknown.example.com' })).toBeUndefined()
    })
  })

  it('revokes all that an issuer issued before a time', async () => {
    const input: NewRevocation = { kind: 'issuer', issuer, before: '2026-12-24T00:00:00Z' }
    expect((await revocations.revoke(input, 'x')).revocations).toMatchObject([
      { kind: 'issuer', issuer, at: '2026-12-24T00:00:00Z', permanent: false },
    ])
  })

  it('reads a certificate’s fingerprint as tools print it', async () => {
    const value = Array.from({ length: 32 }, () => 'AB').join(':')
    const { revocations: made } = await revocations.revoke({ kind: 'certificate', value, issuer }, 'x')
    expect(made[0]?.value).toBe('ab'.repeat(32))
    expect(await pathsOf({ kind: 'certificate', value: 'abc' })).toEqual(['value'])
  })

  it.each<[NewRevocation, string[]]>([
    [{ kind: 'issuer' }, ['issuer', 'before']],
    [{ kind: 'issuer', issuer, before: 'yesterday' }, ['before']],
    [{ kind: 'issuer', issuer, before: '2027-01-01', value: 'x', permanent: true }, ['value', 'permanent']],
    [{ kind: 'subject' }, ['value']],
    [{ kind: 'subject', value: '' }, ['value']],
    [{ kind: 'subject', value: 'a', before: '2027-01-01' }, ['before']],
    [{ kind: 'session', value: 'a', expiresAt: '2027-01-01' }, ['expiresAt']],
    [{ kind: 'jti', value: 'a\nb', reason: '\u0000' }, ['reason', 'value']],
  ])('refuses %j', async (input, paths) => {
    expect(await pathsOf(input)).toEqual(paths)
    expect(await revocations.list()).toEqual([])
  })

  it('says when a time is still to come', async () => {
    const before = new Date(now + 60_000).toISOString()
    const { notices } = await revocations.revoke({ kind: 'issuer', issuer, before }, 'x')
    expect(notices).toEqual([expect.stringContaining('still to come')])
  })

  describe('is ended for what is issued later', () => {
    it('where it is permanent, and what was issued before stays refused', async () => {
      const alice = { kind: 'subject', value: 'alice', issuer } as const
      await revocations.revoke({ ...alice, permanent: true }, 'x')
      refreshed = 0
      expect(await revocations.end({ ...alice, reason: 'back' }, 'cli:root')).toMatchObject([
        { ...alice, at: '2027-01-01T00:00:00Z', permanent: false },
      ])
      expect(await store.revocations.list()).toMatchObject([{ at: now, permanent: false }])
      expect(refreshed).toBe(1)
      expect(events.at(-1)).toMatchObject({
        type: 'credential',
        data: { change: 'revocation-ended', ...alice, reason: 'back', by: 'cli:root' },
      })
    })

    it('where its time is still to come', async () => {
      await revocations.revoke({ kind: 'issuer', issuer, before: '2099-01-01T00:00:00Z' }, 'x')
      await revocations.end({ kind: 'issuer', issuer }, 'x')
      expect(await store.revocations.list()).toMatchObject([{ kind: 'issuer', at: now }])
    })

    it('and never taken back where it is about what is past', async () => {
      await revocations.revoke({ kind: 'subject', value: 'alice' }, 'x')
      await expect(revocations.end({ kind: 'subject', value: 'alice', issuer }, 'x')).rejects.toMatchObject({
        kind: 'not_found',
      })
      expect(await store.revocations.list()).toHaveLength(1)
    })

    it.each([
      [{ kind: 'subject', issuer }, ['value']],
      [{ kind: 'issuer', issuer, value: 'x' }, ['value']],
      [{ kind: 'certificate', issuer, value: '00' }, ['value']],
      [{ kind: 'subject', issuer: '', value: 'a\nb', reason: '\u0000' }, ['issuer', 'reason']],
    ] as const)('only as a whole: %j', async (input, paths) => {
      await expect(revocations.end(input, 'x')).rejects.toMatchObject({
        faults: paths.map((path) => ({ path })),
      })
    })
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../../stores/open.ts'
import type { SessionRecord } from '../../../ports/sessions.ts'
import type { Store } from '../../../ports/store.ts'
import type { GatewayRequest } from '../../request.ts'
import { accessTokenOf } from '../../sessions/access-token.ts'
import { sealContent, type SessionContent } from '../../sessions/content.ts'
import { clearCookie, digestOfCookie, newCookieValue } from '../../sessions/cookie.ts'
import type { RefreshResult } from '../../sessions/parts.ts'
import { createVault, type Vault } from '../../sessions/vault.ts'
import { profileFor } from '../../providers/registry.ts'
import type { Presented } from '../authenticator.ts'
import { createSessionAuthenticator, type SessionAuthenticator } from './authenticator.ts'
import type { SessionSettings } from './settings.ts'

const start = 1_800_000_000_000
const origin = 'https://app.example.com'
const issuer = 'https://login.example.com'
const name = '__Host-portcullis'

const settings: SessionSettings = {
  type: 'session',
  name: 'browser',
  in: [{ kind: 'cookie', name }],
  providers: ['corp'],
  clients: { corp: { id: 'web', method: 'secret', secrets: [] } },
  idle: 1_000,
  absolute: 10_000,
  parameters: {},
  choose: { hosts: {}, emailDomains: {}, labels: {} },
}

const profile = profileFor({
  name: 'corp',
  type: 'oidc',
  parameters: { issuer },
  discovery: true,
  endpoints: {},
  clockSkew: 0,
  staleKeys: 0,
  claims: {},
  allowInsecure: false,
})

const clock = { time: start, now: (): number => clock.time }
let store: Store
let vault: Vault
let finds: number
let noted: number
let refreshes: number
let refreshResult: RefreshResult
let revoked: (facts: { readonly session?: string; readonly subject: string }) => boolean

beforeEach(async () => {
  clock.time = start
  store = await openStore(':memory:', { clock })
  vault = createVault(store.meta, clock)
  finds = 0
  noted = 0
  refreshes = 0
  refreshResult = { outcome: 'unavailable', retryAfter: 2, detail: 'away' }
  revoked = () => false
})

const authenticator = (edits: Partial<SessionSettings> = {}): SessionAuthenticator =>
  createSessionAuthenticator(
    { ...settings, ...edits },
    {
      store: {
        find: (digest) => {
          finds += 1
          return store.sessions.find(digest)
        },
      },
      changes: store.changes,
      vault,
      usage: { note: () => (noted += 1) },
      clock,
      revocations: { isRevoked: (facts) => revoked(facts) },
      refresh: async () => {
        refreshes += 1
        return refreshResult
      },
      end: async ({ digest }) => void (await store.sessions.end({ digest })),
      profileOf: () => profile,
    },
  )

async function session(
  content: Partial<SessionContent> = {},
  edits: Partial<SessionRecord> = {},
): Promise<string> {
  const value = newCookieValue()
  const digest = digestOfCookie(value)!
  const whole: SessionContent = {
    claims: { iss: issuer, sub: 'alice', roles: ['viewer'] },
    scopes: ['a:read'],
    client: 'web',
    idToken: 'id',
    accessToken: 'access',
    ...content,
  }
  const record: SessionRecord = {
    digest,
    id: 'session-1',
    authenticator: 'browser',
    provider: 'corp',
    origin,
    issuer,
    sub: 'alice',
    sid: 'sid-1',
    subject: 'alice',
    createdAt: start,
    expiresAt: start + 10_000,
    idle: 1_000,
    seenAt: start,
    content: await sealContent(vault, digest, whole),
    revision: 1,
    ...edits,
  }
  await store.sessions.create(record, { now: start })
  return value
}

const cookie = (value: string, place = name): Presented => ({ value, place: { kind: 'cookie', name: place } })
const at = (publicOrigin: string | undefined): GatewayRequest => ({ publicOrigin }) as GatewayRequest
const here = at(origin)

describe('a session', () => {
  it('says who signed in, and hands the access token only to who asks for it', async () => {
    const value = await session()
    const outcome = await authenticator().verify(cookie(value), here)
    expect(outcome).toMatchObject({
      outcome: 'verified',
      identity: {
        issuer,
        subject: 'alice',
        client: 'web',
        scopes: ['a:read'],
        roles: ['viewer'],
        method: 'browser',
        amr: ['session'],
      },
      credential: { kind: 'session', id: 'session-1', expiresAt: start + 10_000, session: 'sid-1' },
    })
    expect(JSON.stringify(outcome)).not.toContain('access')
    if (outcome.outcome === 'verified') expect(accessTokenOf(outcome.credential)?.reveal()).toBe('access')
  })

  it('is known from memory until some session changes, and then read once more', async () => {
    const value = await session()
    const browser = authenticator()
    await browser.verify(cookie(value), here)
    const before = finds
    for (let used = 0; used < 100; used += 1)
      expect(browser.recall(cookie(value), here)?.outcome).toBe('verified')
    expect(finds).toBe(before)
    const other = await session({}, { id: 'session-2' })
    await store.sessions.end({ digest: digestOfCookie(other)! })
    expect(browser.recall(cookie(value), here)?.outcome).toBe('verified')
    expect(browser.recall(cookie(value), here)?.outcome).toBe('verified')
    expect(finds).toBe(before + 1)
  })

  it('is gone at once when it was ended, for requests and for open streams', async () => {
    const value = await session()
    const browser = authenticator()
    const proven = await browser.verify(cookie(value), here)
    await store.sessions.end({ id: 'session-1' })
    if (proven.outcome === 'verified') expect((await browser.stands!(proven)).outcome).toBe('absent')
    expect(browser.recall(cookie(value), here)).toBeUndefined()
    expect(await browser.verify(cookie(value), here)).toEqual({
      outcome: 'absent',
      reason: 'session_unknown',
      fields: ['Set-Cookie', clearCookie(origin, name)],
    })
  })

  it('idles out when it is not used, and ends at its absolute end however much it is', async () => {
    const value = await session()
    const browser = authenticator()
    for (let time = start; time < start + 9_999; time += 900) {
      clock.time = time
      const outcome = browser.recall(cookie(value), here) ?? (await browser.verify(cookie(value), here))
      expect(outcome.outcome).toBe('verified')
    }
    clock.time = start + 10_000
    expect(await browser.verify(cookie(value), here)).toMatchObject({
      outcome: 'absent',
      reason: 'session_expired',
    })
    const idle = await session()
    expect((await browser.verify(cookie(idle), here)).outcome).toBe('absent')
  })

  it('is not kept alive by looking at it, nor by an open stream', async () => {
    const value = await session()
    const browser = authenticator()
    const proven = await browser.verify(cookie(value), here)
    const notes = noted
    for (const time of [400, 800]) {
      clock.time = start + time
      expect((await browser.look(cookie(value), here)).outcome).toBe('verified')
      if (proven.outcome === 'verified') expect((await browser.stands!(proven)).outcome).toBe('verified')
    }
    expect(noted).toBe(notes)
    clock.time = start + 1_000
    expect((await browser.look(cookie(value), here)).outcome).toBe('absent')
  })

  it('that was used in another process has not idled out', async () => {
    const value = await session()
    const browser = authenticator()
    await browser.verify(cookie(value), here)
    await store.sessions.touch([{ digest: digestOfCookie(value)!, at: start + 900 }])
    clock.time = start + 1_500
    expect(browser.recall(cookie(value), here)).toBeUndefined()
    expect((await browser.verify(cookie(value), here)).outcome).toBe('verified')
  })

  it.each([
    ['another host', at('https://other.example.com'), name],
    ['no host of ours', at(undefined), name],
    ['plain http', at('http://app.example.com'), name],
    ['a cookie without the prefix', here, 'portcullis'],
  ])('counts as not sent on %s, and is not cleared', async (_, request, place) => {
    const value = await session()
    const browser = authenticator()
    await browser.verify(cookie(value), here)
    const outcome =
      browser.recall(cookie(value, place), request) ?? (await browser.verify(cookie(value, place), request))
    expect(outcome).toEqual({ outcome: 'absent', reason: 'session_elsewhere' })
  })

  it('of another authenticator counts as not sent, and is not cleared', async () => {
    const value = await session({}, { authenticator: 'admin' })
    expect(await authenticator().verify(cookie(value), here)).toEqual({
      outcome: 'absent',
      reason: 'session_elsewhere',
    })
  })

  it('that is revoked is refused, by its own name, the provider’s session and the person', async () => {
    const value = await session()
    const browser = authenticator()
    await browser.verify(cookie(value), here)
    for (const covers of [
      ({ session: each }: { readonly session?: string }) => each === 'session-1',
      ({ session: each }: { readonly session?: string }) => each === 'sid-1',
      ({ subject }: { readonly subject: string }) => subject === 'alice',
    ]) {
      revoked = covers
      expect(browser.recall(cookie(value), here)).toMatchObject({
        outcome: 'rejected',
        reason: 'session_revoked',
      })
    }
  })

  it('refreshes beside the request ahead of expiry, and makes it wait only afterwards', async () => {
    const tokens = { accessExpiresAt: start + 500, accessLifetime: 500, refreshToken: 'r' }
    const value = await session(tokens)
    const browser = authenticator()
    await browser.verify(cookie(value), here)
    expect(refreshes).toBe(0)
    clock.time = start + 450
    expect(browser.recall(cookie(value), here)?.outcome).toBe('verified')
    expect(refreshes).toBe(1)
    clock.time = start + 500
    expect(browser.recall(cookie(value), here)).toBeUndefined()
    expect(await browser.verify(cookie(value), here)).toMatchObject({
      outcome: 'rejected',
      reason: 'refresh_unavailable',
      retryAfter: 2,
    })
    refreshResult = { outcome: 'ended' }
    expect(await browser.verify(cookie(value), here)).toMatchObject({
      outcome: 'absent',
      reason: 'session_ended',
    })
  })

  it('without a refresh token lives on when its access token has expired', async () => {
    const value = await session({ accessExpiresAt: start + 100, accessLifetime: 100 })
    clock.time = start + 500
    expect((await authenticator().verify(cookie(value), here)).outcome).toBe('verified')
    expect(refreshes).toBe(0)
  })

  it('counts nothing that is no cookie of ours as one, and costs no look-up for it', async () => {
    const browser = authenticator()
    for (const value of ['x', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}!`, '../etc'])
      expect((await browser.verify(cookie(value), here)).outcome).toBe('absent')
    expect(finds).toBe(0)
  })

  it('answers 503 when the store is away, and clears nothing', async () => {
    const value = await session()
    const browser = createSessionAuthenticator(settings, {
      store: {
        find: () => {
          throw new Error('locked')
        },
      },
      changes: store.changes,
      vault,
      usage: { note: () => undefined },
      clock,
      revocations: { isRevoked: () => false },
      refresh: async () => refreshResult,
      end: async () => undefined,
      profileOf: () => profile,
    })
    expect(await browser.verify(cookie(value), here)).toMatchObject({
      outcome: 'rejected',
      reason: 'store_unavailable',
    })
  })
})

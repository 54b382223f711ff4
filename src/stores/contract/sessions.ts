import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../ports/sessions.ts'
import type { Store } from '../../ports/store.ts'
import { digestFor, setClock, type OpenFresh } from './setting.ts'

const issuer = 'https://login.example.com'
const start = 1_800_000_000_000
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function session(name: string, edits: Partial<SessionRecord> = {}): SessionRecord {
  return {
    digest: digestFor(name),
    id: name,
    authenticator: 'browser',
    provider: 'corp',
    origin: 'https://app.example.com',
    issuer,
    sub: 'alice',
    sid: `sid-${name}`,
    subject: 'alice',
    createdAt: start,
    expiresAt: start + 1000,
    idle: 100,
    seenAt: start,
    content: bytes(`sealed ${name}`),
    revision: 1,
    ...edits,
  }
}

const ids = (records: readonly SessionRecord[] | undefined): string[] | undefined =>
  records?.map(({ id }) => id).toSorted()

/** What every store of sessions must do. */
export function describeSessions(name: string, open: OpenFresh): void {
  describe(`sessions in ${name}`, () => {
    let store: Store
    const create = (record: SessionRecord): Promise<unknown> => store.sessions.create(record, { now: start })

    beforeEach(async () => {
      store = await open(setClock(start))
    })

    afterEach(() => store.close())

    it('gives back what was created, byte by byte, and nothing for another digest', async () => {
      const { sid: _, ...without } = session('b')
      await create(session('a'))
      await create(without)
      expect(await store.sessions.find(digestFor('a'))).toEqual(session('a'))
      expect(await store.sessions.find(digestFor('b'))).toEqual(without)
      expect(await store.sessions.find(digestFor('c'))).toBeUndefined()
    })

    it('ends the session that a new one replaces, in the same step', async () => {
      await create(session('old'))
      const replaced = await store.sessions.create(session('new'), {
        replaces: [digestFor('old')],
        now: start,
      })
      expect(ids(replaced)).toEqual(['old'])
      expect(await store.sessions.find(digestFor('old'))).toBeUndefined()
      expect(await store.sessions.find(digestFor('new'))).toBeDefined()
    })

    it('moves the time of use forwards only, and for no session that is gone', async () => {
      await create(session('a'))
      await store.sessions.touch([
        { digest: digestFor('a'), at: start + 50 },
        { digest: digestFor('a'), at: start + 20 },
        { digest: digestFor('gone'), at: start + 50 },
      ])
      expect((await store.sessions.find(digestFor('a')))?.seenAt).toBe(start + 50)
    })

    it('gives the lease to one holder at a time, until it ends', async () => {
      await create(session('a'))
      const digest = digestFor('a')
      const takes = await Promise.all(
        ['one', 'two', 'three'].map((holder) =>
          store.sessions.acquireLease(digest, holder, start, start + 10),
        ),
      )
      expect(takes.map(({ outcome }) => outcome).toSorted()).toEqual(['held', 'held', 'taken'])
      expect(await store.sessions.renewLease(digest, 'one', start + 20)).toBe(true)
      expect(await store.sessions.renewLease(digest, 'two', start + 99)).toBe(false)
      expect(await store.sessions.acquireLease(digest, 'two', start + 19, start + 30)).toEqual({
        outcome: 'held',
        until: start + 20,
      })
      expect((await store.sessions.acquireLease(digest, 'two', start + 20, start + 30)).outcome).toBe('taken')
      expect(await store.sessions.renewLease(digest, 'one', start + 99)).toBe(false)
      await store.sessions.releaseLease(digest, 'one')
      expect((await store.sessions.acquireLease(digest, 'three', start + 21, start + 40)).outcome).toBe(
        'held',
      )
      await store.sessions.releaseLease(digest, 'two')
      expect((await store.sessions.acquireLease(digest, 'three', start + 21, start + 40)).outcome).toBe(
        'taken',
      )
    })

    it('lets only the holder change the content, and hands the next holder what the last one wrote', async () => {
      await create(session('a'))
      const digest = digestFor('a')
      await store.sessions.acquireLease(digest, 'one', start, start + 10)
      expect(await store.sessions.update(digest, 'two', bytes('forged'))).toBe('lost')
      expect(await store.sessions.update(digest, 'one', bytes('renewed'))).toBe('updated')
      expect(await store.sessions.update(digest, 'one', bytes('again'))).toBe('lost')
      const lease = await store.sessions.acquireLease(digest, 'two', start, start + 10)
      expect(lease).toEqual({
        outcome: 'taken',
        record: { ...session('a'), content: bytes('renewed'), revision: 2 },
      })
    })

    it('lets no refresh bring a session back that was logged out meanwhile', async () => {
      await create(session('a'))
      const digest = digestFor('a')
      await store.sessions.acquireLease(digest, 'one', start, start + 10)
      await store.sessions.end({ digest })
      expect(await store.sessions.renewLease(digest, 'one', start + 20)).toBe(false)
      expect(await store.sessions.update(digest, 'one', bytes('renewed'))).toBe('gone')
      expect(await store.sessions.acquireLease(digest, 'one', start, start + 10)).toEqual({ outcome: 'gone' })
      expect(await store.sessions.find(digest)).toBeUndefined()
    })

    it('ends by name, by the session of the provider on every host, and by subject', async () => {
      await create(session('a'))
      await create(session('b', { sid: 's', origin: 'https://one.example.com' }))
      await create(session('c', { sid: 's', origin: 'https://two.example.com' }))
      await create(session('d', { sid: 's', issuer: 'https://other.example.com' }))
      await create(session('e', { sub: 'bob', subject: 'bob' }))
      expect(ids(await store.sessions.end({ id: 'a' }))).toEqual(['a'])
      expect(ids(await store.sessions.end({ issuers: [issuer], sid: 's' }))).toEqual(['b', 'c'])
      expect(ids(await store.sessions.end({ issuers: [issuer], sid: 's' }))).toEqual([])
      await create(session('f'))
      expect(ids(await store.sessions.end({ issuers: [issuer], sub: 'alice' }))).toEqual(['f'])
      expect(await store.sessions.find(digestFor('d'))).toBeDefined()
      expect(await store.sessions.find(digestFor('e'))).toBeDefined()
    })

    it('tells each ended session to one caller', async () => {
      await create(session('a', { sid: 's' }))
      const told = await Promise.all([
        store.sessions.end({ digest: digestFor('a') }),
        store.sessions.end({ issuers: [issuer], sid: 's' }),
      ])
      expect(told.flat()).toHaveLength(1)
    })

    it('takes a logout token once', async () => {
      await create(session('a', { sid: 's' }))
      const token = { issuers: [issuer], sid: 's', name: 'jti', until: start + 60_000 }
      expect(ids(await store.sessions.endByLogoutToken(token, start))).toEqual(['a'])
      expect(await store.sessions.endByLogoutToken(token, start)).toBeUndefined()
      const bySubject = { issuers: [issuer], sub: 'alice', name: 'other', until: start + 60_000 }
      await create(session('b'))
      await create(session('c'))
      expect(ids(await store.sessions.endByLogoutToken(bySubject, start))).toEqual(['b', 'c'])
    })

    it('refuses a login whose provider session was logged out while it was under way', async () => {
      await create(session('old'))
      await store.sessions.endByLogoutToken(
        { issuers: [issuer], sid: 'sid-a', name: 'jti', until: start + 60_000 },
        start,
      )
      expect(
        await store.sessions.create(session('a'), { replaces: [digestFor('old')], now: start + 1000 }),
      ).toBeUndefined()
      expect(await store.sessions.find(digestFor('a'))).toBeUndefined()
      expect(await store.sessions.find(digestFor('old'))).toBeDefined()
      expect(await store.sessions.create(session('a'), { now: start + 600_000 })).toEqual([])
    })

    it('remembers what may be used once, until it need not', async () => {
      const uses = await Promise.all([1, 2, 3].map(() => store.sessions.use('attempt', start + 10)))
      expect(uses.filter(Boolean)).toHaveLength(1)
      await store.sessions.prune(start + 9, 10)
      expect(await store.sessions.use('attempt', start + 10)).toBe(false)
      await store.sessions.prune(start + 10, 10)
      expect(await store.sessions.use('attempt', start + 30)).toBe(true)
    })

    it('lists the sessions of a subject, oldest first', async () => {
      await create(session('b', { createdAt: start + 2 }))
      await create(session('a', { createdAt: start + 1 }))
      await create(session('c', { issuer: 'https://other.example.com' }))
      await create(session('d', { subject: 'bob' }))
      const of = { subject: 'alice', limit: 10 }
      expect((await store.sessions.list({ ...of, issuer })).map(({ id }) => id)).toEqual(['a', 'b'])
      expect((await store.sessions.list(of)).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
      expect(await store.sessions.list({ ...of, limit: 1 })).toHaveLength(1)
    })

    it('ends what expired or idled out, and tells of it', async () => {
      await create(session('idle'))
      await create(session('used', { seenAt: start + 80 }))
      await create(session('over', { idle: 99_999, expiresAt: start + 90 }))
      expect(ids(await store.sessions.prune(start + 99, 10))).toEqual(['over'])
      expect(ids(await store.sessions.prune(start + 100, 10))).toEqual(['idle'])
      expect(ids(await store.sessions.prune(start + 100, 10))).toEqual([])
      expect(await store.sessions.find(digestFor('used'))).toBeDefined()
    })

    it('moves its own counter when a session ends or changes, not the one that keys are read again for', async () => {
      await create(session('a'))
      const { version, sessions } = store.changes
      await store.sessions.acquireLease(digestFor('a'), 'one', start, start + 10)
      await store.sessions.touch([{ digest: digestFor('a'), at: start + 1 }])
      expect(store.changes.sessions).toBe(sessions)
      await store.sessions.update(digestFor('a'), 'one', bytes('renewed'))
      const updated = store.changes.sessions
      expect(updated).not.toBe(sessions)
      await store.sessions.end({ id: 'a' })
      expect(store.changes.sessions).not.toBe(updated)
      expect(store.changes.version).toBe(version)
    })
  })
}

import { afterEach, describe, expect, it } from 'vitest'
import type { StoreChangeFeed } from '../../ports/api-keys.ts'
import type { Revocation, RevocationFacts } from '../../ports/revocations.ts'
import { createRevocationIndex, type RevocationIndex } from './index.ts'

const issuer = 'https://login.example.com'
const at = 1_800_000_000_000

function entry(edits: Partial<Revocation> & Pick<Revocation, 'kind'>): Revocation {
  return { at, permanent: false, createdAt: at, ...edits }
}

/** A store in miniature, whose failures and delays a test decides. */
class FakeStore implements StoreChangeFeed {
  version = 0
  revocations = 0
  sessions = 0
  checkedAt = at
  readonly entries: Revocation[] = []
  readonly listeners = new Set<() => void>()
  reads = 0
  failure: Error | undefined
  gate: Promise<void> = Promise.resolve()

  check(): void {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  add(...entries: Revocation[]): void {
    this.entries.push(...entries)
    this.version += 1
    this.revocations += 1
    for (const listener of this.listeners) listener()
  }

  async since(cursor: number): Promise<{ revocations: readonly Revocation[]; cursor: number }> {
    this.reads += 1
    const news = this.entries.slice(cursor)
    const next = this.entries.length
    await this.gate
    if (this.failure !== undefined) throw this.failure
    return { revocations: news, cursor: next }
  }

  async prune(): Promise<void> {}
}

describe('the revocation index', () => {
  let index: RevocationIndex | undefined
  const errors: unknown[] = []

  afterEach(() => {
    index?.close()
    errors.length = 0
  })

  function indexOver(store: FakeStore): RevocationIndex {
    index = createRevocationIndex({
      store,
      changes: store,
      clock: { now: () => at },
      onError: (error) => errors.push(error),
    })
    return index
  }

  async function verdict(revocation: Revocation, facts: Partial<RevocationFacts>): Promise<boolean> {
    const store = new FakeStore()
    store.entries.push(revocation)
    const subject = indexOver(store)
    await subject.refresh()
    const answer = subject.isRevoked({ issuer, subject: 'alice', issuedAt: at - 1, ...facts })
    subject.close()
    return answer
  }

  it('refuses nothing while it is empty', async () => {
    const subject = indexOver(new FakeStore())
    await subject.refresh()
    expect(subject.size).toBe(0)
    expect(subject.isRevoked({ issuer, subject: 'alice' })).toBe(false)
  })

  it.each(['subject', 'client', 'certificate'] as const)(
    'refuses what a %s got at or before the revocation, of one issuer only',
    async (kind) => {
      const revoked = entry({ kind, issuer, value: 'alice' })
      const facts = { client: 'alice', certificate: 'alice' }
      expect(await verdict(revoked, { ...facts, issuedAt: at - 1 })).toBe(true)
      expect(await verdict(revoked, { ...facts, issuedAt: at })).toBe(true)
      expect(await verdict(revoked, { ...facts, issuedAt: at + 1 })).toBe(false)
      expect(await verdict(revoked, { ...facts, issuer: 'https://other.example.com' })).toBe(false)
      expect(
        await verdict(revoked, { subject: 'bob', client: 'bob', certificate: 'bob', issuedAt: at - 1 }),
      ).toBe(false)
    },
  )

  it('does not confuse a subject with a client of the same name', async () => {
    expect(await verdict(entry({ kind: 'client', issuer, value: 'alice' }), { subject: 'alice' })).toBe(false)
    expect(await verdict(entry({ kind: 'subject', issuer, value: 'web' }), { client: 'web' })).toBe(false)
  })

  it('refuses a credential that does not say when it was issued', async () => {
    const store = new FakeStore()
    store.entries.push(entry({ kind: 'subject', issuer, value: 'alice' }))
    const subject = indexOver(store)
    await subject.refresh()
    expect(subject.isRevoked({ issuer, subject: 'alice' })).toBe(true)
    expect(subject.isRevoked({ issuer, subject: 'alice', issuedAt: Number.NaN })).toBe(true)
  })

  it('refuses later credentials too when the revocation is permanent', async () => {
    const revoked = entry({ kind: 'subject', issuer, value: 'alice', permanent: true })
    expect(await verdict(revoked, { issuedAt: at + 1e12 })).toBe(true)
  })

  it('refuses a token by its id whenever it was issued, of one issuer or of any', async () => {
    const ofOne = entry({ kind: 'jti', issuer, value: 't1' })
    const ofAny = entry({ kind: 'jti', value: 't1' })
    const elsewhere = { issuer: 'https://other.example.com', jti: 't1', issuedAt: at + 9 }
    expect(await verdict(ofOne, { jti: 't1', issuedAt: at + 9 })).toBe(true)
    expect(await verdict(ofOne, elsewhere)).toBe(false)
    expect(await verdict(ofAny, elsewhere)).toBe(true)
    expect(await verdict(ofAny, { jti: 't2' })).toBe(false)
    expect(await verdict(ofAny, {})).toBe(false)
  })

  it('refuses a session by its id', async () => {
    expect(await verdict(entry({ kind: 'session', value: 's1' }), { session: 's1', issuedAt: at + 9 })).toBe(
      true,
    )
    expect(await verdict(entry({ kind: 'session', value: 's1' }), { jti: 's1' })).toBe(false)
  })

  it('refuses all that an issuer issued at or before a time', async () => {
    const revoked = entry({ kind: 'issuer', issuer })
    expect(await verdict(revoked, { issuedAt: at })).toBe(true)
    expect(await verdict(revoked, { issuedAt: at + 1 })).toBe(false)
    expect(await verdict(revoked, { issuer: 'https://other.example.com' })).toBe(false)
  })

  it('follows the store in the background, reading only what is new', async () => {
    const store = new FakeStore()
    const subject = indexOver(store)
    await subject.refresh()
    store.add(entry({ kind: 'jti', value: 'a' }))
    await subject.refresh()
    expect(subject.isRevoked({ issuer, subject: 'x', jti: 'a' })).toBe(true)
    store.add(entry({ kind: 'jti', value: 'b' }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(subject.isRevoked({ issuer, subject: 'x', jti: 'b' })).toBe(true)
    expect(subject.size).toBe(2)
  })

  it('misses nothing that is written while a read is under way', async () => {
    const store = new FakeStore()
    const subject = indexOver(store)
    await subject.refresh()
    const { promise, resolve } = Promise.withResolvers<void>()
    store.gate = promise
    store.add(entry({ kind: 'jti', value: 'a' }))
    const late = (() => {
      store.add(entry({ kind: 'jti', value: 'b' }))
      return subject.refresh()
    })()
    resolve()
    await late
    expect(subject.isRevoked({ issuer, subject: 'x', jti: 'b' })).toBe(true)
  })

  it('takes the last word of the store, which joins what is said of one thing', async () => {
    const store = new FakeStore()
    const subject = indexOver(store)
    await subject.refresh()
    store.add(entry({ kind: 'subject', issuer, value: 'alice', permanent: true }))
    await subject.refresh()
    expect(subject.isRevoked({ issuer, subject: 'alice', issuedAt: at + 99 })).toBe(true)
    store.add(entry({ kind: 'subject', issuer, value: 'alice', at: at + 5 }))
    await subject.refresh()
    expect(subject.size).toBe(1)
    expect(subject.isRevoked({ issuer, subject: 'alice', issuedAt: at + 5 })).toBe(true)
    expect(subject.isRevoked({ issuer, subject: 'alice', issuedAt: at + 6 })).toBe(false)
  })

  it('knows nothing for sure before its first read', () => {
    expect(indexOver(new FakeStore()).staleFor(at)).toBe(Infinity)
  })

  it('grows stale while the store does not answer, and says how long', async () => {
    const store = new FakeStore()
    const subject = indexOver(store)
    await subject.refresh()
    expect(subject.staleFor(at + 10)).toBe(10)
    store.checkedAt = at + 100
    expect(subject.staleFor(at + 100)).toBe(0)
    store.failure = new Error('disk I/O error')
    store.add(entry({ kind: 'jti', value: 'a' }))
    store.checkedAt = at + 70_000
    await new Promise((resolve) => setImmediate(resolve))
    expect(errors).toHaveLength(1)
    expect(subject.staleFor(at + 70_000)).toBe(69_900)
    store.failure = undefined
    await subject.refresh()
    expect(subject.staleFor(at + 70_000)).toBe(0)
    expect(subject.isRevoked({ issuer, subject: 'x', jti: 'a' })).toBe(true)
  })
})

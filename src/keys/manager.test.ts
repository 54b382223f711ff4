import { createHash, createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ApiKeySettings } from '../engine/authenticators/api-key/settings.ts'
import type { Configuration, RouteSettings } from '../configuration.ts'
import { shapeOfKey } from '../engine/authenticators/api-key/key-format.ts'
import { Secret } from '../engine/secret.ts'
import type { AuditEntry } from '../ports/audit-log.ts'
import type { Store } from '../ports/store.ts'
import { openStore } from '../stores/open.ts'
import { createKeyManager, type KeyManager } from './manager.ts'
import { KeyProblem, type Fault } from './problem.ts'

const start = Date.UTC(2027, 0, 1)
const day = 86_400_000

function apiKey(name: string, edits: Partial<ApiKeySettings> = {}): ApiKeySettings {
  return {
    type: 'api-key',
    name,
    in: [],
    prefix: 'ptc',
    maxLifetime: 90 * day,
    grace: day,
    onLeak: 'revoke',
    ...edits,
  }
}

function withAuthenticators(...settings: ApiKeySettings[]): Pick<Configuration, 'authenticators' | 'routes'> {
  return {
    authenticators: Object.fromEntries(settings.map((each) => [each.name, each])),
    routes: [{ id: 'catalog-read' } as RouteSettings, { id: 'catalog-write' } as RouteSettings],
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

describe('the key manager', () => {
  const clock = { time: start, now: () => clock.time }
  let configuration = withAuthenticators(apiKey('partner-keys'))
  let store: Store
  let events: AuditEntry[]
  let auditFailure: Error | undefined
  let keys: KeyManager

  beforeEach(async () => {
    clock.time = start
    configuration = withAuthenticators(apiKey('partner-keys'))
    store = await openStore(':memory:', { clock })
    events = []
    auditFailure = undefined
    keys = createKeyManager({
      store: store.apiKeys,
      clock,
      configuration: () => configuration,
      audit: {
        record: async (entry) => {
          if (auditFailure !== undefined) throw auditFailure
          events.push(entry)
        },
      },
    })
  })

  async function faultsOf(work: Promise<unknown>): Promise<readonly Fault[]> {
    const problem = await problemOf(work)
    return problem.faults
  }

  async function problemOf(work: Promise<unknown>): Promise<KeyProblem> {
    try {
      await work
    } catch (error) {
      if (error instanceof KeyProblem) return error
      throw error
    }
    throw new Error('it was not refused')
  }

  const pathsOf = async (work: Promise<unknown>): Promise<string[]> =>
    (await faultsOf(work)).map(({ path }) => path)

  describe('creating', () => {
    it('gives the key once, and stores only its digest', async () => {
      const { key, id } = await keys.create({ owner: 'acme' }, 'cli:root')
      expect(shapeOfKey(key, 'ptc')).toBe('good')
      const record = await store.apiKeys.findById(id)
      expect(record?.digests).toEqual([sha256(key).toString('hex')])
      expect(JSON.stringify([record, await keys.show(id), await keys.list({ limit: 10 })])).not.toContain(key)
      expect(JSON.stringify(await keys.show(id))).not.toContain(record!.digests[0])
    })

    it('takes all that a key may have', async () => {
      const { key: _, ...view } = await keys.create(
        {
          owner: 'acme',
          name: 'nightly',
          scopes: ['catalog:read', 'catalog:read'],
          roles: ['viewer'],
          tenant: 'north',
          metadata: { team: 'data' },
          allowedIps: ['10.0.0.0/8', '::1'],
          allowedRoutes: ['catalog-read'],
          rateLimit: '10/1s',
          notBefore: '2027-01-02T00:00:00Z',
          expires: '30d',
        },
        'cli:root',
      )
      expect(view).toEqual({
        id: view.id,
        owner: 'acme',
        name: 'nightly',
        status: 'not-yet-valid',
        origin: 'created',
        prefix: 'ptc',
        scopes: ['catalog:read'],
        roles: ['viewer'],
        tenant: 'north',
        metadata: { team: 'data' },
        allowedIps: ['10.0.0.0/8', '::1'],
        allowedRoutes: ['catalog-read'],
        rateLimit: '10/1s',
        createdAt: '2027-01-01T00:00:00Z',
        notBefore: '2027-01-02T00:00:00Z',
        expiresAt: '2027-01-31T00:00:00Z',
      })
    })

    it('expires at the longest life allowed when nothing is said, and never without one', async () => {
      expect((await keys.create({ owner: 'a' }, 'x')).expiresAt).toBe('2027-04-01T00:00:00Z')
      const { maxLifetime: _, ...unbounded } = apiKey('partner-keys')
      configuration = withAuthenticators(unbounded)
      expect((await keys.create({ owner: 'a' }, 'x')).expiresAt).toBeUndefined()
      expect((await keys.create({ owner: 'a', expires: 'none' }, 'x')).expiresAt).toBeUndefined()
    })

    it.each([
      ['none', /must expire/],
      ['91d', /at most 2027-04-01T00:00:00Z/],
      ['0s', /future/],
      ['2026-12-31', /future/],
      ['soon', /duration such as/],
    ])('refuses to let a key expire %s', async (expires, words) => {
      const [fault] = await faultsOf(keys.create({ owner: 'a', expires }, 'x'))
      expect(fault?.path).toBe('expires')
      expect(fault?.message).toMatch(words)
    })

    it('tells all faults at once', async () => {
      const work = keys.create(
        {
          owner: ' acme',
          name: 'line\nbreak',
          scopes: ['ok', 'not ok', 'quote"'],
          roles: [''],
          tenant: 'left\u202eright',
          metadata: { key_id: 'x', 'bad name': 'y' },
          allowedIps: ['10.0.0.0/33', '10.0.0', '::ffff:10.0.0.0/8', 'fe80::1%eth0'],
          allowedRoutes: ['catalog-raed'],
          rateLimit: '10',
          notBefore: 'today',
          expires: 'never',
        },
        'x',
      )
      expect(await pathsOf(work)).toEqual([
        'owner',
        'name',
        'tenant',
        'scopes[1]',
        'scopes[2]',
        'roles[0]',
        'metadata.key_id',
        'metadata',
        'allowedIps[0]',
        'allowedIps[1]',
        'allowedIps[2]',
        'allowedIps[3]',
        'allowedRoutes[0]',
        'rateLimit',
        'notBefore',
        'expires',
      ])
      expect(events).toEqual([])
    })

    it('takes the end as a time too, but not twice', async () => {
      const { expiresAt } = await keys.create({ owner: 'a', expiresAt: '2027-02-01T00:00:00Z' }, 'x')
      expect(expiresAt).toBe('2027-02-01T00:00:00Z')
      expect(await pathsOf(keys.create({ owner: 'a', expiresAt: '30d' }, 'x'))).toEqual(['expiresAt'])
      expect(await pathsOf(keys.create({ owner: 'a', expiresAt: 'none' }, 'x'))).toEqual(['expiresAt'])
      expect(await pathsOf(keys.create({ owner: 'a', expiresAt: '2027-02-01', expires: '1d' }, 'x'))).toEqual(
        ['expires'],
      )
    })

    it('refuses a beginning after the end', async () => {
      expect(await pathsOf(keys.create({ owner: 'a', notBefore: '2027-06-01' }, 'x'))).toEqual(['notBefore'])
    })

    it('needs the authenticator where there are several prefixes, and limits the key to it', async () => {
      configuration = withAuthenticators(
        apiKey('one'),
        apiKey('two', { prefix: 'abc', maxLifetime: 5 * day }),
      )
      expect(await pathsOf(keys.create({ owner: 'a' }, 'x'))).toEqual(['authenticator'])
      expect(await pathsOf(keys.create({ owner: 'a', authenticator: 'three' }, 'x'))).toEqual([
        'authenticator',
      ])
      const created = await keys.create({ owner: 'a', authenticator: 'two' }, 'x')
      expect(created).toMatchObject({
        prefix: 'abc',
        authenticator: 'two',
        expiresAt: '2027-01-06T00:00:00Z',
      })
    })

    it('is good at all authenticators of one prefix: under each pepper, for the shortest life', async () => {
      configuration = withAuthenticators(
        apiKey('one', { pepper: new Secret('p1') }),
        apiKey('two', { maxLifetime: 10 * day }),
        apiKey('three', { pepper: new Secret('p1') }),
      )
      const { key, id, expiresAt, authenticator } = await keys.create({ owner: 'a' }, 'x')
      const record = await store.apiKeys.findById(id)
      expect(new Set(record?.digests)).toEqual(
        new Set([sha256(key).toString('hex'), createHmac('sha256', 'p1').update(sha256(key)).digest('hex')]),
      )
      expect(expiresAt).toBe('2027-01-11T00:00:00Z')
      expect(authenticator).toBeUndefined()
    })

    it('says so when the configuration takes no keys', async () => {
      configuration = withAuthenticators()
      expect((await problemOf(keys.create({ owner: 'a' }, 'x'))).message).toMatch(
        /no authenticator of type api-key/,
      )
    })

    it('tells the audit log who made which key for whom, and never the key', async () => {
      const { key, id } = await keys.create(
        { owner: 'acme', scopes: ['s'] },
        { name: 'admin', clientIp: '127.0.0.1', requestId: 'r1' },
      )
      expect(events).toEqual([
        {
          time: start,
          type: 'credential',
          outcome: 'record',
          requestId: 'r1',
          clientIp: '127.0.0.1',
          credential: { kind: 'api-key', id },
          data: {
            change: 'created',
            keyId: id,
            owner: 'acme',
            scopes: ['s'],
            roles: [],
            expiresAt: '2027-04-01T00:00:00Z',
            by: 'admin',
          },
        },
      ])
      expect(JSON.stringify(events)).not.toContain(key)
    })

    it('leaves no good key behind when it cannot be recorded', async () => {
      auditFailure = new Error('the disk is full')
      await expect(keys.create({ owner: 'a' }, 'x')).rejects.toThrow('the disk is full')
      const { keys: left } = await keys.list({ limit: 10 })
      expect(left.map(({ status }) => status)).toEqual(['revoked'])
    })
  })

  describe('listing', () => {
    it('pages', async () => {
      const ids: string[] = []
      for (let index = 0; index < 5; index += 1) ids.push((await keys.create({ owner: 'a' }, 'x')).id)
      const first = await keys.list({ limit: 2 })
      expect(first.keys.map(({ id }) => id)).toEqual(ids.slice(0, 2))
      expect(first.next).toBe(ids[1])
      const last = await keys.list({ limit: 3, after: ids[1]! })
      expect(last.keys).toHaveLength(3)
      expect(last.next).toBeUndefined()
    })

    it('tells each status', async () => {
      const active = await keys.create({ owner: 'a' }, 'x')
      const early = await keys.create({ owner: 'a', notBefore: '2027-01-02' }, 'x')
      const short = await keys.create({ owner: 'a', expires: '1s' }, 'x')
      const dead = await keys.create({ owner: 'a' }, 'x')
      await keys.revoke(dead.id, 'leaked', 'x')
      const old = await keys.create({ owner: 'a' }, 'x')
      await keys.rotate(old.id, {}, 'x')
      clock.time += 1_000
      const statuses = new Map((await keys.list({ limit: 10 })).keys.map(({ id, status }) => [id, status]))
      expect([active, early, short, dead, old].map(({ id }) => statuses.get(id))).toEqual([
        'active',
        'not-yet-valid',
        'expired',
        'revoked',
        'grace',
      ])
    })

    it('says that there is no such key', async () => {
      expect((await problemOf(keys.show("x' OR '1'='1"))).kind).toBe('not_found')
      expect((await problemOf(keys.revoke('nobody', undefined, 'x'))).kind).toBe('not_found')
      expect((await problemOf(keys.rotate('nobody', {}, 'x'))).kind).toBe('not_found')
    })
  })

  describe('rotating', () => {
    it('makes a successor with the same rights and a full life, and ends the old key after its grace', async () => {
      const old = await keys.create(
        {
          owner: 'acme',
          name: 'n',
          scopes: ['s'],
          roles: ['r'],
          tenant: 't',
          metadata: { a: 'b' },
          allowedIps: ['::1'],
          allowedRoutes: ['catalog-read'],
          rateLimit: '1/1s',
          expires: '10d',
        },
        'x',
      )
      clock.time += day
      const rotated = await keys.rotate(old.id, {}, 'x')
      const { key, replaces, ...view } = rotated
      expect(key).not.toBe(old.key)
      expect(view).toMatchObject({
        owner: 'acme',
        name: 'n',
        scopes: ['s'],
        roles: ['r'],
        tenant: 't',
        metadata: { a: 'b' },
        allowedIps: ['::1'],
        allowedRoutes: ['catalog-read'],
        rateLimit: '1/1s',
        status: 'active',
        expiresAt: '2027-04-02T00:00:00Z',
      })
      expect(replaces).toEqual({ id: old.id, graceEndsAt: '2027-01-03T00:00:00Z' })
      expect(await keys.show(old.id)).toMatchObject({
        status: 'grace',
        successor: rotated.id,
        graceEndsAt: '2027-01-03T00:00:00Z',
      })
      expect(events.at(-1)?.data).toMatchObject({ change: 'rotated', keyId: old.id, successor: rotated.id })
    })

    it('takes a grace of its own, which never lengthens the old life', async () => {
      const one = await keys.create({ owner: 'a', expires: '2d' }, 'x')
      expect((await keys.rotate(one.id, { grace: '30d' }, 'x')).replaces.graceEndsAt).toBe(
        '2027-01-03T00:00:00Z',
      )
      const two = await keys.create({ owner: 'a' }, 'x')
      await keys.rotate(two.id, { grace: '0s' }, 'x')
      expect((await keys.show(two.id)).status).toBe('expired')
      expect(await pathsOf(keys.rotate(one.id, { grace: 'soon' }, 'x'))).toEqual(['grace'])
    })

    it('refuses what is revoked or rotated already', async () => {
      const one = await keys.create({ owner: 'a' }, 'x')
      const next = await keys.rotate(one.id, {}, 'x')
      expect((await problemOf(keys.rotate(one.id, {}, 'x'))).message).toContain(next.id)
      await keys.revoke(next.id, undefined, 'x')
      expect((await problemOf(keys.rotate(next.id, {}, 'x'))).kind).toBe('conflict')
    })

    it('keeps the successor where the old key was limited to', async () => {
      configuration = withAuthenticators(apiKey('one'), apiKey('two', { prefix: 'abc' }))
      const old = await keys.create({ owner: 'a', authenticator: 'two' }, 'x')
      expect(await keys.rotate(old.id, {}, 'x')).toMatchObject({ prefix: 'abc', authenticator: 'two' })
    })

    it('changes nothing when it cannot be recorded', async () => {
      const old = await keys.create({ owner: 'a' }, 'x')
      auditFailure = new Error('the disk is full')
      await expect(keys.rotate(old.id, {}, 'x')).rejects.toThrow('the disk is full')
      expect((await keys.show(old.id)).status).toBe('active')
    })
  })

  describe('revoking', () => {
    it('holds at once and keeps the first reason', async () => {
      const { id } = await keys.create({ owner: 'a' }, 'x')
      expect(await keys.revoke(id, 'leaked', 'x')).toMatchObject({
        status: 'revoked',
        revokedAt: '2027-01-01T00:00:00Z',
        revokedReason: 'leaked',
      })
      clock.time += 5
      expect((await keys.revoke(id, 'again', 'x')).revokedReason).toBe('leaked')
      expect(events.at(-1)?.data).toEqual({ change: 'revoked', keyId: id, reason: 'again', by: 'x' })
    })

    it('refuses a reason that would break a line', async () => {
      const { id } = await keys.create({ owner: 'a' }, 'x')
      expect(await pathsOf(keys.revoke(id, 'a\nb', 'x'))).toEqual(['reason'])
      expect((await keys.show(id)).status).toBe('active')
    })
  })

  describe('importing', () => {
    it('takes plain keys and digests, under each pepper, with or without ids', async () => {
      configuration = withAuthenticators(
        apiKey('one'),
        apiKey('two', { prefix: 'abc', pepper: new Secret('p') }),
      )
      const list = [
        { id: 'legacy-1', key: 'legacy-key-one', owner: 'acme', scopes: ['s'], metadata: { a: 'b' } },
        {
          sha256: sha256('legacy-key-two').toString('hex'),
          owner: 'beta',
          expiresAt: '2028-01-01T00:00:00Z',
        },
      ]
      const { imported, ids } = await keys.import(list, 'x')
      expect(imported).toBe(2)
      expect(ids[0]).toBe('legacy-1')
      expect(ids[1]).toMatch(/^[0-9A-Za-z]{12}$/)
      for (const [index, key] of ['legacy-key-one', 'legacy-key-two'].entries()) {
        const record = await store.apiKeys.findById(ids[index]!)
        expect(record?.digests).toEqual([
          sha256(key).toString('hex'),
          createHmac('sha256', 'p').update(sha256(key)).digest('hex'),
        ])
      }
      const first = await keys.show('legacy-1')
      expect(first).toMatchObject({ origin: 'imported', scopes: ['s'], metadata: { a: 'b' } })
      expect(first.expiresAt).toBeUndefined()
      expect((await keys.show(ids[1]!)).expiresAt).toBe('2028-01-01T00:00:00Z')
      expect(events.map(({ data }) => data)).toEqual([{ change: 'imported', keyIds: ids, count: 2, by: 'x' }])
    })

    it('names index and member of each fault, and imports nothing', async () => {
      const list = [
        { key: 'good-enough', owner: 'a' },
        { key: 'short', owner: 'a' },
        { sha256: sha256('x').toString('hex').toUpperCase(), owner: 'a' },
        { key: 'both-of-them', sha256: sha256('x').toString('hex'), owner: 'a' },
        { owner: 'a' },
        { key: 'no-owner-here' },
        { key: 'with spaces in', owner: 'a', scopes: ['ok', 'not ok'] },
        { key: 'good-enough', owner: 'b' },
        { key: 'unknown-member', owner: 'a', scope: ['x'] },
        'not an object',
        { id: 'twice', key: 'one-of-two', owner: 'a' },
        { id: 'twice', key: 'two-of-two', owner: 'a', expiresAt: '2027-02-30' },
      ]
      const faults = await faultsOf(keys.import(list, 'x'))
      expect(faults.map(({ path }) => path)).toEqual([
        '[1].key',
        '[2].sha256',
        '[3]',
        '[4]',
        '[5].owner',
        '[6].scopes[1]',
        '[6].key',
        '[7]',
        '[8]',
        '[9]',
        '[11].expiresAt',
      ])
      expect(JSON.stringify(faults)).not.toMatch(/good-enough|both-of-them|with spaces/)
      expect((await keys.list({ limit: 10 })).keys).toEqual([])
    })

    it('names the twin of an id', async () => {
      const list = [
        { id: 'twice', key: 'one-of-two', owner: 'a' },
        { id: 'twice', key: 'two-of-two', owner: 'a' },
      ]
      expect(await faultsOf(keys.import(list, 'x'))).toEqual([
        { path: '[1].id', message: 'is that of [0] too' },
      ])
    })

    it('names what is in the store already, and imports nothing', async () => {
      await keys.import([{ id: 'old', key: 'the-old-key', owner: 'a' }], 'x')
      const problem = await problemOf(
        keys.import(
          [
            { key: 'a-new-key', owner: 'a' },
            { key: 'the-old-key', owner: 'a' },
          ],
          'x',
        ),
      )
      expect(problem.kind).toBe('conflict')
      expect(problem.faults[0]?.path).toBe('[1]')
      expect((await keys.list({ limit: 10 })).keys).toHaveLength(1)
    })

    it.each([{}, 'text', 5, undefined])('wants a list, not %j', async (list) => {
      expect((await problemOf(keys.import(list, 'x'))).message).toMatch(/JSON list/)
    })

    it('tells the audit log of every key of a large import in few events', async () => {
      const list = Array.from({ length: 1_201 }, (_, index) => ({ key: `legacy-key-${index}`, owner: 'a' }))
      const { ids } = await keys.import(list, 'x')
      expect(events).toHaveLength(3)
      expect(events.flatMap(({ data }) => data?.['keyIds'] as string[])).toEqual(ids)
    })

    it('hands an imported key’s owner a key of ours when it is rotated', async () => {
      configuration = withAuthenticators(apiKey('one'), apiKey('two', { prefix: 'abc' }))
      await keys.import([{ id: 'old', key: 'the-old-key', owner: 'acme' }], 'x')
      expect(await pathsOf(keys.rotate('old', {}, 'x'))).toEqual(['authenticator'])
      const rotated = await keys.rotate('old', { authenticator: 'two' }, 'x')
      expect(rotated).toMatchObject({ owner: 'acme', origin: 'created', prefix: 'abc' })
      expect((await keys.show('old')).status).toBe('grace')
    })
  })
})

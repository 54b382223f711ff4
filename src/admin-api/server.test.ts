import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { request } from 'undici'
import type { ApiKeySettings } from '../engine/authenticators/api-key/settings.ts'
import type { Configuration } from '../configuration.ts'
import { Secret } from '../engine/secret.ts'
import { createKeyManager } from '../keys/manager.ts'
import { assertionKeysIn } from '../../test/support/assertion-key-manager.ts'
import type { AssertionKeyManager } from '../keys/assertion-keys.ts'
import { createRevocationManager } from '../keys/revocations.ts'
import type { AuditEntry } from '../ports/audit-log.ts'
import type { Store } from '../ports/store.ts'
import { openStore } from '../stores/open.ts'
import type { AuditFilter } from './operations/audit.ts'
import type { Health } from './operations/health.ts'
import { buildAdmin, startAdmin, type AdminOptions, type AdminServer } from './server.ts'
import {
  assertionKeyPageView,
  endedView,
  healthView,
  keyPageView,
  keyView,
  createdKeyView,
  rotatedKeyView,
  importedView,
  problemView,
  revocationPageView,
  revokedView,
} from './views.ts'

const now = Date.UTC(2027, 0, 1)
const token = 'admin-token-for-tests'
const partnerKeys: ApiKeySettings = {
  type: 'api-key',
  name: 'partner-keys',
  in: [],
  prefix: 'ptc',
  maxLifetime: 90 * 86_400_000,
  grace: 86_400_000,
  onLeak: 'revoke',
}
const configuration = {
  authenticators: { 'partner-keys': partnerKeys },
  providers: {},
  routes: [],
} as unknown as Configuration

describe('the admin server', () => {
  const clock = { time: now, now: () => clock.time }
  let store: Store
  let events: AuditEntry[]
  let auditFailure: Error | undefined
  let health: Health
  let filters: AuditFilter[]
  let errors: unknown[]
  let configured: Secret | undefined
  let server: AdminServer
  let assertionKeys: AssertionKeyManager

  function options(edits: Partial<AdminOptions> = {}): AdminOptions {
    const audit = {
      record: async (entry: AuditEntry): Promise<void> => {
        if (auditFailure !== undefined) throw auditFailure
        events.push(entry)
      },
    }
    const shared = { audit, clock, configuration: () => configuration }
    return {
      host: '127.0.0.1',
      port: 0,
      token: () => configured,
      clock,
      audit,
      keys: createKeyManager({ ...shared, store: store.apiKeys }),
      revocations: createRevocationManager({ ...shared, store: store.revocations }),
      assertionKeys,
      providers: {
        list: () => [{ name: 'corp', state: 'ready' }],
        refresh: async (name) => (name === 'corp' ? { name, state: 'ready' } : undefined),
      },
      auditQuery: async (filter) => {
        filters.push(filter)
        return [{ seq: 1 }]
      },
      health: () => health,
      metrics: () => '# HELP portcullis_requests_total Requests answered.\n',
      auditKey: () => '-----BEGIN PUBLIC KEY-----\n',
      onError: (error) => errors.push(error),
      version: '0.0.0',
      ...edits,
    }
  }

  beforeEach(async () => {
    clock.time = now
    store = await openStore(':memory:', { clock })
    events = []
    auditFailure = undefined
    health = { status: 'ready', providersAway: ['corp'] }
    filters = []
    errors = []
    configured = new Secret(token)
    assertionKeys = await assertionKeysIn(store, {
      audit: { record: (entry) => void events.push(entry) },
      clock,
    })
    server = await startAdmin(options())
  })

  afterEach(() => server.close())

  interface Answer {
    readonly status: number
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
    readonly text: string
    readonly json: Readonly<Record<string, unknown>>
  }

  async function call(
    method: 'GET' | 'POST' | 'PUT' | 'HEAD',
    path: string,
    facts: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly raw?: string } = {},
  ): Promise<Answer> {
    const hasBody = facts.body !== undefined || facts.raw !== undefined
    const answer = await request(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...facts.headers,
      },
      ...(hasBody ? { body: facts.raw ?? JSON.stringify(facts.body) } : {}),
    })
    const text = await answer.body.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
    return { status: answer.statusCode, headers: answer.headers, text, json }
  }

  describe('health and metrics', () => {
    it('are there without a token', async () => {
      const headers = { authorization: '' }
      const live = await call('GET', '/.portcullis/livez', { headers })
      expect([live.status, live.json]).toEqual([200, { status: 'live' }])
      const metrics = await call('GET', '/metrics', { headers })
      expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect(metrics.text).toMatch(/^# HELP/)
      const key = await call('GET', '/audit-key', { headers })
      expect(key.text).toMatch(/^-----BEGIN PUBLIC KEY/)
      expect((await call('HEAD', '/.portcullis/livez', { headers })).status).toBe(200)
    })

    it('name providers that are away, and stay ready', async () => {
      const ready = await call('GET', '/.portcullis/readyz')
      expect([ready.status, ready.json]).toEqual([200, { status: 'ready', providersAway: ['corp'] }])
      healthView.parse(ready.json)
    })

    it.each(['starting', 'draining'] as const)('are 503 only while %s', async (status) => {
      health = { status, providersAway: [] }
      expect((await call('GET', '/.portcullis/readyz')).status).toBe(503)
      expect((await call('GET', '/.portcullis/livez')).status).toBe(200)
    })
  })

  describe('keys', () => {
    it('are created, shown, listed, rotated and revoked, in the shapes that are described', async () => {
      const created = await call('POST', '/api/v1/keys', {
        body: { owner: 'acme', scopes: ['s'], expires: '30d' },
      })
      expect(created.status).toBe(201)
      createdKeyView.parse(created.json)
      const id = String(created.json['id'])
      expect(created.headers['location']).toBe(`/api/v1/keys/${id}`)

      const shown = await call('GET', `/api/v1/keys/${id}`)
      keyView.parse(shown.json)
      expect(shown.text).not.toContain(String(created.json['key']))

      const rotated = await call('POST', `/api/v1/keys/${id}/rotate`, { body: { grace: '1h' } })
      expect(rotated.status).toBe(201)
      rotatedKeyView.parse(rotated.json)

      const revoked = await call('POST', `/api/v1/keys/${id}/revoke`, { body: { reason: 'leaked' } })
      expect(revoked.json['status']).toBe('revoked')
      keyView.parse(revoked.json)

      const listed = await call('GET', '/api/v1/keys?limit=1')
      keyPageView.parse(listed.json)
      expect(listed.json['next']).toBe(id)
      const rest = await call('GET', `/api/v1/keys?after=${id}&owner=acme`)
      expect(rest.json['items']).toHaveLength(1)
    })

    it('are rotated and revoked without a body too', async () => {
      const { json } = await call('POST', '/api/v1/keys', { body: { owner: 'acme' } })
      expect((await call('POST', `/api/v1/keys/${String(json['id'])}/rotate`)).status).toBe(201)
      expect((await call('POST', `/api/v1/keys/${String(json['id'])}/revoke`)).status).toBe(200)
    })

    it('are imported in one list, more than a megabyte of it', async () => {
      const list = Array.from({ length: 20_000 }, (_, index) => ({
        key: `legacy-key-number-${index}`,
        owner: 'a',
      }))
      const imported = await call('POST', '/api/v1/keys/import', { body: list })
      expect([imported.status, imported.json['imported']]).toEqual([201, 20_000])
      importedView.parse(imported.json)
    })

    it('are found by an id with strange characters', async () => {
      const id = `a/b?c#d%20"${'~'.repeat(100)}`
      await call('POST', '/api/v1/keys/import', { body: [{ id, key: 'legacy-key', owner: 'a' }] })
      const shown = await call('GET', `/api/v1/keys/${encodeURIComponent(id)}`)
      expect(shown.json['id']).toBe(id)
    })

    it('tell all that is wrong with a body, in a problem document', async () => {
      const answer = await call('POST', '/api/v1/keys', { body: { owner: '', scopes: ['a b'] } })
      expect(answer.status).toBe(400)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      problemView.parse(answer.json)
      expect(answer.json).toMatchObject({ code: 'bad_request', status: 400 })
      expect((answer.json['errors'] as { path: string }[]).map(({ path }) => path)).toEqual([
        'owner',
        'scopes[0]',
      ])
    })

    it.each([
      ['an unknown member', JSON.stringify({ owner: 'a', scope: ['x'] }), 400],
      ['a member of another type', JSON.stringify({ owner: 5 }), 400],
      ['no object', '[]', 400],
      ['no JSON', '{"owner":', 400],
      ['nothing', '', 400],
      ['a prototype', '{"owner":"a","__proto__":{"scopes":["admin"]}}', 400],
      ['too much', JSON.stringify({ owner: 'a'.repeat(1_100_000) }), 413],
    ])('refuse %s', async (_, raw, status) => {
      const answer = await call('POST', '/api/v1/keys', { raw })
      expect(answer.status).toBe(status)
      problemView.parse(answer.json)
      expect((await store.apiKeys.list({ limit: 1 })).length).toBe(0)
    })

    it('want JSON', async () => {
      const headers = { 'content-type': 'text/plain' }
      expect((await call('POST', '/api/v1/keys', { body: { owner: 'a' }, headers })).status).toBe(415)
    })

    it.each(['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', 'page=2'])(
      'refuse the query %s',
      async (query) => {
        expect((await call('GET', `/api/v1/keys?${query}`)).status).toBe(400)
      },
    )

    it('are not found, or in conflict', async () => {
      const missing = await call('GET', '/api/v1/keys/nobody')
      expect([missing.status, missing.json['code']]).toEqual([404, 'not_found'])
      expect((await call('GET', '/api/v1/keys?after=nobody')).status).toBe(404)
      const { json } = await call('POST', '/api/v1/keys', { body: { owner: 'acme' } })
      await call('POST', `/api/v1/keys/${String(json['id'])}/rotate`)
      const again = await call('POST', `/api/v1/keys/${String(json['id'])}/rotate`)
      expect([again.status, again.json['code']]).toEqual([409, 'conflict'])
    })
  })

  it('revokes and lists revocations', async () => {
    const body = { kind: 'subject', value: 'acme', issuer: 'urn:portcullis:api-key', permanent: true }
    const made = await call('POST', '/api/v1/revocations', { body })
    expect(made.status).toBe(201)
    revokedView.parse(made.json)
    const listed = await call('GET', '/api/v1/revocations')
    revocationPageView.parse(listed.json)
    expect(listed.json['total']).toBe(1)
    expect((await call('GET', '/api/v1/revocations?offset=1')).json['items']).toEqual([])
  })

  it('ends a permanent revocation for what is issued later', async () => {
    const entry = { kind: 'subject', value: 'acme', issuer: 'urn:portcullis:api-key' }
    await call('POST', '/api/v1/revocations', { body: { ...entry, permanent: true } })
    const ended = await call('POST', '/api/v1/revocations/end', { body: entry })
    endedView.parse(ended.json)
    expect(ended.json).toMatchObject({ revocations: [{ ...entry, permanent: false }] })
    expect((await call('POST', '/api/v1/revocations/end', { body: entry })).status).toBe(404)
    expect((await call('POST', '/api/v1/revocations/end', { body: { ...entry, kind: 'jti' } })).status).toBe(
      400,
    )
  })

  it('releases a key from its quarantine', async () => {
    const { json } = await call('POST', '/api/v1/keys', { body: { owner: 'acme' } })
    const path = `/api/v1/keys/${String(json['id'])}`
    expect((await call('POST', `${path}/release`)).status).toBe(409)
    await store.apiKeys.touch([{ id: String(json['id']), at: now, address: '192.0.2.1' }])
    await store.apiKeys.quarantine(String(json['id']), now, 'found in public')
    const held = await call('GET', path)
    keyView.parse(held.json)
    expect(held.json).toMatchObject({ status: 'quarantined', seenFrom: [{ address: '192.0.2.1' }] })
    const released = await call('POST', `${path}/release`, { body: { reason: 'ours' } })
    expect([released.status, released.json['status']]).toEqual([200, 'active'])
  })

  it('lists and rotates the keys of assertions, and records it', async () => {
    const listed = await call('GET', '/api/v1/assertion-keys')
    assertionKeyPageView.parse(listed.json)
    const rotated = await call('POST', '/api/v1/assertion-keys/rotate', { body: { reason: 'yearly' } })
    assertionKeyPageView.parse(rotated.json)
    expect(rotated.json).toMatchObject({ items: [{ stage: 'active' }, { stage: 'new' }] })
    expect(events[0]?.data).toMatchObject({ change: 'assertion-key-rotated', reason: 'yearly' })
    const again = await call('POST', '/api/v1/assertion-keys/rotate')
    expect([again.status, again.json['detail']]).toEqual([409, expect.stringContaining('published already')])
    const withdrawn = await call('POST', '/api/v1/assertion-keys/rotate', { body: { withdraw: true } })
    expect(withdrawn.json).toMatchObject({ items: [{ stage: 'active' }] })
    expect(events.at(-2)?.data?.['withdrawn']).toHaveLength(2)
  })

  it('searches the audit log', async () => {
    const query = 'since=2026-12-01T00:00:00Z&subject=alice&outcome=refuse&requestId=r&limit=5'
    const answer = await call('GET', `/api/v1/audit?${query}`)
    expect(answer.json).toEqual({ items: [{ seq: 1 }] })
    expect(filters).toEqual([
      { since: Date.UTC(2026, 11, 1), subject: 'alice', outcome: 'refuse', requestId: 'r', limit: 5 },
    ])
    expect((await call('GET', '/api/v1/audit?since=yesterday')).status).toBe(400)
  })

  it('lists and refreshes providers', async () => {
    expect((await call('GET', '/api/v1/providers')).json).toEqual({
      items: [{ name: 'corp', state: 'ready' }],
    })
    expect((await call('POST', '/api/v1/providers/corp/refresh')).status).toBe(200)
    expect((await call('POST', '/api/v1/providers/other/refresh')).status).toBe(404)
  })

  it('records each call that changes something, with its caller', async () => {
    await call('POST', '/api/v1/keys', { body: { owner: 'acme' }, headers: { 'x-request-id': 'r-1' } })
    await call('GET', '/api/v1/keys')
    expect(events.map(({ type }) => type)).toEqual(['credential', 'administration'])
    expect(events[0]).toMatchObject({ requestId: 'r-1', clientIp: '127.0.0.1', data: { by: 'admin' } })
    expect(events[1]).toMatchObject({
      outcome: 'allow',
      method: 'POST',
      path: '/api/v1/keys',
      clientIp: '127.0.0.1',
      requestId: 'r-1',
      data: { operation: 'createKey', status: 201 },
    })
  })

  it('shows no key that could not be recorded', async () => {
    auditFailure = new Error('the disk is full')
    const answer = await call('POST', '/api/v1/keys', { body: { owner: 'acme' } })
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('ptc_')
    expect(answer.text).not.toContain('disk')
    expect(errors).toContain(auditFailure)
  })

  it('answers each call with its own headers', async () => {
    for (const path of ['/api/v1/keys', '/nowhere', '/metrics']) {
      const { headers } = await call('GET', path, { headers: { 'x-request-id': 'abc' } })
      expect(headers).toMatchObject({
        'x-request-id': 'abc',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    }
    const strange = await call('GET', '/metrics', { headers: { 'x-request-id': 'a b' } })
    expect(strange.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('knows its addresses and methods', async () => {
    expect((await call('GET', '/api/v1/nothing')).json['code']).toBe('route_not_found')
    const wrong = await call('PUT', '/api/v1/keys')
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET, POST'])
    expect((await call('GET', '/api/v1/keys/x/revoke')).headers['allow']).toBe('POST')
  })

  describe('without a token in the configuration, or off loopback', () => {
    it('has no API but health and metrics', async () => {
      configured = undefined
      const answer = await call('GET', '/api/v1/keys')
      expect([answer.status, answer.json['code']]).toEqual([404, 'api_disabled'])
      expect((await call('GET', '/metrics')).status).toBe(200)
      const outside = buildAdmin(options({ host: '0.0.0.0', token: () => new Secret(token) }))
      const headers = { authorization: `Bearer ${token}`, host: 'gateway.internal:9901' }
      expect((await outside.inject({ url: '/api/v1/keys', headers })).statusCode).toBe(404)
      expect((await outside.inject({ url: '/metrics', headers })).statusCode).toBe(200)
    })
  })

  describe('the description', () => {
    interface Document {
      readonly openapi: string
      readonly paths: Record<
        string,
        Record<string, { readonly operationId: string; readonly security: unknown[] }>
      >
      readonly components: { readonly schemas: Record<string, unknown> }
    }

    async function document(): Promise<Document> {
      return (await call('GET', '/api/v1/openapi.json')).json as unknown as Document
    }

    it('has each route that is served, and no other', async () => {
      const served: string[] = []
      const spied = buildAdmin(options())
      for (const line of spied.printRoutes({ commonPrefix: false }).split('\n')) {
        const match = /(?:^|\s)(\/\S*) \(([^)]+)\)$/.exec(line)
        for (const method of match?.[2]?.split(', ') ?? []) if (method !== 'HEAD') served.push(method)
      }
      const { paths, openapi } = await document()
      expect(openapi).toBe('3.1.1')
      const described = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
      )
      expect(described).toHaveLength(served.length)
      for (const { method, path } of described) {
        const url = path.replaceAll(/\{(\w+)\}/g, ':$1') as `/${string}`
        expect(spied.hasRoute({ method, url })).toBe(true)
      }
    })

    it('refers only to what it has, and asks for the token where the server does', async () => {
      const found = await document()
      const references = [...JSON.stringify(found).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
        ([, name]) => name,
      )
      expect(references.length).toBeGreaterThan(20)
      for (const name of references) expect(found.components.schemas).toHaveProperty(name!)
      for (const [path, methods] of Object.entries(found.paths)) {
        for (const [method, { security }] of Object.entries(methods)) {
          const url = path.replaceAll(/\{\w+\}/g, 'x')
          const { status } = await call(method.toUpperCase() as 'GET' | 'POST', url, {
            headers: { authorization: '' },
          })
          expect([path, status === 401]).toEqual([path, security.length > 0])
          clock.time += 60_000
        }
      }
      const ids = Object.values(found.paths).flatMap((methods) =>
        Object.values(methods).map((each) => each.operationId),
      )
      expect(new Set(ids).size).toBe(ids.length)
    })
  })
})

/** Every kind of credential with every other: alone, both where one is asked, both where both are, and where none need be. */
import { randomUUID } from 'node:crypto'
import { request as send, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { TestBrowser } from '../harness/browser.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startSignInProvider, type SignInProvider } from '../harness/sign-in-provider.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { auditEvents, type AuditEvent } from '../support/audit-events.ts'
import { edCaller, sign } from '../support/signed-request.ts'

type Line = readonly [name: string, value: string]

interface Kind {
  /** The authenticator's name in the configuration, and its type. */
  readonly name: string
  readonly type: string
  /** The field or cookie that carries it: two of one place are two lines of one field. */
  readonly place: string
  readonly subject: string
  readonly issuer: () => string
  readonly scopes: string
  readonly roles: string
  good(path: string): Promise<readonly Line[]> | readonly Line[]
  bad(path: string): Promise<readonly Line[]> | readonly Line[]
  /** The private reason for a bad one. */
  readonly why: string
}

let upstream: TestUpstream
let issuer: TestIssuer
let server: AuthorizationServer
let provider: SignInProvider
let test: TestGateway
let key: { readonly id: string; readonly key: string }
let basicKey: { readonly id: string; readonly key: string }
let cookie: string

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

async function signed(path: string, created: Date): Promise<readonly Line[]> {
  const message = { method: 'GET', url: `${test.url}${path}`, headers: {} }
  const { headers } = await sign(message, { values: { created, nonce: randomUUID() } })
  return [
    ['signature', headers['signature']!],
    ['signature-input', headers['signature-input']!],
  ]
}

const kinds: readonly Kind[] = [
  {
    name: 'keys',
    type: 'api-key',
    place: 'x-api-key',
    subject: 'key-owner',
    issuer: () => 'urn:portcullis:api-key',
    scopes: 'from:key',
    roles: '',
    good: () => [['x-api-key', key.key]],
    bad: () => [['x-api-key', `${key.key.slice(0, -1)}!`]],
    why: 'key_malformed',
  },
  {
    name: 'token',
    type: 'jwt',
    place: 'authorization',
    subject: 'token-subject',
    issuer: () => issuer.issuer,
    scopes: '',
    roles: 'from-token',
    good: () => [
      ['authorization', `Bearer ${issuer.token({ sub: 'token-subject', roles: ['from-token'] })}`],
    ],
    bad: () => [
      ['authorization', `Bearer ${issuer.token({ sub: 'token-subject', aud: 'https://other.example' })}`],
    ],
    why: 'token_audience',
  },
  {
    name: 'plain',
    type: 'basic',
    place: 'authorization',
    subject: 'basic-owner',
    issuer: () => 'urn:portcullis:api-key',
    scopes: 'from:basic',
    roles: '',
    good: () => [['authorization', basic(basicKey.id, basicKey.key)]],
    bad: () => [['authorization', basic('somebody', basicKey.key)]],
    why: 'basic_user',
  },
  {
    name: 'opaque',
    type: 'introspection',
    place: 'authorization',
    subject: 'opaque-subject',
    issuer: () => server.issuer,
    scopes: 'from:opaque',
    roles: '',
    good: () => [['authorization', 'Bearer opaque']],
    bad: () => [['authorization', 'Bearer nobody-knows-it']],
    why: 'token_inactive',
  },
  {
    name: 'browser',
    type: 'session',
    place: 'cookie',
    subject: 'session-subject',
    issuer: () => provider.issuer,
    scopes: 'openid profile email',
    roles: 'from-session',
    good: () => [['cookie', `portcullis=${cookie}`]],
    bad: () => [['cookie', `portcullis=${'A'.repeat(cookie.length)}`]],
    why: 'session_unknown',
  },
  {
    name: 'partners',
    type: 'http-signature',
    place: 'signature',
    subject: 'signature-owner',
    issuer: () => 'urn:portcullis:http-signature',
    scopes: 'from:signature',
    roles: '',
    good: (path) => signed(path, new Date()),
    bad: (path) => signed(path, new Date(Date.now() - 600_000)),
    why: 'signature_stale',
  },
]

interface Pair {
  readonly title: string
  readonly one: Kind
  readonly other: Kind
}

function pairOf(one: Kind, other: Kind): Pair {
  return { title: `${one.type} and ${other.type}`, one, other }
}

const names = kinds.map(({ name }) => name)
const pairs = kinds.flatMap((one, at) => kinds.slice(at + 1).map((other) => pairOf(one, other)))
/** One request can carry both where they stand in different places. */
const ordered = kinds.flatMap((one) =>
  kinds.filter((other) => other.place !== one.place).map((other) => pairOf(one, other)),
)

beforeAll(async () => {
  upstream = await startTestUpstream()
  issuer = await startTestIssuer()
  server = await startAuthorizationServer()
  server.tokens.set('opaque', { sub: 'opaque-subject', scope: 'from:opaque', aud: 'https://api.example' })
  provider = await startSignInProvider()
  provider.user = { sub: 'session-subject', roles: ['from-session'] }
  const alls = ordered.map(
    ({ one, other }) =>
      `  - { id: ${one.name}-${other.name}, match: { path: /all/${one.name}/${other.name} }, authenticate: { all: [${one.name}, ${other.name}] }, upstream: app }`,
  )
  test = await startTestGateway(
    `
version: 1
lockout: off
audit: { mode: strict }
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}" }
  remote: { type: oidc, issuer: "${server.issuer}" }
  people: { type: oidc, issuer: "${provider.issuer}" }
authenticators:
  keys: { type: api-key }
  token: { type: jwt, provider: corp, audience: https://api.example }
  plain: { type: basic }
  opaque: { type: introspection, provider: remote, audience: https://api.example, client: { id: gw, secret: s3cret } }
  browser: { type: session, provider: people, client: { id: web, secret: web-secret } }
  partners:
    type: http-signature
    keys: [{ id: ed, algorithm: ed25519, key: "\${file:ed.key}", owner: signature-owner, scopes: [from:signature] }]
upstreams: { app: { targets: ["${upstream.url}"] } }
routes:
  - { id: any, match: { path: /any/* }, authenticate: [${names.join(', ')}], upstream: app }
  - { id: optional, match: { path: /optional/* }, authenticate: { optional: [${names.join(', ')}] }, upstream: app }
${alls.join('\n')}
`,
    { files: { 'ed.key': edCaller.shown } },
  )
  key = await test.gateway.keys.create(
    { owner: 'key-owner', scopes: ['from:key'], authenticator: 'keys' },
    'test',
  )
  basicKey = await test.gateway.keys.create({ owner: 'basic-owner', scopes: ['from:basic'] }, 'test')
  const browser = new TestBrowser()
  await browser.visit(`${test.url}/any/page`)
  cookie = browser.cookie(test.url, 'portcullis')!
})

afterAll(async () => {
  await test.stop()
  await Promise.all([upstream.close(), issuer.close(), server.close(), provider.close()])
})

interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly headers: IncomingHttpHeaders
  /** What reached the backend. */
  readonly seen: IncomingHttpHeaders | undefined
  /** The decision, as it stands in the log. */
  event(): Promise<AuditEvent>
}

async function call(path: string, lines: readonly Line[]): Promise<Told> {
  const id = randomUUID()
  const fields = [
    ['host', `${test.host}:${test.port}`],
    ['accept', 'application/json'],
    ['x-request-id', id],
    ...lines,
  ]
  const answer = await new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
    (resolve, reject) => {
      const outgoing = send(
        { host: test.host, port: test.port, path, method: 'GET', headers: fields.flat(), agent: false },
        (incoming) => {
          text(incoming).then(
            (body) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }),
            reject,
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end()
    },
  )
  const seen = upstream.requests.find(({ headers }) => headers['x-request-id'] === id)?.headers
  return {
    status: answer.status,
    code: answer.status < 400 ? undefined : (JSON.parse(answer.body) as { code: string }).code,
    headers: answer.headers,
    seen,
    event: async () => {
      const find = (): AuditEvent | undefined =>
        auditEvents(test.folder).find(({ requestId, type }) => requestId === id && type !== 'session')
      await expect.poll(find, { interval: 10 }).toBeDefined()
      return find()!
    },
  }
}

function assertionOf(seen: IncomingHttpHeaders | undefined): Record<string, unknown> {
  const [, payload = ''] = String(seen?.['x-portcullis-assertion']).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

describe.each(kinds)('$type alone', (kind) => {
  it('tells who calls by its own name, to the backend, in the assertion and in the log', async () => {
    const told = await call('/any/x', await kind.good('/any/x'))
    expect(told.status).toBe(200)
    expect(told.seen).toMatchObject({
      'x-auth-subject': kind.subject,
      'x-auth-issuer': kind.issuer(),
      'x-auth-method': kind.name,
      ...(kind.scopes === '' ? {} : { 'x-auth-scopes': kind.scopes }),
      ...(kind.roles === '' ? {} : { 'x-auth-roles': kind.roles }),
    })
    for (const name of ['authorization', 'cookie', 'x-api-key', 'signature', 'signature-input'])
      expect(told.seen).not.toHaveProperty(name)
    expect(assertionOf(told.seen)).toMatchObject({
      sub: kind.subject,
      sub_id: { iss: kind.issuer() },
      amr: [kind.type],
    })
    expect(await told.event()).toMatchObject({
      type: 'authorization',
      outcome: 'allow',
      authenticator: kind.name,
      credential: { fingerprint: expect.stringMatching(/^[0-9a-f]+$/) },
      identity: { issuer: kind.issuer(), subject: kind.subject, amr: [kind.type] },
    })
  })

  it('is never anonymous where it need not be there, and is bad', async () => {
    expect((await call('/optional/x', [])).seen).not.toHaveProperty('x-auth-subject')
    const good = await call('/optional/x', await kind.good('/optional/x'))
    expect(good.seen?.['x-auth-subject']).toBe(kind.subject)
    const bad = await call('/optional/x', await kind.bad('/optional/x'))
    if (kind.type === 'session') {
      // A cookie that stands for nothing is no credential: it is cleared.
      expect([bad.status, bad.seen?.['x-auth-subject']]).toEqual([200, undefined])
      expect(bad.headers['set-cookie']?.[0]).toMatch(/^portcullis=; .*Max-Age=0/)
      return
    }
    expect([bad.status, bad.seen]).toEqual([401, undefined])
    expect((await bad.event())['reason']).toBe(kind.why)
  })
})

describe.each(pairs)('$title where one of them is asked', ({ one, other }) => {
  it('are ambiguous, in either order', async () => {
    const [a, b] = [await one.good('/any/x'), await other.good('/any/x')]
    for (const lines of [
      [...a, ...b],
      [...b, ...a],
    ]) {
      const told = await call('/any/x', lines)
      expect([told.status, told.code, told.seen]).toEqual([400, 'credential_ambiguous', undefined])
    }
  })

  it('are ambiguous though one is bad, and whether they need be there or not', async () => {
    if (one.type === 'session' || other.type === 'session') return
    for (const path of ['/any/x', '/optional/x']) {
      const told = await call(path, [...(await one.bad(path)), ...(await other.good(path))])
      expect([told.status, told.code]).toEqual([400, 'credential_ambiguous'])
    }
  })
})

describe.each(kinds.filter(({ type }) => type !== 'session'))(
  '$type beside a cookie that stands for nothing',
  (kind) => {
    it('counts alone, and the cookie is cleared', async () => {
      const session = kinds.find(({ type }) => type === 'session')!
      const told = await call('/any/x', [...(await kind.good('/any/x')), ...(await session.bad('/any/x'))])
      expect([told.status, told.seen?.['x-auth-subject']]).toEqual([200, kind.subject])
      expect(told.headers['set-cookie']?.[0]).toMatch(/^portcullis=; .*Max-Age=0/)
    })
  },
)

describe.each(ordered)('$title where both are asked', ({ one, other }) => {
  const path = `/all/${one.name}/${other.name}`

  it('are joined: the first is the subject, the first with rights brings them whole, and both are named', async () => {
    const told = await call(path, [...(await other.good(path)), ...(await one.good(path))])
    expect([told.status, told.code]).toEqual([200, undefined])
    const { 'x-auth-scopes': scopes = '', 'x-auth-roles': roles = '' } = told.seen!
    expect(told.seen).toMatchObject({
      'x-auth-subject': one.subject,
      'x-auth-issuer': one.issuer(),
      'x-auth-method': `${one.name},${other.name}`,
    })
    expect([scopes, roles]).toEqual([one.scopes, one.roles])
    expect(assertionOf(told.seen)).toMatchObject({ sub: one.subject, amr: [one.type, other.type] })
    const event = await told.event()
    expect(event).toMatchObject({
      outcome: 'allow',
      authenticator: `${one.name},${other.name}`,
      identity: { subject: one.subject, issuer: one.issuer(), amr: [one.type, other.type] },
      data: { beside: [{ authenticator: other.name, fingerprint: expect.stringMatching(/^[0-9a-f]+$/) }] },
    })
    const alone = await (await call('/any/x', await one.good('/any/x'))).event()
    const { credential } = event as { credential: { kind: string; id?: string } }
    const { credential: own } = alone as { credential: { kind: string; id?: string } }
    expect(credential.kind).toBe(own.kind)
    if (one.type === 'api-key') expect(credential).toEqual(own)
  })

  it('must both be there, and both hold', async () => {
    for (const lines of [await one.good(path), await other.good(path), []]) {
      const told = await call(path, lines)
      expect([told.status, told.code, told.seen]).toEqual([401, 'credential_missing', undefined])
    }
    for (const [good, bad] of [
      [one, other],
      [other, one],
    ] as const) {
      const told = await call(path, [...(await good.good(path)), ...(await bad.bad(path))])
      expect([told.status, told.seen]).toEqual([401, undefined])
      expect((await told.event())['reason']).toBe(bad.why)
    }
  })
})

describe('credentials that are asked together', () => {
  it('bring the rights of the first that has any, and nothing is united', async () => {
    const rightless = await test.gateway.keys.create({ owner: 'nobody', authenticator: 'keys' }, 'test')
    const path = '/all/keys/token'
    const token = issuer.token({ sub: 'alice', scope: 'a b', roles: ['editor'], tenant: 'north', team: 'x' })
    const told = await call(path, [
      ['x-api-key', rightless.key],
      ['authorization', `Bearer ${token}`],
    ])
    expect(told.seen).toMatchObject({
      'x-auth-subject': 'nobody',
      'x-auth-scopes': 'a b',
      'x-auth-roles': 'editor',
    })
    const both = await call(path, [
      ['x-api-key', key.key],
      ['authorization', `Bearer ${token}`],
    ])
    expect(both.seen).toMatchObject({ 'x-auth-scopes': 'from:key' })
    expect(both.seen).not.toHaveProperty('x-auth-roles')
  })

  it('hold a key to its own limits, wherever it stands', async () => {
    const limited = await test.gateway.keys.create(
      { owner: 'o', authenticator: 'keys', allowedIps: ['192.0.2.0/24'] },
      'test',
    )
    const slow = await test.gateway.keys.create(
      { owner: 'o', authenticator: 'keys', rateLimit: '2/1h' },
      'test',
    )
    const bearer = (): Line => ['authorization', `Bearer ${issuer.token({ sub: 'alice' })}`]
    for (const path of ['/all/keys/token', '/all/token/keys']) {
      const told = await call(path, [['x-api-key', limited.key], bearer()])
      expect([told.status, told.code]).toEqual([403, 'forbidden'])
    }
    const statuses: number[] = []
    for (const path of ['/all/keys/token', '/all/token/keys', '/all/token/keys'])
      statuses.push((await call(path, [['x-api-key', slow.key], bearer()])).status)
    expect(statuses).toEqual([200, 200, 429])
  })

  it('fall with the first of them that is revoked', async () => {
    const own = await test.gateway.keys.create({ owner: 'o', authenticator: 'keys' }, 'test')
    const lines: Line[] = [
      ['x-api-key', own.key],
      ['authorization', `Bearer ${issuer.token({ sub: 'revoked-subject' })}`],
    ]
    expect((await call('/all/keys/token', lines)).status).toBe(200)
    await test.gateway.revocations.revoke(
      { kind: 'subject', value: 'revoked-subject', issuer: issuer.issuer },
      'test',
    )
    const told = await call('/all/keys/token', lines)
    expect([told.status, told.code]).toEqual([401, 'credential_revoked'])
  })
})

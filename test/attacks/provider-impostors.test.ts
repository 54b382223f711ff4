/**
 * Callers whom a provider vouches for and whom nobody meant: another tenant, organisation, repository, cluster or trust
 * domain. Each token has a good signature; a whole gateway has to see whose it is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

type Json = Record<string, unknown>

const audience = 'https://api.example'
const ours = '11111111-2222-3333-4444-555555555555'
const stranger = '99999999-2222-3333-4444-555555555555'

let issuer: TestIssuer
let other: TestIssuer
let upstream: TestUpstream
let test: TestGateway

beforeAll(async () => {
  issuer = await startTestIssuer('RS256')
  other = await startTestIssuer('RS256')
  upstream = await startTestUpstream()
  const keys = `discovery: false, jwks: "${issuer.issuer}/jwks"`
  const published = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as { keys: Json[] }
  const [jwk = {}] = published.keys
  const bundle = {
    spiffe_refresh_hint: 60,
    keys: [
      { ...jwk, use: 'jwt-svid' },
      // The other party's key, published for something else: it must sign for nobody.
      ...((await (await fetch(`${other.issuer}/jwks`)).json()) as { keys: Json[] }).keys,
    ],
  }
  const names = ['github', 'cluster', 'spiffe', 'entra', 'auth0', 'keycloak', 'google']
  const jwt = (name: string, more = ''): string =>
    `  ${name}: { type: jwt, provider: ${name}, audience: ${audience}${more} }`
  test = await startTestGateway(
    `
version: 1
providers:
  github: { type: github-actions, repositories: octo-org/*, ownerIds: [65], refs: refs/heads/main, ${keys} }
  cluster: { type: kubernetes, issuer: https://cluster-a.example, namespaces: [payments], ${keys} }
  spiffe: { type: spiffe, trustDomain: prod.example.org, bundle: ./bundle.json, ids: [spiffe://prod.example.org/ns/payments/*] }
  entra: { type: entra, tenant: organizations, tenants: [${ours}], claims: { roles: groups }, ${keys} }
  auth0: { type: auth0, domain: example.eu.auth0.com, organizations: org_AbCdEfGhIjKlMnOp, ${keys} }
  keycloak: { type: keycloak, url: https://id.example.com, realm: main, client: catalog, ${keys} }
  google: { type: google, domains: [example.com], ${keys} }
authenticators:
${names.map((name) => jwt(name, name === 'google' ? ', accept: id-token' : '')).join('\n')}
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
${names.map((name) => `  - { id: ${name}, match: { path: /${name} }, authenticate: [${name}], authorize: {}, upstream: items }`).join('\n')}
  - { id: all, match: { path: /all }, authenticate: [${names.join(', ')}], authorize: {}, upstream: items }
  - { id: editors, match: { path: /editors }, authenticate: [keycloak], authorize: { roles: [editor] }, upstream: items }
  - { id: members, match: { path: /members }, authenticate: [entra], authorize: { roles: [g-1] }, upstream: items }
  - { id: unblocked, match: { path: /unblocked }, authenticate: [entra], authorize: { when: '!("g-blocked" in identity.roles)' }, upstream: items }
`,
    { files: { 'bundle.json': JSON.stringify(bundle) } },
  )
})

afterAll(async () => {
  await test.stop()
  await upstream.close()
  await issuer.close()
  await other.close()
})

function times(): Json {
  const now = Math.floor(Date.now() / 1000)
  return { iat: now - 5, exp: now + 300 }
}

const good: Readonly<Record<string, Json>> = {
  github: {
    iss: 'https://token.actions.githubusercontent.com',
    sub: 'repo:octo-org/site:ref:refs/heads/main',
    repository: 'octo-org/site',
    repository_owner: 'octo-org',
    repository_owner_id: '65',
    ref: 'refs/heads/main',
  },
  cluster: {
    iss: 'https://cluster-a.example',
    sub: 'system:serviceaccount:payments:worker',
    'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'worker', uid: 'u' } },
  },
  spiffe: { sub: 'spiffe://prod.example.org/ns/payments/sa/worker' },
  entra: {
    iss: `https://login.microsoftonline.com/${ours}/v2.0`,
    tid: ours,
    sub: 'alice',
    scp: 'read',
    groups: ['g-1'],
  },
  auth0: {
    iss: 'https://example.eu.auth0.com/',
    sub: 'auth0|1',
    scope: 'read',
    org_id: 'org_AbCdEfGhIjKlMnOp',
  },
  keycloak: {
    iss: 'https://id.example.com/realms/main',
    sub: 'f3c1',
    typ: 'Bearer',
    realm_access: { roles: ['viewer'] },
    resource_access: { catalog: { roles: ['editor'] } },
  },
  google: { iss: 'https://accounts.google.com', sub: '1076', hd: 'example.com' },
}

function token(name: string, changes: Json = {}, by: TestIssuer = issuer, header: Json = {}): string {
  return by.token(
    { ...good[name], ...times(), iss: good[name]?.['iss'], aud: audience, ...changes },
    { typ: 'JWT', ...header },
  )
}

async function call(path: string, bearer: string): Promise<string> {
  const answer = await fetch(`${test.url}${path}`, { headers: { authorization: `Bearer ${bearer}` } })
  const text = await answer.text()
  return answer.status === 200 ? '200' : `${answer.status} ${(JSON.parse(text) as { code: string }).code}`
}

const names = Object.keys(good)
const refused = '401 credential_invalid'

describe('the good callers that the impostors are made from', () => {
  it.each(names)('come in: %s', async (name) => {
    expect(await call(`/${name}`, token(name))).toBe('200')
    expect(await call('/all', token(name))).toBe('200')
  })
})

describe('a caller whom nobody meant', () => {
  it.each<[string, string, Json]>([
    [
      'a repository of a stranger',
      'github',
      { repository: 'evil/site', repository_owner: 'evil', repository_owner_id: '66' },
    ],
    ['a stranger who took over the name', 'github', { repository_owner_id: '66' }],
    ['a stranger who says whose repository it is in the subject', 'github', { repository: undefined }],
    ['a repository list', 'github', { repository: ['octo-org/site'] }],
    ['a pull request', 'github', { ref: 'refs/pull/1/merge' }],
    [
      'another namespace',
      'cluster',
      {
        sub: 'system:serviceaccount:dev:worker',
        'kubernetes.io': { namespace: 'dev', serviceaccount: { name: 'worker' } },
      },
    ],
    ['a namespace in the claims alone', 'cluster', { sub: 'system:serviceaccount:dev:worker' }],
    ['another cluster', 'cluster', { iss: 'https://cluster-b.example' }],
    [
      'another trust domain',
      'spiffe',
      { sub: 'spiffe://prod.example.org.evil.example/ns/payments/sa/worker' },
    ],
    ['a trust domain and no workload', 'spiffe', { sub: 'spiffe://prod.example.org' }],
    ['a path that climbs', 'spiffe', { sub: 'spiffe://prod.example.org/ns/payments/../admin' }],
    ['another workload', 'spiffe', { sub: 'spiffe://prod.example.org/ns/billing/sa/worker' }],
    ['another tenant', 'entra', { iss: `https://login.microsoftonline.com/${stranger}/v2.0`, tid: stranger }],
    [
      'another tenant that claims ours',
      'entra',
      { iss: `https://login.microsoftonline.com/${stranger}/v2.0` },
    ],
    ['our tenant’s issuer with another `tid`', 'entra', { tid: stranger }],
    ['another organisation', 'auth0', { org_id: 'org_ZZZZZZZZZZZZZZZZ' }],
    ['no organisation', 'auth0', { org_id: undefined }],
    ['another realm', 'keycloak', { iss: 'https://id.example.com/realms/master' }],
    [
      'an ordinary Google account',
      'google',
      { hd: undefined, email: 'eve@example.com', email_verified: true },
    ],
  ])('is refused: %s', async (_who, name, changes) => {
    expect(await call(`/${name}`, token(name, changes))).toBe(refused)
    expect(await call('/all', token(name, changes))).toBe(refused)
  })

  it.each(names)('is refused with everything right but the key: %s', async (name) => {
    expect(await call(`/${name}`, token(name, {}, other))).toBe(refused)
  })

  it('gains nothing by the name of a key that the bundle publishes for another use', async () => {
    const { keys } = (await (await fetch(`${other.issuer}/jwks`)).json()) as { keys: { kid: string }[] }
    expect(await call('/spiffe', token('spiffe', {}, other, { kid: keys[0]?.kid }))).toBe(refused)
  })

  it('is held to each provider alone: a claim of one counts for no other', async () => {
    for (const name of names.filter((each) => each !== 'github')) {
      const borrowed = {
        ...good['github'],
        ...good[name],
        iss: 'https://token.actions.githubusercontent.com',
      }
      expect(await call(`/${name}`, token(name, { ...borrowed, sub: 'repo:octo-org/site' }))).toBe(refused)
    }
  })
})

describe('rights that somebody else gave', () => {
  it('count only for their own client (Keycloak)', async () => {
    expect(await call('/editors', token('keycloak'))).toBe('200')
    const foreign = { resource_access: { billing: { roles: ['editor'] }, __proto__: { roles: ['editor'] } } }
    expect(await call('/editors', token('keycloak', foreign))).toBe('403 forbidden')
  })

  it('are not guessed from a token whose groups did not fit (Entra)', async () => {
    const crowded = {
      groups: undefined,
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: 'https://graph.example' } },
    }
    expect(await call('/members', token('entra'))).toBe('200')
    expect(await call('/unblocked', token('entra'))).toBe('200')
    for (const marks of [crowded, { groups: undefined, hasgroups: true }]) {
      expect(await call('/entra', token('entra', marks))).toBe('200')
      expect(await call('/members', token('entra', marks))).toBe('403 forbidden')
      expect(await call('/unblocked', token('entra', marks))).toBe('403 forbidden')
    }
  })
})

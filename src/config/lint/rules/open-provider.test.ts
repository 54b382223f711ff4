import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../load.ts'
import { lint } from '../lint.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-open-provider-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

interface Written {
  readonly provider: string
  readonly authenticator?: string
  readonly authenticate?: string
  readonly authorize?: string
}

/** @returns "severity: message" of what the rule finds */
async function judge({
  provider,
  authenticator = '',
  authenticate = '[ci]',
  authorize = '{}',
}: Written): Promise<readonly string[]> {
  const file = join(folder, 'portcullis.yaml')
  await writeFile(
    file,
    `version: 1
providers: { ci: { ${provider} }, corp: { type: oidc, issuer: https://login.example.com } }
authenticators:
  ci: { type: jwt, provider: ci, audience: https://api.example.com, maxLifetime: 1h ${authenticator} }
  corp: { type: jwt, provider: corp, audience: https://api.example.com, maxLifetime: 1h, in: [{ header: x-user }] }
upstreams: { catalog: { targets: [http://127.0.0.1:7001] } }
routes:
  - { id: deploy, match: { path: /deploy }, authenticate: ${authenticate}, authorize: ${authorize}, upstream: catalog }
`,
  )
  const loaded = await loadConfiguration(file, { env: {}, standIns: true })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults, undefined, 1))
  return lint(loaded, { nodeVersion: 'v26.12.1' })
    .filter(({ id }) => id === 'open-provider')
    .map(({ severity, path, message }) => `${severity} ${path}: ${message}`)
}

describe('a provider that vouches for the world', () => {
  it.each<[string, string, RegExp]>([
    ['GitHub', 'type: github-actions', /^error providers\.ci: route "deploy" lets in every repository/],
    ['GitHub by branch alone', 'type: github-actions, refs: refs/heads/main', /^error/],
    ['Entra', 'type: entra, tenant: organizations', /^error .*every tenant/],
    ['a cluster', 'type: kubernetes', /^warning .*every workload of the cluster/],
    ['a trust domain', 'type: spiffe, trustDomain: prod.example.org, bundle: ./bundle.json', /^warning/],
    ['Google', 'type: google', /^warning .*service account/],
  ])('is found: %s', async (_what, provider, finding) => {
    expect(await judge({ provider })).toEqual([expect.stringMatching(finding)])
  })

  it.each<[string, Written]>([
    ['names repositories', { provider: 'type: github-actions, repositories: octo-org/*' }],
    ['names ids as numbers', { provider: 'type: github-actions, ownerIds: [65]' }],
    ['is an enterprise’s own', { provider: 'type: github-actions, enterprise: octo' }],
    [
      'names tenants',
      { provider: 'type: entra, tenant: common, tenants: 11111111-2222-3333-4444-555555555555' },
    ],
    ['is one tenant', { provider: 'type: entra, tenant: 11111111-2222-3333-4444-555555555555' }],
    ['names namespaces', { provider: 'type: kubernetes, namespaces: [payments]' }],
    [
      'names SPIFFE IDs',
      { provider: 'type: spiffe, trustDomain: a.example, bundle: ./b.json, ids: [spiffe://a.example/x]' },
    ],
    ['names domains', { provider: 'type: google, domains: [example.com]' }],
    [
      'is narrowed by the clients of the authenticator',
      { provider: 'type: github-actions', authenticator: ', clients: [octo-org/site]' },
    ],
    [
      'is narrowed by a claim',
      { provider: 'type: github-actions', authorize: '{ claims: { repository_owner: [octo-org] } }' },
    ],
    [
      'is narrowed by a condition',
      { provider: 'type: github-actions', authorize: `{ when: 'identity.tenant == "octo-org"' }` },
    ],
    [
      'must come with another credential',
      { provider: 'type: github-actions', authenticate: '{ all: [ci, corp] }' },
    ],
    ['is on no route', { provider: 'type: github-actions', authenticate: '[corp]' }],
  ])('is none when it %s', async (_what, written) => {
    expect(await judge(written)).toEqual([])
  })

  it('is not narrowed by what says nothing of the caller', async () => {
    const provider = 'type: github-actions'
    expect(await judge({ provider, authorize: '{ claims: { event_name: [push] } }' })).toHaveLength(1)
    expect(await judge({ provider, authorize: `{ when: 'request.method == "GET"' }` })).toHaveLength(1)
    expect(
      await judge({ provider: 'type: entra, tenant: common', authenticator: ', clients: [x]' }),
    ).toHaveLength(1)
  })
})

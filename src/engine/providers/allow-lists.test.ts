/** Who may come of those whom a provider vouches for: tenants, organisations, domains, a client's roles. */
import { describe, expect, it } from 'vitest'
import { detailOf, identify, providerBench, times } from '../../../test/support/provider-bench.ts'
import { providerSettings, type Json } from '../../../test/support/tokens.ts'
import type { Bench } from '../../../test/support/jwt-authenticator.ts'
import { configurationFault, expectedIssuers, profileFor } from './registry.ts'
import type { ProviderType } from './settings.ts'

type Texts = Readonly<Record<string, string>>
type Lists = Readonly<Record<string, readonly string[]>>

describe('entra with tenants', () => {
  const ours = '11111111-2222-3333-4444-555555555555'
  const partner = '22222222-2222-3333-4444-555555555555'
  const stranger = '99999999-2222-3333-4444-555555555555'
  const api = 'api://catalog'
  const on = (tenants?: readonly string[]): Bench =>
    providerBench(
      {
        type: 'entra',
        parameters: { tenant: 'organizations' },
        ...(tenants === undefined ? {} : { lists: { tenants } }),
      },
      { audience: [api] },
    )
  const of = (tid: string): Json => ({
    ...times,
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    aud: api,
    sub: 'pairwise',
    azp: '33333333-aaaa-bbbb-cccc-dddddddddddd',
    scp: 'catalog.read',
    tid,
    ver: '2.0',
  })

  it('takes those on the list, under both forms of the issuer', async () => {
    const listed = on([ours, partner.toUpperCase()])
    for (const tid of [ours, partner]) {
      expect(await identify(listed, of(tid))).toMatchObject({ tenant: tid })
      expect(await identify(listed, { ...of(tid), iss: `https://sts.windows.net/${tid}/` })).toMatchObject({
        tenant: tid,
      })
    }
  })

  it('refuses everybody else with that reason', async () => {
    expect(await identify(on([ours]), of(stranger))).toBe('token_not_admitted')
    expect(await detailOf(on([ours]), of(stranger))).toMatch(/`tenants`/)
    expect(await identify(on([ours]), { ...of(ours), tid: stranger })).toBe('token_issuer')
    expect(await identify(on([ours]), { ...of(stranger), tid: ours })).toBe('token_issuer')
  })

  it('has the issuers of those alone, and is open to the world without a list', () => {
    const settings = providerSettings({
      type: 'entra',
      parameters: { tenant: 'common' },
      lists: { tenants: [ours] },
    })
    expect(expectedIssuers(settings)).toEqual([
      `https://login.microsoftonline.com/${ours}/v2.0`,
      `https://sts.windows.net/${ours}/`,
    ])
    expect(profileFor(settings).openTo).toBeUndefined()
    for (const tenant of ['common', 'organizations']) {
      expect(profileFor(providerSettings({ type: 'entra', parameters: { tenant } })).openTo).toMatchObject({
        severity: 'error',
      })
    }
    expect(
      profileFor(providerSettings({ type: 'entra', parameters: { tenant: ours } })).openTo,
    ).toBeUndefined()
  })
})

describe('entra with more groups than fit', () => {
  const on = (): Bench =>
    providerBench(
      {
        type: 'entra',
        parameters: { tenant: '11111111-2222-3333-4444-555555555555' },
        claims: { roles: ['groups'] },
      },
      { audience: ['api://catalog'] },
    )
  const token: Json = {
    ...times,
    iss: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
    tid: '11111111-2222-3333-4444-555555555555',
    aud: 'api://catalog',
    sub: 'pairwise',
    scp: 'catalog.read',
  }

  it('says what was withheld, as a claim and as the part that is read from it', async () => {
    for (const mark of [
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example/x' } } },
      { hasgroups: true },
    ]) {
      expect(await identify(on(), { ...token, ...mark })).toMatchObject({
        roles: [],
        withheld: ['groups', 'roles'],
      })
    }
  })

  it('says nothing of a token that has its groups', async () => {
    const identity = await identify(on(), { ...token, groups: ['g-1'] })
    expect(identity).toMatchObject({ roles: ['g-1'] })
    expect(identity).not.toHaveProperty('withheld')
  })
})

describe('auth0 with organizations', () => {
  const on = (organizations?: readonly string[]): Bench =>
    providerBench({
      type: 'auth0',
      parameters: { domain: 'example.eu.auth0.com' },
      ...(organizations === undefined ? {} : { lists: { organizations } }),
    })
  const token: Json = {
    ...times,
    iss: 'https://example.eu.auth0.com/',
    aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
    sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
    azp: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345',
    scope: 'catalog:read',
    permissions: ['catalog:read', 'catalog:write'],
    org_id: 'org_AbCdEfGhIjKlMnOp',
  }

  it('makes the organisation the tenant', async () => {
    expect(await identify(on(), token)).toMatchObject({ tenant: 'org_AbCdEfGhIjKlMnOp' })
    expect(await identify(on(['org_AbCdEfGhIjKlMnOp']), token)).toMatchObject({ subject: token['sub'] })
  })

  it.each<[string, Json]>([
    ['another organisation', { org_id: 'org_ZZZZZZZZZZZZZZZZ' }],
    ['none', { org_id: undefined }],
    ['a list of them', { org_id: ['org_AbCdEfGhIjKlMnOp'] }],
    ['a name alone', { org_id: undefined, org_name: 'org_AbCdEfGhIjKlMnOp' }],
  ])('refuses a token of %s', async (_what, changes) => {
    expect(await identify(on(['org_AbCdEfGhIjKlMnOp']), { ...token, ...changes })).toBe('token_not_admitted')
  })

  it('counts permissions only where the settings name them, and then alone', async () => {
    expect(await identify(on(), token)).toMatchObject({ scopes: ['catalog:read'] })
    const named = providerBench({
      type: 'auth0',
      parameters: { domain: 'example.eu.auth0.com' },
      claims: { scopes: ['permissions'] },
    })
    expect(await identify(named, { ...token, scope: 'admin' })).toMatchObject({
      scopes: ['catalog:read', 'catalog:write'],
    })
  })
})

describe('keycloak with a client', () => {
  const parameters = { url: 'https://id.example.com', realm: 'main', client: 'catalog' }
  const token: Json = {
    ...times,
    iss: 'https://id.example.com/realms/main',
    aud: 'https://api.example.com',
    sub: 'f3c1',
    typ: 'Bearer',
    azp: 'web',
    realm_access: { roles: ['viewer'] },
    resource_access: { catalog: { roles: ['editor', 'viewer'] }, billing: { roles: ['admin'] } },
  }

  it('adds that client’s roles to the realm’s, and nobody else’s', async () => {
    expect(await identify(providerBench({ type: 'keycloak', parameters }), token)).toMatchObject({
      roles: ['viewer', 'editor'],
    })
  })

  it('reads them where the realm gives none', async () => {
    expect(
      await identify(providerBench({ type: 'keycloak', parameters }), { ...token, realm_access: undefined }),
    ).toMatchObject({ roles: ['editor', 'viewer'] })
  })

  it('adds nothing where the settings say where roles are', async () => {
    const bench = providerBench({
      type: 'keycloak',
      parameters,
      claims: { roles: ['realm_access', 'roles'] },
    })
    expect(await identify(bench, token)).toMatchObject({ roles: ['viewer'] })
  })

  it.each<[string, Json]>([
    ['text', { catalog: { roles: 'admin' } }],
    ['another client’s', { other: { roles: ['admin'] } }],
    ['an inherited name', { constructor: { roles: ['admin'] } }],
  ])('does not take %s for the client’s roles without saying so', async (_what, access) => {
    const found = await identify(providerBench({ type: 'keycloak', parameters }), {
      ...token,
      resource_access: access,
    })
    expect(found).toMatchObject({ roles: access['catalog'] === undefined ? ['viewer'] : ['viewer', 'admin'] })
  })
})

describe('google with domains', () => {
  const client = '1234987819200.apps.googleusercontent.com'
  const on = (domains: readonly string[]): Bench =>
    providerBench({ type: 'google', lists: { domains } }, { audience: [client], accept: 'id-token' })
  const token: Json = {
    ...times,
    iss: 'https://accounts.google.com',
    aud: client,
    azp: client,
    sub: '1076',
    hd: 'example.com',
  }

  it('takes accounts of those Workspace domains alone', async () => {
    expect(await identify(on(['example.com']), token)).toMatchObject({ subject: '1076' })
    expect(await identify(on(['example.com']), { ...token, hd: 'evil.example' })).toBe('token_not_admitted')
    // An ordinary account, and a service account with an address that looks right.
    expect(await identify(on(['example.com']), { ...token, hd: undefined, email: 'a@example.com' })).toBe(
      'token_not_admitted',
    )
  })
})

describe('okta without an authorization server', () => {
  const settings = providerSettings({ type: 'okta', parameters: { domain: 'example.okta.com' } })

  it('is the organisation’s own, for look-ups and browsers', () => {
    expect(configurationFault(settings)).toBeUndefined()
    expect(expectedIssuers(settings)).toEqual(['https://example.okta.com'])
    expect(profileFor(settings).opaqueBecause).toMatch(/cannot be verified here/)
  })

  it('verifies no access token, even where somebody tries', () => {
    expect(() => providerBench({ type: 'okta', parameters: { domain: 'example.okta.com' } })).toThrow(
      /cannot be verified here/,
    )
  })
})

describe('lists that cannot work', () => {
  it.each<[ProviderType, Texts, Lists, RegExp]>([
    ['entra', { tenant: 'organizations' }, { tenants: ['contoso.com'] }, /^`tenants`.*GUID/],
    [
      'entra',
      { tenant: '11111111-2222-3333-4444-555555555555' },
      { tenants: ['11111111-2222-3333-4444-555555555555'] },
      /^`tenants` goes with/,
    ],
    [
      'entra',
      { tenant: 'organizations' },
      { tenants: ['9188040d-6c67-4c5b-b112-36a304b66dad'] },
      /personal accounts/,
    ],
    [
      'auth0',
      { domain: 'example.eu.auth0.com' },
      { organizations: ['acme'] },
      /^`organizations`.*names can change/,
    ],
    ['google', {}, { domains: ['https://example.com'] }, /^`domains`/],
    ['google', {}, { domains: ['Example.com'] }, /^`domains`/],
  ])('are named: %s %j %j', (type, parameters, lists, message) => {
    expect(configurationFault(providerSettings({ type, parameters, lists }))).toMatch(message)
  })
})

/** Each provider's tokens in their true shape: the access token becomes the right identity, the ID token is refused. */
import { describe, expect, it } from 'vitest'
import { onBench, type Bench } from '../../../test/support/jwt-authenticator.ts'
import { createSigner, mint, noon, providerSettings, type Json } from '../../../test/support/tokens.ts'
import type { JwtSettings } from '../authenticators/jwt/settings.ts'
import type { ProviderSettings, ProviderType } from './settings.ts'
import type { Identity } from '../identity.ts'
import { configurationFault, expectedIssuers, hasKeySource, profileFor } from './registry.ts'

const signer = createSigner('RS256')
const now = noon / 1000
const times = { iat: now - 60, exp: now + 3_540 }

function bench(
  type: ProviderType,
  parameters: Readonly<Record<string, string>>,
  settings: Partial<JwtSettings> = {},
  provider: Partial<ProviderSettings> = {},
  jwk: Json = signer.jwk,
): Bench {
  return onBench([jwk], settings, { type, parameters, ...provider })
}

async function identify(on: Bench, claims: Json, header: Json = {}): Promise<Identity | string> {
  const outcome = await on.verify(mint(signer, claims, header))
  return outcome.outcome === 'verified' ? outcome.identity : outcome.reason
}

describe('oidc', () => {
  const claims = { ...times, iss: 'https://login.example.com', sub: 'alice', aud: 'https://api.example.com' }

  it('takes subject, client, scopes and roles from their usual claims', async () => {
    const on = bench('oidc', { issuer: 'https://login.example.com' })
    expect(await identify(on, { ...claims, azp: 'app', scp: ['a', 'b'], roles: ['r'] })).toMatchObject({
      subject: 'alice',
      client: 'app',
      scopes: ['a', 'b'],
      roles: ['r'],
    })
  })

  it.each([
    [{ client_id: 'a', azp: 'b', appid: 'c', cid: 'd' }, 'a'],
    [{ azp: 'b', appid: 'c', cid: 'd' }, 'b'],
    [{ appid: 'c', cid: 'd' }, 'c'],
    [{ cid: 'd' }, 'd'],
    [{ client_id: null, azp: 'b' }, 'b'],
  ])('takes the client from the first of %j', async (client, expected) => {
    const on = bench('oidc', { issuer: 'https://login.example.com' })
    expect(await identify(on, { ...claims, ...client })).toMatchObject({ client: expected })
  })

  it.each([
    [{ scope: 'a b  a' }, ['a', 'b']],
    [{ scope: ['a', 'b'] }, ['a', 'b']],
    [{ scp: 'a' }, ['a']],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: '' }, []],
    [{}, []],
  ])('takes the scopes from %j', async (scope, expected) => {
    const on = bench('oidc', { issuer: 'https://login.example.com' })
    expect(await identify(on, { ...claims, ...scope })).toMatchObject({ scopes: expected })
  })

  it('reads where the settings say, and nowhere else', async () => {
    const on = bench(
      'oidc',
      { issuer: 'https://login.example.com' },
      {},
      {
        claims: {
          subject: ['uid'],
          client: ['app', 'id'],
          scopes: ['rights'],
          roles: ['https://example', 'com/roles'],
          tenant: ['org'],
        },
      },
    )
    const own = {
      uid: 'u-1',
      app: { id: 'x' },
      rights: 'a b',
      'https://example.com/roles': 'one role',
      org: 'acme',
    }
    expect(await identify(on, { ...claims, ...own, client_id: 'y', scope: 'c', roles: ['d'] })).toMatchObject(
      {
        subject: 'u-1',
        client: 'x',
        scopes: ['a', 'b'],
        roles: ['one role'],
        tenant: 'acme',
      },
    )
    expect(await identify(on, { ...claims, scope: 'c', client_id: 'y' })).toBe('token_claim')
  })

  it.each<[string, Json]>([
    ['token_use', { token_use: 'id', scope: 'openid' }],
    ['the payload type', { typ: 'ID', scope: 'openid' }],
    ['at_hash', { at_hash: 'x', scope: 'openid' }],
    ['c_hash', { c_hash: 'x', token_use: 'access' }],
    ['a nonce without a mark', { nonce: 'n' }],
    ['a refresh token of Keycloak', { typ: 'Refresh', scope: 'openid' }],
  ])('refuses an ID token by %s', async (_by, marks) => {
    const on = bench('oidc', { issuer: 'https://login.example.com' })
    expect(await identify(on, { ...claims, ...marks })).toBe('token_kind')
  })

  it.each<[string, Json, Json]>([
    ['scope', { scope: 'a' }, {}],
    ['scp', { scp: ['a'] }, {}],
    ['typ Bearer', { typ: 'Bearer' }, {}],
    ['token_use access', { token_use: 'access' }, {}],
    ['idtyp app', { idtyp: 'app' }, {}],
    ['the header type', {}, { typ: 'at+jwt' }],
  ])('lets a nonce pass beside %s', async (_mark, marks, header) => {
    const on = bench('oidc', { issuer: 'https://login.example.com' })
    expect(await identify(on, { ...claims, nonce: 'n', ...marks }, header)).toMatchObject({
      subject: 'alice',
    })
  })

  it('wants a mark where the expected audience is known to be a client id', async () => {
    const guid = '0f0f0f0f-1111-2222-3333-444444444444'
    const on = bench('oidc', { issuer: 'https://login.example.com' }, { audience: [guid] })
    expect(await identify(on, { ...claims, aud: guid })).toBe('token_kind')
    expect(await identify(on, { ...claims, aud: guid, scope: 'a' })).toMatchObject({ subject: 'alice' })
    const listed = bench(
      'oidc',
      { issuer: 'https://login.example.com' },
      { audience: ['web'], clients: ['web'] },
    )
    expect(await identify(listed, { ...claims, aud: 'web', client_id: 'web' })).toBe('token_kind')
  })

  it('takes an ID token where the authenticator says so, and logout tokens never', async () => {
    const on = bench(
      'oidc',
      { issuer: 'https://login.example.com' },
      { accept: 'id-token', audience: ['web'] },
    )
    const id = { ...claims, aud: 'web', nonce: 'n', at_hash: 'x' }
    expect(await identify(on, id)).toMatchObject({ subject: 'alice' })
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    expect(await identify(on, { ...id, events })).toBe('token_kind')
  })
})

describe('auth0', () => {
  const on = (settings: Partial<JwtSettings> = {}): Bench =>
    bench('auth0', { domain: 'example.eu.auth0.com' }, { audience: ['https://api.example.com'], ...settings })
  const access = {
    ...times,
    iss: 'https://example.eu.auth0.com/',
    sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
    aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
    azp: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345',
    scope: 'openid profile catalog:read',
    permissions: ['catalog:read'],
  }

  it('knows the default profile and the RFC 9068 profile', async () => {
    expect(await identify(on(), access)).toMatchObject({
      issuer: 'https://example.eu.auth0.com/',
      subject: 'auth0|5f7c8ec7c33c6c004bbafe82',
      client: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345',
      scopes: ['openid', 'profile', 'catalog:read'],
      roles: [],
    })
    const { azp, ...rest } = access
    expect(await identify(on(), { ...rest, client_id: azp, jti: 'j' }, { typ: 'at+jwt' })).toMatchObject({
      client: azp,
    })
  })

  it('knows machine tokens', async () => {
    const machine = { ...access, sub: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345@clients', gty: 'client-credentials' }
    expect(await identify(on(), machine)).toMatchObject({
      subject: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345@clients',
    })
  })

  it('refuses ID tokens, even where their audience was configured', async () => {
    const client = access.azp
    const id = {
      ...times,
      iss: access.iss,
      sub: access.sub,
      aud: client,
      sid: 's',
      name: 'Alice',
      nonce: 'n',
    }
    expect(await identify(on(), id)).toBe('token_audience')
    expect(await identify(on({ audience: [client] }), id)).toBe('token_kind')
    const { nonce: _nonce, ...plain } = id
    expect(await identify(on({ audience: [client] }), plain)).toBe('token_kind')
  })

  it('refuses the issuer without its slash', async () => {
    expect(await identify(on(), { ...access, iss: 'https://example.eu.auth0.com' })).toBe('token_issuer')
  })
})

describe('okta', () => {
  const on = (settings: Partial<JwtSettings> = {}): Bench =>
    bench(
      'okta',
      { domain: 'example.okta.com', authorizationServer: 'default' },
      { audience: ['api://default'], ...settings },
    )
  const access = {
    ...times,
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    iss: 'https://example.okta.com/oauth2/default',
    aud: 'api://default',
    cid: '0oaCdEfGhIjKlMnOpQ0h',
    uid: '00ujmkLgagxeRrAg20g3',
    scp: ['openid', 'catalog:read'],
    sub: 'alice@example.com',
  }

  it('knows access tokens', async () => {
    expect(await identify(on(), access)).toMatchObject({
      subject: 'alice@example.com',
      client: '0oaCdEfGhIjKlMnOpQ0h',
      scopes: ['openid', 'catalog:read'],
    })
  })

  it('refuses ID tokens', async () => {
    const id = {
      ...times,
      ver: 1,
      jti: 'ID.4eAWJOCMB3SX8XewDfVR',
      iss: access.iss,
      sub: access.uid,
      aud: access.cid,
      amr: ['pwd'],
      auth_time: now - 60,
      preferred_username: 'alice@example.com',
    }
    expect(await identify(on(), id)).toBe('token_audience')
    expect(await identify(on({ audience: [access.cid] }), id)).toBe('token_kind')
    expect(await identify(on(), { ...access, jti: 'ID.x' })).toBe('token_kind')
    expect(await identify(on({ accept: 'id-token', audience: [access.cid] }), id)).toMatchObject({
      subject: access.uid,
    })
  })
})

describe('cognito', () => {
  const pool = { region: 'eu-west-1', userPoolId: 'eu-west-1_AbCdEfGhI' }
  const on = (settings: Partial<JwtSettings> = {}): Bench =>
    bench('cognito', pool, {
      clients: ['1example23456789'],
      audience: undefined,
      ...settings,
    } as Partial<JwtSettings>)
  const access = {
    ...times,
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:groups': ['viewer', 'editor'],
    iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    client_id: '1example23456789',
    origin_jti: 'o',
    event_id: 'e',
    token_use: 'access',
    scope: 'phone openid catalog/read',
    auth_time: now - 60,
    jti: 'j',
    username: 'alice',
  }
  const id = {
    ...times,
    sub: access.sub,
    'cognito:groups': ['viewer'],
    'cognito:username': 'alice',
    iss: access.iss,
    aud: '1example23456789',
    token_use: 'id',
    email: 'alice@example.com',
    at_hash: 'x',
  }

  it('knows access tokens, which name a client and no audience', async () => {
    expect(await identify(on(), access)).toMatchObject({
      subject: access.sub,
      client: '1example23456789',
      scopes: ['phone', 'openid', 'catalog/read'],
      roles: ['viewer', 'editor'],
    })
  })

  it('refuses a token of another client, or of none', async () => {
    expect(await identify(on(), { ...access, client_id: 'other' })).toBe('token_client')
    expect(await identify(on(), { ...access, client_id: undefined })).toBe('token_client')
  })

  it('is chosen by the client where tokens name no audience', () => {
    expect(on().authenticator.affinity(mint(signer, access))).toBe('audience')
    expect(on().authenticator.affinity(mint(signer, { ...access, client_id: 'other' }))).toBe('issuer')
  })

  it('checks the audience as well where one is configured', async () => {
    const bound = on({ audience: ['https://api.example.com'] })
    expect(await identify(bound, { ...access, aud: 'https://api.example.com' })).toMatchObject({
      subject: access.sub,
    })
    expect(await identify(bound, access)).toBe('token_audience')
  })

  it('refuses ID tokens, and everything without token_use', async () => {
    expect(await identify(on(), id)).toBe('token_kind')
    expect(await identify(on(), { ...access, token_use: undefined })).toBe('token_kind')
    expect(await identify(on(), { ...access, token_use: 'refresh' })).toBe('token_kind')
  })

  it('takes ID tokens of its clients where the authenticator says so', async () => {
    expect(await identify(on({ accept: 'id-token' }), id)).toMatchObject({ client: '1example23456789' })
    expect(await identify(on({ accept: 'id-token' }), { ...id, aud: 'other' })).toBe('token_client')
  })

  it('needs clients or an audience', () => {
    expect(() => on({ clients: [] })).toThrow(/audience/)
  })
})

describe('entra', () => {
  const tenant = '11111111-2222-3333-4444-555555555555'
  const other = '99999999-2222-3333-4444-555555555555'
  const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
  const api = '0f0f0f0f-1111-2222-3333-444444444444'
  const v1Issuer = (of: string): string => `https://sts.windows.net/${of}/`
  const v2Issuer = (of: string): string => `https://login.microsoftonline.com/${of}/v2.0`
  const on = (of: string = tenant, keyIssuer?: string): Bench =>
    bench(
      'entra',
      { tenant: of },
      { audience: [api, 'api://catalog'] },
      {},
      {
        ...signer.jwk,
        ...(keyIssuer === undefined ? {} : { issuer: keyIssuer }),
      },
    )
  const v1 = {
    ...times,
    aud: 'api://catalog',
    iss: v1Issuer(tenant),
    appid: '22222222-aaaa-bbbb-cccc-dddddddddddd',
    appidacr: '1',
    oid: '33333333-aaaa-bbbb-cccc-dddddddddddd',
    scp: 'catalog.read catalog.write',
    roles: ['editor'],
    sub: 'pairwise-v1',
    tid: tenant,
    uti: 'unique-1',
    ver: '1.0',
  }
  const v2 = {
    ...times,
    aud: api,
    iss: v2Issuer(tenant),
    azp: '22222222-aaaa-bbbb-cccc-dddddddddddd',
    azpacr: '1',
    scp: 'catalog.read',
    sub: 'pairwise-v2',
    tid: tenant,
    uti: 'unique-2',
    ver: '2.0',
  }

  it('knows both versions of its access tokens', async () => {
    expect(await identify(on(), v1)).toMatchObject({
      issuer: v1.iss,
      subject: 'pairwise-v1',
      client: v1.appid,
      scopes: ['catalog.read', 'catalog.write'],
      roles: ['editor'],
      tenant,
    })
    expect(await identify(on(), v2)).toMatchObject({ client: v2.azp, scopes: ['catalog.read'], tenant })
  })

  it('takes `uti` for the token id, so that one token can be revoked', async () => {
    const stand = on()
    stand.revocations.covers = ({ jti }) => jti === 'unique-2'
    expect(await identify(stand, v2)).toBe('token_revoked')
    expect(await identify(stand, v1)).toMatchObject({ subject: 'pairwise-v1' })
  })

  it('holds a revocation under either issuer against both', async () => {
    const stand = on()
    stand.revocations.covers = ({ issuer }) => issuer === v2Issuer(tenant)
    expect(await identify(stand, v1)).toBe('token_revoked')
  })

  it('refuses ID tokens, whose audience is a client id and which nothing marks', async () => {
    const { scp: _scp, azp: _azp, azpacr: _azpacr, ...rest } = v2
    expect(await identify(on(), { ...rest, name: 'Alice', nonce: 'n' })).toBe('token_kind')
    expect(await identify(on(), { ...rest, name: 'Alice', roles: ['editor'] })).toBe('token_kind')
  })

  it('takes an application token by its mark', async () => {
    const { scp: _scp, ...rest } = v2
    expect(await identify(on(), { ...rest, roles: ['editor'], idtyp: 'app' })).toMatchObject({
      roles: ['editor'],
    })
  })

  it('refuses other tenants, and a tid that is not the issuer’s tenant', async () => {
    expect(await identify(on(), { ...v2, iss: v2Issuer(other), tid: other })).toBe('token_issuer')
    expect(await identify(on(), { ...v2, tid: other })).toBe('token_issuer')
    expect(await identify(on(), { ...v1, iss: v1Issuer(other) })).toBe('token_issuer')
    expect(await identify(on(), { ...v2, iss: v2Issuer('common') })).toBe('token_issuer')
    expect(await identify(on(), { ...v2, iss: `${v2Issuer(tenant)}/` })).toBe('token_issuer')
  })

  it('takes any tenant under common, each with its own tid', async () => {
    const many = on('common')
    for (const claims of [v1, v2, { ...v2, iss: v2Issuer(other), tid: other }]) {
      expect(await identify(many, claims)).toMatchObject({ tenant: claims.tid })
    }
    expect(await identify(many, { ...v2, iss: v2Issuer(consumers), tid: consumers })).toMatchObject({
      tenant: consumers,
    })
    expect(await identify(many, { ...v2, iss: v2Issuer(other) })).toBe('token_issuer')
    expect(await identify(many, { ...v2, tid: undefined })).toBe('token_issuer')
    expect(await identify(many, { ...v2, iss: v2Issuer('evil.example'), tid: 'evil.example' })).toBe(
      'token_issuer',
    )
    expect(await identify(many, { ...v2, iss: v2Issuer('{tenantid}'), tid: '{tenantid}' })).toBe(
      'token_issuer',
    )
  })

  it('takes no personal accounts under organizations, and only those under consumers', async () => {
    const personal = { ...v2, iss: v2Issuer(consumers), tid: consumers }
    expect(await identify(on('organizations'), personal)).toBe('token_issuer')
    expect(await identify(on('organizations'), v2)).toMatchObject({ tenant })
    expect(await identify(on('consumers'), personal)).toMatchObject({ tenant: consumers })
    expect(await identify(on('consumers'), v2)).toBe('token_issuer')
  })

  it('lets a key sign only for the issuer that it is published for', async () => {
    for (const keyIssuer of [v2Issuer('{tenantid}'), v2Issuer(tenant), v1Issuer(tenant)]) {
      expect(await identify(on('common', keyIssuer), v2)).toMatchObject({ tenant })
      expect(await identify(on('common', keyIssuer), v1)).toMatchObject({ tenant })
    }
    for (const keyIssuer of [v2Issuer(other), v2Issuer(consumers), 'https://evil.example', '']) {
      expect(await identify(on('common', keyIssuer), v2)).toBe('token_key_unfit')
      expect(await identify(on(tenant, keyIssuer), v2)).toBe('token_key_unfit')
    }
  })
})

describe('keycloak', () => {
  const on = (settings: Partial<JwtSettings> = {}): Bench =>
    bench(
      'keycloak',
      { url: 'https://id.example.com/auth/', realm: 'main' },
      { audience: ['catalog'], ...settings },
    )
  const access = {
    ...times,
    jti: 'j',
    iss: 'https://id.example.com/auth/realms/main',
    aud: ['catalog', 'account'],
    sub: 'f3c1',
    typ: 'Bearer',
    azp: 'web',
    sid: 's',
    acr: '1',
    'allowed-origins': ['https://app.example.com'],
    realm_access: { roles: ['viewer', 'offline_access'] },
    resource_access: { catalog: { roles: ['manage'] } },
    scope: 'openid profile',
    preferred_username: 'alice',
  }

  it('knows access tokens, realm roles and the issuing client', async () => {
    expect(await identify(on(), access)).toMatchObject({
      subject: 'f3c1',
      client: 'web',
      scopes: ['openid', 'profile'],
      roles: ['viewer', 'offline_access'],
    })
  })

  it('reads client roles where the settings say so', async () => {
    const own = bench(
      'keycloak',
      { url: 'https://id.example.com/auth', realm: 'main' },
      { audience: ['catalog'] },
      {
        claims: { roles: ['resource_access', 'catalog', 'roles'] },
      },
    )
    expect(await identify(own, access)).toMatchObject({ roles: ['manage'] })
  })

  it('refuses ID tokens, refresh tokens and a token without an audience', async () => {
    const id = {
      ...times,
      iss: access.iss,
      aud: 'web',
      sub: 'f3c1',
      typ: 'ID',
      azp: 'web',
      at_hash: 'x',
      nonce: 'n',
    }
    expect(await identify(on(), id)).toBe('token_audience')
    expect(await identify(on({ audience: ['web'] }), id)).toBe('token_kind')
    expect(await identify(on(), { ...access, typ: 'Refresh' })).toBe('token_kind')
    expect(await identify(on(), { ...access, typ: 'Logout' })).toBe('token_kind')
    expect(await identify(on(), { ...access, aud: undefined })).toBe('token_audience')
  })

  it('refuses a token of another realm', async () => {
    expect(await identify(on(), { ...access, iss: 'https://id.example.com/auth/realms/master' })).toBe(
      'token_issuer',
    )
  })
})

describe('google', () => {
  const client = '1234987819200.apps.googleusercontent.com'
  const on = (settings: Partial<JwtSettings> = {}): Bench =>
    bench('google', {}, { audience: [client], ...settings })
  const id = {
    ...times,
    iss: 'https://accounts.google.com',
    azp: client,
    aud: client,
    sub: '10769150350006150715113082367',
    at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
    hd: 'example.com',
    email: 'alice@example.com',
    email_verified: true,
  }

  it('refuses its ID tokens, with or without their hash and nonce', async () => {
    const { at_hash: _hash, ...plain } = id
    expect(await identify(on(), id)).toBe('token_kind')
    expect(await identify(on(), { ...plain, nonce: 'n' })).toBe('token_kind')
    expect(await identify(on(), plain)).toBe('token_kind')
  })

  it('takes them where the authenticator says so, under both published issuers', async () => {
    const stand = on({ accept: 'id-token' })
    expect(await identify(stand, id)).toMatchObject({
      subject: id.sub,
      client,
      issuer: 'https://accounts.google.com',
    })
    expect(await identify(stand, { ...id, iss: 'accounts.google.com' })).toMatchObject({ subject: id.sub })
    expect(await identify(stand, { ...id, iss: 'http://accounts.google.com' })).toBe('token_issuer')
    expect(await identify(stand, { ...id, iss: 'https://accounts.google.com/' })).toBe('token_issuer')
    stand.revocations.covers = ({ issuer }) => issuer === 'https://accounts.google.com'
    expect(await identify(stand, { ...id, iss: 'accounts.google.com' })).toBe('token_revoked')
  })
})

describe('a key that names an issuer', () => {
  it('signs for no other one, whatever the provider type', async () => {
    const claims = {
      ...times,
      iss: 'https://login.example.com',
      sub: 'a',
      aud: 'https://api.example.com',
      tid: 't',
    }
    const on = (keyIssuer: string): Bench =>
      bench('oidc', { issuer: 'https://login.example.com' }, {}, {}, { ...signer.jwk, issuer: keyIssuer })
    expect(await identify(on('https://login.example.com'), claims)).toMatchObject({ subject: 'a' })
    expect(await identify(on('https://other.example.com'), claims)).toBe('token_key_unfit')
    expect(await identify(on('https://login.example.com/{tenantid}'), claims)).toBe('token_key_unfit')
  })
})

describe('settings that cannot work', () => {
  const fault = (type: ProviderType, parameters: Readonly<Record<string, string>>): string | undefined =>
    configurationFault(providerSettings({ type, parameters }))

  it.each<[ProviderType, Readonly<Record<string, string>>, RegExp]>([
    ['oidc', {}, /issuer.*missing/],
    ['oidc', { issuer: 'login.example.com' }, /absolute/],
    ['oidc', { issuer: 'https://x.example/?a=b' }, /query/],
    ['auth0', { domain: 'https://example.auth0.com' }, /host name alone/],
    ['auth0', { domain: 'example.auth0.com/' }, /host name alone/],
    ['okta', { domain: 'https://example.okta.com' }, /host name alone/],
    ['okta', { domain: '', authorizationServer: 'default' }, /missing/],
    ['cognito', { region: 'Ireland', userPoolId: 'eu-west-1_A' }, /region/],
    ['cognito', { region: 'eu-west-1', userPoolId: 'pool' }, /userPoolId/],
    ['cognito', { region: 'eu-west-1', userPoolId: 'us-east-1_AbC' }, /another/],
    ['entra', { tenant: 'contoso.onmicrosoft.com' }, /GUID/],
    ['entra', {}, /GUID/],
    ['keycloak', { url: '/auth', realm: 'main' }, /absolute/],
    ['keycloak', { url: 'https://id.example.com' }, /realm/],
  ])('are named: %s %j', (type, parameters, message) => {
    expect(fault(type, parameters)).toMatch(message)
  })

  it.each<[ProviderType, Readonly<Record<string, string>>, readonly string[]]>([
    ['oidc', { issuer: 'https://login.example.com/' }, ['https://login.example.com/']],
    ['auth0', { domain: 'example.eu.auth0.com' }, ['https://example.eu.auth0.com/']],
    [
      'okta',
      { domain: 'example.okta.com', authorizationServer: 'aus1' },
      ['https://example.okta.com/oauth2/aus1'],
    ],
    [
      'cognito',
      { region: 'cn-north-1', userPoolId: 'cn-north-1_AbC' },
      ['https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC'],
    ],
    [
      'entra',
      { tenant: 'organizations' },
      ['https://login.microsoftonline.com/{tenantid}/v2.0', 'https://sts.windows.net/{tenantid}/'],
    ],
    ['keycloak', { url: 'http://127.0.0.1:8081', realm: 'a b' }, ['http://127.0.0.1:8081/realms/a%20b']],
    ['google', {}, ['https://accounts.google.com', 'accounts.google.com']],
  ])('are none: %s %j', (type, parameters, issuers) => {
    expect(fault(type, parameters)).toBeUndefined()
    expect(expectedIssuers(providerSettings({ type, parameters }))).toEqual(issuers)
  })

  it('a plain provider without discovery needs the address of its keys; the known ones bring theirs', () => {
    expect(hasKeySource(providerSettings())).toBe(false)
    expect(hasKeySource(providerSettings({ discovery: true }))).toBe(true)
    expect(hasKeySource(providerSettings({ endpoints: { jwks: 'https://x.example/keys' } }))).toBe(true)
    expect(hasKeySource(providerSettings({ type: 'google', parameters: {} }))).toBe(true)
  })

  it('a missing parameter throws rather than become part of an issuer', () => {
    expect(() => profileFor(providerSettings({ type: 'auth0', parameters: {} }))).toThrow(/domain/)
  })
})

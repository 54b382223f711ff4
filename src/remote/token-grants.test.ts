import { afterEach, describe, expect, it } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../test/harness/authorization-server.ts'
import { clientAt } from '../../test/support/provider-client.ts'
import { fetchClientToken } from './client-credentials.ts'
import { OAuthFailure } from './oauth-failure.ts'
import type { ProviderClient } from './provider-client.ts'
import { revokeToken } from './revocation.ts'
import { exchangeToken } from './token-exchange.ts'

const closers: (() => unknown)[] = []
const clock = { now: () => 1_000_000 }
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function setUp(): Promise<{ server: AuthorizationServer; client: ProviderClient }> {
  const server = await startAuthorizationServer()
  const { client, close } = clientAt(server.issuer)
  closers.push(() => server.close(), close)
  return { server, client }
}

async function faultOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof OAuthFailure ? `${error.fault}: ${error.message}` : 'none'
}

const good = { access_token: 'tok', token_type: 'Bearer', expires_in: 60, issued_token_type: accessToken }

describe('a token exchange', () => {
  const request = {
    subjectToken: 'subject',
    subjectTokenType: 'access_token',
    audience: 'backend',
    scope: 'a b',
  } as const

  it('asks for an access token for that audience and scope', async () => {
    const { server, client } = await setUp()
    server.issue = () => ({ body: good })
    expect(await exchangeToken(client, request, clock)).toEqual({ token: 'tok', expiresAt: 1_060_000 })
    expect(Object.fromEntries(server.forms[0]!.form)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'subject',
      subject_token_type: accessToken,
      requested_token_type: accessToken,
      audience: 'backend',
      scope: 'a b',
    })
    server.issue = () => ({ body: { ...good, token_type: 'bearer', expires_in: '60' } })
    expect(await exchangeToken(client, request, clock)).toMatchObject({ expiresAt: 1_060_000 })
    server.issue = () => ({ body: { ...good, expires_in: undefined } })
    expect(await exchangeToken(client, request, clock)).toMatchObject({ expiresAt: 1_060_000 })
  })

  it.each<[string, Record<string, unknown>]>([
    ['no token', { access_token: undefined }],
    ['a token that would end the field', { access_token: 'a\r\nX-Admin: 1' }],
    ['a token with a space', { access_token: 'a b' }],
    ['a token as an object', { access_token: {} }],
    ['an endless token', { access_token: 'x'.repeat(17_000) }],
    ['a token that no field carries', { token_type: 'N_A' }],
    ['a bound token', { token_type: 'DPoP' }],
    ['no token type', { token_type: undefined }],
    ['no kind', { issued_token_type: undefined }],
    ['a refresh token', { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
    ['an ID token', { issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['the same token', { access_token: 'subject' }],
    ['no life', { expires_in: 0 }],
    ['a negative life', { expires_in: -5 }],
    ['an endless life', { expires_in: 1e12 }],
    ['a life in words', { expires_in: 'long' }],
  ])('refuses an answer with %s', async (_what, change) => {
    const { server, client } = await setUp()
    server.issue = () => ({ body: { ...good, ...change } })
    expect(await faultOf(exchangeToken(client, request, clock))).toMatch(/^malformed/)
  })

  it('that the provider refuses says its code and nothing else', async () => {
    const { server, client } = await setUp()
    server.issue = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'subject' } })
    expect(await faultOf(exchangeToken(client, request, clock))).toBe(
      'refused: the token endpoint refused: invalid_grant',
    )
    server.issue = () => ({ status: 400, body: { error: 'subject <b>' } })
    expect(await faultOf(exchangeToken(client, request, clock))).toMatch(/^malformed: .* status 400/)
    server.issue = () => ({ body: '{"access_token":"a","access_token":"b"}' })
    expect(await faultOf(exchangeToken(client, request, clock))).toMatch(/not one strict JSON object/)
  })
})

describe('client credentials', () => {
  it('name the audience in the words that the provider knows', async () => {
    const { server, client } = await setUp()
    server.issue = () => ({ body: good })
    const audience = 'https://backend.example'
    await fetchClientToken(client, { audience, scope: 's', namesResource: true }, clock)
    await fetchClientToken(client, { audience: 'backend', namesResource: true }, clock)
    await fetchClientToken(client, { audience, namesResource: false }, clock)
    await fetchClientToken(client, { namesResource: true }, clock)
    expect(server.forms.map(({ form }) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials', scope: 's', audience, resource: audience },
      { grant_type: 'client_credentials', audience: 'backend' },
      { grant_type: 'client_credentials', audience },
      { grant_type: 'client_credentials' },
    ])
  })
})

describe('a revocation', () => {
  it('names the token and its kind, and is over with a 200', async () => {
    const { server, client } = await setUp()
    await revokeToken(client, 'tok', 'refresh_token')
    expect(Object.fromEntries(server.forms[0]!.form)).toEqual({
      token: 'tok',
      token_type_hint: 'refresh_token',
    })
    server.misbehave = ({ path }) => (path === '/revoke' ? { status: 400, body: {} } : undefined)
    expect(await faultOf(revokeToken(client, 'tok', 'access_token'))).toMatch(/^refused: .* status 400/)
  })
})

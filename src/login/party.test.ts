import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import { profileFor } from '../engine/providers/registry.ts'
import type { ProviderSettings } from '../engine/providers/settings.ts'
import type { LoginFetch, LoginProvider } from './dependencies.ts'
import { faultOf } from './fault.ts'
import { readIdToken } from './id-token.ts'
import { createParty } from './party.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const other = '99999999-2222-3333-4444-555555555555'
const login = 'https://login.microsoftonline.com'
const clock = { now: (): number => Date.now() }
const client: ClientSettings = { id: 'web', method: 'secret', secrets: [] }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const settings: ProviderSettings = {
  name: 'entra',
  type: 'entra',
  parameters: { tenant: 'common' },
  discovery: true,
  endpoints: {},
  clockSkew: 30_000,
  staleKeys: 0,
  claims: {},
  allowInsecure: false,
  tenants: [tenant, other],
} as ProviderSettings

function idToken(claims: Record<string, unknown>, key: KeyObject = privateKey): string {
  const now = Math.floor(Date.now() / 1000)
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = `${encode({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${encode({ aud: 'web', sub: 's', tid: tenant, iat: now, exp: now + 300, nonce: 'n', ...claims })}`
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

function provider(answer: (request: LoginFetch) => Response): LoginProvider {
  const profile = profileFor(settings)
  return {
    settings,
    profile,
    keySet: {
      generation: 1,
      holds: () => true,
      find: () => ({
        outcome: 'found',
        generation: 1,
        key: { key: publicKey, kty: 'RSA', kid: 'k' },
      }),
    },
    metadata: async () => ({
      document: {
        issuer: `${login}/{tenantid}/v2.0`,
        token_endpoint: 'https://evil.example/token',
        id_token_signing_alg_values_supported: ['RS256'],
      },
      endpoints: {
        authorization_endpoint: `${login}/common/oauth2/v2.0/authorize`,
        token_endpoint: `${login}/common/oauth2/v2.0/token`,
      },
      mtlsEndpoints: {},
    }),
    fetch: async (_client, request) => answer(request),
    proofs: async () => [{ authorization: 'Basic eA==', members: {}, worked: () => undefined }],
  }
}

const callback = new URL('https://app.example.com/.portcullis/callback/entra?code=c&state=s')
const checks = { state: 's', nonce: 'n', verifier: 'v'.repeat(43) }
const tokensWith = (token: string): Response =>
  Response.json({ access_token: 'a', token_type: 'Bearer', expires_in: 60, id_token: token })

describe('a provider of many tenants', () => {
  it('signs in the users of each, by the issuer of their own tenant', async () => {
    for (const tid of [tenant, other]) {
      const entra = provider(() => tokensWith(idToken({ iss: `${login}/${tid}/v2.0`, tid })))
      const tokens = await createParty(entra, client, clock).redeem(callback, checks)
      const claims = await readIdToken(tokens.idToken!, {
        provider: entra,
        clock,
        client: 'web',
        nonce: 'n',
        accessToken: 'a',
      })
      expect(claims['tid']).toBe(tid)
    }
  })

  it('believes no tenant that its issuer does not name', async () => {
    const entra = provider(() => tokensWith(idToken({ iss: `${login}/${other}/v2.0`, tid: tenant })))
    const error: unknown = await createParty(entra, client, clock)
      .redeem(callback, checks)
      .catch((each: unknown) => each)
    expect(faultOf(error).kind).toBe('unbelievable')
  })

  it('asks the endpoints that were read with care, not those of the document', async () => {
    const asked: string[] = []
    const entra = provider(({ url }) => {
      asked.push(url)
      return tokensWith(idToken({ iss: `${login}/${tenant}/v2.0` }))
    })
    await createParty(entra, client, clock).redeem(callback, checks)
    expect(asked).toEqual([`${login}/common/oauth2/v2.0/token`])
  })
})

describe('what went wrong', () => {
  it.each([
    [new Response('x', { status: 500 }), 'away'],
    [new Response('x', { status: 429 }), 'away'],
    [Response.json({ error: 'server_error' }, { status: 400 }), 'away'],
    [
      Response.json({ error: 'invalid_grant', error_description: 'secret words' }, { status: 400 }),
      'refused',
    ],
    [Response.json({ error: 'no good', error_description: 'x' }, { status: 400 }), 'refused'],
    [new Response('<html>', { status: 200 }), 'unbelievable'],
    [Response.json({ token_type: 'Bearer' }), 'unbelievable'],
    [Response.json({ access_token: 'top-secret', token_type: 'mac' }), 'unbelievable'],
  ])('is told in three kinds, and no answer is repeated', async (response, kind) => {
    const entra = provider(() => response)
    const error: unknown = await createParty(entra, client, clock)
      .refresh('r')
      .catch((each: unknown) => each)
    const fault = faultOf(error)
    expect(fault.kind).toBe(kind)
    expect(JSON.stringify(fault)).not.toMatch(/secret|<html>|no good/)
  })

  it('is away where the metadata cannot be had, or nothing came', async () => {
    class FetchError extends Error {
      override readonly name = 'FetchError'
    }
    const silent = provider(() => {
      throw new FetchError('nobody answers')
    })
    const error: unknown = await createParty(silent, client, clock)
      .refresh('r')
      .catch((each: unknown) => each)
    expect(faultOf(error)).toEqual({ kind: 'away', detail: 'nobody answers' })
    const unknown = { ...silent, metadata: () => Promise.reject(new Error('no metadata')) }
    const second: unknown = await createParty(unknown, client, clock)
      .refresh('r')
      .catch((each: unknown) => each)
    expect(faultOf(second)).toEqual({ kind: 'away', detail: 'no metadata' })
  })
})

/** A service that renews its own tokens while it works: with openid-client against the embedded provider, plain and DPoP-bound. */
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevProvider, type DevProvider } from '../../src/dev-idp/server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const audience = 'https://catalog.example'
/** Seconds. */
const lifetime = 5
/** Seconds that a token is still good for when the next one is asked for: enough to show that both are. */
const spare = 3

let provider: DevProvider
let upstream: TestUpstream
let test: TestGateway
let configuration: oauth.Configuration

beforeAll(async () => {
  provider = await startDevProvider({ audience, accessTokenLifetime: lifetime })
  upstream = await startTestUpstream()
  test = await startTestGateway(`
version: 1
providers: { dev: { type: oidc, issuer: "${provider.issuer}", clockSkew: 0s } }
authenticators:
  token: { type: jwt, provider: dev, audience: "${audience}", maxLifetime: 1h }
  bound: { type: jwt, provider: dev, audience: "${audience}", maxLifetime: 1h, binding: dpop }
upstreams: { catalog: { targets: ["${upstream.url}"] } }
routes:
  - { id: plain, match: { path: /plain/* }, authenticate: [token], authorize: { scopes: [catalog:read] }, upstream: catalog }
  - { id: bound, match: { path: /bound/* }, authenticate: [bound], authorize: { scopes: [catalog:read] }, upstream: catalog }
`)
  configuration = await oauth.discovery(
    new URL(provider.issuer),
    'catalog-sync',
    'catalog-sync-secret',
    undefined,
    // The provider of the test is on loopback, in the clear.
    // oxlint-disable-next-line typescript/no-deprecated -- the library's mark against use in production
    { execute: [oauth.allowInsecureRequests] },
  )
})

afterAll(async () => {
  await test.stop()
  await upstream.close()
  await provider.close()
})

/** Keeps a token good: asks for the next one while the last is still good. */
class TokenSource {
  readonly #options: oauth.DPoPOptions
  /** Every token so far, newest last. */
  readonly tokens: string[] = []
  #renewAt = 0

  constructor(options: oauth.DPoPOptions = {}) {
    this.#options = options
  }

  async current(): Promise<string> {
    if (Date.now() >= this.#renewAt) {
      const answer = await oauth.clientCredentialsGrant(configuration, { resource: audience }, this.#options)
      this.tokens.push(answer.access_token)
      this.#renewAt = Date.now() + ((answer.expires_in ?? 0) - spare) * 1_000
    }
    return this.tokens.at(-1)!
  }
}

function call(
  path: string,
  token: string,
  options: oauth.DPoPOptions = {},
): Promise<{ readonly status: number; readonly code: string | undefined }> {
  return oauth
    .fetchProtectedResource(
      configuration,
      token,
      new URL(`${test.url}${path}`),
      'GET',
      undefined,
      undefined,
      options,
    )
    .then(read, (error: unknown) => {
      // The library turns a 401 with a challenge into an error that holds the answer.
      const { response } = error as { readonly response?: Response }
      if (response === undefined) throw error
      return read(response)
    })
}

async function read(
  response: Response,
): Promise<{ readonly status: number; readonly code: string | undefined }> {
  const text = await response.text()
  const { code } = response.ok ? {} : (JSON.parse(text) as { readonly code?: string })
  return { status: response.status, code }
}

const jtiOf = (token: string): string =>
  String((JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: unknown }).jti)

/** Works through three tokens without a refused call; each token that was replaced is revoked. */
async function workThrough(
  path: string,
  source: TokenSource,
  options: oauth.DPoPOptions = {},
): Promise<void> {
  let revoked = 0
  while (source.tokens.length < 3) {
    const token = await source.current()
    expect(await call(path, token, options)).toEqual({ status: 200, code: undefined })
    const old = source.tokens.slice(revoked, -1)
    for (const each of old) {
      expect((await call(path, each, options)).status).toBe(200)
      await test.gateway.revocations.revoke({ kind: 'jti', value: jtiOf(each) }, 'test')
      expect(await call(path, each, options)).toEqual({ status: 401, code: 'credential_revoked' })
      revoked += 1
    }
  }
}

describe.concurrent('a service that renews its own tokens', () => {
  it('is never refused while it works, and each token that it let go of can be revoked', async ({
    expect,
  }) => {
    const source = new TokenSource()
    await workThrough('/plain/items', source)
    expect(new Set(source.tokens).size).toBe(3)
    const seen = upstream.requests.filter(({ url }) => url === '/plain/items')
    expect(new Set(seen.map(({ headers }) => headers['x-auth-subject']))).toEqual(new Set(['catalog-sync']))
    expect(seen.every(({ headers }) => headers.authorization === undefined)).toBe(true)
    expect(seen.every(({ headers }) => typeof headers['x-portcullis-assertion'] === 'string')).toBe(true)
    await expect
      .poll(() => call('/plain/items', source.tokens[2]!), { timeout: 5_000 })
      .toEqual({
        status: 401,
        code: 'credential_expired',
      })
  })

  it('does the same with tokens that are bound to its key, which nobody else can use', async ({ expect }) => {
    const DPoP = oauth.getDPoPHandle(configuration, await oauth.randomDPoPKeyPair('ES256'))
    const source = new TokenSource({ DPoP })
    const work = workThrough('/bound/items', source, { DPoP })
    await expect.poll(() => source.tokens.length).toBeGreaterThan(0)
    const stolen = source.tokens[0]!
    const other = oauth.getDPoPHandle(configuration, await oauth.randomDPoPKeyPair('ES256'))
    expect(await call('/bound/items', stolen, { DPoP: other })).toMatchObject({
      status: 401,
      code: 'credential_invalid',
    })
    expect(await call('/bound/items', stolen)).toMatchObject({ status: 401, code: 'credential_invalid' })
    expect(await call('/plain/items', stolen)).toMatchObject({ status: 401, code: 'credential_invalid' })
    await work
  })

  it('goes on while the provider rotates its keys', async ({ expect }) => {
    const source = new TokenSource()
    expect((await call('/plain/keys', await source.current())).status).toBe(200)
    await provider.rotateKeys()
    const fresh = new TokenSource()
    expect((await call('/plain/keys', await fresh.current())).status).toBe(200)
    expect((await call('/plain/keys', source.tokens[0]!)).status).toBe(200)
  })
})

/** Tokens that are bound to a key, got and used with clients that others wrote, from a provider that binds them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as dpop from 'dpop'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevProvider, type DevProvider } from '../../src/dev-idp/server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const audience = 'https://catalog.example'
let provider: DevProvider
let backend: Server
let test: TestGateway
let config: oidc.Configuration

beforeAll(async () => {
  provider = await startDevProvider({
    audience,
    port: 0,
    clients: [{ id: 'service', secret: 'service-secret', grants: ['client_credentials'], redirectUris: [] }],
  })
  backend = createServer((request, response) => {
    if (request.url !== '/live/events') {
      response.end(JSON.stringify(request.headers))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('data: x\n\n'), 50)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  test = await startTestGateway(`
version: 1
providers: { dev: { type: oidc, issuer: "${provider.issuer}" } }
authenticators:
  token: { type: jwt, provider: dev, audience: ${audience} }
  bound: { type: jwt, provider: dev, audience: ${audience}, binding: dpop, dpop: { nonce: true } }
upstreams: { catalog: { targets: ["http://127.0.0.1:${(backend.address() as AddressInfo).port}"] } }
routes:
  - { id: plain, match: { path: /plain/* }, authenticate: [token], upstream: catalog }
  - { id: bound, match: { path: /bound/* }, authenticate: [bound], authorize: { scopes: [catalog:read] }, upstream: catalog, cors: { origins: ["https://app.example.com"] } }
  - { id: live, match: { path: /live/* }, authenticate: [token], upstream: catalog }
`)
  config = await oidc.discovery(new URL(provider.issuer), 'service', 'service-secret', undefined, {
    execute: [oidc.allowInsecureRequests],
  })
})

afterAll(async () => {
  await test.stop()
  await provider.close()
  await new Promise<void>((resolve) => {
    backend.close(() => resolve())
    backend.closeAllConnections()
  })
})

/** A fresh key, and a token of the provider that is bound to it. */
async function boundToken(): Promise<{ token: string; keys: dpop.KeyPair; handle: oidc.DPoPHandle }> {
  const keys = await oidc.randomDPoPKeyPair('ES256')
  const handle = oidc.getDPoPHandle(config, keys)
  const answer = await oidc.clientCredentialsGrant(config, { scope: 'catalog:read' }, { DPoP: handle })
  expect(answer.token_type).toBe('dpop')
  return { token: answer.access_token, keys, handle }
}

describe('openid-client', () => {
  it('gets a bound token, is asked for a nonce, and passes', async () => {
    const { token, handle } = await boundToken()
    for (let n = 0; n < 3; n += 1) {
      const url = new URL(`${test.url}/bound/items?n=${n}`)
      const answer = await oidc.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, {
        DPoP: handle,
      })
      expect(answer.status).toBe(200)
      const seen = (await answer.json()) as Record<string, string>
      expect(seen).toMatchObject({ 'x-auth-client': 'service' })
      expect(seen).not.toHaveProperty('dpop')
      expect(seen).not.toHaveProperty('authorization')
    }
  })

  it('is refused without its key', async () => {
    const { token } = await boundToken()
    const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const url = new URL(`${test.url}/plain/items`)
    const ask = (options?: oidc.DPoPOptions): Promise<Response> =>
      oidc.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, options)
    await expect(ask()).rejects.toMatchObject({ status: 401 })
    await expect(ask({ DPoP: other })).rejects.toMatchObject({ status: 401 })
  })
})

describe('the dpop package with fetch', () => {
  const proofFor = async (
    { token, keys }: { token: string; keys: dpop.KeyPair },
    path: string,
    nonce?: string,
  ): Promise<Record<string, string>> => ({
    authorization: `DPoP ${token}`,
    dpop: await dpop.generateProof(keys, `${test.url}${path}`, 'GET', nonce, token),
  })

  it('passes once for each proof, also where binding is not asked for', async () => {
    const headers = await proofFor(await boundToken(), '/plain/items')
    expect((await fetch(`${test.url}/plain/items`, { headers })).status).toBe(200)
    expect((await fetch(`${test.url}/plain/items`, { headers })).status).toBe(401)
  })

  it('lets scripts of an allowed origin read the nonce that they need', async () => {
    const bound = await boundToken()
    const headers = { ...(await proofFor(bound, '/bound/items')), origin: 'https://app.example.com' }
    const refused = await fetch(`${test.url}/bound/items`, { headers })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce')
    expect(refused.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"')
    const nonce = refused.headers.get('dpop-nonce') ?? ''
    const again = await fetch(`${test.url}/bound/items`, {
      headers: await proofFor(bound, '/bound/items', nonce),
    })
    expect(again.status).toBe(200)
  })

  it('keeps a stream open without further proofs, until the token is revoked', async () => {
    const bound = await boundToken()
    const answer = await fetch(`${test.url}/live/events`, {
      headers: await proofFor(bound, '/live/events'),
    })
    expect(answer.status).toBe(200)
    const reader = answer.body!.getReader()
    const until = Date.now() + 2_200
    while (Date.now() < until) expect((await reader.read()).done).toBe(false)
    const { jti } = JSON.parse(Buffer.from(bound.token.split('.')[1]!, 'base64url').toString()) as {
      jti: string
    }
    await test.gateway.revocations.revoke({ kind: 'jti', value: jti, issuer: provider.issuer }, 'test')
    const cut = async (): Promise<boolean> => {
      try {
        for (;;) if ((await reader.read()).done) return true
      } catch {
        return true
      }
    }
    expect(await cut()).toBe(true)
  })
})

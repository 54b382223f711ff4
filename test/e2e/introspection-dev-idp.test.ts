/** Introspection at the embedded provider: opaque tokens, and each way in which a client proves itself there. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevProvider, type DevProvider } from '../../src/dev-idp/server.ts'
import type { DevClient } from '../../src/dev-idp/users.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const audience = 'https://catalog.example'
const keys = {
  ed25519: generateKeyPairSync('ed25519'),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}
const base = { grants: ['client_credentials'], redirectUris: [], scopes: ['catalog:read'] } as const

function signing(name: keyof typeof keys): DevClient {
  return { ...base, id: name, keys: [{ ...keys[name].publicKey.export({ format: 'jwk' }), use: 'sig' }] }
}

const clients: readonly DevClient[] = [
  { ...base, id: 'service', secret: 'service secret: +&%', accessTokens: 'opaque', roles: ['service'] },
  { ...base, id: 'basic', secret: 'b: +&%' },
  { ...base, id: 'post', secret: 'p', secretIn: 'form' },
  { ...base, id: 'signed', secret: 's', signedIntrospection: true },
  signing('ed25519'),
  signing('p256'),
  signing('rsa'),
]

let provider: DevProvider
let upstream: TestUpstream
let gateway: TestGateway

beforeAll(async () => {
  provider = await startDevProvider({ audience, port: 0, clients })
  upstream = await startTestUpstream()
  const own: Readonly<Record<string, string>> = {
    basic: 'secret: "b: +&%"',
    post: 'secret: p',
    signed: 'secret: s',
    ed25519: 'method: private_key_jwt, key: ed25519.pem',
    p256: 'method: private_key_jwt, key: p256.pem',
    rsa: 'method: private_key_jwt, key: rsa.pem',
  }
  const names = Object.keys(own)
  const authenticators = names.map(
    (name) =>
      `  ${name}: { type: introspection, provider: dev, audience: ${audience}, client: { id: ${name}, ${own[name]} }${name === 'signed' ? ', signedAnswers: required' : ''} }`,
  )
  const routes = names.map(
    (name) =>
      `  - { id: ${name}, match: { path: /${name} }, authenticate: [${name}], authorize: { scopes: [catalog:read] }, upstream: catalog }`,
  )
  gateway = await startTestGateway(
    `
version: 1
providers: { dev: { type: oidc, issuer: "${provider.issuer}" } }
authenticators:
${authenticators.join('\n')}
upstreams: { catalog: { targets: ["${upstream.url}"] } }
routes:
${routes.join('\n')}
  - id: own
    match: { path: /own }
    authenticate: none
    forward: { clientCredentials: { provider: dev, client: { id: basic, ${own['basic']} }, audience: ${audience}, scope: catalog:read } }
    upstream: catalog
`,
    {
      files: Object.fromEntries(
        Object.entries(keys).map(([name, { privateKey }]) => [
          `${name}.pem`,
          privateKey.export({ type: 'pkcs8', format: 'pem' }),
        ]),
      ),
    },
  )
})

afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  await provider.close()
})

async function opaqueToken(): Promise<string> {
  const pair = ['service', 'service secret: +&%'].map(encodeURIComponent).join(':')
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'catalog:read',
      resource: audience,
    }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  return token
}

function ask(path: string, token: string): Promise<Response> {
  return fetch(`${gateway.url}/${path}`, {
    headers: { connection: 'close', authorization: `Bearer ${token}` },
  })
}

describe('an opaque token', () => {
  it.each(['basic', 'post', 'signed', 'ed25519', 'p256', 'rsa'])(
    'is looked up by a client that proves itself as %s',
    async (name) => {
      const token = await opaqueToken()
      expect(token).not.toContain('.')
      expect((await ask(name, token)).status).toBe(200)
      expect(upstream.requests.at(-1)!.headers).toMatchObject({
        'x-auth-subject': 'service',
        'x-auth-client': 'service',
        'x-auth-scopes': 'catalog:read',
        'x-auth-roles': 'service',
      })
    },
  )

  it('that was made up, or is signed and not looked up there, is refused', async () => {
    expect((await ask('basic', 'made-up')).status).toBe(401)
    expect((await ask('basic', await provider.mintAccessToken('viewer'))).status).toBe(401)
  })
})

it('the gateway gets a token of its own for a backend, which the provider names as the audience', async () => {
  expect((await fetch(`${gateway.url}/own`, { headers: { connection: 'close' } })).status).toBe(200)
  const { authorization = '' } = upstream.requests.at(-1)!.headers
  const claims = JSON.parse(Buffer.from(authorization.split('.')[1]!, 'base64url').toString()) as object
  expect(claims).toMatchObject({ aud: audience, client_id: 'basic', scope: 'catalog:read' })
})

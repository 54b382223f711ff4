/** Introspection at an authorization server of a make that nobody here wrote. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { client, hasGlewlwyd, resource, startGlewlwyd, type Glewlwyd } from '../harness/glewlwyd.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

describe.runIf(hasGlewlwyd())('glewlwyd', () => {
  let server: Glewlwyd
  let upstream: TestUpstream
  let gateway: TestGateway

  beforeAll(async () => {
    server = await startGlewlwyd()
    upstream = await startTestUpstream()
    const own = `provider: corp, client: { id: ${client.id}, secret: "${client.secret}" }`
    gateway = await startTestGateway(`
version: 1
providers: { corp: { type: oidc, issuer: "${server.issuer}" } }
authenticators:
  plain: { type: introspection, ${own}, audience: ${resource}, cacheFor: 100ms }
  signed: { type: introspection, ${own}, audience: ${resource}, signedAnswers: required }
  users: { type: introspection, ${own}, audience: read }
upstreams: { backend: { targets: ["${upstream.url}"] } }
routes:
  - { id: plain, match: { path: /plain }, authenticate: [plain], authorize: { scopes: [read] }, upstream: backend }
  - { id: signed, match: { path: /signed }, authenticate: [signed], authorize: { scopes: [read] }, upstream: backend }
  - { id: users, match: { path: /users }, authenticate: [users], authorize: { scopes: [read] }, upstream: backend }
  - id: own
    match: { path: /own }
    authenticate: none
    forward: { clientCredentials: { ${own}, scope: read, audience: ${resource} } }
    upstream: backend
`)
  }, 20_000)

  afterAll(async () => {
    await gateway.stop()
    await upstream.close()
    await server.close()
  })

  const ask = (path: string, token: string): Promise<Response> =>
    fetch(`${gateway.url}${path}`, { headers: { connection: 'close', authorization: `Bearer ${token}` } })

  it('vouches for a machine, whose subject is its client', async () => {
    expect((await ask('/plain', await server.clientToken())).status).toBe(200)
    expect(upstream.requests.at(-1)!.headers).toMatchObject({
      'x-auth-subject': 'app',
      'x-auth-client': 'app',
      'x-auth-issuer': server.issuer,
      'x-auth-scopes': 'read',
    })
  })

  it('signs its answers, which are verified with its published keys', async () => {
    expect((await ask('/signed', await server.clientToken())).status).toBe(200)
  })

  it('vouches for a person, and not for the same token as a key to another API', async () => {
    const { access } = await server.userTokens()
    expect((await ask('/users', access)).status).toBe(200)
    const { 'x-auth-subject': subject } = upstream.requests.at(-1)!.headers
    expect(subject).toMatch(/^\w{8,}$/)
    expect((await ask('/plain', access)).status).toBe(401)
  })

  it('says of a refresh token what it is, and it is refused', async () => {
    const { refresh } = await server.userTokens()
    expect((await ask('/users', refresh)).status).toBe(401)
  })

  it('is believed when a token was revoked there', async () => {
    const token = await server.clientToken()
    expect((await ask('/plain', token)).status).toBe(200)
    await server.revoke(token)
    await expect
      .poll(async () => (await ask('/plain', token)).status, { timeout: 3_000, interval: 50 })
      .toBe(401)
  })

  it('gives the gateway a token of its own for a backend', async () => {
    expect((await fetch(`${gateway.url}/own`, { headers: { connection: 'close' } })).status).toBe(200)
    const { authorization = '' } = upstream.requests.at(-1)!.headers
    expect(authorization).toMatch(/^Bearer ey/)
    expect((await ask('/plain', authorization.slice(7))).status).toBe(200)
  })
})

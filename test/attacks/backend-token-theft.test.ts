/** The token that the gateway gets for a backend is worth stealing: nobody may get it, use another's, or go without it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { exchange } from '../support/raw-client.ts'

const issued = 'urn:ietf:params:oauth:token-type:access_token'
let server: AuthorizationServer
let thief: AuthorizationServer
let upstream: TestUpstream
let gateway: TestGateway
let count = 0

beforeAll(async () => {
  server = await startAuthorizationServer()
  thief = await startAuthorizationServer()
  upstream = await startTestUpstream()
  for (const token of ['alice', 'bob']) server.tokens.set(token, { sub: token })
  const client = 'provider: corp, client: { id: gw, secret: s3cret }'
  gateway = await startTestGateway(`
version: 1
lockout: off
providers: { corp: { type: oidc, issuer: "${server.issuer}" } }
authenticators:
  opaque: { type: introspection, audience: https://api.example, ${client} }
upstreams: { orders: { targets: ["${upstream.url}"] } }
routes:
  - { id: exchange, match: { path: /exchange }, authenticate: [opaque], forward: { tokenExchange: { ${client}, audience: a } }, upstream: orders }
  - { id: elsewhere, match: { path: /elsewhere }, authenticate: [opaque], forward: { tokenExchange: { ${client}, audience: b } }, upstream: orders }
  - { id: own, match: { path: /own }, authenticate: none, forward: { clientCredentials: { ${client} } }, upstream: orders }
  - { id: plain, match: { path: /plain }, authenticate: none, upstream: orders }
`)
})

afterAll(async () => {
  await gateway.stop()
  await Promise.all([server.close(), thief.close(), upstream.close()])
})

/** Every token that was issued is another, and says for whom. */
function issueFor(): void {
  server.misbehave = undefined
  server.issue = (form) => ({
    body: {
      access_token: `for-${form.get('subject_token') ?? 'gateway'}-at-${form.get('audience') ?? 'any'}-${(count += 1)}`,
      token_type: 'Bearer',
      expires_in: 300,
      issued_token_type: issued,
    },
  })
}

async function seenAt(
  path: string,
  token?: string,
  headers: Record<string, string> = {},
): Promise<string | undefined> {
  const before = upstream.requests.length
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` }
  await (
    await fetch(`${gateway.url}${path}`, { headers: { connection: 'close', ...authorization, ...headers } })
  ).text()
  return upstream.requests.length === before ? 'nothing' : upstream.requests.at(-1)!.headers.authorization
}

describe('a token for the backend', () => {
  it("is never another caller's, nor another audience's", async () => {
    issueFor()
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await seenAt('/exchange', 'alice')).toMatch(/^Bearer for-alice-at-a-/)
      expect(await seenAt('/exchange', 'bob')).toMatch(/^Bearer for-bob-at-a-/)
      expect(await seenAt('/elsewhere', 'alice')).toMatch(/^Bearer for-alice-at-b-/)
    }
    expect(count).toBe(3)
  })

  it('stands alone: what the client wrote into the same field, in any spelling, is gone', async () => {
    issueFor()
    for (const name of ['authorization', 'AUTHORIZATION', 'Authorization', 'authorization ']) {
      const answer = await exchange(
        gateway.port,
        `GET /own HTTP/1.1\r\nHost: ${gateway.host}:${gateway.port}\r\n${name}: Bearer stolen\r\nConnection: close\r\n\r\n`,
      )
      if (answer.startsWith('HTTP/1.1 400')) continue
      const { rawHeaders } = upstream.requests.at(-1)!
      expect(rawHeaders.filter((line) => line.includes('stolen'))).toEqual([])
      expect(rawHeaders.filter((line) => /^bearer for-gateway/i.test(line))).toHaveLength(1)
    }
    expect(await seenAt('/plain', 'anything')).toBeUndefined()
  })

  it('is in no answer, log line or error', async () => {
    issueFor()
    upstream.answer = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    const response = await fetch(`${gateway.url}/own`, { headers: { connection: 'close' } })
    const text = `${JSON.stringify([...response.headers])}${await response.text()}${gateway.lines.join('')}`
    expect(text).not.toContain('for-gateway')
    upstream.answer = (_request, answer) => answer.writeHead(200).end()
  })
})

describe('without a good token nothing reaches the backend', () => {
  it.each<[string, () => void]>([
    [
      'a provider that is away',
      () => (server.misbehave = ({ path }) => (path === '/token' ? 'reset' : undefined)),
    ],
    [
      'a redirect to the thief',
      () =>
        (server.misbehave = ({ path }) =>
          path === '/token'
            ? { status: 307, headers: { location: `${thief.issuer}/token` }, body: '' }
            : undefined),
    ],
    ['a refusal', () => (server.issue = () => ({ status: 400, body: { error: 'invalid_target' } }))],
    [
      "the caller's own token back",
      () =>
        (server.issue = (form) => ({
          body: { access_token: form.get('subject_token'), token_type: 'Bearer', issued_token_type: issued },
        })),
    ],
    [
      'a token that ends the field',
      () =>
        (server.issue = () => ({
          body: { access_token: 'x\r\nX-Auth-Roles: admin', token_type: 'Bearer', issued_token_type: issued },
        })),
    ],
    [
      'a refresh token',
      () =>
        (server.issue = () => ({
          body: {
            access_token: 'x',
            token_type: 'Bearer',
            issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
          },
        })),
    ],
    [
      'a bound token',
      () =>
        (server.issue = () => ({
          body: { access_token: 'x', token_type: 'DPoP', issued_token_type: issued },
        })),
    ],
  ])('(%s)', async (what, change) => {
    issueFor()
    change()
    const token = `caller-${what.replaceAll(/\W/g, '-')}`
    server.tokens.set(token, {})
    expect(await seenAt('/exchange', token)).toBe('nothing')
    expect(thief.forms).toEqual([])
  })
})

it('a backend that refuses every token is no way to flood the provider', async () => {
  issueFor()
  upstream.answer = (_request, response) => response.writeHead(401).end()
  const before = server.forms.length
  for (let turn = 0; turn < 30; turn += 1) await seenAt('/own')
  // At most one for each second, and one to begin with.
  expect(server.forms.length - before).toBeLessThan(15)
  upstream.answer = (_request, response) => response.writeHead(200).end()
})

/**
 * The Model Context Protocol's own client and server, the gateway between them. The client is given the server's address and
 * nothing else: where to sign in, for which scopes, and as whom, it must find out by itself.
 */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevProvider, type DevProvider } from '../../src/dev-idp/server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const redirectUrl = 'http://127.0.0.1:6274/oauth/callback'
let resource: string
let provider: DevProvider
let backend: Server
let test: TestGateway
/** What the server saw of its callers. */
const seen: Record<string, string | string[] | undefined>[] = []

beforeAll(async () => {
  backend = createHttpServer((request, response) => {
    seen.push(request.headers)
    const server = new McpServer({ name: 'notes', version: '1.0.0' })
    server.registerTool('whoami', { description: 'Who is calling' }, () => ({
      content: [{ type: 'text', text: String(request.headers['x-auth-subject']) }],
    }))
    const transport = new StreamableHTTPServerTransport({})
    void server
      .connect(transport as Parameters<McpServer['connect']>[0])
      .then(() => transport.handleRequest(request, response))
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  resource = `${origin}/notes/mcp`
  provider = await startDevProvider({
    audience: resource,
    port: 0,
    registration: true,
    users: [
      { name: 'alice', password: 'alice-password', roles: ['user'], scopes: ['notes:use', 'notes:admin'] },
      { name: 'bob', password: 'bob-password', roles: ['user'], scopes: [] },
    ],
    clients: [],
  })
  test = await startTestGateway(`
version: 1
publicUrl: ${origin}
listeners: [{ address: "127.0.0.1:${port}" }]
admin: { address: "127.0.0.1:0", token: admin-token }
providers:
  corp: { type: oidc, issuer: "${provider.issuer}" }
authenticators:
  notes: { type: jwt, provider: corp, resource: { id: "${resource}" } }
upstreams:
  notes: { targets: ["http://127.0.0.1:${(backend.address() as AddressInfo).port}"] }
routes:
  - id: notes
    match: { path: /notes/mcp, methods: [GET, POST, DELETE] }
    authenticate: [notes]
    authorize: { scopes: [notes:use] }
    rewrite: { stripPrefix: /notes }
    upstream: notes
`)
})

afterAll(async () => {
  await test.stop()
  await provider.close()
  backend.closeAllConnections()
  await new Promise((resolve) => backend.close(resolve))
})

describe('an MCP client that knows only the address of its server', () => {
  it('finds its way: description, provider, registration, sign-in, token, call', async () => {
    const user = new Person('alice')
    const client = await connect(user)
    expect(user.registered?.client_id).toBeTruthy()
    expect(Object.fromEntries(user.asked!.searchParams)).toMatchObject({
      scope: 'notes:use',
      resource,
      code_challenge_method: 'S256',
    })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['whoami'])
    expect(await client.callTool({ name: 'whoami' })).toMatchObject({ content: [{ text: 'alice' }] })
    await client.close()
    // The server trusts what the gateway says, and never sees the token.
    expect(seen.every((headers) => headers['authorization'] === undefined)).toBe(true)
  })

  it('asks again once its token was revoked, and goes on', async () => {
    const user = new Person('alice')
    const client = await connect(user)
    const first = user.saved!.access_token
    const { jti } = JSON.parse(Buffer.from(first.split('.')[1]!, 'base64url').toString()) as { jti: string }
    const revoked = await fetch(`${test.gateway.adminUrl}/api/v1/revocations`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin-token', 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'jti', value: jti }),
    })
    expect(revoked.status).toBe(201)
    expect(await client.callTool({ name: 'whoami' })).toMatchObject({ content: [{ text: 'alice' }] })
    expect(user.saved!.access_token).not.toBe(first)
    await client.close()
  })

  it('is refused where its user has not the scope, and told which', async () => {
    const user = new Person('bob')
    await expect(connect(user)).rejects.toThrow()
    const answer = await fetch(resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${user.saved!.access_token}` },
    })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer .*error="insufficient_scope", scope="notes:use", resource_metadata="http/,
    )
  })

  it('cannot use a token that the same provider gave for another resource', async () => {
    const token = await provider.mintAccessToken('alice', { audience: `${resource}/other` })
    const answer = await fetch(resource, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(401)
  })
})

/** Connects as MCP hosts do: the first try tells where to sign in, the second has a token. */
async function connect(user: Person): Promise<Client> {
  const first = transportFor(user)
  await expect(new Client({ name: 'test', version: '1' }).connect(first as Transport)).rejects.toThrow(
    UnauthorizedError,
  )
  await first.finishAuth(await user.signIn())
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transportFor(user))
  return client
}

type Transport = Parameters<Client['connect']>[0]

function transportFor(user: Person): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(resource), { authProvider: user })
}

/** Somebody in front of an MCP host: what the host keeps for them, and what they do in the browser. */
class Person implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'test host',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  readonly #name: string
  registered: OAuthClientInformationMixed | undefined
  saved: OAuthTokens | undefined
  asked: URL | undefined
  #verifier = ''

  constructor(name: string) {
    this.#name = name
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.registered
  }

  saveClientInformation(information: OAuthClientInformationMixed): void {
    this.registered = information
  }

  tokens(): OAuthTokens | undefined {
    return this.saved
  }

  saveTokens(tokens: OAuthTokens): void {
    this.saved = tokens
  }

  redirectToAuthorization(url: URL): void {
    this.asked = url
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  /** @returns the code that comes back to the host */
  async signIn(): Promise<string> {
    const cookies = new Map<string, string>()
    const policies: string[] = []
    const go = async (url: string | URL, body?: URLSearchParams): Promise<string> => {
      const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
      const answer = await fetch(new URL(url, provider.issuer), {
        redirect: 'manual',
        headers: { accept: 'text/html', cookie },
        ...(body === undefined ? {} : { method: 'POST', body }),
      })
      policies.push(answer.headers.get('content-security-policy') ?? '')
      for (const line of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = line.slice(0, line.indexOf(';')).split(/=(.*)/s)
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      return answer.headers.get('location') ?? ''
    }
    const page = await go(this.asked!)
    await go(page)
    // A browser would not follow the form's answer to a place that the page's policy does not name.
    expect(policies.at(-1)).toContain(` ${new URL(redirectUrl).origin}`)
    const accepted = await go(
      page,
      new URLSearchParams({ name: this.#name, password: `${this.#name}-password` }),
    )
    const back = new URL(await go(accepted))
    expect(back.href.startsWith(redirectUrl)).toBe(true)
    return back.searchParams.get('code') ?? ''
  }
}

/** The identifier of the resource holds the port, so it must be known before the gateway starts. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

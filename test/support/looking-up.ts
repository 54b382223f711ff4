/** A whole gateway that looks tokens up at a provider which the test holds. */
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

export interface LookingUp extends AsyncDisposable {
  readonly server: AuthorizationServer
  readonly upstream: TestUpstream
  readonly gateway: TestGateway
  readonly ask: (token: string, path?: string) => Promise<Response>
  /** Status and code. */
  readonly told: (token: string, path?: string) => Promise<string>
  /** Tokens that the provider was asked about. */
  readonly looked: () => string[]
}

export interface LookingUpText {
  /** Members of the authenticator. */
  readonly members?: string
  readonly more?: string
  readonly routes?: string
  readonly top?: string
}

export async function startLookingUp(text: LookingUpText = {}): Promise<LookingUp> {
  const server = await startAuthorizationServer()
  const upstream = await startTestUpstream()
  server.tokens.set('opaque', { jti: 'j1' })
  const gateway = await startTestGateway(`
version: 1
${text.top ?? 'lockout: off'}
providers: { corp: { type: oidc, issuer: "${server.issuer}" } }
authenticators:
  opaque: { type: introspection, provider: corp, audience: https://api.example, client: { id: gw, secret: s3cret }${text.members ?? ''} }
${text.more ?? ''}
upstreams: { backend: { targets: ["${upstream.url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: [opaque], upstream: backend }
${text.routes ?? ''}
`)
  const ask = (token: string, path = '/'): Promise<Response> =>
    fetch(`${gateway.url}${path}`, {
      headers: { connection: 'close', authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(20_000),
    })
  return {
    server,
    upstream,
    gateway,
    ask,
    told: async (token, path) => {
      const response = await ask(token, path)
      const body = await response.text()
      return response.status === 200
        ? '200'
        : `${response.status} ${(JSON.parse(body) as { code: string }).code}`
    },
    looked: () =>
      server.forms.filter(({ path }) => path === '/introspect').map(({ form }) => form.get('token') ?? ''),
    [Symbol.asyncDispose]: async () => {
      await gateway.stop()
      await Promise.all([server.close(), upstream.close()])
    },
  }
}

/** A gateway with much of everything configured, as a stranger reads its documentation, and a client that talks to it over bare sockets. */
import { createHash, createHmac } from 'node:crypto'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { encode, startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { rawClient, type RawAnswer } from '../raw-client.ts'
import { startRecordingBackend, type RecordingBackend } from './recording-backend.ts'

type Claims = Readonly<Record<string, unknown>>

export interface Outside {
  readonly gateway: TestGateway
  readonly backend: RecordingBackend
  readonly corp: TestIssuer
  readonly discovered: TestIssuer
  readonly profiles: TestIssuer
  /** A created key, an imported one, and one with a prefix and pepper of its own. */
  readonly keys: { readonly partner: string; readonly imported: string; readonly peppered: string }
  /** A port of each listener: strict, keeping, in order. */
  readonly ports: readonly number[]
  /** A good token of `corp`, with these claims over its own. */
  readonly token: (claims?: Claims, header?: Claims) => string
  /** A token signed with the shared secret. */
  readonly shared: (claims: Claims, secret?: string) => string
  /** Sends bytes and reads one answer; the backend has forgotten what it saw before. */
  readonly ask: (bytes: string, options?: AskOptions) => Promise<RawAnswer>
  stop(): Promise<void>
}

export interface AskOptions {
  readonly port?: number
  /** Local address to come from. */
  readonly from?: string
}

const secret = 'a shared secret of more than thirty-two bytes'
export const corpIssuer = 'https://login.corp.example'
export const importedDigestOf = 'imported+by/digest=only'

/** Milliseconds that anything may take: the machine may be busy. */
export const patience = 15_000

export async function startOutside(top = '', routes = ''): Promise<Outside> {
  const [backend, corp, discovered, profiles] = await Promise.all([
    startRecordingBackend(),
    startTestIssuer('ES256'),
    startTestIssuer('RS256'),
    startTestIssuer('RS256'),
  ])
  const text = configuration(backend.port, { corp, discovered, profiles }, top, routes)
  const gateway = await startTestGateway(text, { env: { SECRET: secret, PEPPER: 'a pepper, long enough' } })
  const make = gateway.gateway.keys
  const granted = { scopes: ['items:read'], roles: ['editor'], tenant: 'acme-eu' }
  const partner = await make.create({ owner: 'acme', authenticator: 'partner-keys', ...granted }, 'test')
  const peppered = await make.create({ owner: 'pepper', authenticator: 'peppered-keys' }, 'test')
  const sha256 = createHash('sha256').update(importedDigestOf).digest('hex')
  await make.import(
    [
      { key: 'imported.key/1', owner: 'old' },
      { sha256, owner: 'older' },
    ],
    'test',
  )
  const ports = gateway.gateway.listenerUrls.map((url) => Number(new URL(url).port))
  return {
    gateway,
    backend,
    corp,
    discovered,
    profiles,
    keys: { partner: partner.key, imported: 'imported.key/1', peppered: peppered.key },
    ports,
    token: (claims = {}, header = {}) => corp.token({ iss: corpIssuer, ...claims }, header),
    shared: (claims, key = secret) => {
      const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
      return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
    },
    async ask(bytes, { port = ports[0]!, from } = {}) {
      backend.forget()
      const local = from === undefined ? {} : { localAddress: from }
      const client = await rawClient({ port, patience, ...local })
      try {
        return await client.send(bytes).answer(bytes.slice(0, bytes.indexOf(' ')))
      } finally {
        client.destroy()
      }
    },
    async stop() {
      await gateway.stop()
      await Promise.all([backend.close(), corp.close(), discovered.close(), profiles.close()])
    },
  }
}

/** A request of the public host. */
export function request(target: string, fields: readonly string[] = [], method = 'GET', body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  return `${[`${method} ${target} HTTP/1.1`, 'Host: api.example.com', ...fields, ...length].join('\r\n')}\r\n\r\n${body}`
}

export function bearer(token: string): string {
  return `Authorization: Bearer ${token}`
}

function configuration(
  port: number,
  issuers: Readonly<Record<'corp' | 'discovered' | 'profiles', TestIssuer>>,
  top: string,
  routes: string,
): string {
  const jwks = `${issuers.profiles.issuer}/jwks`
  return `
version: 1
publicUrl: https://api.example.com
listeners:
  - { address: "127.0.0.1:0" }
  - { address: "127.0.0.1:0", encodedSlashes: keep, pathParameters: keep }
limits: { headers: 8KiB, headerCount: 40, body: 64KiB }
trustedProxies: [127.0.0.9/32]
providers:
  corp: { type: oidc, issuer: "${corpIssuer}", discovery: false, jwks: "${issuers.corp.issuer}/jwks" }
  discovered: { type: oidc, issuer: "${issuers.discovered.issuer}" }
  shared: { type: oidc, issuer: "https://shared.example", discovery: false }
  keycloak: { type: keycloak, url: "https://sso.example", realm: main, discovery: false, jwks: "${jwks}" }
  cognito: { type: cognito, region: eu-central-1, userPoolId: eu-central-1_AbCdEfGhI, discovery: false, jwks: "${jwks}" }
  entra: { type: entra, tenant: 11111111-2222-3333-4444-555555555555, discovery: false, jwks: "${jwks}" }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example, maxLifetime: 1h }
  discovered-token: { type: jwt, provider: discovered, audience: [https://api.example, other] }
  shared-token: { type: jwt, provider: shared, audience: shared, algorithms: [HS256], secret: "\${env:SECRET}" }
  keycloak-token: { type: jwt, provider: keycloak, audience: https://api.example }
  cognito-token: { type: jwt, provider: cognito, clients: [client-1] }
  entra-token: { type: jwt, provider: entra, audience: api://items }
  strict-token: { type: jwt, provider: corp, audience: strict, requireType: at+jwt, requiredClaims: [sid] }
  partner-keys: { type: api-key, prefix: ptc, in: [{ header: x-api-key }, { query: api_key }, { cookie: apikey }] }
  peppered-keys: { type: api-key, prefix: pep, pepper: "\${env:PEPPER}", in: [{ header: x-pep-key }, { header: authorization, scheme: ApiKey }] }
  bearer-keys: { type: api-key, prefix: ptc, in: [{ header: authorization, scheme: Bearer }] }
upstreams:
  items: { targets: ["http://127.0.0.1:${port}"], timeouts: { response: 1s } }
  away: { targets: ["http://127.0.0.1:1"] }
routes:
  - { id: open, match: { path: /open/* }, authenticate: none, upstream: items }
  - { id: open-keep, match: { path: /open-keep/* }, authenticate: none, forward: { credential: keep }, upstream: items }
  - { id: any, match: { path: /any/* }, authenticate: [corp-token, discovered-token, shared-token, partner-keys, peppered-keys, keycloak-token, cognito-token, entra-token], upstream: items }
  - { id: token, match: { path: /token/*, methods: [GET, HEAD, POST] }, authenticate: [corp-token], upstream: items }
  - { id: token-put, match: { path: /token/*, methods: [PUT] }, authenticate: [corp-token], upstream: items }
  - { id: keys, match: { path: /keys/* }, authenticate: [partner-keys], upstream: items }
  - { id: peppered, match: { path: /peppered/* }, authenticate: [peppered-keys], upstream: items }
  - { id: strict, match: { path: /strict/* }, authenticate: [strict-token, corp-token], upstream: items }
  - { id: all, match: { path: /all/* }, authenticate: { all: [partner-keys, corp-token] }, upstream: items }
  - { id: optional, match: { path: /optional/* }, authenticate: { optional: [corp-token, partner-keys] }, upstream: items }
  - { id: mixed, match: { path: /mixed/* }, authenticate: [corp-token, bearer-keys], upstream: items }
  - { id: keep, match: { path: /keep/* }, authenticate: [corp-token, partner-keys], forward: { credential: keep, assertion: false }, upstream: items }
  - { id: away, match: { path: /away/* }, authenticate: none, upstream: away }
${routes}
${top}
`
}

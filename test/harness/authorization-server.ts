/**
 * An authorization server as far as a resource server and its clients see one: metadata, keys, introspection, tokens,
 * revocation. It checks who asks, records every form, and lies, stalls and rotates when it is told to.
 */
import { constants, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { encode } from './issuer.ts'

type Json = Record<string, unknown>

export interface RecordedForm {
  readonly path: string
  readonly form: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** SHA-256 of the client certificate (DER), base64url. */
  readonly certificate?: string
}

export interface Reply {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Json
}

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  readonly port: number
  /** Every form that was posted, in order. */
  readonly forms: RecordedForm[]
  /** How often the key set was fetched. */
  fetches: number
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>
  /** Secrets that are taken for the client `gw`; undefined: anybody is. */
  secrets: ReadonlySet<string> | undefined
  /** What introspection says of a token, over good values; `undefined` members are left out. Unknown tokens are inactive. */
  readonly tokens: Map<string, Json>
  /** Answers instead: undefined goes on as usual, `hang` never answers. */
  misbehave: ((request: RecordedForm, url: string) => Reply | 'hang' | 'reset' | undefined) | undefined
  /** What the token endpoint answers. */
  issue: (form: URLSearchParams) => Reply
  /** Over the usual metadata. */
  metadata: Json
  /** Signs with the published key. */
  sign(header: Json, claims: Json): string
  rotateKeys(): void
  close(): Promise<void>
}

interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
  readonly jwk: Json
}

export interface AuthorizationServerOptions {
  readonly tls?: ServerOptions
  readonly port?: number
}

export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  let key = makeKey()
  const sockets = new Set<Socket>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => handle(self, key, request, response, Buffer.concat(chunks).toString()))
  }
  const server: Server =
    options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer)
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const self: AuthorizationServer = {
    issuer,
    port,
    forms: [],
    fetches: 0,
    sockets,
    secrets: undefined,
    tokens: new Map(),
    misbehave: undefined,
    issue: () => ({
      body: { access_token: `for-backend-${randomUUID()}`, token_type: 'Bearer', expires_in: 300 },
    }),
    metadata: {},
    sign: (header, claims) => signWith(key, header, claims),
    rotateKeys() {
      key = makeKey()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}

/** What a good answer says of a token, but for `active`. */
export function goodClaims(issuer: string): Json {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    sub: 'alice',
    aud: 'https://api.example',
    client_id: 'web',
    scope: 'catalog:read',
    token_type: 'Bearer',
    iat: now,
    exp: now + 600,
  }
}

function handle(
  self: AuthorizationServer,
  key: SigningKey,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const url = request.url ?? ''
  const [path = ''] = url.split('?')
  const certificate = (request.socket as TLSSocket).getPeerX509Certificate?.()?.fingerprint256
  const recorded: RecordedForm = {
    path,
    form: new URLSearchParams(body),
    headers: request.headers,
    ...(certificate === undefined
      ? {}
      : { certificate: Buffer.from(certificate.replaceAll(':', ''), 'hex').toString('base64url') }),
  }
  if (request.method === 'POST') self.forms.push(recorded)
  if (path === '/jwks') self.fetches += 1
  const bad = self.misbehave?.(recorded, url)
  if (bad === 'hang') return
  if (bad === 'reset') return void request.socket.destroy()
  send(response, bad ?? reply(self, key, recorded))
}

function reply(self: AuthorizationServer, key: SigningKey, recorded: RecordedForm): Reply {
  const { issuer } = self
  switch (recorded.path) {
    case '/jwks':
      return { body: { keys: [key.jwk] } }
    case '/introspect':
      return isClient(self, recorded) ? { body: introspection(self, recorded.form) } : invalidClient
    case '/token':
      return isClient(self, recorded) ? self.issue(recorded.form) : invalidClient
    case '/revoke':
      return isClient(self, recorded) ? { body: '' } : invalidClient
    case '/.well-known/openid-configuration':
      return {
        body: {
          issuer,
          jwks_uri: `${issuer}/jwks`,
          introspection_endpoint: `${issuer}/introspect`,
          token_endpoint: `${issuer}/token`,
          revocation_endpoint: `${issuer}/revoke`,
          ...self.metadata,
        },
      }
    default:
      return { status: 404, body: {} }
  }
}

const invalidClient: Reply = { status: 401, body: { error: 'invalid_client' } }

function introspection(self: AuthorizationServer, form: URLSearchParams): Json {
  const found = self.tokens.get(form.get('token') ?? '')
  if (found === undefined) return { active: false }
  return { active: true, ...goodClaims(self.issuer), ...found }
}

function isClient({ secrets }: AuthorizationServer, { form, headers }: RecordedForm): boolean {
  if (secrets === undefined) return true
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (basic === undefined)
    return form.get('client_id') === 'gw' && secrets.has(form.get('client_secret') ?? '')
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':').map(formDecode)
  return id === 'gw' && secrets.has(secret)
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function send(response: ServerResponse, { status = 200, type, headers, body }: Reply): void {
  response.writeHead(status, { 'content-type': type ?? 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

function makeKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = randomUUID()
  return {
    kid,
    key: privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
  }
}

function signWith({ key, kid }: SigningKey, header: Json, claims: Json): string {
  const input = `${encode({ alg: 'RS256', kid, ...header })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, padding: constants.RSA_PKCS1_PADDING })
  return `${input}.${signature.toString('base64url')}`
}

/** An OpenID provider that signs everybody in at once, records what it was asked, and lies where a test says so. */
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signingKey, type SigningKey } from './signing-key.ts'

type Json = Record<string, unknown>

export interface TokenRequest {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

export interface SignInProvider extends AsyncDisposable {
  readonly issuer: string
  /** Who is signed in at the provider: claims of ID tokens over good ones; `undefined` members are left out. */
  user: Json
  /** More members of the metadata document. */
  metadata: Json
  /** Members of token answers over good ones. */
  answer: Json
  /** Parameters of the redirect back over good ones. */
  callback: Record<string, string | undefined>
  /** Header of ID tokens over a good one. */
  header: Json
  /** Answers in the provider's place; undefined: as usual. */
  misbehave: ((path: string, form: URLSearchParams) => Misbehaviour | undefined) | undefined
  /** How long access tokens live, in seconds. */
  lifetime: number
  readonly tokenRequests: TokenRequest[]
  /** Parameters of authorization requests, pushed or not. */
  readonly authorizations: URLSearchParams[]
  readonly pushed: number
  readonly revoked: string[]
  /** Refresh tokens that are good. */
  readonly refreshTokens: Set<string>
  sign(claims: Json, header?: Json): string
  logoutToken(claims?: Json, header?: Json): string
  close(): Promise<void>
}

export interface Misbehaviour {
  readonly status?: number
  readonly body?: unknown
  /** Waits for this before anything is answered. */
  readonly after?: Promise<unknown>
  /** Closes the connection. */
  readonly hangUp?: boolean
}

interface Code {
  readonly request: URLSearchParams
  readonly user: Json
}

export async function startSignInProvider(port = 0): Promise<SignInProvider> {
  const key: SigningKey = signingKey('ES256')
  const codes = new Map<string, Code>()
  const pushedRequests = new Map<string, URLSearchParams>()
  const refreshes = new Map<string, Code>()
  const server: Server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const sign = (claims: Json, header: Json = {}): string =>
    key.sign({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }, claims)
  const seconds = (): number => Math.floor(Date.now() / 1000)

  function tokens({ request, user }: Code, isLogin: boolean): Json {
    const now = seconds()
    const accessToken = sign(
      {
        iss: issuer,
        sub: user['sub'],
        aud: 'https://api.example',
        iat: now,
        exp: now + self.lifetime,
        jti: randomUUID(),
      },
      { typ: 'at+jwt' },
    )
    const refreshToken = `refresh-${randomUUID()}`
    self.refreshTokens.add(refreshToken)
    refreshes.set(refreshToken, { request, user })
    const idToken = {
      iss: issuer,
      aud: request.get('client_id'),
      iat: now,
      exp: now + 300,
      auth_time: now,
      at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
      ...(isLogin ? { nonce: request.get('nonce') } : {}),
      ...user,
      ...self.user,
    }
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: self.lifetime,
      refresh_token: refreshToken,
      scope: request.get('scope'),
      id_token: sign(idToken, self.header),
      ...self.answer,
    }
  }

  function redeem(form: URLSearchParams): { status: number; body: Json } {
    if (form.get('grant_type') === 'refresh_token') {
      const token = form.get('refresh_token') ?? ''
      const held = refreshes.get(token)
      if (held === undefined || !self.refreshTokens.delete(token))
        return { status: 400, body: { error: 'invalid_grant' } }
      return { status: 200, body: tokens(held, false) }
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (code === undefined || challenge !== code.request.get('code_challenge'))
      return { status: 400, body: { error: 'invalid_grant' } }
    if (code.request.get('redirect_uri') !== form.get('redirect_uri'))
      return { status: 400, body: { error: 'invalid_grant' } }
    return { status: 200, body: tokens(code, true) }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const bad = self.misbehave?.(url.pathname, form)
    await bad?.after
    if (bad?.hangUp === true) {
      response.destroy()
      return
    }
    if (bad?.status !== undefined) {
      send(response, bad.status, bad.body ?? {})
      return
    }
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return send(response, 200, {
          issuer,
          jwks_uri: `${issuer}/jwks`,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          revocation_endpoint: `${issuer}/revoke`,
          end_session_endpoint: `${issuer}/logout`,
          authorization_response_iss_parameter_supported: true,
          ...self.metadata,
        })
      case '/jwks':
        return send(response, 200, { keys: [key.jwk] })
      case '/par': {
        pushedCount += 1
        const uri = `urn:ietf:params:oauth:request_uri:${randomUUID()}`
        pushedRequests.set(uri, form)
        return send(response, 201, { request_uri: uri, expires_in: 60 })
      }
      case '/authorize': {
        const asked = pushedRequests.get(url.searchParams.get('request_uri') ?? '') ?? url.searchParams
        self.authorizations.push(asked)
        const code = randomUUID()
        codes.set(code, { request: asked, user: { sub: 'alice', sid: 'provider-session', ...self.user } })
        const back = new URL(asked.get('redirect_uri') ?? issuer)
        const parameters = { code, state: asked.get('state') ?? '', iss: issuer, ...self.callback }
        for (const [name, value] of Object.entries(parameters))
          if (value !== undefined) back.searchParams.set(name, value)
        response.writeHead(302, { location: back.href }).end()
        return
      }
      case '/token': {
        self.tokenRequests.push({ form, authorization: request.headers.authorization })
        const { status, body } = redeem(form)
        return send(response, status, body)
      }
      case '/userinfo':
        return send(response, 200, { sub: 'alice', ...self.user })
      case '/revoke':
        self.revoked.push(form.get('token') ?? '')
        self.refreshTokens.delete(form.get('token') ?? '')
        return send(response, 200, {})
      default:
        return send(response, 404, { error: 'not_found' })
    }
  }

  let pushedCount = 0
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const self: SignInProvider = {
    issuer,
    user: {},
    metadata: {},
    answer: {},
    callback: {},
    header: {},
    misbehave: undefined,
    lifetime: 300,
    tokenRequests: [],
    authorizations: [],
    get pushed() {
      return pushedCount
    },
    revoked: [],
    refreshTokens: new Set(),
    sign,
    logoutToken(claims = {}, header = {}) {
      const now = seconds()
      return sign(
        {
          iss: issuer,
          aud: 'web',
          iat: now,
          exp: now + 120,
          jti: randomUUID(),
          sid: 'provider-session',
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
          ...claims,
        },
        { typ: 'logout+jwt', ...header },
      )
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(typeof body === 'string' ? body : JSON.stringify(body))
}

import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, request as rawRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { mintFromState } from './mint.ts'
import { startDevProvider } from './server.ts'
import type { DevProvider } from './server.ts'
import { defaultClients } from './users.ts'

const audience = 'https://catalog.example'
const redirectUri = 'http://127.0.0.1:8080/.portcullis/callback/dev'

let provider: DevProvider
const faults: Error[] = []

beforeAll(async () => {
  provider = await startDevProvider({ audience, port: 0, onError: (error) => faults.push(error) })
})
afterAll(async () => {
  await provider.close()
  expect(faults).toEqual([])
})

async function discover(issuer = provider.issuer): Promise<Record<string, string>> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, string>
}

async function verify(token: string, from: DevProvider = provider): Promise<JWTPayload> {
  const { jwks_uri: keySet } = await discover(from.issuer)
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(keySet ?? '')), {
    issuer: from.issuer,
    audience,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
  })
  return payload
}

function query(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString()
}

function basic(id: string, secret: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

async function tokenRequest(
  form: Record<string, string>,
  headers = basic('web', 'web-secret'),
  issuer = provider.issuer,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** A browser by hand: keeps cookies by path, follows nothing. */
function browser(): (url: string, init?: RequestInit) => Promise<Response> {
  const cookies = new Map<string, { value: string; path: string }>()
  return async (url, init = {}) => {
    const target = new URL(url, provider.issuer)
    const cookie = [...cookies]
      .filter(([, { path }]) => target.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const headers = { Accept: 'text/html', ...(init.headers as Record<string, string>), Cookie: cookie }
    const response = await fetch(target, { ...init, redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const name = pair.slice(0, pair.indexOf('='))
      const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '/'
      if (line.includes('01 Jan 1970')) cookies.delete(name)
      else cookies.set(name, { value: pair.slice(name.length + 1), path })
    }
    return response
  }
}

interface SignIn {
  readonly go: ReturnType<typeof browser>
  readonly page: Response
  readonly loginUrl: string
  readonly verifier: string
}

async function openLogin(parameters: Record<string, string> = {}): Promise<SignIn> {
  const verifier = randomBytes(32).toString('base64url')
  const { authorization_endpoint: endpoint } = await discover()
  const authorization = new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email catalog:read catalog:write',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    ...parameters,
  })
  const go = browser()
  const start = await go(`${endpoint}?${authorization.toString()}`)
  expect(start.status).toBe(303)
  const loginUrl = start.headers.get('location') ?? ''
  expect(loginUrl).toMatch(/^\/interaction\//)
  return { go, page: await go(loginUrl), loginUrl, verifier }
}

async function submit(login: SignIn, name: string, password: string): Promise<Response> {
  return login.go(login.loginUrl, { method: 'POST', body: new URLSearchParams({ name, password }) })
}

async function signIn(login: SignIn, name: string, password: string): Promise<URL> {
  const accepted = await submit(login, name, password)
  expect(accepted.status).toBe(303)
  const back = await login.go(accepted.headers.get('location') ?? '')
  return new URL(back.headers.get('location') ?? '')
}

async function exchange(login: SignIn, callback: URL): ReturnType<typeof tokenRequest> {
  return tokenRequest({
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: login.verifier,
  })
}

describe('the published documents', () => {
  it('describe every endpoint under the issuer', async () => {
    const document = await discover()
    expect(document).toMatchObject({ issuer: provider.issuer, userinfo_endpoint: `${provider.issuer}/me` })
    expect(document['issuer']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'jwks_uri',
      'introspection_endpoint',
      'revocation_endpoint',
      'end_session_endpoint',
      'pushed_authorization_request_endpoint',
    ]) {
      expect({ [name]: document[name]?.startsWith(`${provider.issuer}/`) }).toEqual({ [name]: true })
    }
    expect(document['scopes_supported']).toEqual(
      expect.arrayContaining(['openid', 'catalog:read', 'catalog:write', 'catalog:admin']),
    )
  })

  it('publish an RS256 and an ES256 key and no private member', async () => {
    const { jwks_uri: uri } = await discover()
    const { keys } = (await (await fetch(uri ?? '')).json()) as { keys: Record<string, string>[] }
    expect(keys.map((key) => key['alg'])).toEqual(['RS256', 'ES256'])
    for (const key of keys)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret)
    expect(provider.publicKeys().keys).toEqual(keys)
  })

  it('are not read under another host name', async () => {
    const status = await new Promise((resolve, reject) => {
      rawRequest(
        `${provider.issuer}/.well-known/openid-configuration`,
        { headers: { Host: 'rebound.example' } },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
        .once('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })
})

describe('a service that speaks for itself', () => {
  it('gets a JWT that verifies through the key set, with audience, scope and roles', async () => {
    const { status, body } = await tokenRequest(
      { grant_type: 'client_credentials', scope: 'catalog:read' },
      basic('catalog-sync', 'catalog-sync-secret'),
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'catalog:read', expires_in: 3600 })
    const claims = await verify(String(body['access_token']))
    expect(claims).toMatchObject({
      sub: 'catalog-sync',
      client_id: 'catalog-sync',
      scope: 'catalog:read',
      roles: ['service'],
    })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600)
  })

  it('gets all of its scopes when it asks for none, and never one that it may not have', async () => {
    const credentials = basic('catalog-sync', 'catalog-sync-secret')
    const none = await tokenRequest({ grant_type: 'client_credentials' }, credentials)
    expect(await verify(String(none.body['access_token']))).toMatchObject({ scope: 'catalog:read' })
    expect(none.body['scope']).toBe('catalog:read')
    const more = await tokenRequest(
      { grant_type: 'client_credentials', scope: 'catalog:read catalog:admin' },
      credentials,
    )
    expect(await verify(String(more.body['access_token']))).toMatchObject({ scope: 'catalog:read' })
  })

  it('is refused with a wrong secret, another audience, or a grant that it does not have', async () => {
    const wrong = await tokenRequest({ grant_type: 'client_credentials' }, basic('catalog-sync', 'guess'))
    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const elsewhere = await tokenRequest(
      { grant_type: 'client_credentials', resource: 'https://other.example' },
      basic('catalog-sync', 'catalog-sync-secret'),
    )
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    const web = await tokenRequest({ grant_type: 'client_credentials' })
    expect(web).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('signing in through the browser', () => {
  it('ends with tokens that tell who it is, limited to what the user may do', async () => {
    const login = await openLogin()
    const callback = await signIn(login, 'viewer', 'viewer-password')
    expect(callback.origin + callback.pathname).toBe(redirectUri)
    expect(callback.searchParams.get('state')).toBe('the-state')
    expect(callback.searchParams.get('iss')).toBe(provider.issuer)

    const { status, body } = await exchange(login, callback)
    expect(status).toBe(200)
    expect(await verify(String(body['access_token']))).toMatchObject({
      sub: 'viewer',
      client_id: 'web',
      scope: 'catalog:read',
      roles: ['viewer'],
    })
    const { payload } = await jwtVerify(
      String(body['id_token']),
      createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)),
      { issuer: provider.issuer, audience: 'web' },
    )
    expect(payload).toMatchObject({ sub: 'viewer', nonce: 'the-nonce', roles: ['viewer'] })
    expect(payload).toMatchObject({ email: 'viewer@catalog.example', preferred_username: 'viewer' })

    const userinfo = await fetch(`${provider.issuer}/me`, {
      headers: { Authorization: `Bearer ${String(body['access_token'])}` },
    })
    expect(await userinfo.json()).toMatchObject({ sub: 'viewer', roles: ['viewer'] })

    const refreshed = await tokenRequest({
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
    })
    expect(refreshed.status).toBe(200)
    expect(await verify(String(refreshed.body['access_token']))).toMatchObject({ sub: 'viewer' })
  })

  it('shows a form without script under a policy that allows only the style and the way back', async () => {
    const { page } = await openLogin({ login_hint: 'viewer"><b>' })
    expect(page.status).toBe(200)
    const html = await page.text()
    expect(html).not.toMatch(/<script|style="|<b>/)
    expect(html).toContain('value="viewer&#34;&#62;&#60;b&#62;"')
    const policy = page.headers.get('content-security-policy') ?? ''
    const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? ''
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("form-action 'self' http://127.0.0.1:8080 http://localhost:8080;")
  })

  it('refuses a wrong password and an unknown user with the same words', async () => {
    const login = await openLogin()
    const wrong = await submit(login, 'viewer', 'editor-password')
    const unknown = await submit(login, 'nobody', '')
    expect([wrong.status, unknown.status]).toEqual([401, 401])
    const text = await wrong.text()
    expect(text).toContain('Unknown user name or wrong password.')
    expect((await unknown.text()).replace('"nobody"', '"viewer"')).toBe(text)
    const accepted = await submit(login, 'viewer', 'viewer-password')
    expect(accepted.status).toBe(303)
  })

  it('refuses a form that does not come from the browser that began', async () => {
    const login = await openLogin()
    const response = await fetch(new URL(login.loginUrl, provider.issuer), {
      method: 'POST',
      body: new URLSearchParams({ name: 'viewer', password: 'viewer-password' }),
      redirect: 'manual',
    })
    expect(response.status).toBe(400)
  })

  it('refuses a form beyond a few kilobytes', async () => {
    const login = await openLogin()
    const response = await submit(login, 'viewer', 'x'.repeat(10_000))
    expect(response.status).toBe(401)
  })

  it('asks for PKCE, and refuses a code with another verifier', async () => {
    const login = await openLogin()
    const callback = await signIn(login, 'editor', 'editor-password')
    const refused = await exchange({ ...login, verifier: randomBytes(32).toString('base64url') }, callback)
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const without = await fetch(
      `${provider.issuer}/auth?${query({ client_id: 'web', response_type: 'code', redirect_uri: redirectUri, scope: 'openid' })}`,
      { redirect: 'manual' },
    )
    expect(without.headers.get('location')).toContain('error=invalid_request')
  })

  it('refuses a redirect URI that is not registered, on a page of its own', async () => {
    const response = await fetch(
      `${provider.issuer}/auth?${query({ client_id: 'web', response_type: 'code', redirect_uri: 'https://evil.example/<b>', scope: 'openid' })}`,
      { redirect: 'manual', headers: { Accept: 'text/html' } },
    )
    expect(response.status).toBe(400)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await response.text()).toContain('redirect_uri')
  })

  it('goes through an asked-for consent without a page', async () => {
    const login = await openLogin({ prompt: 'consent' })
    const first = await submit(login, 'admin', 'admin-password')
    let next = first.headers.get('location') ?? ''
    for (let hops = 0; hops < 4 && !next.startsWith(redirectUri); hops++) {
      next = (await login.go(next)).headers.get('location') ?? ''
    }
    expect(new URL(next).searchParams.get('code')).toBeTruthy()
  })

  it('signs out after asking, and goes back to the application', async () => {
    const login = await openLogin()
    const { body } = await exchange(login, await signIn(login, 'viewer', 'viewer-password'))
    const loggedOut = 'http://127.0.0.1:8080/.portcullis/logged-out'
    const ask = await login.go(
      `/session/end?${query({ id_token_hint: String(body['id_token']), post_logout_redirect_uri: loggedOut })}`,
    )
    const html = await ask.text()
    expect(ask.status).toBe(200)
    expect(ask.headers.get('content-security-policy')).toContain("default-src 'none'")
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
    const done = await login.go('/session/end/confirm', {
      method: 'POST',
      body: new URLSearchParams({ xsrf, logout: 'yes' }),
    })
    expect(done.headers.get('location')).toBe(loggedOut)
  })
})

describe('introspection and revocation', () => {
  it('know the opaque tokens of a client that is set to have them', async () => {
    const clients = defaultClients().map((client) => ({ ...client, accessTokens: 'opaque' as const }))
    const own = await startDevProvider({ audience, port: 0, clients })
    try {
      const credentials = basic('catalog-sync', 'catalog-sync-secret')
      const { body } = await tokenRequest({ grant_type: 'client_credentials' }, credentials, own.issuer)
      const token = String(body['access_token'])
      expect(token).not.toContain('.')
      const ask = async (path: string, headers = credentials): Promise<Response> =>
        fetch(`${own.issuer}${path}`, { method: 'POST', headers, body: new URLSearchParams({ token }) })
      expect(await (await ask('/token/introspection', basic('web', 'web-secret'))).json()).toMatchObject({
        active: true,
        aud: audience,
        client_id: 'catalog-sync',
        scope: 'catalog:read',
        roles: ['service'],
      })
      expect((await ask('/token/revocation')).status).toBe(200)
      expect(await (await ask('/token/introspection')).json()).toEqual({ active: false })
    } finally {
      await own.close()
    }
  })
})

describe('the userinfo endpoint', () => {
  it('challenges a request without a token, and one with a token of another provider', async () => {
    const bare = await fetch(`${provider.issuer}/me`)
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="userinfo"'])
    const other = await startDevProvider({ audience, port: 0 })
    try {
      const token = await other.mintAccessToken('viewer', { claims: { iss: provider.issuer } })
      const foreign = await fetch(`${provider.issuer}/me`, { headers: { Authorization: `Bearer ${token}` } })
      expect([foreign.status, foreign.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ])
    } finally {
      await other.close()
    }
  })
})

describe('minted tokens', () => {
  it.each(['viewer', 'editor', 'admin'])('verify like issued ones for %s', async (name) => {
    const user = provider.users.find((candidate) => candidate.name === name)
    const token = await provider.mintAccessToken(name)
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' })
    const claims = await verify(token)
    expect(claims).toMatchObject({ sub: name, roles: user?.roles, scope: user?.scopes.join(' ') })
    const again = await verify(await provider.mintAccessToken(name))
    expect(again.jti).not.toBe(claims.jti)
  })

  it('can be signed with ES256, and differ where a test wants it', async () => {
    const token = await provider.mintAccessToken('viewer', {
      alg: 'ES256',
      scopes: ['catalog:write'],
      roles: [],
      clientId: 'other',
      claims: { tenant: 'north', nbf: undefined },
    })
    expect(decodeProtectedHeader(token).alg).toBe('ES256')
    expect(await verify(token)).toMatchObject({ scope: 'catalog:write', client_id: 'other', tenant: 'north' })
    const expired = await provider.mintAccessToken('viewer', { expiresIn: -60 })
    await expect(verify(expired)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' })
  })

  it('come as ID tokens too, which are no access tokens', async () => {
    const token = await provider.mintIdToken('editor', { nonce: 'n' })
    expect(decodeProtectedHeader(token).typ).toBe('JWT')
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)))
    expect(payload).toMatchObject({ sub: 'editor', aud: 'web', nonce: 'n', roles: ['editor'] })
    expect(payload).not.toHaveProperty('scope')
  })

  it('need a user that exists', async () => {
    await expect(provider.mintAccessToken('nobody')).rejects.toThrow(
      /unknown user "nobody".*viewer, editor, admin/,
    )
  })
})

describe('key rotation', () => {
  it('publishes old and new keys, signs with the new ones, and forgets the oldest at the next but one', async () => {
    const own = await startDevProvider({ audience, port: 0 })
    try {
      const before = await own.mintAccessToken('viewer')
      const [first] = own.publicKeys().keys
      await own.rotateKeys()
      const published = (await (await fetch(`${own.issuer}/jwks`)).json()) as { keys: { kid: string }[] }
      expect(published.keys).toHaveLength(4)
      expect(published.keys.map((key) => key.kid)).toContain(first?.kid)
      const after = await own.mintAccessToken('viewer')
      expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
      const { body } = await tokenRequest(
        { grant_type: 'client_credentials' },
        basic('catalog-sync', 'catalog-sync-secret'),
        own.issuer,
      )
      expect(decodeProtectedHeader(String(body['access_token'])).kid).toBe(decodeProtectedHeader(after).kid)
      await verify(before, own)
      await verify(after, own)
      await own.rotateKeys()
      expect(own.publicKeys().keys).toHaveLength(4)
      await expect(verify(before, own)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
    } finally {
      await own.close()
    }
  })
})

describe('clients that are replaced while it runs', () => {
  it('are known from then on', async () => {
    const own = await startDevProvider({ audience, port: 0 })
    try {
      await own.replaceClients(defaultClients('http://127.0.0.1:9999'))
      const ask = async (origin: string): Promise<number> =>
        (
          await fetch(
            `${own.issuer}/auth?${query({ client_id: 'web', response_type: 'code', redirect_uri: `${origin}/.portcullis/callback/dev`, scope: 'openid', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' })}`,
            { redirect: 'manual' },
          )
        ).status
      expect([await ask('http://127.0.0.1:9999'), await ask('http://127.0.0.1:8080')]).toEqual([303, 400])
    } finally {
      await own.close()
    }
  })
})

describe('where it listens', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'localhost', 'example.com', ''])(
    'refuses the address "%s", which is not loopback',
    async (host) => {
      await expect(startDevProvider({ audience, host, port: 0 })).rejects.toThrow(/loopback only/)
    },
  )

  it('says so when the port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await expect(startDevProvider({ audience, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await new Promise((resolve) => other.close(resolve))
  })
})

describe('the state file', () => {
  const folders: string[] = []
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
  })

  async function temporaryFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'dev-idp-'))
    folders.push(folder)
    return join(folder, 'provider.json')
  }

  it('keeps keys and port over a restart, for the owner only, without passwords', async () => {
    const stateFile = await temporaryFile()
    const first = await startDevProvider({ audience, stateFile })
    const token = await first.mintAccessToken('admin')
    await first.close()
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600)
    // A boolean, so that a failure does not print the keys.
    expect(/password|secret|cookie/.test(await readFile(stateFile, 'utf8'))).toBe(false)
    const second = await startDevProvider({ audience, stateFile })
    try {
      expect(second.issuer).toBe(first.issuer)
      expect(await verify(token, second)).toMatchObject({ sub: 'admin' })
      const third = await startDevProvider({ audience, stateFile })
      expect(third.issuer).not.toBe(second.issuer)
      await third.close()
    } finally {
      await second.close()
    }
  })

  it('lets another process mint a token, also after a rotation', async () => {
    const stateFile = await temporaryFile()
    await expect(mintFromState(stateFile, 'viewer')).rejects.toThrow(/no identity provider state/)
    const own = await startDevProvider({ audience, stateFile })
    try {
      await own.rotateKeys()
      const claims = await verify(await mintFromState(stateFile, 'editor'), own)
      expect(claims).toMatchObject({ sub: 'editor', scope: 'catalog:read catalog:write', roles: ['editor'] })
      await expect(mintFromState(stateFile, 'nobody')).rejects.toThrow(/unknown user/)
    } finally {
      await own.close()
    }
  })

  it('is refused by name when it is no private key set, without quoting it', async () => {
    const stateFile = await temporaryFile()
    for (const content of [
      '{"keys": [',
      '[]',
      '{"keys":[{"kid":"a","alg":"RS256","use":"sig","n":"visible"}]}',
    ]) {
      await writeFile(stateFile, content)
      const error = await startDevProvider({ audience, stateFile }).catch(
        (caught: unknown) => caught as Error,
      )
      expect(error).toBeInstanceOf(Error)
      expect((error as Error).message).toContain(stateFile)
      expect((error as Error).message).not.toContain('visible')
    }
  })
})

describe('its manners', () => {
  it('prints nothing while it starts and serves', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => undefined),
    )
    const login = await openLogin()
    await exchange(login, await signIn(login, 'viewer', 'viewer-password'))
    const own = await startDevProvider({ audience, port: 0 })
    await own.close()
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/config/load.ts'
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { TestBrowser } from '../harness/browser.ts'
import { startSignInProvider } from '../harness/sign-in-provider.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const exchangeText =
  'tokenExchange: { provider: corp, client: { id: gw, secret: s3cret }, audience: https://orders.example, scope: "orders:read orders:write" }'
const credentialsText =
  'clientCredentials: { provider: corp, client: { id: gw, secret: s3cret }, audience: https://orders.example, scope: orders:all }'

interface Setting {
  readonly server: AuthorizationServer
  readonly upstream: TestUpstream
  readonly gateway: TestGateway
  readonly text: string
  readonly ask: (token?: string, headers?: Record<string, string>) => Promise<Response>
  /** What the backend saw in `Authorization`. */
  readonly seen: () => (string | undefined)[]
}

async function setUp(forward: string, authenticate = '[signed, opaque]'): Promise<Setting> {
  const server = await startAuthorizationServer()
  const upstream = await startTestUpstream()
  server.secrets = new Set(['s3cret'])
  server.tokens.set('opaque', {})
  let count = 0
  server.issue = () => ({
    body: {
      access_token: `backend-${(count += 1)}`,
      token_type: 'Bearer',
      expires_in: 300,
      issued_token_type: accessToken,
    },
  })
  const text = `
version: 1
providers: { corp: { type: oidc, issuer: "${server.issuer}" } }
authenticators:
  signed: { type: jwt, provider: corp, audience: https://api.example }
  opaque: { type: introspection, provider: corp, audience: https://api.example, client: { id: gw, secret: s3cret } }
  keys: { type: api-key }
upstreams: { orders: { targets: ["${upstream.url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: ${authenticate}, forward: { ${forward} }, upstream: orders }
`
  const gateway = await startTestGateway(text)
  closers.push(
    () => server.close(),
    () => upstream.close(),
    () => gateway.stop(),
  )
  return {
    server,
    upstream,
    gateway,
    text,
    ask: (token, headers = {}) =>
      fetch(`${gateway.url}/x`, {
        headers: {
          connection: 'close',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      }),
    seen: () => upstream.requests.map(({ headers }) => headers.authorization),
  }
}

function signed({ server }: Setting, claims: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const good = {
    iss: server.issuer,
    aud: 'https://api.example',
    sub: 'alice',
    iat: now,
    exp: now + 600,
    scope: 'x',
  }
  return server.sign({ typ: 'at+jwt' }, { ...good, ...claims })
}

function asked({ server }: Setting): Record<string, string>[] {
  return server.forms
    .filter(({ path }) => path === '/token')
    .map(({ form }) => Object.fromEntries(form) as Record<string, string>)
}

describe('a token exchange', () => {
  it('gives the backend a token of its own, once for each caller and all who wait', async () => {
    const setting = await setUp(exchangeText)
    const token = signed(setting)
    const responses = await Promise.all(Array.from({ length: 10 }, () => setting.ask(token)))
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(new Set(setting.seen())).toEqual(new Set(['Bearer backend-1']))
    expect(asked(setting)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: accessToken,
        requested_token_type: accessToken,
        audience: 'https://orders.example',
        scope: 'orders:read orders:write',
      },
    ])
    await setting.ask('opaque')
    expect(setting.seen().at(-1)).toBe('Bearer backend-2')
    expect(asked(setting).at(-1)).toMatchObject({ subject_token: 'opaque' })
  })

  it('keeps who acts for whom in the assertion and in the audit log', async () => {
    const setting = await setUp(exchangeText)
    const act = { sub: 'agent', act: { sub: 'helpdesk' } }
    await setting.ask(signed(setting, { act }))
    const assertion = setting.upstream.requests[0]!.headers['x-portcullis-assertion'] as string
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1]!, 'base64url').toString()) as object
    expect(claims).toMatchObject({ sub: 'alice', act })
  })

  it('replaces what the client sent in any spelling, also where the credential is kept', async () => {
    const setting = await setUp(`${exchangeText}, credential: keep`)
    await setting.ask(signed(setting), { Authorization_: 'x', 'X-Authorization': 'y' })
    const { rawHeaders } = setting.upstream.requests[0]!
    const lines = rawHeaders.filter(
      (_line, index) => index % 2 === 0 && /^authorization$/i.test(rawHeaders[index]!),
    )
    expect(lines).toHaveLength(1)
    expect(setting.seen()).toEqual(['Bearer backend-1'])
  })

  it("lives no longer than the caller's token", async () => {
    const setting = await setUp(exchangeText)
    const now = Math.floor(Date.now() / 1000)
    // Accepted for the clock skew after its end, and for no moment longer.
    const token = signed(setting, { iat: now - 600, exp: now - 28 })
    expect((await setting.ask(token)).status).toBe(200)
    await expect
      .poll(async () => (await setting.ask(token)).status, { timeout: 5_000, interval: 200 })
      .toBe(401)
  })

  it.each<[string, number, (setting: Setting) => void]>([
    [
      'refuses',
      502,
      ({ server }) => (server.issue = () => ({ status: 400, body: { error: 'invalid_grant' } })),
    ],
    [
      'gives another kind',
      502,
      ({ server }) =>
        (server.issue = () => ({
          body: { access_token: 'x', token_type: 'N_A', issued_token_type: accessToken },
        })),
    ],
    [
      'does not take the client',
      502,
      ({ server }) =>
        (server.misbehave = ({ path }) =>
          path === '/token' ? { status: 401, body: { error: 'invalid_client' } } : undefined),
    ],
    ['cannot now', 503, ({ server }) => (server.issue = () => ({ status: 503, body: {} }))],
  ])('that the provider %s is %s, and nothing is forwarded', async (_what, status, change) => {
    const setting = await setUp(exchangeText)
    change(setting)
    const response = await setting.ask(signed(setting))
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code: 'provider_unavailable' })
    expect(response.headers.has('retry-after')).toBe(status === 503)
    expect(setting.upstream.requests).toEqual([])
    await setting.ask(signed(setting))
    expect(setting.upstream.requests).toEqual([])
  })

  it('is not asked for callers whose credential is optional and absent', async () => {
    const setting = await setUp(exchangeText, '{ optional: [signed] }')
    expect((await setting.ask()).status).toBe(200)
    expect(setting.seen()).toEqual([undefined])
    expect(asked(setting)).toEqual([])
  })
})

it("a browser's session is exchanged by the access token that stands behind its cookie", async () => {
  const login = await startSignInProvider()
  const setting = await setUp(exchangeText)
  closers.push(() => login.close())
  await setting.gateway.change(
    setting.text
      .replace('providers: {', `providers: { login: { type: oidc, issuer: "${login.issuer}" },`)
      .replace(
        'authenticators:',
        'authenticators:\n  browser: { type: session, provider: login, client: { id: web, secret: web-secret } }',
      )
      .replace('[signed, opaque]', '[browser]'),
  )
  const browser = new TestBrowser()
  expect((await browser.visit(`${setting.gateway.url}/page`)).status).toBe(200)
  expect(setting.seen()).toEqual(['Bearer backend-1'])
  const [request] = asked(setting)
  expect(request).toMatchObject({ subject_token_type: accessToken })
  expect(setting.upstream.requests[0]!.headers.cookie).toBeUndefined()
  expect([...browser.jar.values()].flatMap((cookies) => [...cookies.values()])).not.toContain(
    request!['subject_token'],
  )
})

describe('client credentials', () => {
  it("give the backend the gateway's own token, fetched once for everybody", async () => {
    const setting = await setUp(credentialsText, '[signed, keys]')
    const { key } = await setting.gateway.gateway.keys.create({ owner: 'partner' }, 'test')
    await Promise.all([
      setting.ask(signed(setting)),
      setting.ask(signed(setting)),
      setting.ask(undefined, { 'x-api-key': key }),
    ])
    expect(setting.seen()).toEqual(Array(3).fill('Bearer backend-1'))
    expect(asked(setting)).toEqual([
      {
        grant_type: 'client_credentials',
        scope: 'orders:all',
        audience: 'https://orders.example',
        resource: 'https://orders.example',
      },
    ])
    const metrics = await (
      await fetch(`${setting.gateway.gateway.adminUrl}/metrics`, { headers: { connection: 'close' } })
    ).text()
    expect(metrics).toMatch(
      /portcullis_backend_tokens_total\{[^}]*kind="client_credentials"[^}]*outcome="issued"[^}]*\} 1/,
    )
  })

  it('serve public routes too', async () => {
    const setting = await setUp(credentialsText, 'none')
    expect((await setting.ask('anything')).status).toBe(200)
    expect(setting.seen()).toEqual(['Bearer backend-1'])
  })

  it('are fetched anew after the backend answered 401', async () => {
    const setting = await setUp(credentialsText)
    setting.upstream.answer = (request, response) => {
      const isOld = request.headers.authorization === 'Bearer backend-1'
      response.writeHead(isOld ? 401 : 200).end()
    }
    expect((await setting.ask(signed(setting))).status).toBe(401)
    expect((await setting.ask(signed(setting))).status).toBe(200)
    expect((await setting.ask(signed(setting))).status).toBe(200)
    expect(setting.seen()).toEqual(['Bearer backend-1', 'Bearer backend-2', 'Bearer backend-2'])
  })

  it('survive a reload that does not touch them, and not one that does', async () => {
    const setting = await setUp(credentialsText)
    await setting.ask(signed(setting))
    await setting.gateway.change(setting.text.replace('id: all', 'id: every'))
    await setting.ask(signed(setting))
    await setting.gateway.change(setting.text.replace('orders:all', 'orders:some'))
    await setting.ask(signed(setting))
    expect(setting.seen()).toEqual(['Bearer backend-1', 'Bearer backend-1', 'Bearer backend-2'])
  })
})

it('what cannot work is a fault of the configuration, told with its place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-tokens-'))
  closers.push(() => rm(folder, { recursive: true }))
  const faults = async (forward: string, authenticate = '[signed]', provider = ''): Promise<string[]> => {
    const file = join(folder, 'portcullis.yaml')
    await writeFile(
      file,
      `version: 1
providers: { corp: { type: oidc, issuer: https://login.example.com${provider} } }
authenticators:
  signed: { type: jwt, provider: corp, audience: a }
  keys: { type: api-key }
upstreams: { b: { targets: ["http://127.0.0.1:1"] } }
routes: [{ id: r, match: { path: /* }, authenticate: ${authenticate}, forward: { ${forward} }, upstream: b }]
`,
    )
    const loaded = await loadConfiguration(file, { env: {} })
    return loaded.ok ? [] : loaded.faults.map(({ path, message }) => `${path}: ${message}`)
  }
  expect(await faults(exchangeText)).toEqual([])
  expect(await faults(exchangeText, '{ all: [keys, signed] }')).toEqual([])
  expect(await faults(exchangeText, '[signed, keys]')).toEqual([
    expect.stringMatching(/forward\.tokenExchange: "keys" brings no token/),
  ])
  expect(await faults(exchangeText, 'none')).toEqual([expect.stringMatching(/a public route has no token/)])
  expect(await faults(`${exchangeText}, ${credentialsText}`)).toEqual([
    expect.stringMatching(/forward\.clientCredentials: `tokenExchange` puts its token/),
  ])
  expect(await faults(`${credentialsText}, set: { Authorization: x }`)).toEqual([
    expect.stringMatching(/forward\.set\.Authorization: the token for the upstream/),
  ])
  expect(await faults(`${credentialsText}, keep: [authorization]`)).toEqual([
    expect.stringMatching(/forward\.keep\[0\]: the token for the upstream/),
  ])
  expect(await faults(credentialsText.replace('provider: corp', 'provider: crop'))).toEqual([
    expect.stringMatching(/clientCredentials\.provider: no such provider/),
  ])
  expect(
    await faults(credentialsText.replace('secret: s3cret', 'method: mtls, key: a.pem, certificate: b.pem')),
  ).toEqual([
    expect.stringMatching(/client\.key: the file/),
    expect.stringMatching(/client\.certificate: the file/),
  ])
  expect(
    await faults(
      credentialsText,
      '[signed]',
      ', discovery: false, endpoints: { jwks: "https://login.example.com/jwks" }',
    ),
  ).toEqual([expect.stringMatching(/provider: with `discovery: false` nothing says where/)])
})

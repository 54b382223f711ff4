/** How the gateway proves itself at providers, and how one of several is chosen. */
import { generateKeyPairSync, verify } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startSignIn, type SignIn, type SignInText } from '../harness/sign-in.ts'

let running: SignIn | undefined
const starting = async (text?: SignInText): Promise<SignIn> => (running = await startSignIn(text))

afterEach(async () => {
  await running?.[Symbol.asyncDispose]()
  running = undefined
})

describe('the client', () => {
  it('proves itself by a signed statement for this provider alone', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { url, provider } = await starting({
      session: 'provider: corp, client: { id: web, method: private_key_jwt, key: ./client.pem }',
      options: { files: { 'client.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) } },
    })
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(200)
    const [{ form, authorization } = { form: new URLSearchParams(), authorization: '' }] =
      provider.tokenRequests
    expect(authorization).toBeUndefined()
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const [head = '', payload = '', signature = ''] = form.get('client_assertion')!.split('.')
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
    expect(
      verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')),
    ).toBe(true)
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      iss: 'web',
      sub: 'web',
      aud: provider.issuer,
    })
  })

  it('sends its secret in the form where the provider takes no other way', async () => {
    const { url, provider } = await starting()
    provider.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(200)
    const [{ form, authorization } = { form: new URLSearchParams(), authorization: '' }] =
      provider.tokenRequests
    expect(authorization).toBeUndefined()
    expect(form.get('client_secret')).toBe('web-secret')
  })

  it('signs in without discovery, where the endpoints are written', async () => {
    const signIn = await starting()
    const { issuer } = signIn.provider
    const gateway = await startTestGateway(`
version: 1
providers:
  corp:
    { type: oidc, issuer: "${issuer}", discovery: false,
      endpoints: { jwks: "${issuer}/jwks", authorization: "${issuer}/authorize", token: "${issuer}/token" } }
authenticators:
  browser: { type: session, provider: corp, client: { id: web, secret: web-secret }, scopes: ["x:y"], parameters: { audience: api } }
upstreams: { app: { targets: ["${signIn.upstream.url}"] } }
routes: [{ id: app, match: { path: /app/* }, authenticate: [browser], upstream: app }]
`)
    try {
      expect((await new TestBrowser().visit(`${gateway.url}/app/`)).status).toBe(200)
      const asked = signIn.provider.authorizations.at(-1)
      expect(asked?.get('scope')).toBe('openid x:y')
      expect(asked?.get('audience')).toBe('api')
    } finally {
      await gateway.stop()
    }
  })
})

describe('several providers', () => {
  const several = `providers: [corp, partner], client: { id: web, secret: web-secret },
    choose: { hosts: { two.localhost: partner }, emailDomains: { example.com: corp }, labels: { corp: "A <b> & Co" } }`
  const more = 'publicUrl: ["http://one.localhost", "http://two.localhost"]'

  it('are chosen by host, by what was asked for, or on a page that runs and loads nothing', async () => {
    const { provider, partner, gateway } = await starting({ session: several, more })
    const browser = new TestBrowser()
    for (const host of ['one.localhost', 'two.localhost']) browser.ports.set(host, gateway.port)
    expect((await browser.visit('http://two.localhost/app/')).status).toBe(200)
    expect(partner.authorizations).toHaveLength(1)
    const page = await browser.visit('http://one.localhost/app/x?y="><script>')
    expect(page.status).toBe(200)
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/)
    expect(page.body).toContain('A &lt;b&gt; &amp; Co')
    expect(page.body).not.toContain('<script')
    expect(page.body).not.toContain('A <b>')
    expect(page.headers['set-cookie']).toBeUndefined()
    const href = /href="([^"]*provider=partner[^"]*)"/.exec(page.body)![1]!.replaceAll('&amp;', '&')
    expect((await browser.visit(new URL(href, page.url).href)).url).toBe(
      'http://one.localhost/app/x?y=%22%3E%3Cscript%3E',
    )
    expect(provider.authorizations).toHaveLength(0)
    expect((await browser.visit('http://one.localhost/.portcullis/login?provider=nobody')).status).toBe(400)
    expect((await browser.visit('http://one.localhost/.portcullis/callback/nobody?state=x')).status).toBe(404)
  })
})

describe('without a session authenticator', () => {
  it('there is nothing to sign in or out at', async () => {
    const gateway = await startTestGateway(`
version: 1
authenticators: { keys: { type: api-key } }
upstreams: { app: { targets: ["http://127.0.0.1:1"] } }
routes: [{ id: app, match: { path: /app }, authenticate: [keys], upstream: app }]
`)
    try {
      for (const path of [
        'login',
        'logout',
        'logged-out',
        'session',
        'callback/corp',
        'backchannel-logout/corp',
      ])
        expect((await new TestBrowser().visit(`${gateway.url}/.portcullis/${path}`)).status, path).toBe(404)
    } finally {
      await gateway.stop()
    }
  })
})

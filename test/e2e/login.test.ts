/** Signing in and out through a whole gateway, at providers that do as they are told. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startSignIn, type SignIn, type SignInText } from '../harness/sign-in.ts'

let running: SignIn | undefined
const starting = async (text?: SignInText): Promise<SignIn> => (running = await startSignIn(text))

afterEach(async () => {
  await running?.[Symbol.asyncDispose]()
  running = undefined
})

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries > 100) throw new Error('it never came to that')
    await delay(25)
  }
}

describe('signing in', () => {
  it('sends a navigation to the provider and back to where it wanted to go', async () => {
    const { url, provider, upstream } = await starting()
    provider.user = { sub: 'alice', name: 'Alice', roles: ['viewer'] }
    const browser = new TestBrowser()
    const page = await browser.visit(`${url}/app/items?q=1&next=https://other.example/`)
    expect(page.status).toBe(200)
    expect(page.url).toBe(`${url}/app/items?q=1&next=https:/%2Fother.example/`)
    const [asked] = provider.authorizations
    expect(asked?.get('response_type')).toBe('code')
    expect(asked?.get('code_challenge_method')).toBe('S256')
    expect(asked?.get('redirect_uri')).toBe(`${url}/.portcullis/callback/corp`)
    const { headers } = upstream.requests.at(-1)!
    expect(headers['x-auth-subject']).toBe('alice')
    expect(headers['x-auth-roles']).toBe('viewer')
    expect(headers['x-auth-client']).toBe('web')
    expect(headers['x-auth-method']).toBe('browser')
    expect(headers['cookie']).toBeUndefined()
    expect([...browser.jar.get(new URL(url).host)!.keys()]).toEqual(['portcullis'])
  })

  it('answers calls of programs with 401 and a challenge, never a redirect', async () => {
    const { url } = await starting()
    const browser = new TestBrowser()
    for (const visit of [
      browser.call(`${url}/app/items`),
      browser.call(`${url}/app/items`, { method: 'POST' }),
      browser.visit(`${url}/app/items`, { method: 'POST', headers: { origin: url } }),
    ]) {
      const answer = await visit
      expect(answer.status).toBe(401)
      expect(answer.headers.location).toBeUndefined()
      expect(answer.headers['www-authenticate']).toContain(
        'Session realm="portcullis", login="/.portcullis/login"',
      )
    }
  })

  it('pushes the request where the provider has an endpoint for that', async () => {
    const { url, provider } = await starting()
    provider.metadata = { pushed_authorization_request_endpoint: `${provider.issuer}/par` }
    const browser = new TestBrowser()
    expect((await browser.visit(`${url}/app/`)).status).toBe(200)
    expect(provider.pushed).toBe(1)
    const redirect = browser.history.find(({ url: each }) => each.startsWith(`${provider.issuer}/authorize`))
    expect([...new URL(redirect!.url).searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
  })

  it('asks for what the routes require, as far as the provider lists it', async () => {
    const { url, provider } = await starting({
      routes: `  - { id: app, match: { path: /app/* }, authenticate: [browser], authorize: { scopes: [a:read, b:read] }, upstream: app }`,
    })
    provider.metadata = { scopes_supported: ['openid', 'email', 'a:read'] }
    await new TestBrowser().visit(`${url}/app/`)
    expect(provider.authorizations.at(-1)?.get('scope')).toBe('openid email a:read')
  })

  it('tells a page who is signed in, without keeping the session alive by that', async () => {
    const { url, provider, signedIn } = await starting({
      session: 'provider: corp, client: { id: web, secret: web-secret }, idle: 1s',
    })
    provider.user = { sub: 'alice', email: 'alice@example.com', secret_claim: 'x' }
    const browser = await signedIn()
    const who = await browser.call(`${url}/.portcullis/session`)
    expect(who.status).toBe(200)
    expect(JSON.parse(who.body)).toMatchObject({
      issuer: provider.issuer,
      subject: 'alice',
      email: 'alice@example.com',
    })
    expect(who.body).not.toMatch(/secret_claim|token/)
    expect((await new TestBrowser().call(`${url}/.portcullis/session`)).status).toBe(401)
    const began = performance.now()
    while (performance.now() - began < 1100) {
      await browser.call(`${url}/.portcullis/session`)
      await delay(100)
    }
    expect((await browser.call(`${url}/app/`)).status).toBe(401)
    expect(browser.cookie(url, 'portcullis')).toBeUndefined()
  })

  it('clears the cookie of a session that idled out, and sends a navigation back to log in', async () => {
    const { url, signedIn, sessionEvents } = await starting({
      session: 'provider: corp, client: { id: web, secret: web-secret }, idle: 500ms',
    })
    const browser = await signedIn()
    for (let used = 0; used < 4; used += 1) {
      await delay(200)
      expect((await browser.call(`${url}/app/`)).status).toBe(200)
    }
    await delay(700)
    const first = await browser.visit(`${url}/app/`, { follow: false })
    expect(first.status).toBe(302)
    expect(first.headers.location).toBe('/.portcullis/login?return_to=%2Fapp%2F')
    expect(first.headers['set-cookie']?.[0]).toMatch(/^portcullis=; Path=\/; Max-Age=0/)
    expect((await browser.visit(`${url}/app/`)).status).toBe(200)
    await until(async () =>
      (await sessionEvents()).some(({ data }) => (data as { change?: string })?.change === 'expired'),
    )
  })

  it('counts an ended session as not sent where a session is optional', async () => {
    const { url, signedIn, upstream } = await starting()
    const browser = await signedIn()
    expect((await browser.call(`${url}/open/`)).status).toBe(200)
    expect(upstream.requests.at(-1)?.headers['x-auth-subject']).toBe('alice')
    await browser.submit(await browser.visit(`${url}/.portcullis/logout`), {})
    browser.plant(url, 'portcullis', 'A'.repeat(43))
    expect((await browser.call(`${url}/open/`)).status).toBe(200)
    expect(upstream.requests.at(-1)?.headers['x-auth-subject']).toBeUndefined()
    expect(browser.cookie(url, 'portcullis')).toBeUndefined()
  })

  it('adds what the ID token lacks from the userinfo endpoint, and refuses another user there', async () => {
    const { url, provider, upstream } = await starting({
      session: 'provider: corp, client: { id: web, secret: web-secret }, claimsFrom: userinfo',
    })
    provider.misbehave = (path) =>
      path === '/userinfo'
        ? { status: 200, body: { sub: 'alice', roles: ['editor'], iss: 'https://evil.example' } }
        : undefined
    const browser = new TestBrowser()
    expect((await browser.visit(`${url}/app/`)).status).toBe(200)
    expect(upstream.requests.at(-1)?.headers['x-auth-roles']).toBe('editor')
    expect(upstream.requests.at(-1)?.headers['x-auth-issuer']).toBe(provider.issuer)
    provider.misbehave = (path) =>
      path === '/userinfo' ? { status: 200, body: { sub: 'mallory', roles: ['admin'] } } : undefined
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(401)
  })

  it('tries the older secret while a secret is rotated', async () => {
    const { url, provider } = await starting({
      session: 'provider: corp, client: { id: web, secret: [new-secret, old-secret] }',
    })
    provider.misbehave = (path) => {
      const sent = provider.tokenRequests.length
      return path === '/token' && sent === 0 && firstTry()
        ? { status: 401, body: { error: 'invalid_client' } }
        : undefined
    }
    let tries = 0
    const firstTry = (): boolean => (tries += 1) === 1
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(200)
    const secret = Buffer.from(provider.tokenRequests[0]!.authorization!.slice(6), 'base64').toString()
    expect(secret).toBe('web:old-secret')
  })

  it('says so when the provider refuses, is away, or answers nonsense', async () => {
    const { url, provider } = await starting()
    provider.callback = { error: 'access_denied', code: undefined }
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(403)
    provider.callback = { error: '<script>alert(1)</script>', code: undefined }
    const odd = await new TestBrowser().visit(`${url}/app/`)
    expect(odd.status).toBe(401)
    expect(odd.body).not.toContain('<script')
    expect(odd.body).toContain('href="/.portcullis/login?return_to=%2Fapp%2F"')
    provider.callback = {}
    provider.misbehave = (path) => (path === '/token' ? { status: 500, body: 'oops' } : undefined)
    const away = await new TestBrowser().visit(`${url}/app/`)
    expect(away.status).toBe(503)
    expect(away.headers['retry-after']).toBe('5')
    provider.misbehave = (path) => (path === '/token' ? { status: 200, body: 'no JSON' } : undefined)
    expect((await new TestBrowser().visit(`${url}/app/`)).status).toBe(401)
  })
})

/** Signing out: by the user on every host, by the provider behind the scenes, and what becomes of open streams. */
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
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

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries > 120) throw new Error('it never came to that')
    await delay(25)
  }
}

const hosts = 'publicUrl: ["http://one.localhost", "http://two.localhost"]'

/** A browser that knows where the two hosts are. */
function browserFor({ gateway }: SignIn): TestBrowser {
  const browser = new TestBrowser()
  for (const host of ['one.localhost', 'two.localhost']) browser.ports.set(host, gateway.port)
  return browser
}

describe('signing out', () => {
  it('shows a button first, then ends the session on every host, revokes the tokens and leaves through the provider', async () => {
    const signIn = await starting({ more: hosts })
    const { provider, sessionEvents } = signIn
    const browser = browserFor(signIn)
    expect((await browser.visit('http://one.localhost/app/')).status).toBe(200)
    expect((await browser.visit('http://two.localhost/app/')).status).toBe(200)
    const tokens = [...provider.refreshTokens]
    expect(tokens).toHaveLength(2)
    const page = await browser.visit('http://one.localhost/.portcullis/logout')
    expect(page.body).toContain('<form method="post" action="/.portcullis/logout">')
    expect((await browser.call('http://one.localhost/app/')).status).toBe(200)
    const out = await browser.submit(page, {}, { follow: false })
    expect(out.status).toBe(303)
    const to = new URL(out.headers.location!)
    expect(to.origin + to.pathname).toBe(`${provider.issuer}/logout`)
    expect(to.searchParams.get('post_logout_redirect_uri')).toBe(
      'http://one.localhost/.portcullis/logged-out',
    )
    expect(to.searchParams.get('id_token_hint')?.split('.')).toHaveLength(3)
    expect(out.headers['cache-control']).toBe('no-store')
    expect(out.headers['clear-site-data']).toBe('"cache"')
    expect(browser.cookie('http://one.localhost', 'portcullis')).toBeUndefined()
    expect((await browser.call('http://two.localhost/app/')).status).toBe(401)
    expect(provider.revoked.toSorted()).toEqual(tokens.toSorted())
    expect((await browser.visit('http://one.localhost/.portcullis/logged-out')).body).toContain('signed out')
    await until(async () => {
      const changes = (await sessionEvents()).map(
        ({ data }) => (data as { change?: string } | undefined)?.change,
      )
      return (
        changes.filter((each) => each === 'login').length === 2 &&
        changes.filter((each) => each === 'logout').length === 2
      )
    })
  })

  it('signs out here when the provider is away, and when it has no such endpoint', async () => {
    const { url, provider, signedIn } = await starting()
    const browser = await signedIn()
    provider.misbehave = () => ({ hangUp: true })
    const out = await browser.submit(await browser.visit(`${url}/.portcullis/logout`), {}, { follow: false })
    expect(out.status).toBe(303)
    expect((await browser.call(`${url}/app/`)).status).toBe(401)
    const nobody = await new TestBrowser().visit(`${url}/.portcullis/logout`, {
      method: 'POST',
      headers: { origin: url },
      follow: false,
    })
    expect(nobody.headers.location).toBe('/.portcullis/logged-out')
  })

  it('cuts the open streams of a session within a second', async () => {
    const { url, upstream, signedIn } = await starting()
    const person = await signedIn()
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
    }
    const closed = new Promise<number>((resolve, reject) => {
      const stream = request(`${url}/app/events`, {
        headers: { cookie: `portcullis=${person.cookie(url, 'portcullis')!}` },
      })
      stream.on('response', (response) => {
        response.on('data', () => undefined)
        response.on('close', () => resolve(performance.now()))
        response.on('error', () => undefined)
      })
      stream.on('error', reject)
      stream.end()
    })
    await until(() => upstream.requests.some(({ url: each }) => each === '/app/events'))
    const at = performance.now()
    await person.submit(await person.visit(`${url}/.portcullis/logout`), {}, { follow: false })
    expect((await closed) - at).toBeLessThan(2_500)
  })

  it('is known to another gateway on the same store within a second', async () => {
    const signIn = await starting({ more: `${hosts}\nstore: { url: "sqlite:./shared.db" }` })
    const { provider, upstream, gateway } = signIn
    const second = await startTestGateway(`
version: 1
publicUrl: ["http://one.localhost", "http://two.localhost"]
store: { url: "sqlite:${join(gateway.folder, 'shared.db')}" }
providers: { corp: { type: oidc, issuer: "${provider.issuer}" } }
authenticators: { browser: { type: session, provider: corp, client: { id: web, secret: web-secret } } }
upstreams: { app: { targets: ["${upstream.url}"] } }
routes: [{ id: app, match: { path: /app/* }, authenticate: [browser], upstream: app }]
`)
    try {
      const browser = browserFor(signIn)
      await browser.visit('http://one.localhost/app/')
      browser.ports.set('one.localhost', second.port)
      expect((await browser.call('http://one.localhost/app/')).status).toBe(200)
      const cookie = browser.cookie('http://one.localhost', 'portcullis')!
      browser.ports.set('one.localhost', gateway.port)
      await browser.submit(
        await browser.visit('http://one.localhost/.portcullis/logout'),
        {},
        { follow: false },
      )
      browser.ports.set('one.localhost', second.port)
      const at = performance.now()
      await until(async () => {
        browser.plant('http://one.localhost', 'portcullis', cookie)
        return (await browser.call('http://one.localhost/app/')).status === 401
      })
      expect(performance.now() - at).toBeLessThan(1_000)
    } finally {
      await second.stop()
    }
  })
})

describe('the provider signs out', () => {
  const tell = (url: string, token: string, provider = 'corp'): Promise<Response> =>
    fetch(`${url}/.portcullis/backchannel-logout/${provider}`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })

  it('with a session that one, with a subject alone all of theirs', async () => {
    const { url, provider, signedIn } = await starting()
    provider.user = { sid: 'one' }
    const first = await signedIn()
    provider.user = { sid: 'two' }
    const second = await signedIn()
    provider.user = { sub: 'bob', sid: 'three' }
    const bob = await signedIn()
    const told = await tell(url, provider.logoutToken({ sid: 'one', sub: 'alice' }))
    expect(told.status).toBe(200)
    expect(told.headers.get('cache-control')).toBe('no-store')
    expect((await first.call(`${url}/app/`)).status).toBe(401)
    expect((await second.call(`${url}/app/`)).status).toBe(200)
    expect((await tell(url, provider.logoutToken({ sid: undefined, sub: 'alice' }))).status).toBe(200)
    expect((await second.call(`${url}/app/`)).status).toBe(401)
    expect((await bob.call(`${url}/app/`)).status).toBe(200)
    expect((await tell(url, provider.logoutToken({ sid: 'nobody-has-it' }))).status).toBe(200)
  })

  it('is 404 at a provider where nobody signs in', async () => {
    const { url, partner } = await starting()
    expect((await tell(url, partner.logoutToken(), 'partner')).status).toBe(404)
  })
})

describe('a revocation', () => {
  it('of a session refuses calls with 401 and sends a navigation to log in, where the callback refuses too', async () => {
    const { url, gateway, signedIn } = await starting({
      more: `admin: { address: "127.0.0.1:0", token: "${'t'.repeat(40)}" }`,
    })
    const browser = await signedIn()
    const answer = await fetch(`${gateway.gateway.adminUrl}/api/v1/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${'t'.repeat(40)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'session', value: 'provider-session' }),
    })
    expect(answer.status).toBeLessThan(300)
    const call = await browser.call(`${url}/app/`)
    expect(call.status).toBe(401)
    expect(JSON.parse(call.body)).toMatchObject({ code: 'credential_revoked' })
    const there = await browser.visit(`${url}/app/`)
    expect(there.url).toContain('/.portcullis/callback/corp')
    expect(there.status).toBe(401)
    expect(there.body).toContain('credential_revoked')
    expect((await browser.call(`${url}/open/`)).status).toBe(401)
  })
})

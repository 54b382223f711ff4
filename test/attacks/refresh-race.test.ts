/** Refresh tokens that are good once, used at the same time from many sides, and a logout in between. */
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'

let running: SignIn
let second: TestGateway | undefined
afterEach(async () => {
  await second?.stop()
  second = undefined
  await running[Symbol.asyncDispose]()
})

const site = 'http://app.localhost'

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

const refreshes = (): number =>
  running.provider.tokenRequests.filter(({ form }) => form.get('grant_type') === 'refresh_token').length

describe('a refresh race', () => {
  it('of two replicas uses the refresh token once, and both go on', async () => {
    running = await startSignIn({ more: `publicUrl: ${site}\nstore: { url: "sqlite:./shared.db" }` })
    const { provider, upstream, gateway } = running
    second = await startTestGateway(`
version: 1
publicUrl: ${site}
store: { url: "sqlite:${join(gateway.folder, 'shared.db')}" }
providers: { corp: { type: oidc, issuer: "${provider.issuer}" } }
authenticators: { browser: { type: session, provider: corp, client: { id: web, secret: web-secret } } }
upstreams: { app: { targets: ["${upstream.url}"] } }
routes: [{ id: app, match: { path: /app/* }, authenticate: [browser], upstream: app }]
`)
    const browser = new TestBrowser()
    browser.ports.set('app.localhost', gateway.port)
    provider.lifetime = 0
    await browser.visit(`${site}/.portcullis/login?return_to=/open/`)
    const other = new TestBrowser()
    other.ports.set('app.localhost', second.port)
    other.plant(site, 'portcullis', browser.cookie(site, 'portcullis')!)
    const before = refreshes()
    const waiting = gate()
    provider.lifetime = 60
    provider.misbehave = (path) => (path === '/token' ? { after: waiting.opened } : undefined)
    const answers = Promise.all([browser, other, browser, other].map((each) => each.call(`${site}/app/`)))
    setTimeout(() => waiting.open(), 400)
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(refreshes() - before).toBe(1)
    expect((await other.call(`${site}/app/`)).status).toBe(200)
  })

  it('lost to a logout ends nothing twice: the session stays ended, and the new tokens are given back', async () => {
    running = await startSignIn()
    const { url, provider } = running
    provider.lifetime = 0
    const browser = new TestBrowser()
    await browser.visit(`${url}/.portcullis/login?return_to=/other`)
    const waiting = gate()
    const reached = gate()
    provider.misbehave = (path, form) => {
      if (path !== '/token' || form.get('grant_type') !== 'refresh_token') return undefined
      reached.open()
      return { after: waiting.opened }
    }
    const cookie = browser.cookie(url, 'portcullis')!
    const call = browser.call(`${url}/app/`)
    await reached.opened
    const told = await fetch(`${url}/.portcullis/backchannel-logout/corp`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: provider.logoutToken() }),
    })
    expect(told.status).toBe(200)
    waiting.open()
    expect((await call).status).toBe(401)
    await expect.poll(() => provider.refreshTokens.size).toBe(0)
    browser.plant(url, 'portcullis', cookie)
    expect((await browser.call(`${url}/app/`)).status).toBe(401)
  })
})

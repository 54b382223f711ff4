/** Answers of a provider that this browser did not ask for: another browser's, another provider's, yesterday's. */
import { afterEach, describe, expect, it } from 'vitest'
import { TestBrowser, type Seen } from '../harness/browser.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'

let running: SignIn
afterEach(() => running[Symbol.asyncDispose]())

const several = `providers: [corp, partner], client: { id: web, secret: web-secret }`

/** Goes as far as the redirect back, and does not follow it. */
async function untilCallback(browser: TestBrowser, url: string, provider = 'corp'): Promise<string> {
  const start = await browser.visit(`${url}/.portcullis/login?return_to=/app/&provider=${provider}`, {
    follow: false,
  })
  const there = await browser.visit(start.headers.location!, { follow: false })
  return there.headers.location!
}

const isRefused = (answer: Seen, status: number): void => {
  expect(answer.status).toBe(status)
  expect((answer.headers['set-cookie'] ?? []).some((each) => /^portcullis=[^;]/.test(each))).toBe(false)
}

describe('login CSRF', () => {
  it('refuses the callback of another browser, and the browser that began may still finish', async () => {
    running = await startSignIn()
    const { url } = running
    const attacker = new TestBrowser()
    const callback = await untilCallback(attacker, url)
    const victim = new TestBrowser()
    isRefused(await victim.visit(callback, { follow: false }), 400)
    await untilCallback(victim, url)
    isRefused(await victim.visit(callback, { follow: false }), 400)
    expect((await attacker.visit(callback)).status).toBe(200)
  })

  it('refuses an attempt cookie under another state, and one that was changed', async () => {
    running = await startSignIn()
    const { url } = running
    const browser = new TestBrowser()
    const callback = new URL(await untilCallback(browser, url))
    const state = callback.searchParams.get('state')!
    const value = browser.cookie(url, `portcullis-login-${state}`)!
    const other = 'B'.repeat(22)
    browser.plant(url, `portcullis-login-${other}`, value)
    callback.searchParams.set('state', other)
    isRefused(await browser.visit(callback.href, { follow: false }), 400)
    callback.searchParams.set('state', state)
    browser.plant(url, `portcullis-login-${state}`, `${value.slice(0, -2)}AA`)
    isRefused(await browser.visit(callback.href, { follow: false }), 400)
  })

  it('takes each callback once, even with the same cookies', async () => {
    running = await startSignIn()
    const { url } = running
    const browser = new TestBrowser()
    const callback = await untilCallback(browser, url)
    const thief = new TestBrowser()
    for (const [name, value] of browser.jar.get(new URL(url).host)!) thief.plant(url, name, value)
    expect((await browser.visit(callback)).status).toBe(200)
    isRefused(await thief.visit(callback, { follow: false }), 400)
    isRefused(await browser.visit(callback, { follow: false }), 400)
  })

  it('refuses the answer of one provider as another’s, by its path and by its `iss`', async () => {
    running = await startSignIn({ session: several })
    const { url, partner, provider } = running
    const browser = new TestBrowser()
    const callback = await untilCallback(browser, url, 'partner')
    isRefused(
      await browser.visit(callback.replace('/callback/partner', '/callback/corp'), { follow: false }),
      400,
    )
    // The honest provider's code, sent to the attacker's redirect: its `iss` gives it away.
    partner.callback = { iss: provider.issuer }
    isRefused(await browser.visit(await untilCallback(browser, url, 'partner'), { follow: false }), 401)
    partner.callback = { iss: undefined }
    isRefused(await browser.visit(await untilCallback(browser, url, 'partner'), { follow: false }), 401)
    expect(partner.tokenRequests).toHaveLength(0)
    expect(provider.tokenRequests).toHaveLength(0)
  })

  it('redeems no code that was injected from another login', async () => {
    running = await startSignIn()
    const { url } = running
    const victim = new TestBrowser()
    const stolen = new URL(await untilCallback(victim, url)).searchParams.get('code')!
    const attacker = new TestBrowser()
    const own = new URL(await untilCallback(attacker, url))
    own.searchParams.set('code', stolen)
    isRefused(await attacker.visit(own.href, { follow: false }), 401)
  })

  it('refuses parameters that come twice', async () => {
    running = await startSignIn()
    const { url } = running
    const browser = new TestBrowser()
    for (const name of ['code', 'iss', 'state']) {
      const callback = await untilCallback(browser, url)
      isRefused(await browser.visit(`${callback}&${name}=x`, { follow: false }), name === 'state' ? 400 : 401)
    }
  })

  it('keeps five attempts of one browser, however many are begun', async () => {
    running = await startSignIn()
    const { url } = running
    const browser = new TestBrowser()
    const callbacks: string[] = []
    for (let begun = 0; begun < 8; begun += 1) callbacks.push(await untilCallback(browser, url))
    expect(browser.jar.get(new URL(url).host)!.size).toBe(5)
    isRefused(await browser.visit(callbacks[0]!, { follow: false }), 400)
    expect((await browser.visit(callbacks[7]!)).status).toBe(200)
    const long = `${url}/.portcullis/login?return_to=/app/${'x'.repeat(1900)}`
    for (let begun = 0; begun < 5; begun += 1) await browser.visit(long, { follow: false })
    const header = [...browser.jar.get(new URL(url).host)!]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    expect(header.length).toBeLessThan(8_000)
  })
})

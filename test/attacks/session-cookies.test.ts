/** Session cookies where they do not belong: tossed by a sibling host, stolen to another, sent from a foreign page. */
import { afterEach, describe, expect, it } from 'vitest'
import { selfSign } from '../support/certificate.ts'
import { TestBrowser } from '../harness/browser.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'

let running: SignIn
afterEach(() => running[Symbol.asyncDispose]())

const { certificate, key } = selfSign('127.0.0.1', ['one.localhost', 'two.localhost'])
const https = {
  more: `publicUrl: ["https://one.localhost", "https://two.localhost"]
listeners: [{ address: "127.0.0.1:0", tls: { certificate: ./tls.pem, key: ./tls.key } }]`,
  options: { files: { 'tls.pem': certificate, 'tls.key': key } },
}
const one = 'https://one.localhost'
const two = 'https://two.localhost'
const name = '__Host-portcullis'

async function signedInOverTls(): Promise<TestBrowser> {
  running = await startSignIn(https)
  const browser = new TestBrowser()
  for (const host of ['one.localhost', 'two.localhost']) browser.ports.set(host, running.gateway.port)
  expect((await browser.visit(`${one}/app/`)).status).toBe(200)
  return browser
}

describe('cookie tossing', () => {
  it('sets cookies that no sibling host can set, and reads no others over TLS', async () => {
    const browser = await signedInOverTls()
    const set = browser.history.flatMap(({ headers }) => headers['set-cookie'] ?? [])
    expect(set.filter((each) => !/Max-Age=0/.test(each))).toEqual([
      expect.stringMatching(
        /^__Host-portcullis-login-[\w-]{22}=[\w-]+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
      ),
      expect.stringMatching(/^__Host-portcullis=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/),
    ])
    const value = browser.cookie(one, name)!
    browser.jar.clear()
    browser.plant(one, 'portcullis', value)
    expect((await browser.call(`${one}/app/`)).status).toBe(401)
    browser.plant(one, name, value)
    expect((await browser.call(`${one}/app/`)).status).toBe(200)
  })

  it('refuses two session cookies: no guess about whose the request is', async () => {
    const browser = await signedInOverTls()
    const value = browser.cookie(one, name)!
    for (const cookie of [
      `${name}=${value}; ${name}=${'A'.repeat(43)}`,
      `${name}=${'A'.repeat(43)}; x=1; ${name}=${value}`,
      `${name}=${value}; ${name}=${value}`,
    ]) {
      browser.jar.clear()
      const answer = await browser.call(`${one}/app/`, { headers: { cookie } })
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'credential_ambiguous' })
    }
  })

  it('refuses a session cookie beside a good bearer token', async () => {
    running = await startSignIn()
    const { url, provider, signedIn } = running
    const browser = await signedIn()
    const now = Math.floor(Date.now() / 1000)
    const token = provider.sign(
      { iss: provider.issuer, sub: 'bob', aud: 'https://api.example', iat: now, exp: now + 60 },
      { typ: 'at+jwt' },
    )
    const headers = { authorization: `Bearer ${token}` }
    expect((await browser.call(`${url}/app/`, { headers })).status).toBe(400)
    expect((await new TestBrowser().call(`${url}/app/`, { headers })).status).toBe(200)
  })
})

describe('a stolen session cookie', () => {
  it('is worth nothing on another host, and is not cleared there', async () => {
    const browser = await signedInOverTls()
    const value = browser.cookie(one, name)!
    browser.plant(two, name, value)
    const answer = await browser.call(`${two}/app/`)
    expect(answer.status).toBe(401)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect((await browser.call(`${one}/app/`)).status).toBe(200)
  })

  it('reaches no backend, no log and no audit event', async () => {
    const browser = await signedInOverTls()
    const value = browser.cookie(one, name)!
    expect(JSON.stringify(running.upstream.requests)).not.toContain(value)
    expect(running.gateway.lines.join('')).not.toContain(value)
    expect(JSON.stringify(await running.sessionEvents())).not.toContain(value)
  })

  it('is refused on hosts that are none of ours, and on routes of other authenticators', async () => {
    const browser = await signedInOverTls()
    const value = browser.cookie(one, name)!
    const elsewhere = await browser.call(`${one}/app/`, { headers: { host: 'evil.localhost' } })
    expect(elsewhere.status).toBe(421)
    const other = await browser.call(`${one}/tokens/`, { headers: { cookie: `${name}=${value}` } })
    expect(other.status).toBe(401)
    expect(other.headers['set-cookie']).toBeUndefined()
  })
})

describe('a foreign page', () => {
  it('cannot act with the session of its visitor', async () => {
    const browser = await signedInOverTls()
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await browser.call(`${one}/app/`, { method: 'POST', headers })).status
    expect(await post({ origin: one })).toBe(200)
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await post({ origin: two })).toBe(403)
    expect(await post({ origin: 'null' })).toBe(403)
    expect(await post({ origin: 'https://evil.example' })).toBe(403)
    expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await post({})).toBe(403)
  })

  it('cannot sign its visitor out, and a link only shows a button', async () => {
    const browser = await signedInOverTls()
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, {}]) {
      const answer = await browser.visit(`${one}/.portcullis/logout`, {
        method: 'POST',
        headers,
        follow: false,
      })
      expect(answer.status).toBe(403)
    }
    const page = await browser.visit(`${one}/.portcullis/logout`)
    expect(page.headers['content-security-policy']).toMatch(/frame-ancestors 'none'/)
    expect((await browser.call(`${one}/app/`)).status).toBe(200)
  })
})

/** Logout tokens that are no logout tokens, and good ones that come again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'
import { signingKey } from '../harness/signing-key.ts'
import type { TestBrowser } from '../harness/browser.ts'

let running: SignIn
let browser: TestBrowser
beforeAll(async () => {
  running = await startSignIn()
  browser = await running.signedIn()
})
afterAll(() => running[Symbol.asyncDispose]())

const tell = (token: string | undefined, more = ''): Promise<Response> =>
  fetch(`${running.url}/.portcullis/backchannel-logout/corp`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `${token === undefined ? '' : `logout_token=${encodeURIComponent(token)}`}${more}`,
  })
const isStillIn = async (): Promise<boolean> => (await browser.call(`${running.url}/app/`)).status === 200
const now = (): number => Math.floor(Date.now() / 1000)
const event = 'http://schemas.openid.net/event/backchannel-logout'

describe('a logout token', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'other' }],
    ['with a nonce, as an ID token has', { nonce: 'x' }],
    ['without events', { events: undefined }],
    ['with another event', { events: { 'urn:other': {} } }],
    ['with an event that is no object', { events: { [event]: 'yes' } }],
    ['with events that are a list', { events: [event] }],
    ['without sid and sub', { sid: undefined, sub: undefined }],
    ['with a sid that is no text', { sid: 7 }],
    ['without jti', { jti: undefined }],
    ['without iat', { iat: undefined }],
    ['that has expired', { exp: 1_000_000_000 }],
    ['without exp', { exp: undefined }],
    ['of tomorrow', { iat: 4_000_000_000, exp: 4_000_000_100 }],
    [
      'that is an hour old',
      { iat: Math.floor(Date.now() / 1000) - 3600, exp: Math.floor(Date.now() / 1000) + 3600 },
    ],
    ['of the type of access tokens', {}, { typ: 'at+jwt' }],
    ['with a critical header', {}, { crit: ['x'], x: 1 }],
    ['of another algorithm than its key', {}, { alg: 'RS256' }],
  ])('%s is refused with 400, and ends nothing', async (_, claims, header) => {
    const answer = await tell(running.provider.logoutToken(claims, header))
    expect(answer.status).toBe(400)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await isStillIn()).toBe(true)
  })

  it('that is missing, twice there, unsigned or of a strange key is refused', async () => {
    const { provider } = running
    const good = provider.logoutToken()
    const [, payload = ''] = good.split('.')
    const none = Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')
    const own = signingKey('ES256')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    expect((await tell(undefined)).status).toBe(400)
    expect((await tell('')).status).toBe(400)
    expect((await tell(good, `&logout_token=${good}`)).status).toBe(400)
    expect((await tell(`${none}.${payload}.`)).status).toBe(400)
    expect((await tell(own.sign({ alg: 'ES256', typ: 'logout+jwt' }, claims))).status).toBe(400)
    expect(
      (await fetch(`${running.url}/.portcullis/backchannel-logout/corp?logout_token=${good}`)).status,
    ).toBe(405)
    expect(await isStillIn()).toBe(true)
  })

  it('is taken once: a replay ends no later session', async () => {
    const { provider, signedIn } = running
    provider.user = { sub: 'carol', sid: 'first' }
    const first = await signedIn()
    const token = provider.logoutToken({ sid: undefined, sub: 'carol' })
    expect((await tell(token)).status).toBe(200)
    expect((await first.call(`${running.url}/app/`)).status).toBe(401)
    provider.user = { sub: 'carol', sid: 'second' }
    const second = await signedIn()
    expect((await tell(token)).status).toBe(400)
    expect((await second.call(`${running.url}/app/`)).status).toBe(200)
    const [head, payload, signature] = token.split('.')
    expect((await tell(`${head}.${payload}.${signature!.slice(0, -1)}A`)).status).toBe(400)
  })

  it('beats the login of the same provider session that is still under way', async () => {
    const { provider, signedIn, url } = running
    provider.user = { sub: 'dave', sid: 'short-lived' }
    const token = provider.logoutToken({ sid: 'short-lived', iat: now(), exp: now() + 60 })
    provider.misbehave = (path) => (path === '/token' ? { after: tell(token) } : undefined)
    await expect(signedIn()).rejects.toThrow('signing in answered 401')
    provider.misbehave = undefined
    expect(url).toBeDefined()
  })
})

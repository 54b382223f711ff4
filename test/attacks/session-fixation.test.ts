/** An attacker plants a session cookie and hopes that the victim signs in under it. */
import { afterEach, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'

let running: SignIn
afterEach(() => running[Symbol.asyncDispose]())

describe('session fixation', () => {
  it('gives a new cookie at each login and ends the session that was there before', async () => {
    running = await startSignIn()
    const { url, signedIn } = running
    const attacker = await signedIn()
    const planted = attacker.cookie(url, 'portcullis')!
    const victim = new TestBrowser()
    victim.plant(url, 'portcullis', planted)
    expect((await victim.visit(`${url}/.portcullis/login?return_to=/app/`)).status).toBe(200)
    const fresh = victim.cookie(url, 'portcullis')!
    expect(fresh).not.toBe(planted)
    expect((await attacker.call(`${url}/app/`)).status).toBe(401)
    await victim.visit(`${url}/.portcullis/login?return_to=/app/`)
    expect(victim.cookie(url, 'portcullis')).not.toBe(fresh)
  })

  it('takes no identifier of the attacker’s choosing', async () => {
    running = await startSignIn()
    const { url } = running
    const victim = new TestBrowser()
    victim.plant(url, 'portcullis', 'A'.repeat(43))
    await victim.visit(`${url}/app/`)
    expect(victim.cookie(url, 'portcullis')).not.toBe('A'.repeat(43))
    const attacker = new TestBrowser()
    attacker.plant(url, 'portcullis', 'A'.repeat(43))
    expect((await attacker.call(`${url}/app/`)).status).toBe(401)
  })

  it('lets no backend set, replace or clear a cookie of ours, and records the try', async () => {
    running = await startSignIn()
    const { url, upstream, signedIn, sessionEvents } = running
    const browser = await signedIn()
    const own = browser.cookie(url, 'portcullis')!
    upstream.answer = (_request, response) =>
      void response
        .writeHead(200, {
          'set-cookie': [
            `portcullis=${'B'.repeat(43)}; Path=/`,
            'portcullis=; Max-Age=0; Path=/',
            '__Host-portcullis=x; Path=/; Secure',
            'portcullis-login-abc=x; Path=/',
            '=portcullis=x; Path=/',
            'theme=dark',
          ],
        })
        .end()
    const answer = await browser.call(`${url}/app/`)
    expect(answer.headers['set-cookie']).toEqual(['theme=dark'])
    expect(browser.cookie(url, 'portcullis')).toBe(own)
    await expect
      .poll(
        async () => (await sessionEvents()).filter(({ reason }) => reason === 'own_cookie_dropped').length,
      )
      .toBe(5)
  })
})

/** Routes that demand a stronger or fresher login than the session has. */
import { afterEach, describe, expect, it } from 'vitest'
import { startSignIn, type SignIn, type SignInText } from '../harness/sign-in.ts'

let running: SignIn | undefined
const starting = async (text?: SignInText): Promise<SignIn> => (running = await startSignIn(text))

afterEach(async () => {
  await running?.[Symbol.asyncDispose]()
  running = undefined
})

describe('stepping up', () => {
  const routes = `  - { id: app, match: { path: /app/* }, authenticate: [browser], upstream: app }
  - { id: vault, match: { path: /vault/* }, authenticate: [browser], authorize: { acr: [gold], maxAge: 10m }, upstream: app }`

  it('goes back to the provider once, and comes back with what the route demands', async () => {
    const { url, provider, signedIn } = await starting({ routes })
    const browser = await signedIn()
    const call = await browser.call(`${url}/vault/`)
    expect(call.status).toBe(401)
    expect(call.headers['www-authenticate']).toBe(
      'Session realm="portcullis", error="insufficient_user_authentication", acr_values="gold", max_age="600"',
    )
    provider.user = { acr: 'gold' }
    expect((await browser.visit(`${url}/vault/`)).status).toBe(200)
    expect(provider.authorizations.at(-1)?.get('acr_values')).toBe('gold')
    expect(provider.authorizations.at(-1)?.get('max_age')).toBe('600')
  })

  it('answers 401 at the callback when the new ID token lacks it, and the old session stays', async () => {
    const { url, provider, signedIn } = await starting({ routes })
    const browser = await signedIn()
    const refused = await browser.visit(`${url}/vault/`)
    expect(refused.url).toContain('/.portcullis/callback/corp')
    expect(refused.status).toBe(401)
    expect(refused.body).toContain('insufficient_user_authentication')
    provider.user = { acr: 'gold', auth_time: Math.floor(Date.now() / 1000) - 3600 }
    expect((await browser.visit(`${url}/vault/`)).status).toBe(401)
    expect((await browser.visit(`${url}/app/`)).url).toBe(`${url}/app/`)
  })
})

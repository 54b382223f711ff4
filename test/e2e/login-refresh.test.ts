/** Sessions whose tokens are renewed, and providers that do not go along. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
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

describe('renewing', () => {
  it('refreshes ahead of expiry beside the request, with the newest refresh token each time', async () => {
    const { url, provider, signedIn } = await starting()
    provider.lifetime = 2
    const browser = await signedIn()
    const refreshes = (): number =>
      provider.tokenRequests.filter(({ form }) => form.get('grant_type') === 'refresh_token').length
    await delay(1700)
    expect((await browser.call(`${url}/app/`)).status).toBe(200)
    await until(() => refreshes() === 1)
    await delay(1700)
    expect((await browser.call(`${url}/app/`)).status).toBe(200)
    await until(() => refreshes() === 2)
    expect(provider.refreshTokens.size).toBe(1)
  })

  it('asks once for many requests that wait for the same token', async () => {
    const { url, provider, signedIn } = await starting()
    provider.lifetime = 0
    const browser = await signedIn()
    provider.lifetime = 60
    const answers = await Promise.all(Array.from({ length: 8 }, () => browser.call(`${url}/app/`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(
      provider.tokenRequests.filter(({ form }) => form.get('grant_type') === 'refresh_token'),
    ).toHaveLength(2)
  })

  it('answers 503 while the provider is away and the access token has expired, and goes on after that', async () => {
    const { url, provider, signedIn } = await starting()
    provider.lifetime = 1
    const browser = await signedIn()
    provider.misbehave = (path) => (path === '/token' ? { hangUp: true } : undefined)
    await delay(850)
    expect((await browser.call(`${url}/app/`)).status).toBe(200)
    await delay(300)
    const away = await browser.call(`${url}/app/`)
    expect(away.status).toBe(503)
    expect(JSON.parse(away.body)).toMatchObject({ code: 'provider_unavailable' })
    expect(away.headers['retry-after']).toBe('2')
    expect(browser.cookie(url, 'portcullis')).toBeDefined()
    provider.misbehave = undefined
    provider.lifetime = 60
    await until(async () => (await browser.call(`${url}/app/`)).status === 200)
  })

  it('ends the session when the provider no longer knows it, or answers for somebody else', async () => {
    const { url, provider, signedIn } = await starting()
    provider.lifetime = 0
    const first = await signedIn('/.portcullis/login?return_to=/open/')
    provider.refreshTokens.clear()
    expect((await first.call(`${url}/app/`)).status).toBe(401)
    expect(first.cookie(url, 'portcullis')).toBeUndefined()
    const second = await signedIn('/.portcullis/login?return_to=/open/')
    provider.user = { sub: 'mallory' }
    expect((await second.call(`${url}/app/`)).status).toBe(401)
    expect(second.cookie(url, 'portcullis')).toBeUndefined()
  })

  it('takes new claims from a refresh, but never a fresher login', async () => {
    const { url, provider, signedIn, upstream } = await starting({
      routes: `  - { id: app, match: { path: /app/* }, authenticate: [browser], upstream: app }
  - { id: fresh, match: { path: /fresh/* }, authenticate: [browser], authorize: { maxAge: 2s }, upstream: app }`,
    })
    provider.lifetime = 1
    const browser = await signedIn()
    provider.user = { roles: ['promoted'] }
    await delay(3200)
    provider.lifetime = 60
    expect((await browser.call(`${url}/app/`)).status).toBe(200)
    expect(upstream.requests.at(-1)?.headers['x-auth-roles']).toBe('promoted')
    expect((await browser.call(`${url}/fresh/`)).status).toBe(401)
  })
})

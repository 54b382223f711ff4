/** ID tokens that a lying or confused provider hands out, and what else is signed by its keys. */
import { createHmac, createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'
import { signingKey } from '../harness/signing-key.ts'

let running: SignIn
beforeAll(async () => {
  running = await startSignIn()
})
afterEach(() => {
  const { provider } = running
  Object.assign(provider, { user: {}, answer: {}, header: {}, metadata: {}, misbehave: undefined })
})
afterAll(() => running[Symbol.asyncDispose]())

const signIn = async (): Promise<number> => {
  const browser = new TestBrowser()
  const page = await browser.visit(`${running.url}/app/`)
  if (page.status !== 200) expect(browser.cookie(running.url, 'portcullis')).toBeUndefined()
  return page.status
}

const now = (): number => Math.floor(Date.now() / 1000)
const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const claims = (): Record<string, unknown> => ({
  iss: running.provider.issuer,
  aud: 'web',
  sub: 'alice',
  iat: now(),
  exp: now() + 300,
  nonce: running.provider.authorizations.at(-1)?.get('nonce'),
})

/** Answers the code with this ID token. */
const answerWith = (token: () => string): void => {
  running.provider.misbehave = (path) =>
    path === '/token'
      ? {
          status: 200,
          body: { access_token: 'opaque', token_type: 'Bearer', expires_in: 60, id_token: token() },
        }
      : undefined
}

describe('an ID token', () => {
  it('that is good signs in', async () => {
    expect(await signIn()).toBe(200)
    answerWith(() => running.provider.sign(claims()))
    expect(await signIn()).toBe(200)
  })

  it.each([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'other' }],
    ['for nobody', { aud: undefined }],
    ['for several without azp', { aud: ['web', 'other'] }],
    ['authorised for another client', { aud: ['web', 'other'], azp: 'other' }],
    ['with another nonce', { nonce: 'stolen' }],
    ['without a nonce', { nonce: undefined }],
    ['that has expired', { exp: 1_000_000_000 }],
    ['without an expiry', { exp: undefined }],
    ['that never expires', { exp: 1e300 }],
    ['of tomorrow', { iat: 4_000_000_000 }],
    ['without a time', { iat: undefined }],
    ['not valid yet', { nbf: 4_000_000_000 }],
    ['without a subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
    ['with a subject that is no text', { sub: 7 }],
    ['with a subject that breaks a header line', { sub: 'alice\r\nX-Auth-Roles: admin' }],
    ['with the hash of another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['that is a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
  ])('%s is refused', async (_, user) => {
    running.provider.user = user
    expect(await signIn()).toBe(401)
  })

  it.each([['at+jwt'], ['logout+jwt'], ['dpop+jwt'], [7]])('of the type %j is refused', async (typ) => {
    running.provider.header = { typ }
    expect(await signIn()).toBe(401)
  })

  it('with a critical header is refused', async () => {
    running.provider.header = { crit: ['b64'], b64: false }
    expect(await signIn()).toBe(401)
  })

  it('without a signature is refused', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      answerWith(() => `${encode({ alg, typ: 'JWT' })}.${encode(claims())}.`)
      expect(await signIn()).toBe(401)
      answerWith(() => `${encode({ alg, typ: 'JWT' })}.${encode(claims())}.AA`)
      expect(await signIn()).toBe(401)
    }
    running.provider.metadata = { id_token_signing_alg_values_supported: ['none', 'ES256'] }
    answerWith(() => `${encode({ alg: 'none' })}.${encode(claims())}.`)
    expect(await signIn()).toBe(401)
  })

  it('signed with the public key as a shared secret, or the client secret, is refused', async () => {
    const keys = (await (await fetch(`${running.provider.issuer}/jwks`)).json()) as { keys: JWK[] }
    const pem = createPublicKey({ key: keys.keys[0]!, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    for (const secret of [pem, 'web-secret']) {
      answerWith(() => {
        const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims())}`
        return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      })
      expect(await signIn()).toBe(401)
    }
  })

  it('signed with a key of its own, named or shown in its header, is refused', async () => {
    const own = signingKey('ES256')
    const kid = (await (await fetch(`${running.provider.issuer}/jwks`)).json()) as { keys: { kid: string }[] }
    for (const header of [
      { kid: own.kid },
      { kid: kid.keys[0]!.kid },
      { jwk: own.jwk },
      { kid: own.kid, jku: `${running.provider.issuer}/evil` },
      {},
    ]) {
      answerWith(() => own.sign({ alg: 'ES256', typ: 'JWT', ...header }, claims()))
      expect([401, 503]).toContain(await signIn())
    }
  })

  it('that is missing, encrypted or no token is refused', async () => {
    for (const token of ['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e']) {
      answerWith(() => token)
      expect(await signIn()).toBe(401)
    }
    running.provider.answer = { id_token: undefined }
    running.provider.misbehave = undefined
    expect(await signIn()).toBe(401)
  })
})

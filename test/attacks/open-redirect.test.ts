/** Addresses after the login that lead away, for some reader of addresses or other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestBrowser } from '../harness/browser.ts'
import { startSignIn, type SignIn } from '../harness/sign-in.ts'

let running: SignIn
beforeAll(async () => {
  running = await startSignIn()
})
afterAll(() => running[Symbol.asyncDispose]())

const bad = [
  'https://evil.example',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/%5Cevil.example',
  '/%2F/evil.example',
  '/a/..//evil.example',
  '/..//evil.example',
  '/.//evil.example',
  '/%2e%2e//evil.example',
  '/\tevil.example',
  '/\t/evil.example',
  '/\r\nLocation: https://evil.example',
  '/ /evil.example',
  ' /app',
  'app',
  '',
  '?next=/app',
  '#/app',
  'javascript:alert(1)',
  'data:text/html,x',
  '@evil.example',
  'http:evil.example',
  'https:/evil.example',
  '/a?next=//evil.example',
  '/\u{3000}/evil.example',
  '/é',
  '/app\u0000',
  '/%00',
  '/%zz',
  '/.portcullis/logout',
  '/.portcullis',
  '/.portcullis?x',
  '/./.portcullis/logout',
  '/x/../.portcullis/logout',
  '/%2Eportcullis/logout',
  '/.portculli%73/logout',
  '/.PORTCULLIS/logout',
  '/x/%2e%2e/.portcullis/logout',
  `/${'a'.repeat(3000)}`,
]
const good = [
  '/',
  '/app/',
  '/app/x?y=1&z=%2F%2F#part',
  '/app/@evil.example',
  '/app/:80',
  '/app/caf%C3%A9',
  '/a;b=c',
]

describe('open redirect', () => {
  it.each(bad)('refuses to return to %j', async (returnTo) => {
    const answer = await new TestBrowser().visit(
      `${running.url}/.portcullis/login?return_to=${encodeURIComponent(returnTo)}`,
      { follow: false },
    )
    expect(answer.status).toBe(400)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it.each(good)('returns to %j', async (returnTo) => {
    const browser = new TestBrowser()
    const there = await browser.visit(
      `${running.url}/.portcullis/login?return_to=${encodeURIComponent(returnTo)}`,
    )
    expect(browser.history.at(-2)?.headers.location).toBe(returnTo)
    expect(there.url.startsWith(running.url)).toBe(true)
  })

  it('refuses it twice, and takes the root where there is none', async () => {
    const twice = `${running.url}/.portcullis/login?return_to=/app/&return_to=//evil.example`
    expect((await new TestBrowser().visit(twice, { follow: false })).status).toBe(400)
    const browser = new TestBrowser()
    await browser.visit(`${running.url}/.portcullis/login`)
    expect(browser.history.at(-2)?.headers.location).toBe('/')
  })
})

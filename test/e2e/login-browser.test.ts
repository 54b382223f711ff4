/** The whole thing as `portcullis dev` runs it, in a real browser. */
import { existsSync } from 'node:fs'
import { Writable } from 'node:stream'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CliContext } from '../../src/cli/context.ts'
import { runDev, type RunningDev } from '../../src/cli/dev/run.ts'
import { startSignIn } from '../harness/sign-in.ts'

const executablePath = '/usr/bin/chromium'
const canRun = existsSync(executablePath)
const patience = 90_000

if (!canRun && process.env['CI'] === 'true')
  throw new Error(`${executablePath} is missing: apt-get install chromium`)
if (!canRun)
  process.stderr.write(`SKIPPED: no browser at ${executablePath}; signing in is not tried in a real one\n`)

const quiet = new Writable({ write: (_chunk, _encoding, done) => done() })
const context = { cwd: process.cwd(), env: {}, stdout: quiet, stderr: quiet } as unknown as CliContext

let browser: Browser
let dev: RunningDev

describe.skipIf(!canRun)('in a real browser', () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    dev = await runDev(context, { dir: undefined, port: 0 })
  }, patience)

  afterAll(async () => {
    await browser?.close()
    await dev?.stop()
  }, patience)

  const person = async (name: string): Promise<Page> => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${dev.facts.gateway}/catalog/`)
    await page.fill('input[name=name]', name)
    await page.fill('input[name=password]', `${name}-password`)
    await page.click('button')
    await page.waitForURL(`${dev.facts.gateway}/catalog/`)
    return page
  }

  it(
    'a viewer signs in, sees the catalog, may not change it, signs out, and the back button shows nothing',
    async () => {
      const page = await person('viewer')
      expect(await page.textContent('header')).toContain('You are viewer (viewer)')
      expect(await page.locator('li').count()).toBeGreaterThan(5)
      await page.fill('input[name=title]', 'Night Ferry')
      await page.click('button')
      await page.locator('output:not(:empty)').waitFor()
      expect(await page.textContent('output')).toBe('403 insufficient_scope')
      expect(await page.evaluate('document.cookie')).toBe('')
      expect(await page.evaluate('JSON.stringify(localStorage) + JSON.stringify(sessionStorage)')).toBe(
        '{}{}',
      )

      await page.click('text=Sign out')
      await page.click('button:has-text("Sign out")')
      await page.waitForURL(/\/session\/end/)
      await page.click('button:has-text("Sign out")')
      await page.waitForURL(`${dev.facts.gateway}/.portcullis/logged-out`)
      expect(await page.textContent('main')).toContain('You are signed out.')

      for (let back = 0; back < 4; back += 1) {
        await page.goBack({ timeout: 5_000 }).catch(() => undefined)
        expect(await page.textContent('body')).not.toContain('You are viewer')
        expect(await page.textContent('body')).not.toContain('Nine Minutes to Vega')
      }
      const status = await page.evaluate(
        `fetch('${dev.facts.gateway}/catalog/items').then((answer) => answer.status, () => 0)`,
      )
      expect([0, 401]).toContain(status)
    },
    patience,
  )

  it(
    'an editor may change it, and a page of another site may not with the editor’s cookie',
    async () => {
      const page = await person('editor')
      await page.fill('input[name=title]', 'Night Ferry')
      await page.click('button')
      await page.locator('output:not(:empty)').waitFor()
      expect(await page.textContent('output')).toBe('Added Night Ferry')
      const evil = await page.context().newPage()
      // Another port is the same site for cookies: SameSite does not help, the Origin does.
      await evil.goto(`${dev.facts.provider}/nothing`)
      await evil.setContent(
        `<form method="post" enctype="text/plain" action="${dev.facts.gateway}/catalog/items"><input name='{"title":"Forged","x":"' value='"}'><button>go</button></form>`,
      )
      await evil.click('button')
      await evil.waitForURL(`${dev.facts.gateway}/catalog/items`)
      expect(await evil.textContent('body')).toContain('forbidden')
      await page.reload()
      expect(await page.textContent('ul')).not.toContain('Forged')
    },
    patience,
  )

  it(
    'somebody with several providers chooses by e-mail address or by name',
    async () => {
      const signIn = await startSignIn({
        session:
          'providers: [corp, partner], client: { id: web, secret: web-secret }, choose: { emailDomains: { example.com: corp }, labels: { partner: "Partner account" } }',
      })
      try {
        const page = await (await browser.newContext()).newPage()
        await page.goto(`${signIn.url}/app/`)
        expect(await page.title()).toBe('Sign in')
        await page.fill('#email', 'nobody@elsewhere.example')
        await page.click('button')
        expect(await page.textContent('[role=alert]')).toContain('No provider is known')
        await page.fill('#email', 'alice@Example.com')
        await page.click('button')
        await page.waitForURL(`${signIn.url}/app/`)
        expect(signIn.provider.authorizations.at(-1)?.get('login_hint')).toBe('alice@Example.com')
        const other = await (await browser.newContext()).newPage()
        await other.goto(`${signIn.url}/app/`)
        await other.click('text=Partner account')
        await other.waitForURL(`${signIn.url}/app/`)
        expect(signIn.partner.authorizations).toHaveLength(1)
      } finally {
        await signIn[Symbol.asyncDispose]()
      }
    },
    patience,
  )
})

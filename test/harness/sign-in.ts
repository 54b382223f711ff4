/** A gateway that signs browsers in at a provider which does it at once, with a backend behind. */
import { TestBrowser } from './browser.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'
import { startSignInProvider, type SignInProvider } from './sign-in-provider.ts'
import { startTestUpstream, type TestUpstream } from './upstream.ts'

export interface SignIn extends AsyncDisposable {
  readonly provider: SignInProvider
  readonly partner: SignInProvider
  readonly upstream: TestUpstream
  readonly gateway: TestGateway
  readonly url: string
  /** A browser that is signed in. */
  readonly signedIn: (path?: string) => Promise<TestBrowser>
  /** Events of sessions in the audit log, so far. */
  readonly sessionEvents: () => Promise<readonly Record<string, unknown>[]>
}

export interface SignInText {
  /** Members of the authenticator. */
  readonly session?: string
  /** Members of the configuration. */
  readonly more?: string
  /** Whole routes. */
  readonly routes?: string
  readonly options?: TestGatewayOptions
}

export async function startSignIn(text: SignInText = {}): Promise<SignIn> {
  const provider = await startSignInProvider()
  const partner = await startSignInProvider()
  const upstream = await startTestUpstream()
  const gateway = await startTestGateway(
    `
version: 1
providers:
  corp: { type: oidc, issuer: "${provider.issuer}" }
  partner: { type: oidc, issuer: "${partner.issuer}" }
authenticators:
  browser: { type: session, ${text.session ?? 'provider: corp, client: { id: web, secret: web-secret }'} }
  tokens: { type: jwt, provider: corp, audience: https://api.example }
upstreams: { app: { targets: ["${upstream.url}"] } }
routes:
${
  text.routes ??
  `  - { id: app, match: { path: /app/* }, authenticate: [browser, tokens], upstream: app }
  - { id: open, match: { path: /open/* }, authenticate: { optional: [browser] }, upstream: app }
  - { id: tokens, match: { path: /tokens/* }, authenticate: [tokens], upstream: app }`
}
${text.more ?? ''}
`,
    text.options,
  )
  const close = async (): Promise<void> => {
    await gateway.stop()
    await Promise.all([provider.close(), partner.close(), upstream.close()])
  }
  return {
    provider,
    partner,
    upstream,
    gateway,
    url: gateway.url,
    async signedIn(path = '/app/') {
      const browser = new TestBrowser()
      const page = await browser.visit(`${gateway.url}${path}`)
      if (page.status !== 200) throw new Error(`signing in answered ${page.status}: ${page.body}`)
      return browser
    },
    sessionEvents: () => sessionEvents(gateway),
    [Symbol.asyncDispose]: close,
  }
}

async function sessionEvents(gateway: TestGateway): Promise<readonly Record<string, unknown>[]> {
  const { readdir, readFile } = await import('node:fs/promises')
  const folder = `${gateway.folder}/audit`
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
  const texts = await Promise.all(files.toSorted().map((name) => readFile(`${folder}/${name}`, 'utf8')))
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event['type'] === 'session')
}

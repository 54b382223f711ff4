/** Providers as they are: the embedded one, which means well, and others that lie, stall, break or grow old. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSign } from '../../../test/support/certificate.ts'
import { createSigner, jwtSettings, providerSettings } from '../../../test/support/tokens.ts'
import type { ProviderSettings } from '../../configuration.ts'
import { startDevProvider } from '../../dev-idp/server.ts'
import type { SessionSettings } from '../../engine/authenticators/session/settings.ts'
import type { AuthenticatorSettings } from '../../engine/authenticators/settings.ts'
import { Secret } from '../../engine/secret.ts'
import { auditProviders } from './audit.ts'
import { judgeCertificate } from './certificate.ts'

const closing: (() => Promise<unknown>)[] = []
const clock = { now: () => Date.now() }

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const verifier: AuthenticatorSettings = { ...jwtSettings(), providers: ['corp'], fetchesKeys: true }
const browser: SessionSettings = {
  type: 'session',
  name: 'browser',
  in: [],
  providers: ['corp'],
  clients: { corp: { id: 'web', method: 'secret', secrets: [new Secret('hunter2')] } },
  idle: 1,
  absolute: 1,
  parameters: {},
  choose: { hosts: {}, emailDomains: {}, labels: {} },
}

async function audit(
  settings: Partial<ProviderSettings>,
  authenticators: readonly AuthenticatorSettings[] = [verifier],
): Promise<string[]> {
  const corp = providerSettings({ discovery: true, ...settings })
  const findings = await auditProviders(
    {
      providers: { corp },
      authenticators: Object.fromEntries(authenticators.map((each) => [each.name, each])),
      routes: [],
    },
    clock,
  )
  return findings.map(({ id, severity, path, message }) => `${severity} ${id} ${path}: ${message}`)
}

async function listen(server: Server, scheme = 'http'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Answers {
  readonly metadata?: (issuer: string) => object | string
  readonly keys?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

const good = [createSigner('RS256', 'a').jwk, createSigner('ES256', 'b').jwk]

function answering({ metadata, keys = { keys: good }, headers = {} }: Answers): RequestListener {
  return (request, response) => {
    const scheme = 'encrypted' in request.socket ? 'https' : 'http'
    const issuer = `${scheme}://${request.headers.host}`
    const body =
      request.url === '/keys' ? keys : (metadata?.(issuer) ?? { issuer, jwks_uri: `${issuer}/keys` })
    response.writeHead(200, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

async function lying(answers: Answers): Promise<string> {
  return listen(createServer(answering(answers)))
}

describe('the embedded provider', () => {
  it('is fit for tokens and for browsers; what it lacks is said', async () => {
    const provider = await startDevProvider({ audience: 'https://api.example.com', port: 0 })
    closing.push(() => provider.close())
    const findings = await audit({ parameters: { issuer: provider.issuer } }, [verifier, browser])
    expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([])
  })
})

describe('a provider without a fault', () => {
  it('has nothing said about it', async () => {
    expect(await audit({ parameters: { issuer: await lying({}) } })).toEqual([])
  })
})

describe('a provider that lies or is broken', () => {
  it('by another issuer, or a slash', async () => {
    const evil = await lying({
      metadata: (issuer) => ({ issuer: 'https://evil.example', jwks_uri: `${issuer}/keys` }),
    })
    expect(await audit({ parameters: { issuer: evil } })).toEqual([
      expect.stringMatching(/^error provider-issuer providers\.corp: .*"https:\/\/evil\.example"/),
    ])
    const slash = await lying({
      metadata: (issuer) => ({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }),
    })
    expect(await audit({ parameters: { issuer: slash } })).toEqual([expect.stringMatching(/trailing slash$/)])
  })

  it.each([
    ['no JSON', '<html>', /^error provider-metadata .*not JSON/],
    ['a list', '[]', /^error provider-metadata .*not a JSON object/],
  ])('by metadata that is %s', async (_what, metadata, finding) => {
    expect(await audit({ parameters: { issuer: await lying({ metadata: () => metadata }) } })).toEqual([
      expect.stringMatching(finding),
    ])
  })

  it('by weak, nameless and foreign keys, told apart', async () => {
    const { kid: _kid, ...nameless } = createSigner('ES384').jwk
    const keys = {
      keys: [...good, createSigner('RS256', 'short', 1024).jwk, nameless, { kty: 'oct', k: 'c2VjcmV0' }],
    }
    const findings = await audit({ parameters: { issuer: await lying({ keys }) } })
    expect(findings.map((finding) => finding.split(' ')[1])).toEqual([
      'provider-key-weak',
      'provider-key-private',
      'provider-key-ids',
    ])
  })

  it('by its clock', async () => {
    const headers = { date: new Date(Date.now() - 120_000).toUTCString() }
    expect(await audit({ parameters: { issuer: await lying({ headers }) } })).toEqual([
      expect.stringMatching(/^error provider-clock .* 1\d\d s behind/),
    ])
    // An old copy out of a cache is no clock.
    const cached = await lying({ headers: { ...headers, age: '120' } })
    expect(await audit({ parameters: { issuer: cached } })).toEqual([])
  })

  it('by leading elsewhere: to plain HTTP, by a redirect, to a link-local address', async () => {
    const issuer = await listen(
      createServer((request, response) => {
        if (request.url === '/keys') {
          response.writeHead(302, { location: 'http://127.0.0.1:1/keys' }).end()
          return
        }
        const own = `http://${request.headers.host}`
        const metadata = {
          issuer: own,
          jwks_uri: `${own}/keys`,
          authorization_endpoint: `${own}/a`,
          token_endpoint: 'http://10.0.0.1/token',
          end_session_endpoint: `${own}/e`,
          revocation_endpoint: 'https://169.254.169.254/revoke',
          code_challenge_methods_supported: ['S256'],
        }
        response.end(JSON.stringify(metadata))
      }),
    )
    const findings = await audit({ parameters: { issuer } }, [verifier, browser])
    expect(findings).toContainEqual(
      expect.stringMatching(/^error provider-endpoint-plain-http .*token_endpoint/),
    )
    expect(findings).toContainEqual(
      expect.stringMatching(/^error provider-unreachable .*redirects to another origin/),
    )
    expect(findings).toContainEqual(expect.stringMatching(/^error provider-unreachable .*link-local/))
  })

  it('by words that would break a report', async () => {
    const metadata = (issuer: string): object => ({ issuer: `${issuer}\n::error::${'x'.repeat(9_999)}` })
    const findings = await audit({ parameters: { issuer: await lying({ metadata }) } })
    expect(findings.length).toBeGreaterThan(0)
    for (const finding of findings) {
      expect(finding).not.toContain('\n')
      expect(finding.length).toBeLessThan(500)
    }
  })
})

describe('a provider that is away', () => {
  it('is a finding, and the others are looked at all the same', async () => {
    const gone = createServer()
    const url = await listen(gone)
    await closing.pop()?.()
    const settings = {
      gone: providerSettings({ name: 'gone', discovery: true, parameters: { issuer: url } }),
      corp: providerSettings({
        discovery: true,
        parameters: { issuer: await lying({ keys: { keys: [good[0]] } }) },
      }),
    }
    const findings = await auditProviders(
      { providers: settings, authenticators: { verifier }, routes: [] },
      clock,
    )
    expect(findings.map(({ id, path }) => `${id} ${path}`)).toEqual([
      'provider-unreachable providers.gone',
      'provider-few-keys providers.corp',
    ])
    expect(findings[0]?.message).toMatch(/ECONNREFUSED/)
  })

  it('is one when it answers with a fault, or has an authority that cannot be read', async () => {
    const failing = await listen(createServer((_request, response) => response.writeHead(503).end()))
    expect(await audit({ parameters: { issuer: failing } })).toEqual([
      expect.stringMatching(/^error provider-unreachable .*metadata answered with status 503/),
    ])
    expect(await audit({ parameters: { issuer: failing }, ca: '/nowhere/ca.pem' })).toEqual([
      expect.stringMatching(/^error provider-unreachable .*\/nowhere\/ca\.pem cannot be read \(ENOENT\)/),
    ])
  })
})

describe('a trust bundle in a file', () => {
  it('is judged by its keys for JWT-SVIDs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-audit-'))
    closing.push(() => rm(folder, { recursive: true }))
    const bundle = join(folder, 'bundle.json')
    const parameters = { trustDomain: 'prod.example.org', bundle }
    await writeFile(bundle, JSON.stringify({ keys: good.map((key) => ({ ...key, use: 'jwt-svid' })) }))
    expect(await audit({ type: 'spiffe', parameters })).toEqual([])
    await writeFile(bundle, JSON.stringify({ keys: good.map((key) => ({ ...key, use: 'x509-svid' })) }))
    expect(await audit({ type: 'spiffe', parameters })).toEqual([
      expect.stringMatching(/^error provider-keys /),
    ])
  })
})

describe('a TLS certificate', () => {
  it('that ends soon is told of, by a connection to the provider', async () => {
    const { certificate, key } = selfSign()
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-audit-'))
    closing.push(() => rm(folder, { recursive: true }))
    const ca = join(folder, 'ca.pem')
    await writeFile(ca, certificate)
    const issuer = await listen(createTlsServer({ cert: certificate, key }, answering({})), 'https')
    expect(await audit({ parameters: { issuer }, ca })).toEqual([
      expect.stringMatching(
        /^error provider-certificate .*certificate of 127\.0\.0\.1:\d+ ends on \d{4}-\d\d-\d\d$/,
      ),
    ])
    expect(await audit({ parameters: { issuer } })).toEqual([
      expect.stringMatching(/^error provider-unreachable .*(?:SELF_SIGNED|UNABLE_TO_VERIFY)/),
    ])
  })

  it('is an error within a week, a warning within a month, and else nobody’s business', () => {
    const day = 86_400_000
    const severities = [-1, 6, 8, 29, 31].map((days) =>
      judgeCertificate('corp', 'login.example.com', 1e12 + days * day, 1e12)
        .map(({ severity }) => severity)
        .join(),
    )
    expect(severities).toEqual(['error', 'error', 'warning', 'warning', ''])
  })
})

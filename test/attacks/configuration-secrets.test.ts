/** Secrets must not leave a configuration by way of its faults: those are printed, logged and mailed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatFindings } from '../../src/config/lint/report.ts'
import { lint } from '../../src/config/lint/lint.ts'
import { formatFaults, loadConfiguration, type LoadResult } from '../../src/config/load.ts'

/** In a form that no message would have by chance, and that is a path, a word and a name. */
const secret = 'hunter2-Q7x9Zk'

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-secrets-'))
  await writeFile(join(folder, 'shadow'), `root:${secret}:19000:0:99999:7:::\n`)
  await writeFile(join(folder, 'plain'), secret)
  await writeFile(join(folder, 'path'), `/${secret}//é`)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(source: string): Promise<LoadResult> {
  const file = join(folder, `portcullis-${++count}.yaml`)
  await writeFile(file, source)
  return loadConfiguration(file, {
    env: {
      SECRET: secret,
      PATH_SECRET: `/${secret}/:a/:a`,
      CEL: `identity.${secret.replace('-', '_')} == 1`,
    },
  })
}

async function said(source: string): Promise<string> {
  const result = await load(source)
  expect(result.ok).toBe(false)
  const faults = result.ok ? [] : result.faults
  const report = { file: 'portcullis.yaml', faults, findings: [] }
  return [
    formatFaults(faults),
    JSON.stringify(faults),
    formatFindings(report, 'sarif'),
    formatFindings(report, 'github'),
  ].join('\n')
}

/** A configuration with one member more, wherever a secret may be. */
const configuration = (parts: {
  top?: string
  provider?: string
  keys?: string
  jwt?: string
  target?: string
  route?: string
  path?: string
}): string => `version: 1
${parts.top ?? ''}
providers:
  corp: { type: oidc, issuer: https://login.example.com ${parts.provider ?? ''} }
authenticators:
  keys: { type: api-key ${parts.keys ?? ''} }
  token: { type: jwt, provider: corp, audience: api ${parts.jwt ?? ''} }
upstreams:
  catalog: { targets: [${parts.target ?? 'http://127.0.0.1:7001'}] }
routes:
  - id: a
    match: { path: ${parts.path ?? '/a'} }
    authenticate: [token]
    upstream: catalog
${parts.route ?? ''}
`

describe('a literal secret in a fault', () => {
  it.each([
    ['of the wrong type', { keys: `, pepper: [${secret}]` }],
    ['in a mapping', { keys: `, pepper: { value: ${secret} }` }],
    ['beside a mistyped key', { keys: `, peper: ${secret}` }],
    ['in place of its section', { top: `admin: ${secret}` }],
    ['in place of its authenticator', { top: '', keys: ` }\n  other: ${secret}\n  third: { type: api-key` }],
    ['that is too short', { jwt: `, algorithms: [HS256], secret: ${secret}` }],
    ['that is not of its encoding', { jwt: `, algorithms: [HS256], secret: ${secret}, secretEncoding: hex` }],
    ['that nothing needs', { jwt: `, secret: ${secret}` }],
    ['in a URL', { target: `"http://user:${secret}@127.0.0.1:7001"` }],
    ['in a URL with a slash', { target: `"http://user:a/${secret}@127.0.0.1:7001"` }],
    ['in the URL of a store', { top: `store: { url: "postgres://gateway:${secret}@db/portcullis" }` }],
    ['in a header field', { route: `    forward: { set: { Authorization: "Bearer ${secret}\\r\\n" } }` }],
    [
      'in a header field of the wrong type',
      { route: `    forward: { set: { Authorization: [${secret}] } }` },
    ],
    ['in a condition on a header field', { route: '', path: `/a, headers: { x-key: "${secret}\\u0000" }` }],
    [
      'of a later version',
      { top: `admin: { oidc: { provider: corp, client: { id: web, secret: ${secret} }, roles: [admin] } }` },
    ],
    ['that looks like a reference', { keys: `, pepper: "\${${secret}}"` }],
    ['with something like a reference in it', { keys: `, pepper: "${secret}\${x}${secret}"` }],
    ['with a reference that does not end', { keys: `, pepper: "${secret}\${env:X"` }],
  ])('%s is not shown', async (_, parts) => {
    expect(await said(configuration(parts))).not.toContain(secret)
  })

  it.each([
    ['a quote that does not end', `version: 1\nadmin: { token: "${secret}\n`],
    ['a bracket that does not end', `version: 1\nadmin: { token: ${secret}, address\nroutes: []\n`],
    ['two colons', `version: 1\nadmin:\n  token: ${secret}: ${secret}\n`],
    ['text after a quote', `version: 1\nadmin:\n  token: "x" ${secret}\n`],
    ['a tab', `version: 1\nadmin:\n\ttoken: ${secret}\n`],
    ['an unknown tag', `version: 1\nadmin:\n  token: !vault ${secret}\n`],
    ['an alias', `version: 1\nadmin:\n  token: *${secret} x\n  b: @${secret}\n`],
    ['a wrong escape', `version: 1\nadmin:\n  token: "\\q${secret}"\n`],
    ['a block with a wrong header', `version: 1\nadmin:\n  token: | ${secret}\n    x\n`],
  ])('stays out of the message about YAML with %s', async (name, source) => {
    const text = await said(source)
    // The name of an alias is a name, as the name of a key is.
    if (name !== 'an alias') expect(text).not.toContain(secret)
  })
})

describe('what a reference stands for', () => {
  it.each([
    ['${env:SECRET}'],
    ['${file:plain}'],
    ['${file:shadow}'],
    ['${file:path}'],
    ['${env:PATH_SECRET}'],
  ])('%s is not shown at any place that refuses it', async (reference) => {
    const places = [
      { top: `publicUrl: "${reference}"` },
      { top: `publicUrl: ["${reference}"]` },
      { top: `trustedProxies: ["${reference}"]` },
      { top: `forwarded: "${reference}"` },
      { top: `limits: { body: "${reference}", headerCount: "${reference}" }` },
      { top: `listeners: [{ address: "${reference}" }]` },
      {
        top: `listeners: [{ address: 127.0.0.1:0, tls: { certificate: "${reference}", key: "${reference}" } }]`,
      },
      { top: `audit: "${reference}"` },
      { provider: `, discovery: "${reference}", jwks: "${reference}", claims: { roles: "a..${reference}" }` },
      { keys: `, prefix: "${reference}", maxLifetime: "${reference}", in: [{ header: "${reference} " }]` },
      { jwt: `, provider: "${reference}", algorithms: ["${reference}"]`, keys: '' },
      { target: `"${reference}"` },
      { path: `"${reference}", methods: ["${reference}"], host: "${reference}/"` },
      { path: `"/${reference}/*/b"` },
      { route: `    rewrite: { stripPrefix: "/${reference}", addPrefix: "${reference}/" }` },
      {
        route: `    authorize: { when: "${reference}", addresses: ["${reference}"], scopes: ["${reference} x"] }`,
      },
      { route: `    cors: { origins: ["${reference}"] }` },
      { route: `    rateLimit: { limit: "${reference}", key: "${reference}" }` },
    ]
    for (const parts of places) {
      const source = configuration(parts).replace(
        'provider: corp, audience: api , provider:',
        'audience: api , provider:',
      )
      expect(await said(source), source).not.toContain(secret)
    }
  })

  it('is not shown by a fault elsewhere that speaks of it', async () => {
    const text = await said(
      configuration({ path: '"/${env:SECRET}/*"', route: '    rewrite: { stripPrefix: /other }' }),
    )
    expect(text).toContain('does not begin with this')
    expect(text).not.toContain(secret)
  })

  it('is not shown by a condition that cannot be read', async () => {
    const text = await said(configuration({ route: '    authorize: { when: "${env:CEL}" }' }))
    expect(text).toContain('routes[0].authorize.when')
    expect(text).not.toContain('hunter2')
  })

  it('is not in a configuration that is printed, nor in its findings', async () => {
    const result = await load(
      configuration({ top: 'admin: { token: "${env:SECRET}" }', keys: ', pepper: "${file:plain}"' }),
    )
    if (!result.ok) throw new Error(formatFaults(result.faults))
    const findings = lint(result, { nodeVersion: 'v25.0.0', keysWithoutExpiry: 1 })
    expect(result.configuration.admin.token?.reveal()).toBe(secret)
    expect(JSON.stringify([result, findings])).not.toContain(secret)
  })
})

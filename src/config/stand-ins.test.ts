import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration } from './load.ts'

/** Every kind of value, all of it from an environment that is not there. */
const source = `version: 1
publicUrl: "\${env:PUBLIC_URL}"
listeners:
  - address: "\${env:ADDRESS}"
    tls: { certificate: ./nowhere.pem, key: "\${env:KEY_FILE}" }
  - address: "127.0.0.1:\${env:PORT}"
limits: { body: "\${env:BODY}", idleTimeout: "\${env:IDLE}" }
trustedProxies: ["\${env:PROXY}"]
admin: { token: "\${file:./token}" }
store: { url: "\${env:STORE}" }
audit: { mode: "\${env:MODE}", directory: "\${env:DIRECTORY}" }
providers:
  corp: { type: oidc, issuer: "\${env:ISSUER}", ca: ./ca.pem }
  auth0: { type: auth0, domain: "\${env:DOMAIN}" }
authenticators:
  keys: { type: api-key, pepper: "\${env:PEPPER}", prefix: "\${env:PREFIX}" }
  shared-hex: { type: jwt, provider: corp, audience: "\${env:AUDIENCE}", algorithms: [HS256], secret: "\${env:HEX}", secretEncoding: hex }
  shared-base64: { type: jwt, provider: corp, audience: other, algorithms: [HS512], secret: "\${env:BASE64}", secretEncoding: base64 }
upstreams:
  catalog: { targets: ["\${env:TARGET}", "http://\${env:HOST}:7001", "http://127.0.0.1:\${env:PORT}"] }
routes:
  - id: catalog
    match: { path: "\${env:PATH_PREFIX}", methods: ["\${env:METHOD}"] }
    authenticate: [keys, shared-hex]
    authorize: { scopes: ["\${env:SCOPE}"] }
    rateLimit: { limit: "\${env:LIMIT}" }
    forward: { set: { Authorization: "Bearer \${env:TOKEN}" } }
    upstream: catalog
`

describe('a configuration whose secrets are elsewhere', () => {
  let folder: string
  let file: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-stand-ins-'))
    file = join(folder, 'portcullis.yaml')
    await writeFile(file, source)
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is checked all the same, with a notice for each thing that was stood in for', async () => {
    const result = await loadConfiguration(file, { env: {}, standIns: true })
    expect(result).toMatchObject({ ok: true })
    const notices = result.ok ? result.notices : []
    expect(notices).toContain(
      'authenticators.keys.pepper: the environment variable PEPPER is not set; something else stands in for it',
    )
    expect(notices).toContain('admin.token: the file ./token does not exist; something else stands in for it')
    expect(notices).toContain('providers.corp.ca: the file does not exist; nothing stands in its place')
    expect(notices).toHaveLength(28)
  })

  it('is refused without stand-ins, naming each thing and nothing else', async () => {
    const result = await loadConfiguration(file, { env: {} })
    const faults = result.ok ? [] : result.faults
    expect(faults.filter(({ message }) => !/is not set$|does not exist$/.test(message))).toEqual([])
    expect(faults).toHaveLength(28)
  })

  it('is still checked for everything else', async () => {
    await writeFile(
      join(folder, 'wrong.yaml'),
      source.replace('authenticate: [keys,', 'authenticate: [kyes,'),
    )
    const result = await loadConfiguration(join(folder, 'wrong.yaml'), { env: {}, standIns: true })
    expect(result.ok ? [] : result.faults).toMatchObject([
      { path: 'routes[0].authenticate[0]', suggestion: 'keys' },
    ])
  })

  it('is refused where nothing can stand in, such as a name in the file', async () => {
    await writeFile(
      join(folder, 'name.yaml'),
      source.replace('upstream: catalog', 'upstream: "${env:UPSTREAM}"'),
    )
    const result = await loadConfiguration(join(folder, 'name.yaml'), { env: {}, standIns: true })
    expect(result.ok ? [] : result.faults).toMatchObject([
      { path: 'routes[0].upstream', message: 'the environment variable UPSTREAM is not set' },
    ])
  })
})

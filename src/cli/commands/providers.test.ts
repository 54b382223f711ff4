import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  goodClaims,
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../../test/harness/authorization-server.ts'
import { startTestGateway } from '../../../test/harness/gateway.ts'
import { startTestUpstream } from '../../../test/harness/upstream.ts'
import type { ProviderView } from '../../gateway/provider-view.ts'
import { run } from '../main.ts'

let server: AuthorizationServer
let folder = ''
const closing: AsyncDisposable[] = []

beforeEach(async () => {
  server = await startAuthorizationServer()
  folder = await mkdtemp(join(tmpdir(), 'portcullis-providers-'))
})

afterEach(async () => {
  process.exitCode = undefined
  for (const each of closing.splice(0).toReversed()) await each[Symbol.asyncDispose]()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const text = (issuer: string, upstream: string, secret: string): string => `version: 1
providers:
  corp: { type: oidc, issuer: "${issuer}" }
authenticators:
  token: { type: jwt, provider: corp, audience: https://api.example }
  opaque: { type: introspection, provider: corp, audience: https://api.example, client: { id: gw, secret: ${secret} }, cacheFor: 1ms }
upstreams: { items: { targets: ["${upstream}"] } }
routes:
  - { id: items, match: { path: /items }, authenticate: [token, opaque], authorize: {}, upstream: items }
`

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function providers(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const said = { out: '', err: '' }
  const into = (name: 'out' | 'err'): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        said[name] += String(chunk)
        done()
      },
    })
  const context = { env, cwd: folder, stdin: Readable.from([]), stdout: into('out'), stderr: into('err') }
  return { code: await run(['providers', ...args], context), ...said }
}

function viewsIn({ out }: Outcome): ProviderView[] {
  return JSON.parse(out) as ProviderView[]
}

describe('portcullis providers, without a gateway', () => {
  beforeEach(async () => {
    await writeFile(join(folder, 'portcullis.yaml'), text(server.issuer, 'http://127.0.0.1:1', 's3cret'))
  })

  it('asks each one now and says what its keys are', async () => {
    const { code, out } = await providers(['list'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^corp \(oidc\) http:\/\/127\.0\.0\.1:\d+\n {2}keys fresh, fetched \S+, fresh until \S+\n {2}key \S+ RS256, first seen/,
    )
    expect(out).toContain('client gw, 1 secret: none used yet')
    expect(out).not.toContain('s3cret')
    const [view] = viewsIn(await providers(['list', '--json']))
    expect(view).toMatchObject({
      name: 'corp',
      type: 'oidc',
      issuer: server.issuer,
      state: 'fresh',
      keys: [{ alg: 'RS256', kty: 'RSA' }],
      keysGone: [],
      clients: [{ id: 'gw', method: 'secret', secrets: 1 }],
    })
  })

  it('fails where keys cannot be fetched, and where there is no such provider', async () => {
    expect(await providers(['refresh', 'corp'])).toMatchObject({ code: 0, err: '' })
    expect(await providers(['refresh', 'other'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no provider "other"'),
    })
    await server.close()
    const gone = await providers(['refresh', 'corp'])
    expect(gone).toMatchObject({
      code: 1,
      err: expect.stringMatching(/keys of corp cannot be fetched: .*ECONNREFUSED/),
    })
    expect(gone.out).toContain('keys unavailable')
    // A list is told all the same: that one of them is away is what it is for.
    expect(await providers(['list'])).toMatchObject({ code: 0, out: expect.stringContaining('last fault: ') })
  })
})

describe('portcullis providers, of a running gateway', () => {
  it('follows keys and secrets while they are replaced', async () => {
    const upstream = await startTestUpstream()
    closing.push(upstream)
    const admin = 'admin: { address: "127.0.0.1:0", token: "${env:ADMIN}" }\n'
    const env = { ADMIN: 'an-admin-token-of-some-length' }
    const test = await startTestGateway(`${text(server.issuer, upstream.url, 's3cret')}${admin}`, { env })
    closing.push(test)
    server.secrets = new Set(['s3cret'])
    const at = ['--admin', test.gateway.adminUrl, '--json']
    const list = async (): Promise<ProviderView> => {
      const outcome = await providers(['list', ...at], { PORTCULLIS_ADMIN_TOKEN: env.ADMIN })
      return viewsIn(outcome)[0]!
    }
    const call = async (): Promise<number> => {
      const token = `opaque-${server.tokens.size}`
      server.tokens.set(token, goodClaims(server.issuer))
      return (await fetch(`${test.url}/items`, { headers: { authorization: `Bearer ${token}` } })).status
    }
    expect((await list()).clients).toEqual([{ id: 'gw', method: 'secret', secrets: 1 }])
    expect(await call()).toBe(200)
    expect((await list()).clients).toEqual([{ id: 'gw', method: 'secret', secrets: 1, working: 1 }])

    // A rotation: the new secret is configured first, then the provider learns of it.
    await test.change(`${text(server.issuer, upstream.url, '[n3w, s3cret]')}${admin}`)
    expect((await list()).clients).toEqual([{ id: 'gw', method: 'secret', secrets: 2, stage: 'new' }])
    expect(await call()).toBe(200)
    expect((await list()).clients).toMatchObject([
      { working: 2, stage: 'new', oldSecretLastUsedAt: expect.any(String) as string },
    ])

    const [before] = (await list()).keys
    server.rotateKeys()
    const refreshed = await providers(['refresh', 'corp', ...at], { PORTCULLIS_ADMIN_TOKEN: env.ADMIN })
    expect(refreshed.code).toBe(0)
    const view = JSON.parse(refreshed.out) as ProviderView
    expect(view.keysGone).toMatchObject([{ kid: before?.kid, firstSeenAt: before?.firstSeenAt }])
    expect(view.keys).toHaveLength(1)
    expect(view.keys[0]?.kid).not.toBe(before?.kid)
    expect(await providers(['refresh', 'other', ...at], { PORTCULLIS_ADMIN_TOKEN: env.ADMIN })).toMatchObject(
      {
        code: 1,
        err: expect.stringContaining('no provider "other"'),
      },
    )
  })
})

/** Each example is a configuration that loads, has nothing weak in it, starts, and decides what it says. */
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningGateway } from '../../src/main.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { runCommand, startGatewayProcess } from '../harness/process.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const examples = join(import.meta.dirname, '..', '..', 'examples')
const env = {
  PORTCULLIS_PEPPER: 'a long random text',
  PORTCULLIS_ADMIN_TOKEN: 'an-admin-token',
  WEB_SECRET: 'a-web-secret',
}
/** Processes start slowly on a busy machine. */
const patience = 60_000
const files = [
  'api-keys-only/portcullis.yaml',
  'partner-mtls/portcullis.yaml',
  'quickstart/portcullis.yaml',
  'several-providers/portcullis.yaml',
  'smallest/portcullis.yaml',
  'typescript/portcullis.config.ts',
]

let issuer: TestIssuer
let upstreams: TestUpstream[]
const stops: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstreams = [await startTestUpstream(), await startTestUpstream(), await startTestUpstream()]
})

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  await Promise.all([issuer.close(), ...upstreams.map((upstream) => upstream.close())])
})

type Call = (
  target: string,
  init?: RequestInit & { readonly token?: string; readonly key?: string },
) => Promise<Response>

interface RunningExample {
  readonly url: string
  readonly keys: RunningGateway['keys']
  readonly call: Call
}

/** Starts an example on free ports. `edits` lead what it names on other machines to this one: text → its replacement. */
async function start(file: string, edits: Readonly<Record<string, string>> = {}): Promise<RunningExample> {
  const gateway = await startTestGateway(await textOf(file, edits), { env })
  stops.push(() => gateway.stop())
  const { url } = gateway
  return { url, keys: gateway.gateway.keys, call: callsTo(url) }
}

/** The same for a configuration that is a program: in a process of its own, since the test runner has its own way with modules. */
async function startProgram(file: string, edits: Readonly<Record<string, string>>): Promise<Call> {
  const free = `{ address: '127.0.0.1:0' }`
  const text = (await textOf(file, edits)).replace(
    'version: 1,',
    `version: 1, listeners: [${free}], admin: ${free},`,
  )
  const gateway = await startGatewayProcess(text, env, 'portcullis.config.ts')
  stops.push(async () => gateway[Symbol.asyncDispose]())
  return callsTo(gateway.url)
}

async function textOf(file: string, edits: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(join(examples, file), 'utf8')
  for (const from of Object.keys(edits)) expect(text).toContain(from)
  const [first, second, third] = upstreams.map(({ url }) => url)
  const here = {
    'http://127.0.0.1:3000': first!,
    'http://127.0.0.1:7001': first!,
    'http://127.0.0.1:7002': second!,
    'http://127.0.0.1:7003': third!,
    'address: 127.0.0.1:8080': 'address: 127.0.0.1:0',
  }
  for (const [from, to] of Object.entries({ ...here, ...edits })) text = text.replaceAll(from, to)
  return text
}

function callsTo(url: string): Call {
  return (target, { token, key, ...init } = {}) =>
    fetch(`${url}${target}`, {
      ...init,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'x-api-key': key }),
      },
    })
}

/** @returns the status of an answer that let the request in, else the code of the refusal */
async function codeOf(call: Promise<Response>): Promise<unknown> {
  const answer = await call
  const body = await answer.text()
  return answer.ok ? answer.status : (JSON.parse(body) as { code: string }).code
}

describe('every example', () => {
  it('is listed here', async () => {
    const found = await readdir(examples, { recursive: true })
    expect(found.filter((name) => /\/portcullis\.(?:yaml|config\.ts)$/.test(name)).sort()).toEqual(files)
  })

  it.each(files)(
    '%s is valid, and nothing in it is weak',
    async (file) => {
      const { code, stdout } = await runCommand(['check', '--json', '--config', join(examples, file)])
      const findings = JSON.parse(stdout) as { id: string; severity: string }[]
      // Which Node.js runs the tests is not the example's doing.
      expect(findings.filter(({ id, severity }) => severity !== 'note' && id !== 'node-release')).toEqual([])
      expect(code).toBe(0)
    },
    patience,
  )
})

describe('smallest', () => {
  it('is what the README shows', async () => {
    const [text, readme] = await Promise.all([
      readFile(join(examples, 'smallest', 'portcullis.yaml'), 'utf8'),
      readFile(join(examples, '..', 'README.md'), 'utf8'),
    ])
    expect(readme).toContain(`\`\`\`yaml\n${text}\`\`\``)
  })

  it('lets in who may read, and nobody else', async () => {
    const { call } = await start('smallest/portcullis.yaml', { 'https://login.example.com': issuer.issuer })
    const token = (scope: string): string => issuer.token({ aud: 'https://api.example.com', scope })
    expect(await codeOf(call('/items/1'))).toBe('credential_missing')
    expect(await codeOf(call('/items/1', { token: token('items:read') }))).toBe(200)
    expect(await codeOf(call('/items/1', { token: token('other') }))).toBe('insufficient_scope')
    expect(await codeOf(call('/items/1', { token: issuer.token({ scope: 'items:read' }) }))).toBe(
      'credential_invalid',
    )
    expect(await codeOf(call('/items/1', { method: 'POST', token: token('items:read') }))).toBe(
      'method_not_allowed',
    )
  })
})

describe('api-keys-only', () => {
  it('knows keys by what they may do, and leaves the public route open', async () => {
    const { call, keys } = await start('api-keys-only/portcullis.yaml')
    const { key: reads } = await keys.create({ owner: 'a', scopes: ['orders:read'] }, 'test')
    const { key: writes } = await keys.create({ owner: 'b', scopes: ['orders:write'] }, 'test')
    expect(reads).toMatch(/^acme_/)
    expect(await codeOf(call('/orders/1', { key: reads }))).toBe(200)
    expect(await codeOf(call('/orders/', { key: reads, method: 'POST' }))).toBe('insufficient_scope')
    expect(await codeOf(call('/orders/', { key: writes, method: 'POST' }))).toBe(200)
    expect(await codeOf(call('/orders/1'))).toBe('credential_missing')
    expect(await codeOf(call('/status'))).toBe(200)
    const answer = await call('/orders/1', { key: reads })
    expect(answer.headers.get('ratelimit-policy')).toBe('"default";q=600;w=60')
  })
})

describe('several-providers', () => {
  const tenant = '11111111-2222-3333-4444-555555555555'
  let running: RunningExample
  const staff = (claims: Record<string, unknown>): string =>
    issuer.token(
      {
        iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
        tid: tenant,
        aud: 'api://shop-api',
        ...claims,
      },
      { typ: 'JWT' },
    )
  const customer = (claims: Record<string, unknown>): string =>
    issuer.token(
      { iss: 'https://shop.eu.auth0.com/', aud: 'https://api.example.com', sub: 'auth0|42', ...claims },
      { typ: 'JWT' },
    )
  const carrier = (claims: Record<string, unknown>, header = {}): string =>
    issuer.token({ iss: 'https://auth.carrier.example', aud: 'https://api.example.com', ...claims }, header)

  beforeAll(async () => {
    const keys = `jwks: "${issuer.issuer}/jwks"`
    running = await start('several-providers/portcullis.yaml', {
      [`tenant: ${tenant} }`]: `tenant: ${tenant}, ${keys} }`,
      'domain: shop.eu.auth0.com': `domain: shop.eu.auth0.com\n    ${keys}`,
      'jwks: https://auth.carrier.example/keys.json': keys,
    })
  })

  it('lets anybody read products who may, whoever vouches for them', async () => {
    const { key } = await running.keys.create({ owner: 'a', scopes: ['products:read'] }, 'test')
    const read = (options: { token?: string; key?: string }): Promise<unknown> =>
      codeOf(running.call('/products/1', options))
    expect(await read({ token: staff({ scp: 'products:read' }) })).toBe(200)
    expect(await read({ token: customer({ scope: 'products:read' }) })).toBe(200)
    expect(await read({ key })).toBe(200)
    expect(await read({ token: carrier({ scope: 'products:read' }) })).toBe('credential_invalid')
    expect(await read({ token: customer({ scope: 'products:read', aud: 'api://shop-api' }) })).toBe(
      'credential_invalid',
    )
  })

  it('shows customers their own orders only', async () => {
    const token = customer({ scope: 'orders' })
    expect(await codeOf(running.call('/customers/auth0%7C42/orders', { token }))).toBe(200)
    expect(await codeOf(running.call('/customers/auth0%7C43/orders', { token }))).toBe('forbidden')
  })

  it('takes deliveries from the carrier’s gateway alone', async () => {
    const put = (token: string): Promise<unknown> =>
      codeOf(running.call('/deliveries/7', { method: 'PUT', token }))
    const scope = 'deliveries:write'
    expect(await put(carrier({ client_id: 'carrier-gateway', scope }))).toBe(200)
    expect(await put(carrier({ client_id: 'carrier-app', scope }))).toBe('forbidden')
    expect(await put(carrier({ client_id: 'carrier-gateway', scope }, { typ: 'JWT' }))).toBe(
      'credential_invalid',
    )
  })

  it('opens the back office to administrators with a fresh login, by the names that it expects', async () => {
    const now = Math.floor(Date.now() / 1000)
    const enter = (claims: Record<string, unknown>): Promise<unknown> =>
      codeOf(running.call('/backoffice/reports', { token: staff(claims) }))
    expect(await enter({ roles: ['Shop.Admin'], auth_time: now - 60 })).toBe(200)
    const seen = upstreams[1]!.requests.at(-1)
    expect(seen?.url).toBe('/reports')
    expect(seen?.headers).toMatchObject({ 'x-user': 'alice', 'x-groups': 'Shop.Admin' })
    expect(seen?.headers['x-auth-subject']).toBeUndefined()
    expect(await enter({ roles: ['Shop.Admin'], auth_time: now - 100_000 })).toBe(
      'insufficient_user_authentication',
    )
    expect(await enter({ roles: ['Shop.Clerk'], auth_time: now })).toBe('forbidden')
  })
})

describe('typescript', () => {
  it(
    'makes routes from its list',
    async () => {
      const call = await startProgram('typescript/portcullis.config.ts', {
        "realm: 'staff'": `realm: 'staff', jwks: '${issuer.issuer}/jwks'`,
      })
      const token = (scope: string): string =>
        issuer.token(
          {
            iss: 'https://sso.example.com/realms/staff',
            aud: 'https://api.example.com',
            typ: 'Bearer',
            scope,
          },
          { typ: 'JWT' },
        )
      expect(await codeOf(call('/invoices/1', { token: token('invoices:read') }))).toBe(200)
      expect(await codeOf(call('/shipments/1', { token: token('invoices:read') }))).toBe('insufficient_scope')
      expect(await codeOf(call('/shipments/1', { method: 'DELETE', token: token('shipments:write') }))).toBe(
        200,
      )
    },
    patience,
  )
})

describe('the check that docs/backends.md shows to services', () => {
  type Check = (headers: Record<string, unknown>) => Promise<{ readonly sub?: string }>

  it('takes what the gateway sends for this service, and nothing else', async () => {
    const { call, keys, url } = await start('api-keys-only/portcullis.yaml')
    const { key } = await keys.create({ owner: 'acme', scopes: ['orders:read'] }, 'test')
    expect(await codeOf(call('/orders/1', { key }))).toBe(200)
    const { headers } = upstreams
      .flatMap(({ requests }) => requests)
      .findLast((it) => it.url === '/orders/1')!
    const check = await shownCheck()
    const good = check({ gateway: url, upstream: 'orders' })
    expect(await good(headers)).toMatchObject({ sub: 'acme', scope: 'orders:read' })
    await expect(good({ 'x-auth-subject': 'acme' })).rejects.toThrow('did not come through')
    await expect(check({ gateway: url, upstream: 'status' })(headers)).rejects.toThrow('aud')
    await expect(check({ gateway: url, upstream: 'orders', issuer: 'x' })(headers)).rejects.toThrow('iss')
    const bent = String(headers['x-portcullis-assertion']).replace(/.(?=.{9}$)/, (c) =>
      c === 'A' ? 'B' : 'A',
    )
    await expect(good({ 'x-portcullis-assertion': bent })).rejects.toThrow('signature')
  })

  async function shownCheck(): Promise<(options: Record<string, string>) => Check> {
    const page = await readFile(join(examples, '..', 'docs', 'backends.md'), 'utf8')
    const [, source = ''] = /^```js\n(.*?)^```$/ms.exec(page) ?? []
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-snippet-'))
    stops.push(() => rm(folder, { recursive: true, force: true }))
    await symlink(join(examples, '..', 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'check.mjs'), source)
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'check.mjs')).href)) as {
      createGatewayCheck: (options: Record<string, string>) => Check
    }
    return module.createGatewayCheck
  }
})

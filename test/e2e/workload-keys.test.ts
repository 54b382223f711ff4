/** Where the keys of workloads are: behind an API server that wants a token, at a bundle endpoint, in a file. */
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

const open: (TestGateway | TestIssuer | TestUpstream | AsyncDisposable)[] = []

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

interface ApiServer extends AsyncDisposable {
  readonly url: string
  /** "PATH AUTHORIZATION" of each question. */
  readonly asked: string[]
}

/** Answers keys to whoever shows the token, as an API server does without anonymous access. */
async function startApiServer(keysOf: () => Promise<string>): Promise<ApiServer> {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? 'nobody'}`)
    if (request.headers.authorization !== 'Bearer reader.of.keys') {
      response.writeHead(401).end('{}')
      return
    }
    void keysOf().then((keys) => response.writeHead(200).end(keys))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function start(provider: string, files: Record<string, string>): Promise<TestGateway> {
  const upstream = await startTestUpstream()
  open.push(upstream)
  const test = await startTestGateway(
    `
version: 1
providers: { workloads: { ${provider} } }
authenticators:
  workload: { type: jwt, provider: workloads, audience: https://api.example }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: items, match: { path: /items }, authenticate: [workload], authorize: {}, upstream: items }
`,
    { files },
  )
  open.push(test)
  return test
}

async function publishedBy(issuer: TestIssuer, use = 'sig'): Promise<string> {
  const { keys } = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as { keys: object[] }
  return JSON.stringify({ keys: keys.map((key) => ({ ...key, use })) })
}

async function statusOf({ url }: TestGateway, token: string): Promise<number> {
  return (await fetch(`${url}/items`, { headers: { authorization: `Bearer ${token}` } })).status
}

async function issuerForTest(): Promise<TestIssuer> {
  const issuer = await startTestIssuer()
  open.push(issuer)
  return issuer
}

describe('the keys of a cluster', () => {
  const claims = {
    iss: 'https://cluster.example',
    sub: 'system:serviceaccount:payments:worker',
    'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'worker', uid: 'u' } },
  }

  it('are read at the API server with the token from the file, which is read anew each time', async () => {
    const issuer = await issuerForTest()
    const server = await startApiServer(() => publishedBy(issuer))
    open.push(server)
    const test = await start(
      `type: kubernetes, issuer: https://cluster.example, server: "${server.url}", tokenFile: ./token, namespaces: payments`,
      { token: 'old.reader.token\n' },
    )
    expect(await statusOf(test, issuer.token(claims, { typ: 'JWT' }))).toBe(503)
    await writeFile(join(test.folder, 'token'), 'reader.of.keys\n')
    await expect
      .poll(() => statusOf(test, issuer.token(claims, { typ: 'JWT' })), { timeout: 8_000, interval: 100 })
      .toBe(200)
    expect(new Set(server.asked)).toEqual(
      new Set(['/openid/v1/jwks Bearer old.reader.token', '/openid/v1/jwks Bearer reader.of.keys']),
    )
    expect(test.lines.join()).not.toContain('reader.of.keys')
  })
})

describe('the keys of a trust domain', () => {
  const svid = { iss: undefined, sub: 'spiffe://prod.example.org/ns/payments/sa/worker', jti: undefined }

  it('are read from a file', async () => {
    const issuer = await issuerForTest()
    const test = await start('type: spiffe, trustDomain: prod.example.org, bundle: ./bundle.json', {
      'bundle.json': await publishedBy(issuer, 'jwt-svid'),
    })
    expect(await statusOf(test, issuer.token(svid, { typ: 'JWT' }))).toBe(200)
  })

  it('are read from a bundle endpoint, and only those for JWT-SVIDs count', async () => {
    const issuer = await issuerForTest()
    let use = 'x509-svid'
    const bundle = await startBundleEndpoint(() => publishedBy(issuer, use))
    open.push(bundle)
    const test = await start(
      `type: spiffe, trustDomain: prod.example.org, bundle: "${bundle.url}/bundle"`,
      {},
    )
    expect(await statusOf(test, issuer.token(svid, { typ: 'JWT' }))).toBe(503)
    use = 'jwt-svid'
    await expect
      .poll(() => statusOf(test, issuer.token(svid, { typ: 'JWT' })), { timeout: 8_000, interval: 100 })
      .toBe(200)
  })
})

async function startBundleEndpoint(
  bundleOf: () => Promise<string>,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server: Server = createServer((_request, response) => {
    void bundleOf().then((bundle) => response.writeHead(200).end(bundle))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

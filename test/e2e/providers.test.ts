/** The identity provider misbehaves; the gateway must refuse what it cannot prove, and nothing else. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

let issuer: TestIssuer
let upstream: TestUpstream
let test: TestGateway | undefined

async function start(): Promise<TestGateway> {
  test = await startTestGateway(`
version: 1
providers: { corp: { type: oidc, issuer: "${issuer.issuer}" } }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example }
  partner-keys: { type: api-key }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: tokens, match: { path: /tokens }, authenticate: [corp-token], upstream: items }
  - { id: keys, match: { path: /keys }, authenticate: [partner-keys], upstream: items }
`)
  return test
}

beforeEach(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
})

afterEach(async () => {
  await test?.stop()
  await issuer.close()
  await upstream.close()
})

async function statusOf(url: string, token = issuer.token()): Promise<number> {
  return (await fetch(`${url}/tokens`, { headers: { authorization: `Bearer ${token}` } })).status
}

describe('a provider that is down when the gateway starts', () => {
  it('costs its own routes 503, the others nothing, and is picked up when it is back', async () => {
    const port = issuer.port
    const token = issuer.token()
    await issuer.close()
    const { url, gateway } = await start()
    const answer = await fetch(`${url}/tokens`, { headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'provider_unavailable' })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const { key } = await gateway.keys.create({ owner: 'acme' }, 'test')
    expect((await fetch(`${url}/keys`, { headers: { 'x-api-key': key } })).status).toBe(200)
    expect(upstream.requests).toHaveLength(1)
    issuer = await startTestIssuer('ES256', port)
    await expect.poll(() => statusOf(url), { timeout: 15_000, interval: 250 }).toBe(200)
    const told = test!.lines.filter((line) => line.includes('"provider":"corp"'))
    expect(told.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['warn', 'info'])
  })
})

describe('a provider that goes away later', () => {
  it('leaves its keys in use', async () => {
    const { url } = await start()
    expect(await statusOf(url)).toBe(200)
    issuer.misbehave = () => ({ status: 503, body: 'down' })
    expect(await statusOf(url)).toBe(200)
  })

  it('makes an unknown key 503 and not 401, since nobody can tell', async () => {
    const { url } = await start()
    expect(await statusOf(url)).toBe(200)
    issuer.misbehave = () => ({ status: 503, body: 'down' })
    issuer.rotate()
    expect(await statusOf(url)).toBe(503)
  })
})

describe('a provider that answers rubbish', () => {
  it.each([
    ['not JSON', '<html>hello</html>'],
    ['an empty key set', '{"keys":[]}'],
    ['a huge answer', `{"keys":[${'0,'.repeat(400_000)}0]}`],
    ['another issuer', '{"issuer":"https://evil.example","jwks_uri":"https://evil.example/jwks"}'],
  ])('%s: keeps the keys that it had', async (_what, body) => {
    const { url } = await start()
    expect(await statusOf(url)).toBe(200)
    issuer.misbehave = () => ({ status: 200, body })
    const token = issuer.token()
    issuer.rotate()
    expect(await statusOf(url)).toBe(503)
    expect(await statusOf(url, token)).toBe(200)
  })

  it('from the start admits nobody', async () => {
    issuer.misbehave = () => ({ status: 200, body: '[]' })
    const { url } = await start()
    expect(await statusOf(url)).toBe(503)
    expect(upstream.requests).toEqual([])
  })
})

describe('a provider that rotates its keys', () => {
  it('is followed at once, with one fetch for all who wait', async () => {
    const { url } = await start()
    expect(await statusOf(url)).toBe(200)
    issuer.rotate()
    const fetched = issuer.fetches
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(url)))
    expect(statuses.filter((status) => status === 200)).toHaveLength(20)
    expect(issuer.fetches - fetched).toBe(1)
  })

  it('is not flooded by made-up key ids', async () => {
    const { url } = await start()
    expect(await statusOf(url)).toBe(200)
    const fetched = issuer.fetches
    for (let at = 0; at < 50; at += 1)
      expect(await statusOf(url, issuer.token({}, { kid: `made-up-${at}` }))).toBe(401)
    expect(issuer.fetches - fetched).toBeLessThanOrEqual(1)
  })
})

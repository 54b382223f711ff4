import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Agent, request } from 'undici'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

let issuer: TestIssuer
let upstream: TestUpstream
let test: TestGateway

function configuration(extra = '', scopes = '[items:read]'): string {
  return `
version: 1
providers: { corp: { type: oidc, issuer: "${issuer.issuer}" } }
authenticators: { corp-token: { type: jwt, provider: corp, audience: https://api.example } }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - id: read
    match: { path: /items/* }
    authenticate: [corp-token]
    authorize: { scopes: ${scopes} }
    upstream: items
${extra}`
}

const another = `
  - id: more
    match: { path: /more/* }
    authenticate: none
    upstream: items
`

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
  test = await startTestGateway(configuration())
})

afterAll(async () => {
  await test.stop()
  await issuer.close()
  await upstream.close()
})

describe('a reload', () => {
  it('loses no request under load, and keeps key sets and caches', async () => {
    const agent = new Agent({ connections: 16, pipelining: 1 })
    const authorization = `Bearer ${issuer.token({ scope: 'items:read' })}`
    const statuses = new Map<number | string, number>()
    const load = { isOver: false }
    const worker = async (): Promise<void> => {
      while (!load.isOver) {
        const outcome = await request(`${test.url}/items/1`, {
          dispatcher: agent,
          headers: { authorization },
        }).then(
          async ({ statusCode, body }) => {
            await body.dump()
            return statusCode
          },
          (error: Error) => error.message,
        )
        statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1)
      }
    }
    const workers = Array.from({ length: 16 }, worker)
    for (let round = 0; round < 12; round += 1) {
      const before = statuses.get(200) ?? 0
      expect(await test.change(configuration(round % 2 === 0 ? another : ''))).toBe(true)
      await expect
        .poll(() => statuses.get(200) ?? 0, { interval: 5, timeout: 15_000 })
        .toBeGreaterThan(before + 20)
    }
    load.isOver = true
    await Promise.all(workers)
    await agent.close()
    expect([...statuses.keys()]).toEqual([200])
    expect(statuses.get(200)).toBeGreaterThan(100)
    expect(issuer.fetches).toBe(1)
  })

  it('takes effect for new requests', async () => {
    await test.change(configuration())
    expect((await fetch(`${test.url}/more/1`)).status).toBe(404)
    await test.change(configuration(another))
    expect((await fetch(`${test.url}/more/1`)).status).toBe(200)
  })

  it('with faults keeps the running configuration and says why', async () => {
    await test.change(configuration(another))
    expect(await test.change(configuration('  - id: broken\n    mtach: { path: /x }\n'))).toBe(false)
    expect((await fetch(`${test.url}/more/1`)).status).toBe(200)
    const told = test.lines.find((line) => line.includes('the running one stays'))
    expect(told).toContain('match')
  })

  it('changes what an authenticator demands for tokens that were remembered', async () => {
    await test.change(configuration())
    const headers = { authorization: `Bearer ${issuer.token({ scope: 'items:read' })}` }
    expect((await fetch(`${test.url}/items/1`, { headers })).status).toBe(200)
    await test.change(configuration('', '[items:admin]'))
    expect((await fetch(`${test.url}/items/1`, { headers })).status).toBe(403)
    await test.change(configuration().replace('https://api.example', 'https://other.example'))
    expect((await fetch(`${test.url}/items/1`, { headers })).status).toBe(401)
  })
})

describe('a changed file', () => {
  it('is noticed while the gateway watches', async () => {
    await using watched = await startTestGateway(configuration(), { watch: true })
    expect((await fetch(`${watched.url}/more/1`)).status).toBe(404)
    const { readFile, writeFile } = await import('node:fs/promises')
    const text = await readFile(watched.file, 'utf8')
    await writeFile(watched.file, text.replace('routes:\n', `routes:${another}`))
    await expect
      .poll(async () => (await fetch(`${watched.url}/more/1`)).status, { timeout: 10_000 })
      .toBe(200)
  })
})

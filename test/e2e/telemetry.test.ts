/** What operators see: metrics, health, logs, traces and audit events of real requests. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queryAudit } from '../../src/audit/read/query.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'

let issuer: TestIssuer
let upstream: TestUpstream
let collector: Server
let test: TestGateway
const spans: string[] = []

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
  collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      spans.push(Buffer.concat(chunks).toString('latin1'))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' })
  test = await startTestGateway(
    `
version: 1
providers: { corp: { type: oidc, issuer: "${issuer.issuer}" } }
authenticators: { corp-token: { type: jwt, provider: corp, audience: https://api.example } }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - id: read
    match: { path: /items/* }
    authenticate: [corp-token]
    authorize: { scopes: [items:read], claims: { department: [it] } }
    report: { authorize: { scopes: [items:list] } }
    upstream: items
`,
    { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } },
  )
})

afterAll(async () => {
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
  delete process.env['OTEL_BSP_SCHEDULE_DELAY']
  await test.stop()
  await issuer.close()
  await upstream.close()
  collector.close()
})

function call(token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${test.url}/items/1?secret=in-the-query`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
}

async function eventsOf(requestId: string | null): Promise<readonly Record<string, unknown>[]> {
  let records: readonly unknown[] = []
  await expect
    .poll(
      async () => {
        const found = await queryAudit(`${test.folder}/audit`, { requestId: requestId ?? '' })
        records = found.records
        return records.length
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThan(0)
  return records as readonly Record<string, unknown>[]
}

describe('an admitted request', () => {
  it('is one audit event that says who, what and how it was proven, and never the token', async () => {
    const token = issuer.token({ scope: 'items:read items:list', department: 'it', jti: 'j-1' })
    const answer = await call(token)
    expect(answer.status).toBe(200)
    const events = await eventsOf(answer.headers.get('x-request-id'))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'authorization',
      outcome: 'allow',
      route: 'read',
      method: 'GET',
      path: '/items/1',
      clientIp: '127.0.0.1',
      authenticator: 'corp-token',
      credential: { kind: 'jwt', id: 'j-1' },
      identity: { issuer: issuer.issuer, subject: 'alice', amr: ['jwt'], claims: { department: 'it' } },
    })
    const text = JSON.stringify(events[0])
    expect(text).not.toContain(token)
    expect(text).not.toContain('in-the-query')
  })

  it('that a report-only rule would refuse passes, and is recorded as would-refuse', async () => {
    const answer = await call(issuer.token({ scope: 'items:read', department: 'it' }))
    expect(answer.status).toBe(200)
    const [event] = await eventsOf(answer.headers.get('x-request-id'))
    expect(event).toMatchObject({
      outcome: 'would-refuse',
      reason: 'scope_missing',
      report: { stage: 'authorize' },
    })
  })

  it('continues the trace of its caller, and its span is exported', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    upstream.requests.length = 0
    await call(issuer.token({ scope: 'items:read', department: 'it' }), {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    })
    const sent = String(upstream.requests[0]?.headers['traceparent'])
    expect(sent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(sent).not.toContain('00f067aa0ba902b7')
    const spanId = sent.split('-')[2]!
    await expect.poll(() => spans.join(''), { timeout: 10_000 }).toContain(spanId)
    expect(spans.join('')).toContain('GET read')
  })
})

describe('a refused request', () => {
  it('is one audit event with the precise reason, which the caller is not told', async () => {
    const answer = await call(issuer.token({ aud: 'https://elsewhere.example' }))
    const body = await answer.text()
    expect(body).not.toContain('aud')
    const events = await eventsOf(answer.headers.get('x-request-id'))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'authentication',
      outcome: 'refuse',
      reason: 'token_audience',
      code: 'credential_invalid',
    })
  })

  it('at the door is an event too', async () => {
    const answer = await fetch(`${test.url}/%2e%2e/%2e%2e/x%00`)
    expect(answer.status).toBe(400)
    const [event] = await eventsOf(answer.headers.get('x-request-id'))
    expect(event).toMatchObject({ type: 'authentication', outcome: 'refuse', code: 'bad_request' })
  })
})

describe('the admin address', () => {
  it('tells health with the providers that are away', async () => {
    const ready = await fetch(`${test.gateway.adminUrl}/.portcullis/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ status: 'ready', providersAway: [] })
    expect((await fetch(`${test.gateway.adminUrl}/audit-key`)).status).toBe(200)
    expect((await fetch(`${test.gateway.adminUrl}/api/v1/keys`)).status).toBe(404)
  })

  it('counts by the documented names', async () => {
    const metrics = await (await fetch(`${test.gateway.adminUrl}/metrics`)).text()
    for (const name of [
      'portcullis_requests_total{route="read",code="200",decision="allow"}',
      'portcullis_authentications_total{authenticator="corp-token",outcome="verified"',
      'portcullis_request_duration_seconds_bucket{route="read",le="0.005"}',
      'portcullis_upstream_duration_seconds_count{upstream="items"}',
      'portcullis_token_cache_misses_total',
      'portcullis_jwks_refresh_total{provider="corp",outcome="success"} 1',
      'portcullis_audit_events_total{type="authorization",outcome="allow"}',
      'portcullis_audit_lag_seconds',
      'portcullis_would_refuse_total{route="read",stage="authorize"}',
    ]) {
      expect(metrics).toContain(name)
    }
  })
})

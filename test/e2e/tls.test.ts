/** TLS in front and behind: clients see the certificate of now, upstreams are verified. */
import { writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { queryAudit } from '../../src/audit/read/query.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startTestUpstream } from '../harness/upstream.ts'
import { createAuthority } from '../support/certificates.ts'

const authority = createAuthority('test authority')
const loopback = [{ type: 'ip', value: '127.0.0.1' }] as const

interface Seen {
  readonly status: number | undefined
  readonly requestId: string
  readonly fingerprint: string
  readonly protocol: string | null
}

function get(port: number, ca: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/',
      ca,
      agent: false as const,
      ALPNProtocols: ['http/1.1'],
    }
    const call = request(options, (answer) => {
      const socket = answer.socket as TLSSocket
      resolve({
        status: answer.statusCode,
        requestId: String(answer.headers['x-request-id']),
        fingerprint: socket.getPeerCertificate().fingerprint256,
        protocol: socket.alpnProtocol === false ? null : socket.alpnProtocol,
      })
      answer.resume()
    })
    call.on('error', reject)
    call.end()
  })
}

describe('a TLS listener', () => {
  it('serves HTTP/1.1, tells the backend and the log, and takes a new certificate at a reload', async () => {
    await using upstream = await startTestUpstream()
    const first = authority.issue([...loopback])
    const text = `
version: 1
listeners: [{ address: "127.0.0.1:0", tls: { certificate: ./server.pem, key: ./server.key } }]
upstreams: { items: { targets: ["${upstream.url}"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`
    await using test = await startTestGateway(text, {
      files: { 'server.pem': first.certificate, 'server.key': first.key },
    })
    const before = await get(test.port, authority.certificate)
    expect(before).toMatchObject({ status: 200, protocol: 'http/1.1' })
    expect(upstream.requests[0]?.headers['x-forwarded-proto']).toBe('https')
    const second = authority.issue([...loopback])
    await writeFile(join(test.folder, 'server.pem'), second.certificate)
    await writeFile(join(test.folder, 'server.key'), second.key)
    expect(await test.gateway.reload()).toBe(true)
    expect((await get(test.port, authority.certificate)).fingerprint).not.toBe(before.fingerprint)
    await expect
      .poll(
        async () =>
          (await queryAudit(join(test.folder, 'audit'), { requestId: before.requestId })).records[0],
        { timeout: 10_000 },
      )
      .toMatchObject({ tls: { version: 'TLSv1.3' } })
  })
})

describe('an upstream with TLS', () => {
  it('is verified by the configured authority, and refused without it', async () => {
    const issued = authority.issue([...loopback])
    const backend = createServer({ cert: issued.certificate, key: issued.key }, (_request, response) =>
      response.end('hello'),
    )
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    const target = `https://127.0.0.1:${(backend.address() as AddressInfo).port}`
    await using test = await startTestGateway(
      `
version: 1
upstreams:
  known: { targets: ["${target}"], tls: { ca: ./ca.pem } }
  unknown: { targets: ["${target}"] }
routes:
  - { id: known, match: { path: /known }, authenticate: none, upstream: known }
  - { id: unknown, match: { path: /unknown }, authenticate: none, upstream: unknown }
`,
      { files: { 'ca.pem': authority.certificate } },
    )
    expect((await fetch(`${test.url}/known`)).status).toBe(200)
    const refused = await fetch(`${test.url}/unknown`)
    expect(refused.status).toBe(502)
    expect(await refused.json()).toMatchObject({ code: 'upstream_unavailable' })
    backend.close()
    backend.closeAllConnections()
  })
})

/** What a connection proved once, and must prove for each request: old connections, resumed sessions, open streams. */
import { spawn } from 'node:child_process'
import { rename, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  billing,
  partnerIssuer,
  partnerRoot,
  startMtlsGateway,
  type MtlsGateway,
} from '../support/mtls-gateway.ts'
import { issueClient, issueList, san, type Made } from '../support/pki.ts'

const hour = 3_600_000
const lists = (revoked: readonly Made[] = [], nextUpdate = Date.now() + 24 * hour): string =>
  issueList({ issuer: partnerRoot }).pem + issueList({ issuer: partnerIssuer, revoked, nextUpdate }).pem

describe('an old connection', () => {
  it('loses what its certificate loses with time', async () => {
    const clock = { at: Date.now(), now: () => clock.at }
    // The store's own clock does not leap along.
    const more = 'outage: { revocations: { then: allow } }'
    await using gateway = await startMtlsGateway({ clock, more })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const once = (): Promise<string> => gateway.ask(billing, { agent })
    expect(await once()).toBe('200')
    clock.at += 23 * hour
    expect(await once()).toBe('200')
    clock.at += 2 * hour
    expect(await once()).toBe('401 credential_expired')
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1)
    agent.destroy()
  })

  it('is not served on a revocation list that ran out while it was open', async () => {
    const clock = { at: Date.now(), now: () => clock.at }
    await using gateway = await startMtlsGateway({
      clock,
      more: 'outage: { revocations: { then: allow } }',
      authenticator: ', revocation: ./lists.pem',
      files: { 'lists.pem': lists([], Date.now() + hour) },
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect(await gateway.ask(billing, { agent })).toBe('200')
    clock.at += 2 * hour
    expect(await gateway.ask(billing, { agent })).toBe('401 credential_invalid')
    agent.destroy()
  })

  it('is cut with its open streams when the certificate is revoked', async () => {
    await using gateway = await startMtlsGateway({
      authenticator: ', revocation: ./lists.pem',
      files: { 'lists.pem': lists() },
    })
    gateway.upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    }
    const closed = openStream(gateway)
    await closed.began
    const next = join(gateway.test.folder, 'next.pem')
    await writeFile(next, lists([billing]))
    await rename(next, join(gateway.test.folder, 'lists.pem'))
    await closed.ended
  })
})

describe('a resumed session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s is none: every connection is a full handshake',
    async (version) => {
      await using gateway = await startMtlsGateway()
      const first = await converse(gateway, version, undefined)
      expect(first.status).toBe('200')
      const second = await converse(gateway, version, first.session)
      expect(second.isReused).toBe(false)
      expect(second.status).toBe('200')
    },
  )

  it('brings no revoked certificate back', async () => {
    await using gateway = await startMtlsGateway({
      authenticator: ', revocation: ./lists.pem',
      files: { 'lists.pem': lists() },
    })
    const first = await converse(gateway, 'TLSv1.2', undefined)
    expect(first.status).toBe('200')
    await writeFile(join(gateway.test.folder, 'lists.pem'), lists([billing]))
    await expect
      .poll(async () => (await converse(gateway, 'TLSv1.2', first.session)).status, { timeout: 5_000 })
      .toBe('401')
  })

  it.each(['-tls1_2', '-tls1_3'])('is refused to openssl with %s', async (version) => {
    await using gateway = await startMtlsGateway()
    const { folder, port } = gateway.test
    await writeFile(join(folder, 'client.pem'), billing.pem + billing.keyPem)
    await writeFile(join(folder, 'chain.pem'), partnerIssuer.pem)
    const file = (name: string): string => join(folder, name)
    const common = ['s_client', '-connect', `127.0.0.1:${port}`, version, '-cert', file('client.pem')]
    const head = 'GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'
    const chain = ['-cert_chain', file('chain.pem'), '-ign_eof']
    const first = await openssl([...common, ...chain, '-sess_out', file('session')], head)
    expect(first).toContain('200 OK')
    const second = await openssl([...common, ...chain, '-sess_in', file('session')], head)
    expect(second).toContain('200 OK')
    expect(second).toMatch(/^New, TLS/m)
    expect(second).not.toMatch(/^Reused, /m)
  })
})

describe('another certificate', () => {
  it('on a second connection is judged by itself', async () => {
    await using gateway = await startMtlsGateway()
    const other = issueClient({
      subject: 'b',
      issuer: partnerIssuer,
      names: [san.uri('spiffe://partner.example/b')],
    })
    expect(await gateway.ask(billing)).toBe('200')
    expect(await gateway.ask(other)).toBe('200')
    expect(gateway.upstream.requests.map(({ headers }) => headers['x-auth-subject'])).toEqual([
      'spiffe://partner.example/billing',
      'spiffe://partner.example/b',
    ])
  })
})

function openStream(gateway: MtlsGateway): { readonly began: Promise<void>; readonly ended: Promise<void> } {
  const { promise: began, resolve: begin } = Promise.withResolvers<void>()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const outgoing = request(
    `${gateway.test.url}/events`,
    {
      rejectUnauthorized: false,
      agent: false,
      cert: billing.pem + partnerIssuer.pem,
      key: billing.keyPem,
    },
    (incoming) => {
      incoming.on('data', () => begin())
      incoming.on('error', () => end())
      incoming.on('close', () => end())
    },
  )
  outgoing.on('error', () => end())
  outgoing.end()
  return { began, ended }
}

interface Conversation {
  readonly status: string | undefined
  readonly session: Buffer | undefined
  readonly isReused: boolean
}

function converse(
  { test }: MtlsGateway,
  version: 'TLSv1.2' | 'TLSv1.3',
  session: Buffer | undefined,
): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    let kept: Buffer | undefined
    let text = ''
    let isReused = false
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port: test.port,
      minVersion: version,
      maxVersion: version,
      rejectUnauthorized: false,
      cert: billing.pem + partnerIssuer.pem,
      key: billing.keyPem,
      ...(session === undefined ? {} : { session }),
    })
    socket.on('session', (next: Buffer) => (kept = next))
    socket.on('secureConnect', () => {
      isReused = socket.isSessionReused()
      socket.write('GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    })
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () =>
      resolve({
        status: /^HTTP\/1\.1 (\d+)/.exec(text)?.[1],
        session: kept ?? socket.getSession(),
        isReused,
      }),
    )
  })
}

function openssl(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', args, { timeout: 8_000 })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', () => resolve(output))
    child.stdin.end(input)
  })
}

/** A real HAProxy that passes connections on with a header of its own making. */
import { setTimeout as delay } from 'node:timers/promises'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { DataPlane } from '../../src/server/start.ts'
import { hasHaproxy, startHaproxy } from '../harness/haproxy.ts'
import { startListener, type TestListener, type TestListenerOptions } from '../listener.ts'
import { rawClient, type RawClient } from '../raw-client.ts'
import { createAuthority } from '../support/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'portcullis-behind-haproxy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const issued = createAuthority('test authority').issue([{ type: 'ip', value: '127.0.0.1' }])
writeFileSync(join(folder, 'server.pem'), issued.certificate)
writeFileSync(join(folder, 'server.key'), issued.key)
writeFileSync(join(folder, 'both.pem'), issued.certificate + issued.key)
const tls = { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key'), also: [] }

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const planes = ['wire', 'node'] as const satisfies readonly DataPlane[]

describe.skipIf(!hasHaproxy()).each(planes)('behind HAProxy, on the %s data plane', (dataPlane) => {
  const start = (more: TestListenerOptions = {}): Promise<TestListener> =>
    startListener({ dataPlane, proxyProtocol: true, ...more })

  async function ask(client: RawClient): Promise<void> {
    for (let count = 0; count < 2; count += 1) expect((await client.send(get).answer()).status).toBe(200)
  }

  it.each([
    ['send-proxy', 'send-proxy'],
    ['send-proxy-v2', 'send-proxy-v2'],
    ['send-proxy-v2 with checksum and id', 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority'],
    ['send-proxy-v2-ssl-cn', 'send-proxy-v2-ssl-cn'],
  ])('the client is the one that HAProxy saw: %s', async (_name, options) => {
    await using listener = await start()
    const { port } = listener.running
    await using haproxy = await startHaproxy(
      `mode tcp
      unique-id-format %{+X}o\\ %ci:%cp_%rt
      server gateway 127.0.0.1:${port} ${options}`,
    )
    const client = await rawClient({ port: haproxy.port, localAddress: '127.0.0.9' })
    const { localPort } = client.socket
    await ask(client)
    client.destroy()
    expect(listener.reached).toHaveLength(2)
    for (const { connection } of listener.reached)
      expect(connection).toMatchObject({ address: '127.0.0.9', port: localPort })
    expect(listener.refused).toEqual([])
  })

  it('the same where HAProxy speaks TLS with the client', async () => {
    await using listener = await start()
    const { port } = listener.running
    await using haproxy = await startHaproxy(
      `mode tcp
      server gateway 127.0.0.1:${port} send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,cert-key,cert-sig,ssl-cipher,crc32c`,
      `ssl crt ${join(folder, 'both.pem')}`,
    )
    const client = await rawClient({
      port: haproxy.port,
      localAddress: '127.0.0.9',
      tls: { servername: 'api.example.com' },
    })
    await ask(client)
    client.destroy()
    for (const { connection } of listener.reached) expect(connection.address).toBe('127.0.0.9')
  })

  it.each(['send-proxy', 'send-proxy-v2'])(
    'the same where the gateway speaks TLS with the client: %s',
    async (options) => {
      await using listener = await start({ tls })
      const { port } = listener.running
      await using haproxy = await startHaproxy(`mode tcp\nserver gateway 127.0.0.1:${port} ${options}`)
      const client = await rawClient({ port: haproxy.port, localAddress: '127.0.0.9', tls: {} })
      const { localPort } = client.socket
      await ask(client)
      client.destroy()
      for (const { connection } of listener.reached) {
        expect(connection).toMatchObject({ address: '127.0.0.9', port: localPort })
        expect(connection.tls?.version).toBe('TLSv1.3')
      }
    },
  )

  it('its health checks pass, and are recorded as nothing', async () => {
    await using listener = await start()
    const { port } = listener.running
    await using haproxy = await startHaproxy(
      `mode http
      option httpchk GET /.portcullis/livez
      server gateway 127.0.0.1:${port} send-proxy-v2 check check-send-proxy inter 50ms fall 1`,
    )
    await delay(400)
    const client = await rawClient({ port: haproxy.port })
    await ask(client)
    client.destroy()
    expect(haproxy.log()).not.toMatch(/DOWN/)
    expect(listener.refused).toEqual([])
    expect(listener.faults).toEqual([])
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onEachDataPlane, startListener, until } from '../../../test/listener.ts'
import { rawClient, type RawClient } from '../../../test/raw-client.ts'
import type { ServerRequest } from '../../exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const file = (name: string): string => join(folder, name)

/** Makes a self-signed pair `<name>.pem` and `<name>.key`. */
function makePair(name: string, commonName: string): { certificate: string; key: string } {
  const pair = { certificate: file(`${name}.pem`), key: file(`${name}.key`) }
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${commonName}`,
      '-keyout',
      pair.key,
      '-out',
      pair.certificate,
    ],
    { stdio: 'ignore' },
  )
  return pair
}

let main: { certificate: string; key: string }
let other: { certificate: string; key: string }
let wild: { certificate: string; key: string }
beforeAll(() => {
  main = makePair('main', 'main.example')
  other = makePair('other', 'other.example')
  wild = makePair('wild', '*.wild.example')
})

const settings = () => ({
  ...main,
  also: [
    { names: ['Other.example'], ...other },
    { names: ['*.wild.example'], ...wild },
  ],
})

function nameOf(client: RawClient): unknown {
  return (client.socket as TLSSocket).getPeerCertificate().subject.CN
}

onEachDataPlane(() => {
  describe('a TLS listener', () => {
    it('serves HTTP/1.1, and tells of the connection', async () => {
      await using listener = await startListener({ tls: settings() })
      const client = await listener.client({
        tls: { servername: 'main.example', ALPNProtocols: ['http/1.1'] },
      })
      expect((client.socket as TLSSocket).alpnProtocol).toBe('http/1.1')
      expect((await client.send(get + get).answer()).status).toBe(200)
      expect((await client.answer()).status).toBe(200)
      expect(listener.reached[0]!.connection.tls).toEqual({
        version: 'TLSv1.3',
        cipher: expect.stringMatching(/^TLS_/),
        serverName: 'main.example',
      })
    })

    it('speaks TLS 1.2 and nothing older', async () => {
      await using listener = await startListener({ tls: settings() })
      const { port } = listener.running
      const client = await listener.client({ tls: { maxVersion: 'TLSv1.2' } })
      await client.send(get).answer()
      expect(listener.reached[0]!.connection.tls!.version).toBe('TLSv1.2')
      expect(listener.reached[0]!.connection.tls!.serverName).toBeUndefined()
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
      await expect(rawClient({ port, tls: old })).rejects.toThrow()
      await expect(rawClient({ port, tls: { ...old, servername: 'other.example' } })).rejects.toThrow()
    })

    it('speaks no other protocol', async () => {
      await using listener = await startListener({ tls: settings() })
      await expect(
        rawClient({ port: listener.running.port, tls: { ALPNProtocols: ['spdy/3.1'] } }),
      ).rejects.toThrow()
    })

    it.each([
      ['main.example', 'main.example'],
      ['other.example', 'other.example'],
      ['OTHER.example', 'other.example'],
      ['a.wild.example', '*.wild.example'],
      ['a.b.wild.example', 'main.example'],
      ['wild.example', 'main.example'],
      ['unknown', 'main.example'],
      ['__proto__', 'main.example'],
      ['*', 'main.example'],
      ['', 'main.example'],
    ])('shows for the name %j the certificate of %s', async (servername, expected) => {
      await using listener = await startListener({ tls: settings() })
      const client = await listener.client({ tls: { servername } })
      expect(nameOf(client)).toBe(expected)
    })

    it('takes new certificates for new connections, and keeps the old ones where the new are bad', async () => {
      const pair = makePair('changing', 'before.example')
      await using listener = await startListener({ tls: { ...pair, also: [] } })
      const open = await listener.client({ tls: {} })
      expect(nameOf(open)).toBe('before.example')
      makePair('changing', 'after.example')
      expect(await listener.running.reloadTls()).toEqual({ isReloaded: true })
      expect(nameOf(await listener.client({ tls: {} }))).toBe('after.example')
      expect((await open.send(get).answer()).status).toBe(200)
      writeFileSync(pair.key, 'no key at all')
      const bad = await listener.running.reloadTls()
      expect(bad).toMatchObject({ isReloaded: false, detail: expect.stringContaining(pair.key) })
      expect(JSON.stringify(bad)).not.toContain('no key at all')
      expect(nameOf(await listener.client({ tls: {} }))).toBe('after.example')
    })

    it('keeps the old pair where key and certificate do not belong together', async () => {
      const pair = makePair('torn', 'torn.example')
      await using listener = await startListener({ tls: { ...pair, also: [] } })
      writeFileSync(pair.certificate, execFileSync('cat', [main.certificate]))
      expect(await listener.running.reloadTls()).toMatchObject({ isReloaded: false })
      expect(nameOf(await listener.client({ tls: {} }))).toBe('torn.example')
    })

    it('does not start with a certificate that cannot be used', async () => {
      await expect(
        startListener({ tls: { certificate: main.certificate, key: other.key, also: [] } }),
      ).rejects.toThrow(other.key)
      await expect(startListener({ tls: { ...main, key: file('nowhere'), also: [] } })).rejects.toThrow(
        'nowhere',
      )
    })

    it('closes on a client that speaks plain HTTP, and serves the next', async () => {
      await using listener = await startListener({ tls: settings() })
      const plain = await listener.client()
      await plain.send(get).ended()
      const client = await listener.client({ tls: {} })
      expect((await client.send(get).answer()).status).toBe(200)
    })

    it('closes a connection that never ends its handshake', async () => {
      await using listener = await startListener({ tls: settings(), limits: { headersTimeout: 300 } })
      const silent = await listener.client()
      await silent.ended()
      expect(listener.running.connections).toBe(0)
    })

    it('answers a client that has ended its side', async () => {
      let held: ServerRequest | undefined
      await using listener = await startListener({ tls: settings(), handle: (each) => (held = each) })
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        held = undefined
        const client = await listener.client({ tls: { maxVersion } })
        client.send(get).end()
        await until(() => held !== undefined)
        await delay(100)
        held!.answer({ status: 200, fields: [], body: 'still here' })
        expect((await client.answer()).text()).toBe('still here')
        await client.ended()
      }
    })

    it('lets a client read the refusal of an upload', async () => {
      await using listener = await startListener({
        tls: settings(),
        handle: (each) => each.answer({ status: 403, fields: [], body: 'no' }),
      })
      const client = await listener.client({ tls: {} })
      client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n').send(Buffer.alloc(800_000))
      expect((await client.answer()).text()).toBe('no')
      await client.ended()
      expect(client.error).toBeUndefined()
    })

    it('times heads and idle connections like a plain one', async () => {
      await using listener = await startListener({
        tls: settings(),
        limits: { headersTimeout: 300, idleTimeout: 600 },
      })
      const slow = await listener.client({ tls: {} })
      expect((await slow.send('GET / HT').answer()).status).toBe(408)
      const idle = await listener.client({ tls: {} })
      await idle.send(get).answer()
      expect((await idle.ended()).length).toBe(0)
    })

    it('ends a drain with handshakes that hang', async () => {
      await using listener = await startListener({ tls: settings() })
      const silent = await listener.client()
      await listener.running.closed(200)
      await silent.ended()
    })
  })
})

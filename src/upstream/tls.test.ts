import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { onEachDataPlane } from '../../test/listener.ts'
import type { UpstreamSettings } from '../configuration.ts'
import { createAuthority, writePem, type Authority } from '../../test/support/certificates.ts'
import { exchange, get } from '../../test/support/raw-client.ts'
import { setUpTargets, upstreamSettings, type SetupOptions } from '../../test/support/upstream-setup.ts'
import { createUpstream } from './upstream.ts'

onEachDataPlane(() => {
  let ours: Authority
  let foreign: Authority
  beforeAll(() => {
    ours = createAuthority('ours')
    foreign = createAuthority('foreign')
  })

  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'upstream-tls-'))
    onTestFinished(() => rmSync(path, { recursive: true }))
    return path
  }

  /** A TLS upstream that answers with the client certificate it was shown. */
  async function startServer(
    names: Parameters<Authority['issue']>[0],
    clientAuthority?: Authority,
  ): Promise<{ readonly url: string; readonly names: (string | false | null)[]; readonly server: Server }> {
    const { certificate, key } = ours.issue(names)
    const servernames: (string | false | null)[] = []
    const server = createServer(
      {
        cert: certificate,
        key,
        ...(clientAuthority === undefined
          ? {}
          : { ca: clientAuthority.certificate, requestCert: true, rejectUnauthorized: true }),
      },
      (request, response) => {
        const socket = request.socket as TLSSocket
        servernames.push(socket.servername)
        response.end(socket.getPeerX509Certificate()?.subjectAltName ?? 'nobody')
      },
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, names: servernames, server }
  }

  async function ask(
    url: string,
    tls: NonNullable<UpstreamSettings['tls']> | undefined,
    options: SetupOptions = {},
  ): Promise<{ readonly answer: string; readonly detail: string | undefined }> {
    const { server } = await setUpTargets([url], {
      settings: { retries: { attempts: 0 }, ...(tls === undefined ? {} : { tls }) },
      ...options,
    })
    const answer = await exchange(server.port, get())
    const result = await server.result()
    return { answer, detail: result.outcome === 'refused' ? result.refusal.detail : undefined }
  }

  const loopback = { type: 'ip', value: '127.0.0.1' } as const
  const internal = { type: 'dns', value: 'catalog.internal' } as const

  describe('an upstream over TLS', () => {
    it('is reached when its certificate holds its address and comes from the named authority', async () => {
      const { url, names } = await startServer([loopback])
      const ca = writePem(folder(), 'ca.pem', ours.certificate)
      expect((await ask(url, { ca })).answer).toMatch(/^HTTP\/1.1 200 .*nobody/s)
      // An address is no server name (RFC 6066, section 3).
      expect(names).toEqual([false])
    })

    it('is 502 when its authority is none that the system trusts', async () => {
      const { url } = await startServer([loopback])
      const { answer, detail } = await ask(url, undefined)
      expect(answer).toContain('HTTP/1.1 502')
      expect(detail).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/)
    })

    it('is 502 when its authority is not the named one', async () => {
      const { url } = await startServer([loopback])
      const ca = writePem(folder(), 'ca.pem', foreign.certificate)
      expect((await ask(url, { ca })).answer).toContain('HTTP/1.1 502')
    })

    it('is 502 when its certificate holds another name', async () => {
      const { url } = await startServer([internal])
      const ca = writePem(folder(), 'ca.pem', ours.certificate)
      const { answer, detail } = await ask(url, { ca })
      expect(answer).toContain('HTTP/1.1 502')
      expect(detail).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    })

    it('is asked for, and verified against, the configured server name', async () => {
      const { url, names } = await startServer([internal])
      const ca = writePem(folder(), 'ca.pem', ours.certificate)
      expect((await ask(url, { ca, serverName: 'catalog.internal' })).answer).toContain('200 OK')
      expect(names).toEqual(['catalog.internal'])
      expect((await ask(url, { ca, serverName: 'orders.internal' })).answer).toContain('HTTP/1.1 502')
    })

    it('keeps the server name of the target when the client brings another Host', async () => {
      const { url, names } = await startServer([internal])
      const ca = writePem(folder(), 'ca.pem', ours.certificate)
      const { answer } = await ask(
        url,
        { ca, serverName: 'catalog.internal' },
        { plan: { host: 'api.example.com' } },
      )
      expect(answer).toContain('200 OK')
      expect(names).toEqual(['catalog.internal'])
    })

    it('is shown the client certificate', async () => {
      const { url } = await startServer([loopback], foreign)
      const path = folder()
      const ca = writePem(path, 'ca.pem', ours.certificate)
      const client = foreign.issue([{ type: 'dns', value: 'gateway.example' }])
      const tls = {
        ca,
        certificate: writePem(path, 'gw.pem', client.certificate),
        key: writePem(path, 'gw.key', client.key),
      }
      expect((await ask(url, tls)).answer).toContain('DNS:gateway.example')
      expect((await ask(url, { ca })).answer).toContain('HTTP/1.1 502')
    })

    it('is met with renewed files after they were read again, on new connections', async () => {
      const { url } = await startServer([loopback], foreign)
      const path = folder()
      const write = async (name: string): Promise<void> => {
        const client = foreign.issue([{ type: 'dns', value: name }])
        writePem(path, 'gw.pem', client.certificate)
        writePem(path, 'gw.key', client.key)
      }
      await write('old.example')
      const { server, upstream } = await setUpTargets([url], {
        settings: {
          tls: {
            ca: writePem(path, 'ca.pem', ours.certificate),
            certificate: join(path, 'gw.pem'),
            key: join(path, 'gw.key'),
          },
        },
      })
      expect(await exchange(server.port, get())).toContain('DNS:old.example')
      await write('new.example')
      expect(await exchange(server.port, get())).toContain('DNS:old.example')
      upstream.reloadTls()
      expect(await exchange(server.port, get())).toContain('DNS:new.example')
    })

    it('keeps the files it has when the new ones are no PEM, and says so without their content', async () => {
      const { url } = await startServer([loopback])
      const path = folder()
      const ca = writePem(path, 'ca.pem', ours.certificate)
      const { server, upstream } = await setUpTargets([url], { settings: { tls: { ca } } })
      writePem(path, 'ca.pem', 'a secret that is no PEM')
      expect(() => upstream.reloadTls()).toThrow(/ca\.pem/)
      expect(() => upstream.reloadTls()).not.toThrow(/a secret/)
      expect(await exchange(server.port, get())).toContain('200 OK')
    })

    it('is not made when a file is missing', () => {
      const settings = upstreamSettings(['https://127.0.0.1:1'], { tls: { ca: join(folder(), 'none.pem') } })
      expect(() => createUpstream(settings, { clock: { now: () => 0 } })).toThrow(/none\.pem/)
    })
  })
})

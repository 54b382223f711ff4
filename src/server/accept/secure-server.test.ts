import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, getCiphers, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { ocspAnswer } from '../../../test/support/ocsp.ts'
import { issue, issueAuthority, issueClient, type Made } from '../../../test/support/pki.ts'
import type { TlsSettings } from '../../configuration.ts'
import { SecureServer } from './secure-server.ts'
import type { TicketSecret } from './ticket-keys.ts'
import { generateKeyPairSync } from 'node:crypto'

const folder = mkdtempSync(join(tmpdir(), 'portcullis-secure-'))
afterAll(() => rmSync(folder, { recursive: true }))

const halfDay = 12 * 3_600_000
const authority = issueAuthority({ subject: 'authority' })
const main = issueClient({ subject: 'main.example', issuer: authority })
const other = issueClient({ subject: 'other.example', issuer: authority })

function put(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

function pair(name: string, made: Made): { certificate: string; key: string } {
  return { certificate: put(`${name}.pem`, made.pem + authority.pem), key: put(`${name}.key`, made.keyPem) }
}

const settings: TlsSettings = {
  ...pair('main', main),
  also: [{ names: ['other.example'], ...pair('other', other) }],
}

interface Opened extends AsyncDisposable {
  readonly secure: SecureServer
  readonly port: number
  readonly notices: string[]
  now: number
}

async function open(tls: TlsSettings, more: { now?: number; tickets?: TicketSecret } = {}): Promise<Opened> {
  const notices: string[] = []
  const opened = { now: more.now ?? Date.now() }
  const secure = await SecureServer.create({
    settings: tls,
    clock: { now: () => opened.now },
    protocols: ['http/1.1'],
    handshakeTimeout: 5000,
    ...(more.tickets === undefined ? {} : { tickets: more.tickets }),
    ready(socket) {
      socket.on('error', () => undefined)
      socket.end('hello')
    },
    notice: (text) => notices.push(text),
  })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    secure.shakeHands(socket, undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(opened, {
    secure,
    port: (server.address() as AddressInfo).port,
    notices,
    async [Symbol.asyncDispose]() {
      secure.stop()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

interface Shaken {
  readonly isResumed: boolean
  readonly session: Buffer
  readonly cipher: string
  readonly staple: Buffer | null
}

/** Shakes hands, reads to the end, and says what came of it. */
function shake(port: number, options: ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    let session: Buffer = Buffer.alloc(0)
    let staple: Buffer | null = null
    socket.on('session', (each: Buffer) => {
      session = each
    })
    socket.on('OCSPResponse', (response: Buffer | null) => {
      staple = response
    })
    socket.on('error', reject)
    socket.resume()
    socket.on('end', () => {
      resolve({ isResumed: socket.isSessionReused(), session, cipher: socket.getCipher().name, staple })
      socket.destroy()
    })
  })
}

describe('the ciphers of a TLS listener', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const withRsa = issue({ subject: 'rsa.example', issuer: authority, keys: rsa })

  it.each([
    ['ECDSA', settings],
    ['RSA', { ...pair('rsa', withRsa), also: [] }],
  ])('with %s are those of forward secrecy and authenticated encryption in TLS 1.2', async (kind, tls) => {
    await using server = await open(tls)
    const taken: string[] = []
    const names = getCiphers()
      .filter((name) => !name.startsWith('tls_'))
      .map((name) => name.toUpperCase())
    for (const name of names) {
      const ciphers = `${name}:@SECLEVEL=0`
      try {
        taken.push((await shake(server.port, { ciphers, maxVersion: 'TLSv1.2' })).cipher)
      } catch {
        // Not spoken.
      }
    }
    expect(taken.toSorted()).toEqual([
      `ECDHE-${kind}-AES128-GCM-SHA256`,
      `ECDHE-${kind}-AES256-GCM-SHA384`,
      `ECDHE-${kind}-CHACHA20-POLY1305`,
    ])
    expect(names.length).toBeGreaterThan(30)
  })

  it('are chosen by us, unless a client that has no hardware for AES says so', async () => {
    await using server = await open(settings)
    const cipher = async (options: ConnectionOptions): Promise<string> =>
      (await shake(server.port, options)).cipher
    expect(await cipher({})).toBe('TLS_AES_128_GCM_SHA256')
    expect(await cipher({ ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256' })).toMatch(
      /CHACHA20/,
    )
    const strongFirst = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256'
    expect(await cipher({ ciphers: strongFirst, maxVersion: 'TLSv1.2' })).toMatch(/AES128/)
  })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  const as = (options: ConnectionOptions = {}): ConnectionOptions => ({
    minVersion: version,
    maxVersion: version,
    ...options,
  })

  it.each(['main.example', 'other.example'])('is resumed under the name %s', async (servername) => {
    await using server = await open(settings)
    const first = await shake(server.port, as({ servername }))
    expect(first.isResumed).toBe(false)
    const second = await shake(server.port, as({ servername, session: first.session }))
    expect(second.isResumed).toBe(true)
  })

  it('outlives a reload of certificates', async () => {
    await using server = await open(settings)
    const { session } = await shake(server.port, as())
    await server.secure.reload()
    expect((await shake(server.port, as({ session }))).isResumed).toBe(true)
  })

  it('ends with the keys of its ticket, which change by the clock', async () => {
    await using server = await open(settings, { now: 10 * halfDay - 5 })
    const { session } = await shake(server.port, as())
    expect((await shake(server.port, as({ session }))).isResumed).toBe(true)
    server.now = 10 * halfDay + 5
    // The timer looks a second after the start at the soonest.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const after = await shake(server.port, as({ session }))
    expect(after.isResumed).toBe(false)
    expect((await shake(server.port, as({ session: after.session }))).isResumed).toBe(true)
  })

  it('ends with the keys of its ticket at a reload, too', async () => {
    await using server = await open(settings, { now: 10 * halfDay - 60_000 })
    const { session } = await shake(server.port, as())
    server.now = 10 * halfDay
    await server.secure.reload()
    expect((await shake(server.port, as({ session }))).isResumed).toBe(false)
  })

  it('is resumed by whoever shares the secret, and by nobody else', async () => {
    const now = 10 * halfDay
    const tickets = { secret: Buffer.alloc(32, 1), since: now }
    await using one = await open(settings, { now, tickets })
    await using same = await open(settings, { now, tickets })
    await using alone = await open(settings, { now })
    const { session } = await shake(one.port, as())
    expect((await shake(same.port, as({ session }))).isResumed).toBe(true)
    expect((await shake(alone.port, as({ session }))).isResumed).toBe(false)
  })

  it('is not resumed where clients are asked for certificates', async () => {
    await using server = await open({ ...settings, clientCertificates: { mode: 'request' } })
    const { session } = await shake(server.port, as())
    expect((await shake(server.port, as({ session }))).isResumed).toBe(false)
  })
})

describe('an OCSP answer beside a certificate', () => {
  const forMain = ocspAnswer({ issuer: authority, about: main })
  const forOther = ocspAnswer({ issuer: authority, about: other })
  const stapled = (ofMain: Buffer | string, ofOther: Buffer | string): TlsSettings => ({
    ...settings,
    ocsp: typeof ofMain === 'string' ? ofMain : put('main.ocsp', ofMain),
    also: [
      {
        ...settings.also[0]!,
        ocsp: typeof ofOther === 'string' ? ofOther : put('other.ocsp', ofOther),
      },
    ],
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'goes to clients that ask, by the name that they ask for: %s',
    async (maxVersion) => {
      await using server = await open(stapled(forMain, forOther))
      const ask = (servername: string): Promise<Shaken> =>
        shake(server.port, { servername, requestOCSP: true, maxVersion })
      expect((await ask('main.example')).staple).toEqual(forMain)
      expect((await ask('other.example')).staple).toEqual(forOther)
      expect((await ask('unknown.example')).staple).toEqual(forMain)
      expect((await shake(server.port, { maxVersion })).staple).toBeNull()
      expect(server.notices).toEqual([])
    },
  )

  it('is not sent any more once it has run out', async () => {
    await using server = await open(stapled(forMain, forOther))
    server.now += 61 * 60_000
    for (let count = 0; count < 3; count += 1)
      expect((await shake(server.port, { requestOCSP: true })).staple).toBeNull()
    expect(server.notices).toEqual([expect.stringContaining('main.ocsp: the OCSP answer has run out')])
  })

  it('is left out where it is of no use, and that is told; the certificate is used all the same', async () => {
    await using server = await open(stapled(forOther, join(folder, 'nowhere.ocsp')))
    expect((await shake(server.port, { requestOCSP: true })).staple).toBeNull()
    expect((await shake(server.port, { requestOCSP: true, servername: 'other.example' })).staple).toBeNull()
    expect(server.notices).toEqual([
      `${join(folder, 'main.ocsp')}: no answer about this certificate`,
      `${join(folder, 'nowhere.ocsp')}: it cannot be read`,
    ])
  })

  it('is read anew at a reload', async () => {
    await using server = await open(stapled(forMain, forOther))
    const next = ocspAnswer({ issuer: authority, about: main, minutes: 120 })
    put('main.ocsp', next)
    await server.secure.reload()
    expect((await shake(server.port, { requestOCSP: true })).staple).toEqual(next)
    put('main.ocsp', 'torn')
    await server.secure.reload()
    expect((await shake(server.port, { requestOCSP: true })).staple).toBeNull()
    expect(server.notices).toHaveLength(1)
  })
})

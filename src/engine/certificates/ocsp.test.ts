import { spawn, type ChildProcess } from 'node:child_process'
import { sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  algorithms,
  ecKeys,
  extendedKeyUsage,
  issueAuthority,
  issueClient,
  issue,
  nameDer,
  type KeyPair,
  type Made,
} from '../../../test/support/pki.ts'
import { createOcspPoster } from '../../remote/ocsp.ts'
import { der, derOctets, derOid, derSequence } from './der-write.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { makeOcspRequest, type OcspRequest } from './ocsp-request.ts'
import { readOcspResponse, type OcspAnswer } from './ocsp-response.ts'

const hour = 3_600_000
const authority = issueAuthority({ subject: 'authority' })
const leaf = issueClient({ subject: 'leaf', issuer: authority })
const gone = issueClient({ subject: 'gone', issuer: authority })
const responder = issue({
  subject: 'responder',
  issuer: authority,
  extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.9')],
})

function parsed(made: Made): Certificate {
  const certificate = parseCertificate(made.der)
  if (typeof certificate === 'string') throw new Error(certificate)
  return certificate
}

describe('a real responder', () => {
  let folder: string
  let child: ChildProcess
  let url: string
  const poster = createOcspPoster()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-ocsp-'))
    const line = (status: string, made: Made): string =>
      `${status}\t991231235959Z\t${status === 'R' ? '260101000000Z' : ''}\t${made.serial.toString('hex').toUpperCase()}\tunknown\t/CN=x\n`
    const put = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
    const index = await put('index.txt', line('V', leaf) + line('R', gone))
    const port = await freePort()
    child = spawn('openssl', [
      'ocsp',
      '-index',
      index,
      '-port',
      String(port),
      '-rsigner',
      await put('responder.pem', responder.pem),
      '-rkey',
      await put('responder.key', responder.keyPem),
      '-CA',
      await put('ca.pem', authority.pem),
      '-nmin',
      '5',
    ])
    url = `http://127.0.0.1:${port}/`
    const [said] = (await once(child.stdout!, 'data')) as [Buffer]
    expect(said.toString()).toContain('ACCEPT')
  })
  afterAll(async () => {
    child.kill()
    poster.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function ask(made: Made): Promise<OcspAnswer> {
    const request = makeOcspRequest(parsed(made), parsed(authority))
    const answer = await poster.post(url, request.bytes, 5_000)
    return readOcspResponse(answer, { request, issuer: parsed(authority), now: Date.now() })
  }

  it('tells who stands, who is revoked and whom it does not know', async () => {
    const good = await ask(leaf)
    expect(good.status).toBe('good')
    expect(good.status === 'good' && good.until - Date.now()).toBeGreaterThan(4 * 60_000)
    expect((await ask(gone)).status).toBe('revoked')
    expect((await ask(issueClient({ subject: 'new', issuer: authority }))).status).toBe('unknown')
  })
})

interface Wish {
  readonly keys?: KeyPair
  readonly by?: Made
  readonly certificates?: readonly Made[]
  readonly status?: Buffer
  readonly thisUpdate?: number
  readonly nextUpdate?: number
  readonly nonce?: Buffer
  readonly certId?: Buffer
  readonly outer?: number
}

function respond(request: OcspRequest, wish: Wish = {}): Buffer {
  const {
    by = authority,
    thisUpdate = Date.now() - 1000,
    nextUpdate = Date.now() + hour,
    certificates = [],
  } = wish
  const single = derSequence(
    wish.certId ?? request.certId,
    wish.status ?? der(0x80),
    generalized(thisUpdate),
    der(0xa0, generalized(nextUpdate)),
  )
  const nonce = wish.nonce ?? request.nonce
  const tbs = derSequence(
    der(0xa1, nameDer(by.subject)),
    generalized(Date.now()),
    derSequence(single),
    der(0xa1, derSequence(derSequence(derOid('1.3.6.1.5.5.7.48.1.2'), derOctets(derOctets(nonce))))),
  )
  const basic = derSequence(
    tbs,
    algorithms.ecdsaSha256,
    der(0x03, Buffer.from([0]), sign('sha256', tbs, (wish.keys ?? by.keys).privateKey)),
    ...(certificates.length === 0 ? [] : [der(0xa0, derSequence(...certificates.map((each) => each.der)))]),
  )
  return derSequence(
    der(0x0a, Buffer.from([wish.outer ?? 0])),
    der(0xa0, derSequence(derOid('1.3.6.1.5.5.7.48.1.1'), derOctets(basic))),
  )
}

describe('an answer', () => {
  const request = makeOcspRequest(parsed(leaf), parsed(authority))
  const judge = (wish: Wish = {}): string =>
    readOcspResponse(respond(request, wish), { request, issuer: parsed(authority), now: Date.now() }).status
  const delegate = { by: responder, certificates: [responder] }

  it('of the issuer, or of one that it appointed, is believed', () => {
    expect(judge()).toBe('good')
    expect(judge(delegate)).toBe('good')
    expect(judge({ status: der(0xa1, generalized(Date.now() - hour)) })).toBe('revoked')
  })

  it.each<[string, Wish]>([
    ['signed with another key', { keys: ecKeys() }],
    ['of a stranger', { by: issueAuthority({ subject: 'stranger' }) }],
    ['of a stranger with the issuer’s name', { by: issueAuthority({ subject: 'authority' }) }],
    ['of one that brings no certificate', { by: responder }],
    ['of a client of the same authority', { by: gone, certificates: [gone] }],
    [
      'of a responder of another authority',
      (() => {
        const other = issue({
          subject: 'responder',
          issuer: issueAuthority({ subject: 'authority' }),
          extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.9')],
        })
        return { by: other, certificates: [other] }
      })(),
    ],
    [
      'of a responder whose certificate has expired',
      (() => {
        const old = issue({
          subject: 'responder',
          issuer: authority,
          notAfter: Date.now() - 2000,
          extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.9')],
        })
        return { by: old, certificates: [old] }
      })(),
    ],
    ['to another question', { nonce: Buffer.alloc(32, 1) }],
    ['about another certificate', { certId: makeOcspRequest(parsed(gone), parsed(authority)).certId }],
    ['that has run out', { nextUpdate: Date.now() - 1000 }],
    ['of the future', { thisUpdate: Date.now() + hour }],
    ['that says unknown', { status: der(0x82) }],
    ['that says try later', { outer: 3 }],
  ])('%s is not', (_, wish) => {
    expect(judge(wish)).toBe('unknown')
  })

  it('that is no answer at all is not', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), leaf.der]) {
      expect(readOcspResponse(bytes, { request, issuer: parsed(authority), now: Date.now() }).status).toBe(
        'unknown',
      )
    }
  })
})

function generalized(at: number): Buffer {
  return der(0x18, Buffer.from(new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

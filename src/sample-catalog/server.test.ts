import { createServer, request as rawRequest } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCatalog } from './server.ts'
import type { Catalog } from './server.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

let gateway: Server
let keys: JWK[] = []
let fetches = 0
let signingKey: CryptoKey
let catalog: Catalog

beforeAll(async () => {
  signingKey = await publishKey('first')
  gateway = createServer((_request, response) => {
    fetches += 1
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  catalog = await startCatalog({ audience: 'catalog', gatewayKeySet: () => keySetUrl(), tickEvery: 5 })
})
afterAll(async () => {
  await catalog.close()
  await new Promise((resolve) => {
    gateway.close(resolve)
    gateway.closeAllConnections()
  })
})

function keySetUrl(): string {
  return `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/.portcullis/jwks.json`
}

async function publishKey(kid: string): Promise<CryptoKey> {
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  keys = [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'EdDSA', use: 'sig' }, ...keys]
  return pair.privateKey
}

async function assert(
  overrides: { claims?: Record<string, unknown>; typ?: string; kid?: string; key?: CryptoKey } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: 'viewer', aud: 'catalog', iat: now, exp: now + 60, ...overrides.claims })
    .setProtectedHeader({
      alg: 'EdDSA',
      typ: overrides.typ ?? 'portcullis+jwt',
      kid: overrides.kid ?? 'first',
    })
    .sign(overrides.key ?? signingKey)
}

async function ask(path: string, init: RequestInit = {}, at: Catalog = catalog): Promise<Answer> {
  const response = await fetch(`${at.url}${path}`, init)
  const text = await response.text()
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  return { status: response.status, headers: response.headers, body }
}

async function whoami(headers: Record<string, string>): Promise<Record<string, unknown>> {
  return (await ask('/whoami', { headers })).body
}

describe('the catalog', () => {
  it('lists a dozen titles, and shows one', async () => {
    const { status, body } = await ask('/items')
    const items = body['items'] as { id: string; title: string }[]
    expect(status).toBe(200)
    expect(items).toHaveLength(12)
    expect(new Set(items.map((item) => item.title)).size).toBe(12)
    expect((await ask('/items/3')).body).toMatchObject({ item: { id: '3', title: 'Nine Minutes to Vega' } })
    expect((await ask('/items?page=2')).status).toBe(200)
  })

  it('says 404 for what is not there and 405 with the methods for what cannot be done', async () => {
    expect((await ask('/items/99')).status).toBe(404)
    expect((await ask('/nothing')).status).toBe(404)
    const refused = await ask('/items', { method: 'PUT' })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  it('answers HEAD with the length and no body', async () => {
    const head = await ask('/items', { method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, {}])
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1000)
  })

  it('is healthy', async () => {
    expect((await ask('/healthz')).body).toEqual({ status: 'ok' })
  })
})

describe('what it shows about the caller', () => {
  it('is what the fields say, decoded', async () => {
    const body = await whoami({
      'X-Auth-Subject': 'zo%C3%AB',
      'X-Auth-Issuer': 'https://login.example',
      'X-Auth-Client': 'web',
      'X-Auth-Scopes': 'catalog:read catalog:write',
      'X-Auth-Roles': 'viewer,one%2Ctwo',
      'X-Auth-Tenant': 'north',
      'X-Auth-Method': 'corp-token',
    })
    expect(body).toEqual({
      identity: {
        subject: 'zoë',
        issuer: 'https://login.example',
        client: 'web',
        scopes: ['catalog:read', 'catalog:write'],
        roles: ['viewer', 'one,two'],
        tenant: 'north',
        method: 'corp-token',
      },
      assertion: 'absent',
      credentialSeen: false,
    })
  })

  it('is nobody when nothing was handed over', async () => {
    expect(await whoami({})).toEqual({
      identity: { scopes: [], roles: [] },
      assertion: 'absent',
      credentialSeen: false,
    })
    expect(await whoami({ 'X-Auth-Subject': '%zz' })).toMatchObject({ identity: { subject: '%zz' } })
  })

  it.each([
    ['Authorization', 'Bearer x'],
    ['X-Api-Key', 'x'],
    ['DPoP', 'x'],
    ['Cookie', 'theme=dark; __Host-portcullis=x'],
    ['Cookie', 'portcullis=x'],
  ])('tells when a credential came through in %s', async (name, value) => {
    expect(await whoami({ [name]: value })).toMatchObject({ credentialSeen: true })
  })

  it('does not take another cookie for a credential', async () => {
    expect(await whoami({ Cookie: 'not-portcullis=1; theme=dark' })).toMatchObject({ credentialSeen: false })
  })
})

describe('the assertion', () => {
  it('is verified with the keys of the gateway, which are fetched once', async () => {
    const before = fetches
    for (let round = 0; round < 3; round++) {
      const headers = { 'X-Portcullis-Assertion': await assert(), 'X-Auth-Subject': 'viewer' }
      expect(await whoami(headers)).toMatchObject({ assertion: 'verified' })
    }
    expect(fetches - before).toBeLessThanOrEqual(1)
  })

  it('is invalid when it is meant for another service, expired, of another type, or altered', async () => {
    const other = await generateKeyPair('EdDSA')
    const cases: [string, string][] = [
      [await assert({ claims: { aud: 'billing' } }), 'invalid: a claim is not as expected (aud)'],
      [await assert({ claims: { exp: 1 } }), 'invalid: expired'],
      [await assert({ claims: { exp: undefined } }), 'invalid: a claim is not as expected (exp)'],
      [await assert({ typ: 'JWT' }), 'invalid: a claim is not as expected (typ)'],
      [await assert({ key: other.privateKey }), 'invalid: the signature does not hold'],
      ['nonsense', 'invalid: not a signed token'],
    ]
    for (const [token, expected] of cases) {
      expect(await whoami({ 'X-Portcullis-Assertion': token })).toMatchObject({ assertion: expected })
    }
  })

  it('is invalid when it speaks of somebody else than the fields', async () => {
    const headers = { 'X-Portcullis-Assertion': await assert(), 'X-Auth-Subject': 'admin' }
    expect(await whoami(headers)).toMatchObject({
      assertion: 'invalid: it speaks of another subject than X-Auth-Subject',
    })
  })

  it('cannot be checked without a key set, or while the gateway is away', async () => {
    const token = await assert()
    const bare = await startCatalog({ audience: 'catalog' })
    const lost = await startCatalog({ audience: 'catalog', gatewayKeySet: 'http://127.0.0.1:1/jwks.json' })
    try {
      const init = { headers: { 'X-Portcullis-Assertion': token } }
      expect((await ask('/whoami', init, bare)).body).toMatchObject({
        assertion: 'invalid: this service was given no key set to check it with',
      })
      expect((await ask('/whoami', init, lost)).body).toMatchObject({
        assertion: 'invalid: the key set cannot be had',
      })
    } finally {
      await bare.close()
      await lost.close()
    }
  })
})

describe('changes', () => {
  it('are refused to a request that went around the gateway, whatever its fields say', async () => {
    const headers = { 'X-Auth-Subject': 'admin', 'X-Auth-Roles': 'admin' }
    const body = JSON.stringify({ title: 'Forged' })
    expect((await ask('/items', { method: 'POST', headers, body })).status).toBe(403)
    expect((await ask('/items/1', { method: 'DELETE', headers })).status).toBe(403)
    expect((await ask('/items/1')).status).toBe(200)
  })

  it('are taken with an assertion, and remember whose it was', async () => {
    const headers = { 'X-Portcullis-Assertion': await assert({ claims: { sub: 'editor' } }) }
    const body = JSON.stringify({ title: 'The Quiet Relay', kind: 'series', addedBy: 'somebody else' })
    const added = await ask('/items', { method: 'POST', headers, body })
    expect(added.status).toBe(201)
    expect(added.body).toMatchObject({
      item: { title: 'The Quiet Relay', kind: 'series', addedBy: 'editor' },
    })
    const location = added.headers.get('location') ?? ''
    expect(location).toMatch(/^items\/\d+$/)
    expect((await ask(`/${location}`)).status).toBe(200)
    const removed = await ask(`/${location}`, { method: 'DELETE', headers })
    expect(removed).toMatchObject({ status: 200, body: { removed: { title: 'The Quiet Relay' } } })
    expect((await ask(`/${location}`, { method: 'DELETE', headers })).status).toBe(404)
  })

  it('need a title, in JSON, of reasonable size', async () => {
    const headers = { 'X-Portcullis-Assertion': await assert() }
    for (const body of ['{', '[]', 'null', '{"title":7}', '{"title":""}']) {
      expect((await ask('/items', { method: 'POST', headers, body })).status).toBe(400)
    }
    const body = JSON.stringify({ title: 'x', summary: 'y'.repeat(70_000) })
    expect((await ask('/items', { method: 'POST', headers, body })).status).toBe(413)
  })
})

describe('the stream', () => {
  it('tells who is listening, ticks, and ends with the listener', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const request = rawRequest(
        `${catalog.url}/stream`,
        { headers: { 'X-Auth-Subject': 'viewer' } },
        (response) => {
          expect(response.headers['content-type']).toBe('text/event-stream')
          let received = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            received += chunk
            if (!received.includes('"tick":3')) return
            request.destroy()
            resolve(received)
          })
          response.once('error', () => undefined)
        },
      )
      request.once('error', reject)
      request.end()
    })
    expect(text).toMatch(/^event: caller\nid: 0\ndata: .*"subject":"viewer"/)
    expect(text).toMatch(/event: tick\nid: 1\ndata: \{"tick":1,"playing":"[^"]+"\}\n\n/)
  })

  it('does not keep the service from closing', async () => {
    const own = await startCatalog({ audience: 'catalog', tickEvery: 5 })
    const response = await fetch(`${own.url}/stream`)
    const reader = response.body?.getReader()
    await reader?.read()
    await own.close()
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow()
    await reader?.cancel().catch(() => undefined)
  })
})

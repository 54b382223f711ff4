/** A revocation holds at once and everywhere: for the next request, and for what is open already. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { NewRevocation } from '../../src/keys/schemas.ts'
import { openStore } from '../../src/stores/open.ts'
import { startAuthorizationServer, type AuthorizationServer } from '../harness/authorization-server.ts'
import { TestBrowser } from '../harness/browser.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startSignInProvider, type SignInProvider } from '../harness/sign-in-provider.ts'

/** Of the contract, and a little for a machine that is busy with other tests. */
const within = 1_500
const keyIssuer = 'urn:portcullis:api-key'

let issuer: TestIssuer
let remote: AuthorizationServer
let people: SignInProvider
let backend: Server
let sockets: WebSocketServer
let test: TestGateway

beforeAll(async () => {
  issuer = await startTestIssuer()
  remote = await startAuthorizationServer()
  people = await startSignInProvider()
  backend = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('data: tick\n\n'), 50)
    response.on('close', () => clearInterval(timer))
  })
  sockets = new WebSocketServer({ server: backend })
  sockets.on('connection', (socket) => socket.send('hello'))
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  test = await startTestGateway(`
version: 1
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}", clockSkew: 0s }
  remote: { type: oidc, issuer: "${remote.issuer}" }
  people: { type: oidc, issuer: "${people.issuer}" }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example, maxLifetime: 2h }
  keys: { type: api-key }
  opaque: { type: introspection, provider: remote, audience: https://api.example, client: { id: gw, secret: s3cret } }
  browser: { type: session, provider: people, client: { id: web, secret: web-secret } }
upstreams: { live: { targets: ["http://127.0.0.1:${(backend.address() as AddressInfo).port}"] } }
routes:
  - { id: live, match: { path: /live/* }, authenticate: [corp-token, keys, opaque, browser], upstream: live }
`)
})

afterAll(async () => {
  await test.stop()
  await Promise.all([issuer.close(), remote.close(), people.close()])
  sockets.close()
  await new Promise<void>((resolve) => {
    backend.close(() => resolve())
    backend.closeAllConnections()
  })
})

type Fields = Record<string, string>

const bearer = (claims: Record<string, unknown>): Fields => ({
  authorization: `Bearer ${issuer.token({ iat: Math.floor(Date.now() / 1000) - 5, ...claims })}`,
})

async function keyOf(owner: string): Promise<{ readonly id: string; readonly fields: Fields }> {
  const { id, key } = await test.gateway.keys.create({ owner }, 'test')
  return { id, fields: { 'x-api-key': key } }
}

const status = async (headers: Fields): Promise<number> => {
  const answer = await fetch(`${test.url}/live/once`, { headers })
  await answer.body?.cancel()
  return answer.status
}

/** A WebSocket and an event stream with one credential, and when both were cut. */
async function openBoth(headers: Fields): Promise<{ readonly cut: Promise<number> }> {
  const socket = new WebSocket(`${test.url.replace('http', 'ws')}/live/chat`, { headers })
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => resolve())
    socket.once('error', reject)
  })
  const answer = await fetch(`${test.url}/live/events`, { headers })
  const reader = answer.body!.getReader()
  await reader.read()
  const socketEnded = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const streamEnded = (async () => {
    try {
      for (;;) if ((await reader.read()).done) throw new Error('the stream ended as if it were whole')
    } catch (error) {
      if (String(error).includes('as if it were whole')) throw error
    }
  })()
  return { cut: Promise.all([socketEnded, streamEnded]).then(() => Date.now()) }
}

/** A browser that is signed in, as its requests look; and how operators call its session. */
async function signedIn(subject: string): Promise<{ readonly fields: Fields; readonly session: string }> {
  people.user = { sub: subject }
  const browser = new TestBrowser()
  await browser.visit(`${test.url}/.portcullis/login?return_to=/nowhere`)
  const who = await browser.call(`${test.url}/.portcullis/session`)
  const { id } = JSON.parse(who.body) as { readonly id: string }
  const cookie = `portcullis=${browser.cookie(test.url, 'portcullis')!}`
  return { fields: { cookie, origin: test.url }, session: id }
}

interface Case {
  /** What the caller sends. */
  readonly fields: Fields
  readonly act: () => Promise<unknown>
}

const revoking =
  (input: NewRevocation): (() => Promise<unknown>) =>
  () =>
    test.gateway.revocations.revoke(input, 'test')

const cases: Readonly<Record<string, () => Promise<Case> | Case>> = {
  'a key': async () => {
    const { id, fields } = await keyOf('one')
    return { fields, act: () => test.gateway.keys.revoke(id, undefined, 'test') }
  },
  'a key, by a rotation without grace': async () => {
    const { id, fields } = await keyOf('two')
    return { fields, act: () => test.gateway.keys.rotate(id, { grace: '0s' }, 'test') }
  },
  'a key, by its owner': async () => ({
    fields: (await keyOf('three')).fields,
    act: revoking({ kind: 'subject', value: 'three', issuer: keyIssuer }),
  }),
  'a token, by its jti': () => ({
    fields: bearer({ sub: 'four', jti: 'token-four' }),
    act: revoking({ kind: 'jti', value: 'token-four' }),
  }),
  'a token, by its subject': () => ({
    fields: bearer({ sub: 'five' }),
    act: revoking({ kind: 'subject', value: 'five', issuer: issuer.issuer }),
  }),
  'a token, by its client': () => ({
    fields: bearer({ sub: 'six', client_id: 'app-six' }),
    act: revoking({ kind: 'client', value: 'app-six', issuer: issuer.issuer }),
  }),
  'an opaque token, by its subject': () => {
    remote.tokens.set('opaque-one', { sub: 'opaque-one', iat: Math.floor(Date.now() / 1000) - 60 })
    return {
      fields: { authorization: 'Bearer opaque-one' },
      act: revoking({ kind: 'subject', value: 'opaque-one', issuer: remote.issuer }),
    }
  },
  'an opaque token, by its jti': () => {
    remote.tokens.set('opaque-two', { sub: 'opaque-two', jti: 'opaque-jti' })
    return {
      fields: { authorization: 'Bearer opaque-two' },
      act: revoking({ kind: 'jti', value: 'opaque-jti' }),
    }
  },
  "a token, by its provider's session": () => ({
    fields: bearer({ sub: 'seven', sid: 'session-seven' }),
    act: revoking({ kind: 'session', value: 'session-seven' }),
  }),
}

const signedInCases: Readonly<Record<string, () => Promise<Case>>> = {
  'a session, by its name': async () => {
    const { fields, session } = await signedIn('session-one')
    return { fields, act: revoking({ kind: 'session', value: session }) }
  },
  'a session, by its subject': async () => ({
    fields: (await signedIn('session-two')).fields,
    act: revoking({ kind: 'subject', value: 'session-two', issuer: people.issuer }),
  }),
}

describe.concurrent('revoking', () => {
  it.each(Object.entries(cases))(
    '%s refuses the next request, and cuts what is open within a second',
    async (_name, make) => {
      const { fields, act } = await make()
      const { cut } = await openBoth(fields)
      expect(await status(fields)).toBe(200)
      await act()
      const from = Date.now()
      expect(await status(fields)).toBe(401)
      expect((await cut) - from).toBeLessThan(within)
    },
  )
})

describe('revoking', () => {
  it.each(Object.entries(signedInCases))(
    '%s refuses the next request, and cuts what is open within a second',
    async (_name, make) => {
      const { fields, act } = await make()
      const { cut } = await openBoth(fields)
      expect(await status(fields)).toBe(200)
      await act()
      const from = Date.now()
      expect(await status(fields)).toBe(401)
      expect((await cut) - from).toBeLessThan(within)
    },
  )
})

describe('a revocation', () => {
  it('of all that an issuer issued until a time spares what came later', async () => {
    const now = Math.floor(Date.now() / 1000)
    const [old, later] = [bearer({ sub: 'eight', iat: now - 60 }), bearer({ sub: 'eight', iat: now - 5 })]
    const [oldOnes, laterOnes] = [await openBoth(old), await openBoth(later)]
    const before = new Date((now - 30) * 1000).toISOString()
    await test.gateway.revocations.revoke({ kind: 'issuer', issuer: issuer.issuer, before }, 'test')
    expect([await status(old), await status(later)]).toEqual([401, 200])
    await oldOnes.cut
    expect(
      await Promise.race([laterOnes.cut, new Promise((resolve) => setTimeout(resolve, 600, 'open'))]),
    ).toBe('open')
    await test.gateway.revocations.revoke({ kind: 'subject', value: 'eight', issuer: issuer.issuer }, 'test')
    await laterOnes.cut
  })

  it('that another process made in the same store holds within a second, on open streams too', async () => {
    const fields = bearer({ sub: 'nine' })
    const { cut } = await openBoth(fields)
    const other = await openStore(join(test.folder, 'portcullis.db'), { clock: { now: () => Date.now() } })
    const at = Date.now()
    await other.revocations.add({
      kind: 'subject',
      issuer: issuer.issuer,
      value: 'nine',
      at,
      permanent: false,
      createdAt: at,
    })
    await other.close()
    await expect.poll(() => status(fields), { timeout: within, interval: 50 }).toBe(401)
    expect((await cut) - at).toBeLessThan(within)
  })

  it('that is permanent refuses later credentials too, until it is ended; the old ones stay refused', async () => {
    const subject = { kind: 'subject', value: 'ten', issuer: issuer.issuer } as const
    const old = bearer({ sub: 'ten' })
    await test.gateway.revocations.revoke({ ...subject, permanent: true }, 'test')
    const secondsAtStart = Math.floor(Date.now() / 1000)
    await expect
      .poll(() => Math.floor(Date.now() / 1000), { interval: 20, timeout: 2_000 })
      .toBeGreaterThan(secondsAtStart)
    const issuedNow = (): Fields => bearer({ sub: 'ten', iat: Math.floor(Date.now() / 1000) })
    expect(await status(issuedNow())).toBe(401)
    await test.gateway.revocations.end(subject, 'test')
    expect(await status(issuedNow())).toBe(401)
    await expect.poll(() => status(issuedNow()), { interval: 50, timeout: 2_000 }).toBe(200)
    expect(await status(old)).toBe(401)
  })

  it('is counted in the metrics', async () => {
    const metrics = await (await fetch(`${test.gateway.adminUrl}/metrics`)).text()
    expect(metrics).toMatch(/^portcullis_revocations [1-9]\d*$/m)
  })
})

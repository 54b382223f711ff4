import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import {
  goodClaims,
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../test/harness/authorization-server.ts'
import { encode } from '../../test/harness/issuer.ts'
import { clientAt } from '../../test/support/provider-client.ts'
import type { IntrospectionAnswer, Introspector } from '../ports/introspector.ts'
import { createIntrospector } from './introspection.ts'

const closers: (() => unknown)[] = []
const signedType = 'application/token-introspection+jwt'
const clock = { now: () => Date.now() }

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function setUp(
  requiresSigned = false,
): Promise<{ server: AuthorizationServer; introspector: Introspector }> {
  const server = await startAuthorizationServer()
  closers.push(() => server.close())
  server.tokens.set('good', {})
  const { client, provider, close } = clientAt(server.issuer, { timeout: 1_000 })
  closers.push(close)
  const introspector = createIntrospector({
    client,
    keySet: provider.keySet,
    acceptsIssuer: (issuer) => issuer === server.issuer,
    audience: ['https://api.example'],
    requiresSigned,
    clock,
    clockSkew: 30_000,
  })
  return { server, introspector }
}

function told(answer: IntrospectionAnswer): string {
  return answer.outcome === 'unavailable' ? `${answer.fault}: ${answer.detail}` : answer.outcome
}

/** Answers the introspection with this. */
function says(
  server: AuthorizationServer,
  body: string | Record<string, unknown>,
  type = 'application/json',
  status = 200,
) {
  server.misbehave = ({ path }) => (path === '/introspect' ? { status, type, body } : undefined)
}

describe('an introspection', () => {
  it('asks for an access token and gives the whole answer', async () => {
    const { server, introspector } = await setUp()
    const answer = await introspector.introspect('good')
    expect(answer).toMatchObject({ outcome: 'active', claims: { active: true, sub: 'alice' } })
    const { form, headers } = server.forms[0]!
    expect([...form]).toEqual([
      ['token', 'good'],
      ['token_type_hint', 'access_token'],
    ])
    expect(headers.accept).toBe(`application/json, ${signedType};q=0.9`)
    expect(await introspector.introspect('unknown')).toEqual({ outcome: 'inactive' })
  })

  it('sends any token as it is', async () => {
    const { server, introspector } = await setUp()
    const odd = 'a+b/c==&token=other %00é'
    await introspector.introspect(odd)
    expect(server.forms[0]!.form.getAll('token')).toEqual([odd])
  })

  it.each([
    ['active as text', '{"active":"true"}'],
    ['active as a number', '{"active":1}'],
    ['no active', '{"sub":"alice"}'],
    ['active null', '{"active":null}'],
    ['a repeated member', '{"active":false,"active":true}'],
    ['a repeated member, escaped', '{"active":false,"\\u0061ctive":true}'],
    ['a repeated member further in', '{"active":true,"cnf":{"jkt":"a","jkt":"b"}}'],
    ['a prototype', '{"active":true,"__proto__":{"admin":true}}'],
    ['a list', '[{"active":true}]'],
    ['nothing', ''],
    ['text after it', '{"active":true} x'],
    ['a byte order mark', '\ufeff{"active":true}'],
    ['HTML', '<html>active: true</html>'],
  ])('refuses %s as no answer', async (_what, body) => {
    const { server, introspector } = await setUp()
    says(server, body)
    expect(told(await introspector.introspect('good'))).toMatch(/^malformed: the introspection answer/)
  })

  it.each([
    [200, 'text/html'],
    [201, 'application/json'],
    [202, 'application/json'],
    [400, 'application/json'],
  ])('believes nothing of status %s and type %s', async (status, type) => {
    const { server, introspector } = await setUp()
    says(server, { active: true, ...goodClaims(server.issuer) }, type, status)
    expect(told(await introspector.introspect('good'))).toMatch(/^malformed/)
  })

  it('takes a provider that does not look up such tokens for one that does not know it', async () => {
    const { server, introspector } = await setUp()
    for (const error of ['unsupported_token_type', 'invalid_token']) {
      says(server, { error }, 'application/json', 400)
      expect(await introspector.introspect('good')).toEqual({ outcome: 'inactive' })
    }
  })

  it('tells a refused client, a provider that is away and one that stalls apart', async () => {
    const { server, introspector } = await setUp()
    server.secrets = new Set(['other'])
    expect(told(await introspector.introspect('good'))).toMatch(/^client_refused/)
    says(server, {}, 'application/json', 503)
    expect(told(await introspector.introspect('good'))).toMatch(/^unreachable: .*503/)
    server.misbehave = ({ path }) => (path === '/introspect' ? 'hang' : undefined)
    expect(told(await introspector.introspect('good'))).toMatch(/^unreachable: .*in time/)
    await server.close()
    expect(told(await introspector.introspect('good'))).toMatch(/^unreachable/)
  })
})

describe('a signed answer', () => {
  const seconds = (): number => Math.floor(Date.now() / 1000)

  function statement(
    server: AuthorizationServer,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): string {
    return server.sign(
      { typ: 'token-introspection+jwt', ...header },
      {
        iss: server.issuer,
        aud: 'gw',
        iat: seconds(),
        token_introspection: { active: true, ...goodClaims(server.issuer) },
        ...claims,
      },
    )
  }

  it('of the provider to us is believed, whichever of our names it is addressed to', async () => {
    const { server, introspector } = await setUp(true)
    for (const aud of ['gw', ['x', 'gw'], 'https://api.example']) {
      says(server, statement(server, { aud }), `${signedType}; charset=utf-8`)
      expect(await introspector.introspect('good')).toMatchObject({
        outcome: 'active',
        claims: { sub: 'alice' },
      })
    }
    expect(server.forms[0]!.headers.accept).toBe(signedType)
    says(server, statement(server, { token_introspection: { active: false } }), signedType)
    expect(await introspector.introspect('good')).toEqual({ outcome: 'inactive' })
  })

  it('is the only one that counts where that is demanded', async () => {
    const { introspector } = await setUp(true)
    expect(told(await introspector.introspect('good'))).toMatch(/^malformed: .*is not signed/)
  })

  it('after a rotation of the keys is believed', async () => {
    const { server, introspector } = await setUp()
    says(server, statement(server), signedType)
    expect(told(await introspector.introspect('good'))).toBe('active')
    server.rotateKeys()
    says(server, statement(server), signedType)
    expect(told(await introspector.introspect('good'))).toBe('active')
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['another audience', { aud: 'other' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['another issuer', { iss: 'https://evil.example' }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['an old answer', { iat: Math.floor(Date.now() / 1000) - 600 }, {}],
    ['an answer from the future', { iat: Math.floor(Date.now() / 1000) + 600 }, {}],
    ['no time', { iat: undefined }, {}],
    ['one that has ended', { exp: Math.floor(Date.now() / 1000) - 600 }, {}],
    ['one that begins later', { nbf: Math.floor(Date.now() / 1000) + 600 }, {}],
    ['an end that is no time', { exp: 'soon' }, {}],
    ['no answer in it', { token_introspection: undefined, active: true }, {}],
    ['a list in it', { token_introspection: [{ active: true }] }, {}],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
    ['the type JWT', {}, { typ: 'JWT' }],
    ['no type', {}, { typ: undefined }],
    ['a critical header', {}, { crit: ['exp'] }],
    ['an unknown key', {}, { kid: 'other' }],
    ['another algorithm', {}, { alg: 'PS256' }],
    ['an HMAC algorithm', {}, { alg: 'HS256' }],
  ])('with %s is refused', async (_what, claims, header) => {
    const { server, introspector } = await setUp()
    says(server, statement(server, claims, header), signedType)
    expect(told(await introspector.introspect('good'))).toMatch(/^malformed: the signed introspection answer/)
  })

  it('by another key, by nobody, or changed on the way is refused', async () => {
    const { server, introspector } = await setUp()
    const real = statement(server)
    const [header = '', payload = '', signature = ''] = real.split('.')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const forged = sign('sha256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url')
    const none = encode({ alg: 'none', typ: 'token-introspection+jwt' })
    const other = encode({
      iss: server.issuer,
      aud: 'gw',
      iat: seconds(),
      token_introspection: { active: true, sub: 'root' },
    })
    for (const body of [
      `${header}.${payload}.${forged}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${other}.${signature}`,
      `${header}.${payload}`,
      JSON.stringify({ active: true }),
    ]) {
      says(server, body, signedType)
      expect(told(await introspector.introspect('good'))).toMatch(/^malformed/)
    }
  })
})

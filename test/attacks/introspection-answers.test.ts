/** A provider, or somebody between, answers so that a token looks good which is not; or sends the question elsewhere. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  goodClaims,
  startAuthorizationServer,
  type AuthorizationServer,
  type Reply,
} from '../harness/authorization-server.ts'
import { encode } from '../harness/issuer.ts'
import { startLookingUp, type LookingUp } from '../support/looking-up.ts'

const signedType = 'application/token-introspection+jwt'
let setting: LookingUp
let thief: AuthorizationServer
let count = 0

beforeAll(async () => {
  setting = await startLookingUp()
  thief = await startAuthorizationServer()
})

afterAll(async () => {
  await setting[Symbol.asyncDispose]()
  await thief.close()
})

/** What a stranger with a made-up token is told when the provider answers this. */
async function told(reply: Reply): Promise<string> {
  setting.server.misbehave = ({ path }) => (path === '/introspect' ? reply : undefined)
  return setting.told(`made-up-${(count += 1)}`)
}

const good = (): Record<string, unknown> => ({ active: true, ...goodClaims(setting.server.issuer) })

it('an answer that is good lets in, so that the others are refused for what they are', async () => {
  expect(await told({ body: good() })).toBe('200')
})

describe('an answer that can be read in two ways', () => {
  it.each([
    ['active as text', (): Reply => ({ body: { ...good(), active: 'true' } })],
    ['active as a number', (): Reply => ({ body: { ...good(), active: 1 } })],
    ['active twice', (): Reply => ({ body: `{"active":false,${JSON.stringify(good()).slice(1)}` })],
    ['a subject twice', (): Reply => ({ body: `${JSON.stringify(good()).slice(0, -1)},"sub":"root"}` })],
    ['a good body with an error', (): Reply => ({ status: 400, body: good() })],
    ['a page', (): Reply => ({ type: 'text/html', body: JSON.stringify(good()) })],
    ['a mebibyte', (): Reply => ({ body: { ...good(), x: 'x'.repeat(1_048_576) } })],
    ['deep nesting', (): Reply => ({ body: `{"active":true,"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}` })],
  ])('(%s) lets nobody in', async (_what, reply) => {
    expect(await told(reply())).toBe('503 provider_unavailable')
  })
})

describe('an active token of another kind', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a refresh token', { token_type: 'refresh_token' }],
    ['a refresh token by its use', { token_use: 'refresh_token' }],
    ['a refresh token by its payload', { typ: 'Refresh' }],
    ['an ID token', { token_use: 'id' }],
    ['an ID token by its hash', { at_hash: 'x' }],
    ['a token for another API', { aud: 'https://other.example' }],
    ['a token for nobody', { aud: undefined }],
    ['a token of another issuer', { iss: 'https://evil.example' }],
    ['a token that has ended', { exp: 1 }],
    ['a token that is bound to a key', { cnf: { jkt: 'A'.repeat(43) } }],
    ['a token that is bound in a way that nobody knows', { cnf: { kid: 'x' } }],
    ['a subject that forges a field', { sub: 'alice\r\nX-Auth-Roles: admin' }],
  ])('(%s) is no access token of ours', async (_what, change) => {
    expect(await told({ body: { ...good(), ...change } })).toMatch(/^401 credential_(invalid|expired)$/)
  })
})

describe('a signed answer', () => {
  const statement = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string =>
    setting.server.sign(
      { typ: 'token-introspection+jwt', ...header },
      {
        iss: setting.server.issuer,
        aud: 'gw',
        iat: Math.floor(Date.now() / 1000),
        token_introspection: good(),
        ...claims,
      },
    )

  it.each<[string, () => string]>([
    ['for another audience', () => statement({ aud: 'somebody-else' })],
    ['of another issuer', () => statement({ iss: 'https://evil.example' })],
    ['that is old', () => statement({ iat: Math.floor(Date.now() / 1000) - 3_600 })],
    ['that is an access token', () => statement({}, { typ: 'at+jwt' })],
    [
      'by no key',
      () => `${encode({ alg: 'none', typ: 'token-introspection+jwt' })}.${statement().split('.')[1]}.`,
    ],
    [
      'by a key of the thief',
      () => {
        const [header = '', payload = ''] = statement().split('.')
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
        return `${header}.${payload}.${sign('sha256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url')}`
      },
    ],
    ['that is not signed at all', () => JSON.stringify(good())],
  ])('%s lets nobody in', async (_what, body) => {
    expect(await told({ type: signedType, body: body() })).toBe('503 provider_unavailable')
  })

  it("that is the provider's own to us lets in", async () => {
    expect(await told({ type: signedType, body: statement() })).toBe('200')
  })
})

it('a redirect of the question takes neither the token nor the secret anywhere', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const reply = { status, headers: { location: `${thief.issuer}/introspect` }, body: '' }
    expect(await told(reply)).toBe('503 provider_unavailable')
  }
  expect(thief.forms).toEqual([])
})

it('neither tokens nor secrets are in the log, the audit log or an answer, whatever the provider says of them', async () => {
  const { gateway, server } = setting
  const token = 'tok-en-that-nobody-should-read'
  server.misbehave = ({ path, form }) =>
    path === '/introspect'
      ? {
          status: 400,
          body: { error: `bad token ${form.get('token')}`, error_description: `s3cret ${form.get('token')}` },
        }
      : undefined
  const response = await setting.ask(token)
  const folder = join(gateway.folder, 'audit')
  await expect
    .poll(async () => {
      const files = await readdir(folder)
      return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('')
    })
    .toContain('introspection_unavailable')
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))
  const everything = [await response.text(), ...gateway.lines, ...files].join('\n')
  expect(everything).not.toContain(token)
  expect(everything).not.toContain('s3cret')
})

/** What is remembered of looked-up tokens must not outlive their revocation, nor serve another authenticator. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLookingUp, type LookingUp } from '../support/looking-up.ts'

let setting: LookingUp

beforeAll(async () => {
  setting = await startLookingUp({
    members: ', cacheFor: 1h, onUnavailable: stale, staleFor: 1h',
    more: `  brief: { type: introspection, provider: corp, audience: https://api.example, client: { id: gw, secret: s3cret }, cacheFor: 300ms, onUnavailable: stale, staleFor: 1h }
  other: { type: introspection, provider: corp, audience: https://other.example, client: { id: gw, secret: s3cret }, cacheFor: 1h }`,
    routes: `  - { id: brief, match: { path: /brief }, authenticate: [brief], upstream: backend }
  - { id: other, match: { path: /other }, authenticate: [other], upstream: backend }`,
  })
})

afterAll(() => setting[Symbol.asyncDispose]())

describe('a remembered yes', () => {
  it('does not outlive a revocation here, by token, subject or client', async () => {
    const { server, gateway, told } = setting
    for (const [token, revocation] of [
      ['by-jti', { kind: 'jti', value: 'j-by-jti' }],
      ['by-subject', { kind: 'subject', value: 's-by-subject' }],
      ['by-client', { kind: 'client', value: 'c-by-client' }],
    ] as const) {
      server.tokens.set(token, { jti: `j-${token}`, sub: `s-${token}`, client_id: `c-${token}` })
      expect(await told(token)).toBe('200')
      await gateway.gateway.revocations.revoke(
        { ...revocation, issuer: server.issuer, permanent: true },
        'test',
      )
      await expect.poll(() => told(token), { timeout: 3_000, interval: 50 }).toBe('401 credential_revoked')
    }
  })

  it("does not outlive the provider's no, not even as an old answer while the provider is away", async () => {
    const { server, told } = setting
    server.tokens.set('withdrawn', {})
    expect(await told('withdrawn', '/brief')).toBe('200')
    server.tokens.delete('withdrawn')
    await expect
      .poll(() => told('withdrawn', '/brief'), { timeout: 3_000, interval: 50 })
      .toBe('401 credential_invalid')
    await delay(350)
    server.misbehave = ({ path }) => (path === '/introspect' ? 'reset' : undefined)
    expect(await told('withdrawn', '/brief')).not.toBe('200')
    server.misbehave = undefined
  })

  it('of one authenticator is none of another, though they ask the same provider', async () => {
    const { server, told } = setting
    server.tokens.set('for-one', {})
    expect(await told('for-one')).toBe('200')
    expect(await told('for-one', '/other')).toBe('401 credential_invalid')
    expect(await told('for-one')).toBe('200')
  })

  it('is of exactly one token: what looks much like it is looked up', async () => {
    const { server, told } = setting
    server.tokens.set('exact', {})
    expect(await told('exact')).toBe('200')
    for (const alike of ['Exact', 'exact%00', 'exact=', 'exac', 'exact.'])
      expect(await told(alike)).toBe('401 credential_invalid')
  })
})

it('an open stream is cut once the provider no longer vouches for its token', async () => {
  const { server, upstream, gateway } = setting
  server.tokens.set('streaming', {})
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  }
  const response = await fetch(`${gateway.url}/brief`, { headers: { authorization: 'Bearer streaming' } })
  const reader = response.body!.getReader()
  expect((await reader.read()).done).toBe(false)
  server.tokens.delete('streaming')
  const end = await reader.read().then(
    ({ done }) => done,
    () => true,
  )
  expect(end).toBe(true)
})

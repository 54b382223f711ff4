import { describe, expect, it } from 'vitest'
import { testClock } from '../../test/support/tokens.ts'
import { createDiscovery, metadataUrls, type Discovery } from './discovery.ts'
import type { FetchedAnswer } from './guarded-fetch.ts'

const issuer = 'https://login.example.com/tenant'

type Answers = Record<
  string,
  { readonly status?: number; readonly body?: unknown; readonly headers?: Record<string, string> }
>

function discover(answers: Answers, changes: { issuer?: string; at?: string; allowInsecure?: boolean } = {}) {
  const asked: string[] = []
  const clock = testClock()
  const discovery: Discovery = createDiscovery({
    urls: metadataUrls(changes.at ?? issuer),
    issuer: changes.issuer ?? issuer,
    clock,
    allowInsecure: changes.allowInsecure ?? false,
    fetchDocument: async (url): Promise<FetchedAnswer> => {
      asked.push(url)
      const { status = 200, body = {}, headers = {} } = answers[url] ?? { status: 404 }
      return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
    },
  })
  return { discovery, asked, clock }
}

const openid = `${issuer}/.well-known/openid-configuration`
const oauth = 'https://login.example.com/.well-known/oauth-authorization-server/tenant'
const metadata = {
  issuer,
  jwks_uri: 'https://keys.example.net/jwks',
  token_endpoint: `${issuer}/token`,
  end_session_endpoint: `${issuer}/logout`,
  pushed_authorization_request_endpoint: `${issuer}/par`,
  scopes_supported: ['openid'],
}

describe('discovery', () => {
  it('looks where OpenID Connect says, then where RFC 8414 says', () => {
    expect(metadataUrls(issuer)).toEqual([openid, oauth])
    expect(metadataUrls('https://login.example.com/')).toEqual([
      'https://login.example.com/.well-known/openid-configuration',
      'https://login.example.com/.well-known/oauth-authorization-server',
    ])
  })

  it('gives the endpoints by our names, in any host that https vouches for', async () => {
    const { discovery, asked } = discover({ [openid]: { body: metadata } })
    expect(await discovery.endpoints()).toEqual({
      jwks: 'https://keys.example.net/jwks',
      token: `${issuer}/token`,
      endSession: `${issuer}/logout`,
      pushedAuthorization: `${issuer}/par`,
    })
    expect(asked).toEqual([openid])
  })

  it('falls back on 404, and on nothing else', async () => {
    const fallen = discover({ [oauth]: { body: metadata } })
    expect((await fallen.discovery.endpoints()).jwks).toBe(metadata.jwks_uri)
    expect(fallen.asked).toEqual([openid, oauth])
    const broken = discover({ [openid]: { status: 500 }, [oauth]: { body: metadata } })
    await expect(broken.discovery.endpoints()).rejects.toThrow(/status 500/)
    expect(broken.asked).toEqual([openid])
    await expect(discover({}).discovery.endpoints()).rejects.toThrow(/status 404/)
  })

  it('believes only metadata that names the configured issuer, to the letter', async () => {
    const slash = discover({ [openid]: { body: { ...metadata, issuer: `${issuer}/` } } })
    await expect(slash.discovery.endpoints()).rejects.toThrow(/trailing slash/)
    for (const other of ['https://evil.example', undefined, 1, [issuer], issuer.toUpperCase()]) {
      const { discovery } = discover({ [openid]: { body: { ...metadata, issuer: other } } })
      await expect(discovery.endpoints()).rejects.toThrow(/another issuer/)
    }
  })

  it('refuses what is no JSON object', async () => {
    await expect(discover({ [openid]: { body: '<html>' } }).discovery.endpoints()).rejects.toThrow(/not JSON/)
    await expect(discover({ [openid]: { body: '[]' } }).discovery.endpoints()).rejects.toThrow(
      /not a JSON object/,
    )
  })

  it('takes no endpoint that leads from https down to http, or is no URL', async () => {
    for (const jwks_uri of [
      'http://keys.example.net/jwks',
      'http://127.0.0.1/jwks',
      'ftp://x/',
      'x',
      7,
      'https://u:p@x.example/',
    ]) {
      const { discovery } = discover({ [openid]: { body: { ...metadata, jwks_uri } } })
      expect((await discovery.endpoints()).jwks).toBeUndefined()
    }
    const open = discover(
      { [openid]: { body: { ...metadata, jwks_uri: 'http://x.example/' } } },
      { allowInsecure: true },
    )
    expect((await open.discovery.endpoints()).jwks).toBe('http://x.example/')
    const local = 'http://127.0.0.1:8081'
    const near = discover(
      {
        [`${local}/.well-known/openid-configuration`]: {
          body: { issuer: local, jwks_uri: `${local}/jwks`, token_endpoint: 'http://x.example/' },
        },
      },
      { issuer: local, at: local },
    )
    expect(await near.discovery.endpoints()).toEqual({ jwks: `${local}/jwks` })
  })

  it('is one fetch for many, remembered while fresh', async () => {
    const { discovery, asked, clock } = discover({
      [openid]: { body: metadata, headers: { 'cache-control': 'max-age=120' } },
    })
    await Promise.all([discovery.endpoints(), discovery.endpoints()])
    clock.time += 119_999
    await discovery.endpoints()
    expect(asked).toHaveLength(1)
    clock.time += 1
    await discovery.endpoints()
    expect(asked).toHaveLength(2)
  })

  it('keeps what it knows when a later answer is bad, and asks again when told to forget', async () => {
    const answers: Answers = { [openid]: { body: metadata } }
    const { discovery, asked } = discover(answers)
    await discovery.endpoints()
    answers[openid] = {
      body: { ...metadata, issuer: 'https://evil.example', jwks_uri: 'https://evil.example/' },
    }
    discovery.forget()
    expect((await discovery.endpoints()).jwks).toBe(metadata.jwks_uri)
    answers[openid] = { body: { ...metadata, jwks_uri: 'https://moved.example/' } }
    discovery.forget()
    expect((await discovery.endpoints()).jwks).toBe('https://moved.example/')
    expect(asked).toHaveLength(3)
  })
})

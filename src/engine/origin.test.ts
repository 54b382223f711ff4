import { describe, expect, it } from 'vitest'
import { gatewayRequest } from '../../test/support/gateway-request.ts'
import type { CredentialPlace } from './identity.ts'
import { checkRequestOrigin, normalOrigin, type OriginFacts } from './origin.ts'

const cookie: CredentialPlace = { kind: 'cookie', name: 'session' }
const basic: CredentialPlace = { kind: 'header', name: 'authorization', scheme: 'basic' }
const bearer: CredentialPlace = { kind: 'header', name: 'authorization', scheme: 'Bearer' }

function check(
  headers: Record<string, string | string[]>,
  more: Partial<OriginFacts> & { method?: string } = {},
): string {
  const refusal = checkRequestOrigin({
    place: cookie,
    isUpgrade: false,
    ownOrigin: 'https://api.example.com',
    cors: { origins: ['https://app.example.com/'], credentials: true },
    ...more,
    request: gatewayRequest({ method: more.method ?? 'POST', headers }),
  })
  return refusal === undefined ? 'passes' : `${refusal.code} ${refusal.reason}`
}

const refused = 'forbidden origin_refused'

describe('an unsafe request with a credential that browsers attach', () => {
  it.each([
    ['https://api.example.com', 'passes'],
    ['https://app.example.com', 'passes'],
    ['https://evil.example', refused],
    ['https://api.example.com:8443', refused],
    ['http://api.example.com', refused],
    ['https://api.example.com.evil.example', refused],
    ['https://API.example.com', refused],
    ['null', refused],
    ['', refused],
  ])('from origin %s: %s', (origin, answer) => {
    expect(check({ origin })).toBe(answer)
    expect(check({ origin }, { place: basic })).toBe(answer)
  })

  it('is refused with two origins, though both are ours', () => {
    expect(check({ origin: ['https://api.example.com', 'https://api.example.com'] })).toBe(refused)
  })

  it('is not helped by a good Sec-Fetch-Site beside a bad Origin', () => {
    expect(check({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' })).toBe(refused)
  })

  it.each([
    ['same-origin', 'passes'],
    ['none', 'passes'],
    ['same-site', refused],
    ['cross-site', refused],
    ['', refused],
  ])('without Origin and with Sec-Fetch-Site %s: %s', (site, answer) => {
    expect(check({ 'sec-fetch-site': site })).toBe(answer)
  })

  it('with neither field passes for machines, and not for a session', () => {
    expect(check({})).toBe('passes')
    expect(check({}, { isSession: true })).toBe(refused)
    expect(check({ 'sec-fetch-site': ['none', 'none'] })).toBe(refused)
  })

  it('may come from a listed origin only where the route shares with credentials', () => {
    const origin = 'https://app.example.com'
    expect(check({ origin }, { cors: { origins: [origin], credentials: false } })).toBe(refused)
    expect(check({ origin }, { cors: undefined })).toBe(refused)
    expect(check({ origin: 'null' }, { cors: { origins: ['null'], credentials: true } })).toBe(refused)
  })

  it('is refused where the host is no public one of ours', () => {
    expect(check({ origin: 'https://api.example.com' }, { ownOrigin: undefined })).toBe(refused)
  })
})

describe('the rule leaves alone', () => {
  it('safe methods, unless they upgrade', () => {
    const origin = 'https://evil.example'
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(check({ origin }, { method })).toBe('passes')
    expect(check({ origin }, { method: 'GET', isUpgrade: true })).toBe(refused)
    expect(check({ origin }, { method: 'get' })).toBe(refused)
  })

  it('credentials that a page must attach itself', () => {
    const origin = 'https://evil.example'
    expect(check({ origin }, { place: bearer })).toBe('passes')
    expect(check({ origin }, { place: { kind: 'header', name: 'x-api-key' } })).toBe('passes')
    expect(check({ origin }, { place: { kind: 'query', name: 'key' } })).toBe('passes')
  })
})

it('an origin as people write it becomes one as browsers send it', () => {
  expect(normalOrigin('HTTPS://App.Example.com:443/')).toBe('https://app.example.com')
  expect(normalOrigin('http://localhost:80')).toBe('http://localhost')
  expect(normalOrigin('https://a:80')).toBe('https://a:80')
})

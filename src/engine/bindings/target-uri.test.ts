import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../../test/support/gateway-request.ts'
import { normalizeTarget } from '../../routing/normalize.ts'
import type { PathOptions } from '../normal-path.ts'
import { isSentTo } from './target-uri.ts'

const parts: RequestParts = { path: '/items/a%20b', query: 'q=1' }
const sent = (uri: string, changes: RequestParts = {}): boolean =>
  isSentTo(uri, gatewayRequest({ ...parts, ...changes }))

describe('the target of a proof', () => {
  it.each([
    'https://api.example.com/items/a%20b',
    'https://api.example.com:443/items/a%20b',
    'https://api.example.com:0443/items/a%20b',
    'https://api.example.com:/items/a%20b',
    'HTTPS://API.Example.COM/items/a%20b',
    'https://api.example.com/%69tems/a%20b',
    'https://api.example.com/items//a%20b',
    'https://api.example.com/./x/../items/a%20b',
    'https://api.example.com/items/a%20b?other=query',
    'https://api.example.com/items/a%20b#fragment',
    'https://api.example.com/items/a%20b?x#y?z',
  ])('is the request, written so: %s', (uri) => {
    expect(sent(uri)).toBe(true)
  })

  it.each([
    ['another path', 'https://api.example.com/items/a%20c'],
    ['a longer path', 'https://api.example.com/items/a%20b/'],
    ['another case of the path', 'https://api.example.com/Items/a%20b'],
    ['a path that is encoded twice', 'https://api.example.com/items/a%2520b'],
    ['a path above the root', 'https://api.example.com/../items/a%20b'],
    ['a backslash', 'https://api.example.com\\items/a%20b'],
    ['an encoded backslash', 'https://api.example.com/items%5C../items/a%20b'],
    ['an encoded slash', 'https://api.example.com/items%2Fa%20b'],
    ['a parameter', 'https://api.example.com/items;x/../items/a%20b'],
    ['another scheme', 'http://api.example.com/items/a%20b'],
    ['no scheme', '//api.example.com/items/a%20b'],
    ['only a path', '/items/a%20b'],
    ['another host', 'https://evil.example.com/items/a%20b'],
    ['a host that begins alike', 'https://api.example.com.evil.example/items/a%20b'],
    ['a host that ends alike', 'https://xapi.example.com/items/a%20b'],
    ['a trailing dot', 'https://api.example.com./items/a%20b'],
    ['another port', 'https://api.example.com:444/items/a%20b'],
    ['the port of the other scheme', 'https://api.example.com:80/items/a%20b'],
    ['a port that wraps around', 'https://api.example.com:65979/items/a%20b'],
    ['a port that is too long', 'https://api.example.com:000000443/items/a%20b'],
    ['user information', 'https://user@api.example.com/items/a%20b'],
    ['user information that looks like the host', 'https://api.example.com@evil.example/items/a%20b'],
    ['user information with a colon', 'https://api.example.com:443@evil.example/items/a%20b'],
    ['an encoded host', 'https://%61pi.example.com/items/a%20b'],
    ['a space before', ' https://api.example.com/items/a%20b'],
    ['a space after', 'https://api.example.com/items/a%20b '],
    ['a bare space', 'https://api.example.com/items/a b'],
    ['a line break', 'https://api.example.com/items/a%20b\n'],
    ['a tab inside', 'https://api.exa\tmple.com/items/a%20b'],
    ['other letters that look alike', 'https://api.ex\u0430mple.com/items/a%20b'],
    ['one slash', 'https:/api.example.com/items/a%20b'],
    ['three slashes', 'https:///api.example.com/items/a%20b'],
    ['nothing', ''],
    ['a mebibyte', `https://api.example.com/items/a%20b?${'x'.repeat(1 << 20)}`],
  ])('is not the request: %s', (_what, uri) => {
    expect(sent(uri)).toBe(false)
  })

  it('may leave out the path of the root', () => {
    expect(sent('https://api.example.com', { path: '/' })).toBe(true)
    expect(sent('https://api.example.com?q', { path: '/' })).toBe(true)
    expect(sent('https://api.example.com')).toBe(false)
  })

  it('keeps what the listener keeps, and only that', () => {
    const kept = { path: '/a%2Fb;v=1/c' }
    expect(sent('https://api.example.com/a%2fb;v=1/c', kept)).toBe(true)
    expect(sent('https://api.example.com/a/b;v=1/c', kept)).toBe(false)
    expect(sent('https://api.example.com/a%2Fb;v=2/c', kept)).toBe(false)
  })

  it.each<[string, string]>([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['http://127.0.0.1:80', 'http://127.0.0.1/'],
    ['http://[::1]:8080', 'http://[::1]:8080/'],
    ['https://API.example.com:8443', 'https://api.EXAMPLE.com:8443/'],
  ])('goes by the public origin %s', (publicOrigin, uri) => {
    expect(sent(uri, { publicOrigin, path: '/' })).toBe(true)
  })

  it('fits no request that was sent to a host which is none of ours', () => {
    const stranger = { ...gatewayRequest(parts), publicOrigin: undefined }
    expect(isSentTo('https://api.example.com/items/a%20b', stranger)).toBe(false)
    expect(isSentTo('https://undefined/items/a%20b', stranger)).toBe(false)
  })

  it('is read exactly as routing reads a request', () => {
    const pieces = [
      'a',
      'A',
      '%61',
      '%2e',
      '%2E%2e',
      '..',
      '.',
      '',
      '%2F',
      ';',
      '%3b',
      '..;',
      '%5C',
      '%41',
      '%',
      'b',
    ]
    const path = fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 })
      .map((all) => `/${all.join('/')}`)
    const options = fc.constantFrom<PathOptions>(
      { encodedSlashes: 'refuse', pathParameters: 'refuse' },
      { encodedSlashes: 'keep', pathParameters: 'keep' },
    )
    fc.assert(
      fc.property(path, path, options, (written, requested, listener) => {
        const request = normalizeTarget(requested, listener)
        if ('code' in request) return
        const named = normalizeTarget(written, listener)
        const isSame = !('code' in named) && named.path === request.path
        const fits = sent(`https://api.example.com${written}`, { path: request.path })
        // Stricter only where the request has nothing of what the listener keeps.
        if (fits !== isSame) expect({ fits, isSame, written }).toMatchObject({ fits: false, isSame: true })
        if (fits !== isSame) expect(written).toMatch(/;|%2F/)
        expect(
          sent(`https://api.example.com${requested}`, { path: request.path }) || /;|%2F/.test(requested),
        ).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

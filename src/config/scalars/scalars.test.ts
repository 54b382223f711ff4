import { describe, expect, it } from 'vitest'
import {
  cookieName,
  credentialHeader,
  hashKey,
  headerValue,
  limitKey,
  matchHost,
  method,
  name,
  pathPrefix,
  requestTarget,
  routeId,
} from './names.ts'
import { address, cidr, corsOrigin, hostname, httpUrl, isLoopback, origin, target } from './network.ts'
import { delay, duration, formatDuration, positiveDuration, rate, size, timeout } from './quantities.ts'
import { readOr, type Scalar } from './scalar.ts'

const refuses = (scalar: Scalar<unknown>, texts: readonly string[]): void => {
  for (const text of texts) expect([text, readOr(scalar, text)]).toEqual([text, undefined])
}

describe('durations', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['90d', 7_776_000_000],
  ])('%s is %d milliseconds', (text, value) => {
    expect(readOr(duration, text)).toBe(value)
  })

  it('have exactly one unit', () => {
    refuses(duration, [
      '',
      '30',
      's',
      '30 s',
      ' 30s',
      '30s\n',
      '1h30m',
      '1.5h',
      '-1s',
      '1e3s',
      '30S',
      '1w',
      '٣s',
      '0x10s',
      '99999999d',
    ])
  })

  it('are not nothing where nothing makes no sense, and not longer than a timer can wait', () => {
    refuses(positiveDuration, ['0s', '0ms'])
    refuses(timeout, ['0s', '25d'])
    expect(readOr(timeout, '24d')).toBeLessThan(2 ** 31)
    expect(readOr(delay, '0s')).toBe(0)
  })

  it.each([
    [30, '30s'],
    ['30', '30s'],
    ['30 seconds', '30s'],
    ['5 Minutes', '5m'],
    ['1h30m', '90m'],
    ['1.5h', '90m'],
    ['2 weeks', '14d'],
    ['90 days', '90d'],
    ['soon', undefined],
    ['1e9999s', undefined],
    [true, undefined],
    [-1, undefined],
  ])('%j was meant as %s', (found, meant) => {
    expect(duration.repair?.(found)).toBe(meant)
  })

  it('are printed in their largest unit', () => {
    expect([0, 1, 1500, 60_000, 5_400_000, 86_400_000].map(formatDuration)).toEqual([
      '0s',
      '1ms',
      '1500ms',
      '1m',
      '90m',
      '1d',
    ])
  })
})

describe('sizes', () => {
  it('are powers of 1024', () => {
    expect(['0B', '512B', '16KiB', '10MiB', '10GiB', '1TiB'].map((text) => readOr(size, text))).toEqual([
      0, 512, 16_384, 10_485_760, 10_737_418_240, 1_099_511_627_776,
    ])
    refuses(size, ['16', '16K', '16KB', '16kib', '16 KiB', '1.5MiB', '-1B', '999999999999TiB'])
  })

  it.each([
    ['16kb', '16KiB'],
    ['10 MB', '10MiB'],
    ['10m', '10MiB'],
    ['1.5GiB', '1536MiB'],
    [16_384, '16KiB'],
    [10, undefined],
    ['much', undefined],
  ])('%j was meant as %s', (found, meant) => {
    expect(size.repair?.(found)).toBe(meant)
  })
})

describe('rates', () => {
  it('are a number in a period', () => {
    expect(readOr(rate, '100/1m')).toEqual({ count: 100, period: 60_000 })
    refuses(rate, ['100', '0/1m', '100/0s', '100/m', '100/1', '1.5/1s', '100 / 1m', '/1m'])
  })

  it.each([
    ['100/min', '100/1m'],
    ['10 per second', '10/1s'],
    ['10r/s', '10/1s'],
    ['1000/hour', '1000/1h'],
    [100, '100/1m'],
  ])('%j was meant as %s', (found, meant) => {
    expect(rate.repair?.(found)).toBe(meant)
  })
})

describe('address ranges', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:192.0.2.7', '192.0.2.7/32'],
  ])('%s is %s', (text, range) => {
    expect(readOr(cidr, text)).toBe(range)
  })

  it('are refused where two readers could see two ranges', () => {
    refuses(cidr, [
      '::ffff:10.0.0.0/8',
      '::ffff:0:0/95',
      '10.1.2.3/8',
      '10.0.0.0/33',
      '2001:db8::/129',
      '10.0.0.0/08',
      '010.0.0.1',
      '0x7f.0.0.1',
      '127.1',
      '2130706433',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '10.0.0.0/-1',
      'fe80::1%eth0',
      '10.0.0.256',
      'localhost',
      '',
      ' 10.0.0.1',
      '[::1]',
    ])
  })
})

describe('addresses to listen on', () => {
  it('are a host and a port', () => {
    expect(readOr(address, '127.0.0.1:8080')).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(readOr(address, '[::1]:0')).toEqual({ host: '::1', port: 0 })
    expect(readOr(address, 'localhost:443')).toEqual({ host: 'localhost', port: 443 })
    refuses(address, [
      '8080',
      ':8080',
      '*:8080',
      '::1:8080',
      '[::1]',
      '[127.0.0.1]:80',
      '127.0.0.1:65536',
      '127.0.0.1:',
      '1.2.3:80',
      'http://a:80',
      'a b:80',
    ])
  })

  it.each([
    [8080, '127.0.0.1:8080'],
    [':8080', '0.0.0.0:8080'],
    ['*:8080', '0.0.0.0:8080'],
    ['::1:8080', '"[::1]:8080"'],
    ['http://localhost:8080/', 'localhost:8080'],
  ])('%j was meant as %s', (found, meant) => {
    expect(address.repair?.(found)).toBe(meant)
  })
})

describe('URLs', () => {
  it('of targets are origins', () => {
    expect(readOr(target, 'HTTP://LocalHost:7001/')).toBe('http://localhost:7001')
    expect(readOr(target, 'http://[::1]:7001')).toBe('http://[::1]:7001')
    refuses(target, [
      '127.0.0.1:7001',
      'tcp://a:1',
      'http://',
      'http://a/b',
      'http://a?x',
      'http://a/#x',
      'http://u:p@a',
      'http://u@a',
      'http:\\\\a',
      'http:/a',
      'http://a\tb',
      'http://a b',
      'http://a:99999',
      'http://a:0',
      'javascript://a',
      'http://a\\b',
    ])
  })

  it('of public origins and pages are origins', () => {
    expect(readOr(origin, 'https://API.example.com:443/')).toBe('https://api.example.com')
    refuses(origin, ['api.example.com', 'https://a/b', 'https://u@a', 'ftp://a', 'https://a?b'])
    expect([readOr(corsOrigin, '*'), readOr(corsOrigin, 'https://app.example.com')]).toEqual([
      '*',
      'https://app.example.com',
    ])
    refuses(corsOrigin, [
      'null',
      'https://app.example.com/',
      'https://*.example.com',
      'https://APP.example.com',
      'https://app.example.com:443',
    ])
  })

  it('of issuers stay as they are written, since they are compared byte by byte', () => {
    expect(readOr(httpUrl, 'https://example.eu.auth0.com/')).toBe('https://example.eu.auth0.com/')
    refuses(httpUrl, [
      'login.example.com',
      'https://a#b',
      'https://u:p@a',
      'https://a b',
      'file:///etc/passwd',
    ])
    refuses(hostname, ['https://a', 'a/b', 'a..b', '-a', ''])
  })

  it('of this machine are known', () => {
    expect(
      ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'].map(
        isLoopback,
      ),
    ).toEqual(Array(7).fill(true))
    expect(
      ['localhost.example.com', '128.0.0.1', '0.0.0.0', '::', '10.0.0.1', 'example.com'].map(isLoopback),
    ).toEqual(Array(6).fill(false))
  })
})

describe('names', () => {
  it('stand in headers, claims and URLs, so they are plain', () => {
    expect(readOr(name, 'corp-token_2.x')).toBe('corp-token_2.x')
    refuses(name, ['', '-a', 'a b', 'a,b', 'a/b', 'é', 'a'.repeat(65), 'a\n'])
    expect(readOr(routeId, 'shop/items:read')).toBe('shop/items:read')
    refuses(routeId, ['a b', '"', 'a\\b', ''])
  })

  it('of headers that belong to HTTP carry no credentials', () => {
    expect(readOr(credentialHeader, 'X-API-Key')).toBe('x-api-key')
    refuses(credentialHeader, [
      'Cookie',
      'Host',
      'Content-Length',
      'Connection',
      'Transfer-Encoding',
      'x key',
      'x:key',
      '',
    ])
    refuses(cookieName, ['__Host-portcullis', 'portcullis', 'a b', 'a;b', 'a=b'])
  })

  it('of methods are capitals', () => {
    expect(readOr(method, 'GET')).toBe('GET')
    refuses(method, ['get', 'CONNECT', 'TRACE', 'GET ', 'G(T', ''])
    expect(method.repair?.('get')).toBe('GET')
  })

  it('of hosts are lower-case, without port, with one wildcard label at most', () => {
    expect(readOr(matchHost, '*.Example.COM')).toBe('*.example.com')
    expect(readOr(matchHost, '[::1]')).toBe('[::1]')
    refuses(matchHost, [
      'a.example.com:80',
      '*',
      '*example.com',
      'a.*.com',
      '*.*.com',
      'https://a',
      'a.',
      'münchen.example',
      'a b',
      '[x]',
    ])
  })

  it('of limits and hashes know header fields', () => {
    expect([
      readOr(limitKey, 'route'),
      readOr(limitKey, 'header:X-Tenant'),
      readOr(hashKey, 'header:X-A'),
    ]).toEqual(['route', 'header:x-tenant', 'header:x-a'])
    refuses(limitKey, ['ip', 'header', 'header:', 'header:a b', 'Identity'])
    refuses(hashKey, ['route', 'key'])
    expect(limitKey.repair?.('header.x-tenant')).toBe('header:x-tenant')
  })
})

describe('texts for HTTP', () => {
  it('cannot begin another field or request', () => {
    expect(readOr(headerValue, 'a b')).toBe('a b')
    refuses(headerValue, ['a\r\nb', 'a\nb', 'a\0', ' a', 'a ', 'é', 'a\x7F'])
    expect(readOr(requestTarget, '/healthz?full=1')).toBe('/healthz?full=1')
    refuses(requestTarget, ['healthz', '//a', '/a b', '/a#b', '/a\r\nX: y'])
  })

  it('that begin paths are whole segments', () => {
    expect(readOr(pathPrefix, '/api/v1')).toBe('/api/v1')
    refuses(pathPrefix, ['/', 'api', '/api/', '//api', '/a/../b', '/.', '/a?b', '/a*', '/a b'])
    expect(pathPrefix.repair?.('api/v1/*')).toBe('/api/v1')
  })
})

import { describe, expect, it } from 'vitest'
import type { FieldLines } from '../exchange.ts'
import { clientFacts, compileTrusted, type ClientFacts } from './forwarded.ts'

const trusted = ['10.0.0.0/8', '127.0.0.1', 'fd00::/8']
const xForwarded = compileTrusted(trusted, 'x-forwarded')
const rfc7239 = compileTrusted(trusted, 'rfc7239')
const tls = { version: 'TLSv1.3', cipher: 'x' }

function facts(peer: string, fields: FieldLines, trust = xForwarded): unknown {
  return clientFacts({ address: peer }, ['Host', 'Internal:8080', ...fields], trust)
}

describe('the client behind a peer that nobody trusts', () => {
  it('is the peer, whatever it says', () => {
    const fields = ['X-Forwarded-For', '1.1.1.1', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'evil']
    expect(facts('9.9.9.9', fields)).toEqual({
      clientIp: '9.9.9.9',
      scheme: 'http',
      host: 'internal',
      port: 8080,
    })
    expect(facts('9.9.9.9', ['Forwarded', 'for=1.1.1.1;proto=https'], rfc7239)).toMatchObject({
      clientIp: '9.9.9.9',
      scheme: 'http',
    })
  })

  it('has the scheme of its connection', () => {
    expect(clientFacts({ address: '9.9.9.9', tls }, ['Host', 'a.example.'], xForwarded)).toEqual({
      clientIp: '9.9.9.9',
      scheme: 'https',
      host: 'a.example',
    })
  })

  it('is believed nothing when a trusted proxy passed its connection on and did not name it', () => {
    const reported: string[] = []
    const trust = compileTrusted(trusted, 'x-forwarded', (peer) => reported.push(peer))
    const fields = ['Host', 'internal', 'X-Forwarded-For', '1.1.1.1', 'X-Forwarded-Host', 'evil']
    const facts = clientFacts({ address: '10.0.0.1', isUntold: true }, fields, trust)
    expect(facts).toEqual({ clientIp: '10.0.0.1', scheme: 'http', host: 'internal' })
    expect(reported).toEqual([])
  })

  it('is reported when it sends forwarding fields', () => {
    const reported: string[] = []
    const trust = compileTrusted(trusted, 'x-forwarded', (peer) => reported.push(peer))
    facts('9.9.9.9', ['X-Forwarded-For', '1.1.1.1'], trust)
    facts('9.9.9.8', ['Forwarded', 'for=1.1.1.1'], trust)
    facts('9.9.9.7', ['X-Forwarded-Host', 'a'], trust)
    facts('10.0.0.1', ['X-Forwarded-For', '1.1.1.1'], trust)
    expect(reported).toEqual(['9.9.9.9', '9.9.9.8'])
  })
})

describe('the client behind a trusted proxy', () => {
  const cases: Record<string, readonly [FieldLines, Partial<ClientFacts>]> = {
    'is the proxy itself when it tells nothing': [
      [],
      { clientIp: '10.0.0.1', scheme: 'http', host: 'internal' },
    ],
    'is the one address told': [['X-Forwarded-For', '1.1.1.1'], { clientIp: '1.1.1.1' }],
    'is the rightmost that is no trusted proxy': [
      ['X-Forwarded-For', '6.6.6.6, 1.1.1.1, 10.2.0.1,10.3.0.1'],
      { clientIp: '1.1.1.1' },
    ],
    'is found over several lines': [
      ['X-Forwarded-For', '6.6.6.6, 1.1.1.1', 'x-forwarded-for', '10.2.0.1'],
      { clientIp: '1.1.1.1' },
    ],
    'is the leftmost when all are trusted': [
      ['X-Forwarded-For', '10.9.0.1, 10.2.0.1'],
      { clientIp: '10.9.0.1' },
    ],
    'may be told with a port': [['X-Forwarded-For', '1.1.1.1:4711'], { clientIp: '1.1.1.1' }],
    'may be IPv6': [['X-Forwarded-For', '2001:DB8:0:0::1'], { clientIp: '2001:db8::1' }],
    'may be IPv6 in brackets with a port': [
      ['X-Forwarded-For', '[2001:db8::1]:443'],
      { clientIp: '2001:db8::1' },
    ],
    'is plain IPv4 when it is mapped': [['X-Forwarded-For', '::ffff:1.1.1.1'], { clientIp: '1.1.1.1' }],
    'is plain IPv4 when it is mapped in hexadecimal': [
      ['X-Forwarded-For', '::ffff:101:101'],
      { clientIp: '1.1.1.1' },
    ],
    'is found behind a mapped trusted proxy': [
      ['X-Forwarded-For', '1.1.1.1, ::ffff:10.0.0.7'],
      { clientIp: '1.1.1.1' },
    ],
    'is found behind a trusted proxy of IPv6': [
      ['X-Forwarded-For', '1.1.1.1, fd00::7'],
      { clientIp: '1.1.1.1' },
    ],
    'does not mind rubbish left of it': [['X-Forwarded-For', 'rubbish, , 1.1.1.1'], { clientIp: '1.1.1.1' }],
    'is the last hop that is known when a proxy does not tell': [
      ['X-Forwarded-For', '6.6.6.6, unknown, 10.2.0.1'],
      { clientIp: '10.2.0.1' },
    ],
    'has the scheme and host that are told': [
      [
        'X-Forwarded-For',
        '1.1.1.1',
        'X-Forwarded-Proto',
        'https',
        'X-Forwarded-Host',
        'Api.Example.com:8443',
      ],
      { scheme: 'https', host: 'api.example.com', port: 8443 },
    ],
    'has the scheme of wss': [['X-Forwarded-Proto', 'wss'], { scheme: 'https' }],
    'has the scheme that its own hop told, not the spoofed one before': [
      ['X-Forwarded-For', '6.6.6.6, 1.1.1.1', 'X-Forwarded-Proto', 'https, http'],
      { clientIp: '1.1.1.1', scheme: 'http' },
    ],
    'has the scheme of the outermost trusted proxy': [
      ['X-Forwarded-For', '1.1.1.1, 10.2.0.1', 'X-Forwarded-Proto', 'https, http'],
      { clientIp: '1.1.1.1', scheme: 'https' },
    ],
    'does not listen to the other family': [
      ['Forwarded', 'for=1.1.1.1;proto=https'],
      { clientIp: '10.0.0.1', scheme: 'http' },
    ],
  }

  it.each(Object.entries(cases))('%s', (_, [fields, expected]) => {
    expect(facts('10.0.0.1', fields)).toMatchObject(expected)
  })

  const refused: Record<string, FieldLines> = {
    'an address that is none': ['X-Forwarded-For', 'localhost'],
    'an address with a zone': ['X-Forwarded-For', 'fe80::1%eth0'],
    'an address with leading zeros': ['X-Forwarded-For', '010.0.0.1'],
    'an address out of range': ['X-Forwarded-For', '1.1.1.256'],
    'IPv4 in brackets': ['X-Forwarded-For', '[1.1.1.1]'],
    'an empty entry': ['X-Forwarded-For', '1.1.1.1, '],
    'rubbish behind the client': ['X-Forwarded-For', '1.1.1.1, rubbish, 10.0.0.2'],
    'a scheme that is none': ['X-Forwarded-Proto', 'javascript'],
    'a host that is none': ['X-Forwarded-Host', 'a/b'],
  }

  it.each(Object.entries(refused))('is refused with %s', (_, fields) => {
    expect(facts('10.0.0.1', fields)).toMatchObject({ code: 'bad_request' })
  })
})

describe('Forwarded', () => {
  const cases: Record<string, readonly [FieldLines, Partial<ClientFacts>]> = {
    'tells one hop': [
      ['Forwarded', 'for=1.1.1.1;proto=https;host=api.example.com;by=10.0.0.1'],
      { clientIp: '1.1.1.1', scheme: 'https', host: 'api.example.com' },
    ],
    'tells several': [
      [
        'Forwarded',
        'for=6.6.6.6;proto=http, For="1.1.1.1:99";Proto=HTTPS;host=a.example, for=10.2.0.1;proto=http;host=b',
      ],
      { clientIp: '1.1.1.1', scheme: 'https', host: 'a.example' },
    ],
    'tells several in lines of their own': [
      ['Forwarded', 'for=1.1.1.1', 'Forwarded', 'for="[fd00::7]:443"'],
      { clientIp: '1.1.1.1' },
    ],
    'tells IPv6': [['Forwarded', 'for="[2001:db8::1]:443"'], { clientIp: '2001:db8::1' }],
    'may not tell who': [
      ['Forwarded', 'for=1.1.1.1, for=_hidden;proto=https'],
      { clientIp: '10.0.0.1', scheme: 'https' },
    ],
    'may say unknown': [['Forwarded', 'for=unknown, for=10.2.0.1'], { clientIp: '10.2.0.1' }],
    'may leave it out': [['Forwarded', 'proto=https'], { clientIp: '10.0.0.1', scheme: 'https' }],
    'may be quoted with escapes': [['Forwarded', 'for="1.1.1.\\1"'], { clientIp: '1.1.1.1' }],
    'is not X-Forwarded-For': [['X-Forwarded-For', '1.1.1.1'], { clientIp: '10.0.0.1' }],
  }

  it.each(Object.entries(cases))('%s', (_, [fields, expected]) => {
    expect(facts('10.0.0.1', fields, rfc7239)).toMatchObject(expected)
  })

  it.each([
    'for="1.1.1.1, for=2.2.2.2',
    'for="x, for="2.2.2.2"',
    'for=1.1.1.1;for=2.2.2.2',
    'for=1.1.1.1 for=2.2.2.2',
    'for=1.1.1.1,',
    ', for=1.1.1.1',
    'for',
    'for=',
    'for=[::1]',
    'for=localhost',
    'for=1.1.1.1;proto=ftp',
    'for=1.1.1.1;host="a/b"',
    '',
  ])('is refused when it is %j', (value) => {
    expect(facts('10.0.0.1', ['Forwarded', value], rfc7239)).toMatchObject({ code: 'bad_request' })
  })
})

describe('trusted ranges', () => {
  it('may be single addresses, ranges, IPv6 and mapped ranges', () => {
    const trust = compileTrusted(
      ['1.2.3.4', '10.0.0.0/8', '2001:db8::/32', '::ffff:192.168.0.0/112', '::1'],
      'x-forwarded',
    )
    const inside = ['1.2.3.4', '10.255.255.255', '2001:db8:ffff::1', '192.168.7.7', '::1']
    const outside = ['1.2.3.5', '11.0.0.0', '2001:db9::', '192.169.0.0', '::2']
    expect(inside.map((address) => trust.has(address))).toEqual(inside.map(() => true))
    expect(outside.map((address) => trust.has(address))).toEqual(outside.map(() => false))
    // From memory the second time.
    expect(outside.map((address) => trust.has(address))).toEqual(outside.map(() => false))
  })

  it('are nobody by default', () => {
    const trust = compileTrusted([], 'x-forwarded')
    expect(trust.has('127.0.0.1')).toBe(false)
  })

  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', 'example.com', '::/129', '10.0.0.0/8/8'])(
    '%s is none',
    (cidr) => {
      expect(() => compileTrusted([cidr], 'x-forwarded')).toThrow(cidr)
    },
  )

  it('remember answers without growing for ever', () => {
    const trust = compileTrusted(['10.0.0.0/8'], 'x-forwarded')
    for (let at = 0; at < 5000; at += 1) trust.has(`11.0.${String(at >> 8)}.${String(at & 255)}`)
    expect(trust.has('10.1.1.1')).toBe(true)
    expect(trust.has('11.0.0.1')).toBe(false)
  })
})

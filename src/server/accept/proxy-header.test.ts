import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binaryHeader, extension, ipv4, ipv6 } from '../../../test/support/proxy-header.ts'
import { crc32c } from './crc32c.ts'
import { parseProxyHeader, type ProxyFault, type ProxyHeader } from './proxy-header.ts'

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1')

/** Feeds the bytes one by one, as the slowest sender would. */
function parseSlowly(bytes: Buffer): ProxyHeader | ProxyFault | undefined {
  for (let length = 1; length <= bytes.length; length += 1) {
    const parsed = parseProxyHeader(bytes.subarray(0, length))
    if (parsed !== undefined) return parsed
  }
  return undefined
}

/** Whole or byte by byte, with or without something behind it: the same. */
function parse(bytes: Buffer): ProxyHeader | ProxyFault | undefined {
  const parsed = parseProxyHeader(bytes)
  const slowly = parseSlowly(bytes)
  if (parsed === undefined || 'length' in parsed) expect(slowly).toEqual(parsed)
  else expect(slowly).toHaveProperty('fault')
  if (parsed !== undefined)
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET ')]))).toEqual(parsed)
  return parsed
}

function isRefused(bytes: Buffer): boolean {
  const parsed = parse(bytes)
  return parsed !== undefined && 'fault' in parsed
}

describe('a PROXY line', () => {
  it.each([
    ['PROXY TCP4 192.168.0.1 192.168.0.11 56324 443', { address: '192.168.0.1', port: 56_324 }],
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535', { address: '255.255.255.255', port: 65_535 }],
    ['PROXY TCP4 0.0.0.0 1.2.3.4 0 0', { address: '0.0.0.0', port: 0 }],
    ['PROXY TCP6 2001:DB8::1 2001:db8::2 1 443', { address: '2001:db8::1', port: 1 }],
    ['PROXY TCP6 :: ::1 1 2', { address: '::', port: 1 }],
    ['PROXY TCP6 2001:db8:0:0:0:0:0:1 ::1 1 2', { address: '2001:db8::1', port: 1 }],
    ['PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 1 2', { address: '203.0.113.7', port: 1 }],
    [`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535`, { port: 65_535 }],
  ])('%s names the client', (text, expected) => {
    expect(parse(line(text))).toMatchObject({ length: text.length + 2, proxied: expected })
  })

  it.each([
    'PROXY UNKNOWN',
    'PROXY UNKNOWN 1.2.3.4',
    'PROXY UNKNOWN whatever \0\xFF there is',
    `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535`,
  ])('%j names nobody', (text) => {
    expect(parse(line(text))).toEqual({ length: text.length + 2, proxied: 'untold' })
  })

  it.each([
    'PROXY',
    'PROXY ',
    'proxy TCP4 1.2.3.4 1.2.3.4 1 2',
    'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2',
    'PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4  1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 ',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1',
    'PROXY TCP4 1.2.3.4 1.2.3.4',
    'PROXY TCP4',
    'PROXY TCP5 1.2.3.4 1.2.3.4 1 2',
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2',
    'PROXY tcp4 1.2.3.4 1.2.3.4 1 2',
    'PROXY UNKNOWNS',
    'PROXY unknown',
    // What inet_aton takes, and more.
    'PROXY TCP4 1.2.3 1.2.3.4 1 2',
    'PROXY TCP4 16909060 1.2.3.4 1 2',
    'PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4 01.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.04 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.4. 1.2.3.4 1 2',
    'PROXY TCP4 .1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4 1..3.4 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.256 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2',
    'PROXY TCP4 +1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP4 1.2.3.4 1.2.3 1 2',
    'PROXY TCP4 localhost 1.2.3.4 1 2',
    'PROXY TCP4 ::1 ::1 1 2',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2',
    'PROXY TCP6 ::1 1.2.3.4 1 2',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2',
    'PROXY TCP6 [::1] ::1 1 2',
    'PROXY TCP6 1::2::3 ::1 1 2',
    'PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2',
    'PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2',
    'PROXY TCP6 12345::1 ::1 1 2',
    'PROXY TCP6 ::1.2.3 ::1 1 2',
    'PROXY TCP6 ::01.2.3.4 ::1 1 2',
    'PROXY TCP6 ::g ::1 1 2',
    // Ports.
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 00 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536',
    'PROXY TCP4 1.2.3.4 1.2.3.4 100000 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 +1 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1e3 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1. 2',
    'PROXY TCP4 1.2.3.4 1.2.3.4  2',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 ',
  ])('%j is refused', (text) => {
    expect(isRefused(line(text))).toBe(true)
  })

  it.each([
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX',
    'PROXY UNKNOWN\n\r\n',
    'PROXY UNKNOWN a\rb\r\n',
    'PROXY UNKNOWN a\nb\r\n',
    '\r\nPROXY UNKNOWN\r\n',
    ' PROXY UNKNOWN\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xFC',
    '\0',
  ])('%j is refused', (text) => {
    expect(isRefused(Buffer.from(text, 'latin1'))).toBe(true)
  })

  it('ends within 107 bytes', () => {
    expect(parse(line(`PROXY UNKNOWN ${'x'.repeat(91)}`))).toMatchObject({ length: 107 })
    expect(isRefused(line(`PROXY UNKNOWN ${'x'.repeat(92)}`))).toBe(true)
    expect(parse(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}`))).toBeUndefined()
    // No CR among the first 106 bytes: no line end can be whole among the first 107.
    expect(isRefused(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}`))).toBe(true)
  })

  it('tells any pair of addresses and ports as they were written', () => {
    const port = fc.integer({ min: 0, max: 65_535 })
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), port, port, fc.uint8Array(), (source, target, from, to, rest) => {
        const header = line(`PROXY TCP4 ${source} ${target} ${from} ${to}`)
        const parsed = parseProxyHeader(Buffer.concat([header, rest]))
        expect(parsed).toEqual({ length: header.length, proxied: { address: source, port: from } })
      }),
    )
  })
})

describe('a binary PROXY header', () => {
  it('names clients by IPv4 and IPv6', () => {
    expect(parse(binaryHeader())).toEqual({ length: 28, proxied: { address: '203.0.113.7', port: 4711 } })
    const six = binaryHeader({ kind: 0x21, addresses: ipv6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]) })
    expect(parse(six)).toEqual({ length: 52, proxied: { address: '2001:db8::1', port: 4711 } })
    const mapped = binaryHeader({ kind: 0x21, addresses: ipv6([0, 0, 0, 0, 0, 0xffff, 0xcb00, 0x7107]) })
    expect(parse(mapped)).toEqual({ length: 52, proxied: { address: '203.0.113.7', port: 4711 } })
  })

  it.each([
    ['nothing', 0x00, Buffer.alloc(0)],
    ['nothing, with bytes behind it', 0x00, Buffer.from('whatever')],
    ['TCP over nothing', 0x01, Buffer.alloc(0)],
    ['IPv4 without transport', 0x10, ipv4()],
    ['UDP over IPv4', 0x12, ipv4()],
    ['UDP over IPv6', 0x22, ipv6([1])],
    ['a UNIX socket', 0x31, Buffer.alloc(216)],
    ['UNIX datagrams', 0x32, Buffer.alloc(216)],
  ])('names nobody by %s', (_name, kind, addresses) => {
    const header = binaryHeader({ kind, addresses })
    expect(parse(header)).toEqual({ length: header.length, proxied: 'untold' })
  })

  it.each([
    ['nothing behind it', 0x00, Buffer.alloc(0)],
    ['addresses', 0x11, ipv4()],
    ['a family that nobody knows', 0xff, Buffer.from('anything')],
    ['addresses cut short', 0x21, Buffer.alloc(3)],
  ])('says that the connection is its own, with %s', (_name, kind, addresses) => {
    const header = binaryHeader({ verb: 0x20, kind, addresses })
    expect(parse(header)).toEqual({ length: header.length, proxied: 'own' })
  })

  it.each([
    ['version 1', { verb: 0x11 }],
    ['version 3', { verb: 0x31 }],
    ['version 0', { verb: 0x01 }],
    ['an unknown command', { verb: 0x22 }],
    ['an unknown family', { kind: 0x41 }],
    ['an unknown transport', { kind: 0x13 }],
    ['IPv4 addresses cut short', { addresses: Buffer.alloc(11) }],
    ['IPv6 addresses cut short', { kind: 0x21, addresses: Buffer.alloc(35) }],
    ['UNIX addresses cut short', { kind: 0x31, addresses: Buffer.alloc(215) }],
    ['IPv4 addresses called IPv6', { kind: 0x21, addresses: ipv4() }],
    ['half an extension head', { extensions: [Buffer.from([4, 0])] }],
    ['an extension longer than the header', { extensions: [Buffer.from([4, 0, 2, 0])] }],
    ['an extension longer than anything', { extensions: [Buffer.from([4, 255, 255, 0])] }],
    ['a checksum of three bytes', { extensions: [extension(3, Buffer.alloc(3))] }],
    ['a wrong checksum', { extensions: [extension(3, Buffer.from('none'))] }],
    ['a length beyond bounds', { length: 16 * 1024 - 15 }],
    ['the greatest length', { length: 65_535 }],
  ])('is refused with %s', (_name, header) => {
    expect(isRefused(binaryHeader(header))).toBe(true)
  })

  it('is refused with a signature that is not quite right', () => {
    const header = binaryHeader()
    for (let at = 0; at < 12; at += 1) {
      const wrong = Buffer.from(header)
      wrong[at]! ^= 0x20
      expect(isRefused(wrong)).toBe(true)
    }
  })

  it('is read past its extensions', () => {
    const header = binaryHeader({
      extensions: [
        extension(0x01, Buffer.from('h2')),
        extension(0x02, Buffer.from('api.example.com')),
        extension(0x04, Buffer.alloc(0)),
        extension(0x20, Buffer.from([1, 0, 0, 0, 0, 0x21, 0, 7, ...Buffer.from('TLSv1.3')])),
        extension(0xea, Buffer.alloc(300)),
      ],
    })
    expect(parse(header)).toMatchObject({ length: header.length, proxied: { address: '203.0.113.7' } })
    const longest = binaryHeader({ extensions: [extension(4, Buffer.alloc(16 * 1024 - 28 - 3))] })
    expect(parseProxyHeader(longest)).toMatchObject({ length: 16 * 1024 })
  })

  it('is held to its checksum, wherever that stands', () => {
    const before = extension(2, Buffer.from('a'))
    const header = binaryHeader({
      extensions: [before, extension(3, Buffer.alloc(4)), extension(4, Buffer.alloc(9))],
    })
    header.writeUInt32BE(crc32c(header), 28 + before.length + 3)
    expect(parse(header)).toMatchObject({ length: header.length, proxied: { address: '203.0.113.7' } })
    // The addresses and ports, the sum itself, and what stands behind it.
    for (const at of [...Array(12).keys()].map((index) => 16 + index).concat(31, 35, 36, 37, 38, 47)) {
      const wrong = Buffer.from(header)
      wrong[at]! ^= 0x01
      expect(isRefused(wrong)).toBe(true)
    }
    const twice = binaryHeader({ extensions: [extension(3, Buffer.alloc(4)), extension(3, Buffer.alloc(4))] })
    expect(isRefused(twice)).toBe(true)
  })

  it('never reads beyond what it says it is long, and never throws', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x20, 0x21),
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 40 }),
        (verb, kind, rest, behind) => {
          const header = binaryHeader({ verb, kind, addresses: Buffer.from(rest) })
          const parsed = parse(header)
          expect(parsed).toBeDefined()
          if (parsed !== undefined && 'length' in parsed) expect(parsed.length).toBe(header.length)
          expect(parseProxyHeader(Buffer.concat([header, behind]))).toEqual(parsed)
        },
      ),
    )
  })

  it('takes nothing else for a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 120 }), (bytes) => {
        const parsed = parse(Buffer.from(bytes))
        const isBegin = parsed === undefined && (bytes[0] === 0x50 || bytes[0] === 0x0d)
        expect(isBegin || (parsed !== undefined && 'fault' in parsed)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { isForbiddenAddress, isLoopbackAddress, isLoopbackHost, literalAddress } from './address-guard.ts'

describe('addresses that a fetch must not reach', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.1',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fe80::1',
    'fe80::1%eth0',
    'febf::ffff',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '::ffff:100.100.100.200',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::6464:64c8',
    '2002:a9fe:a9fe::1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
  ])('include %s', (address) => {
    expect(isForbiddenAddress(address)).toBe(true)
  })

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '100.100.100.201',
    '::1',
    'fd00:ec2::253',
    'fec0::1',
    '2001:db8::1',
    '',
    'localhost',
  ])('do not include %s', (address) => {
    expect(isForbiddenAddress(address)).toBe(false)
  })
})

describe('loopback', () => {
  it.each(['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1'])('holds %s', (address) => {
    expect(isLoopbackAddress(address)).toBe(true)
  })

  it.each(['localhost', 'LOCALHOST', 'idp.localhost', 'localhost.', '[::1]', '127.0.0.1'])(
    'is named %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true)
    },
  )

  it.each(['localhost.example.com', 'notlocalhost', '128.0.0.1', '[::2]', '0.0.0.0', ''])(
    'is not named %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false)
    },
  )
})

it('a URL host is an address or a name, whatever its spelling', () => {
  expect(literalAddress(new URL('http://0xa9fea9fe/').hostname)).toBe('169.254.169.254')
  expect(literalAddress(new URL('http://[::ffff:169.254.169.254]/').hostname)).toBe('::ffff:a9fe:a9fe')
  expect(literalAddress('example.com')).toBeUndefined()
})

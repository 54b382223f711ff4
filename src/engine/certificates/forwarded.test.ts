import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { issueClient } from '../../../test/support/pki.ts'
import { readClientCert } from './forwarded.ts'
import { lastXfccElement, readXfcc } from './xfcc.ts'

const one = issueClient({ subject: 'one' })
const two = issueClient({ subject: 'two' })
const field = (der: Buffer): string => `:${der.toString('base64')}:`
const encoded = (...pems: readonly string[]): string => encodeURIComponent(pems.join(''))

describe('Client-Cert', () => {
  it('is one byte sequence, and Client-Cert-Chain a list of them', () => {
    expect(readClientCert([field(one.der)], [])).toEqual({ der: one.der, chain: [] })
    expect(
      readClientCert([field(one.der)], [`${field(two.der)}, ${field(one.der)}`, field(two.der)]),
    ).toEqual({
      der: one.der,
      chain: [two.der, one.der, two.der],
    })
  })

  it.each([
    ['twice', [field(one.der), field(two.der)], []],
    ['as a list', [`${field(one.der)}, ${field(two.der)}`], []],
    ['with a parameter', [`${field(one.der)};a=1`], []],
    ['without colons', [one.der.toString('base64')], []],
    ['empty', ['::'], []],
    ['as nothing', [''], []],
    ['with base64 of another alphabet', [field(one.der).replaceAll('+', '-').replaceAll('A', '_')], []],
    [
      'with a line break',
      [`:${one.der.toString('base64').slice(0, 8)}\n${one.der.toString('base64').slice(8)}:`],
      [],
    ],
    ['as PEM', [one.pem], []],
    ['with a broken chain', [field(one.der)], [`${field(two.der)},`]],
    ['with a chain of a hundred', [field(one.der)], [Array.from({ length: 100 }, () => ':YQ==:').join(',')]],
    ['as a chain alone', [], [field(two.der)]],
  ])('is refused %s', (_, leaves, chains) => {
    expect(readClientCert(leaves, chains)).toEqual(expect.any(String))
  })
})

describe('X-Forwarded-Client-Cert', () => {
  it('is read in its last element only', () => {
    const last = `Hash=${hashOf(one.der)};Cert="${encoded(one.pem)}";Subject="CN=a,\\"b\\";O=c";URI=spiffe://a/b`
    expect(readXfcc([`Cert="${encoded(two.pem)}",${last}`])).toEqual({ der: one.der, chain: [] })
    expect(readXfcc([`Cert="${encoded(two.pem)}"`, last])).toEqual({ der: one.der, chain: [] })
    expect(lastXfccElement([`By=x;Cert="${encoded(two.pem)}" , ${last}`])).toBe(last)
  })

  it('may bring the chain, which begins with the certificate', () => {
    const chain = encoded(one.pem, two.pem)
    expect(readXfcc([`Chain="${chain}"`])).toEqual({ der: one.der, chain: [two.der] })
    expect(readXfcc([`Cert="${encoded(one.pem)}";Chain="${chain}"`])).toEqual({
      der: one.der,
      chain: [two.der],
    })
    expect(readXfcc([`Cert="${encoded(two.pem)}";Chain="${chain}"`])).toEqual(expect.any(String))
  })

  it.each([
    ['only a hash', `Hash=${hashOf(one.der)};Subject="CN=one"`],
    ['a hash of another certificate', `Hash=${hashOf(two.der)};Cert="${encoded(one.pem)}"`],
    ['two certificates', `Cert="${encoded(one.pem, two.pem)}"`],
    ['two Cert pairs', `Cert="${encoded(one.pem)}";Cert="${encoded(two.pem)}"`],
    ['a quote that never ends', `Cert="${encoded(one.pem)}`],
    ['a quote inside a value', `Cert=a"${encoded(one.pem)}"`],
    ['no pairs', encoded(one.pem)],
    ['a bad escape', 'Cert="%zz"'],
    ['a certificate that is none', `Cert="${encodeURIComponent('-----BEGIN X-----')}"`],
    ['nothing', ''],
    ['an empty last element', `Cert="${encoded(one.pem)}",`],
  ])('is refused with %s', (_, value) => {
    expect(readXfcc([value])).toEqual(expect.any(String))
  })
})

function hashOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex')
}

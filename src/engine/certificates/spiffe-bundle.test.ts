import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createAuthority } from '../../../test/support/certificates.ts'
import { parseCertificate } from './certificate.ts'
import { readAuthorityFile } from './spiffe-bundle.ts'

const pem = createAuthority('prod.example.org').certificate
const der = new X509Certificate(pem).raw
const authority = { use: 'x509-svid', kty: 'EC', x5c: [der.toString('base64')] }

function read(document: unknown): readonly Buffer[] | string {
  return readAuthorityFile(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)))
}

describe('a file of authorities', () => {
  it('may be a SPIFFE trust bundle', () => {
    const certificates = read({
      spiffe_sequence: 1,
      keys: [authority, { use: 'jwt-svid', kty: 'EC', kid: 'k' }],
    })
    expect(certificates).toEqual([der])
    expect(typeof parseCertificate((certificates as readonly Buffer[])[0]!)).toBe('object')
  })

  it('may be PEM or DER as ever', () => {
    expect(read(pem)).toEqual([der])
    expect(readAuthorityFile(der)).toEqual([der])
  })

  it.each<[string, unknown, RegExp]>([
    ['of JSON that is no bundle', { authorities: [] }, /no trust bundle/],
    ['of broken JSON', '{"keys":', /no trust bundle/],
    ['with a member twice', `{"keys":[],"keys":[${JSON.stringify(authority)}]}`, /no trust bundle/],
    ['without authorities', { keys: [{ use: 'jwt-svid' }] }, /no authority/],
    ['with a key that holds no certificate', { keys: [authority, { use: 'x509-svid' }] }, /exactly one/],
    [
      'with a chain in a key',
      { keys: [{ ...authority, x5c: [...authority.x5c, ...authority.x5c] }] },
      /exactly one/,
    ],
    ['with what is no base64', { keys: [{ ...authority, x5c: ['%%%'] }] }, /exactly one/],
    ['with nothing', '', /empty/],
  ])('cannot be used %s', (_what, document, why) => {
    expect(read(document)).toMatch(why)
  })
})

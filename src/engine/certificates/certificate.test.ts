import { describe, expect, it } from 'vitest'
import { algorithms, derInteger, extension, issue, keyUsage, san, time } from '../../../test/support/pki.ts'
import { der, derNull, derOid, derSequence } from './der-write.ts'
import { parseCertificate } from './certificate.ts'
import { parseRevocationList } from './crl.ts'

const good = issue({ subject: 'a', extensions: [keyUsage(0)] })

function read(bytes: Buffer): string {
  const parsed = parseCertificate(bytes)
  return typeof parsed === 'string' ? 'refused' : 'read'
}

describe('a certificate', () => {
  it('is read as it is', () => {
    expect(parseCertificate(good.der)).toMatchObject({ version: 3, serial: good.serial.toString('hex') })
  })

  it.each([
    ['cut short', good.der.subarray(0, -1)],
    ['with bytes behind', Buffer.concat([good.der, Buffer.from([0])])],
    ['empty', Buffer.alloc(0)],
    [
      'of indefinite length',
      Buffer.concat([Buffer.from([0x30, 0x80]), good.der.subarray(4), Buffer.alloc(2)]),
    ],
    ['with a length longer than it needs', withLongLength(good.der)],
    ['too large', issue({ subject: 'a'.repeat(40_000) }).der],
    ['with a serial number of zero', issue({ subject: 'a', serial: Buffer.from([0]) }).der],
    ['with a serial number that is not minimal', issue({ subject: 'a', serial: Buffer.from([0, 1]) }).der],
    ['with a very long serial number', issue({ subject: 'a', serial: Buffer.alloc(22, 1) }).der],
    ['with an extension twice', issue({ subject: 'a', extensions: [keyUsage(0), keyUsage(0)] }).der],
    ['with extensions before version 3', issue({ subject: 'a', version: 2, extensions: [keyUsage(0)] }).der],
    ['with a key usage that allows nothing', issue({ subject: 'a', extensions: [keyUsage()] }).der],
    ['with a NUL in a name', sanOf(san.dns('a.example\0.evil'))],
    ['with a line break in a name', sanOf(san.email('a@b\r\nx'))],
    ['with a name beyond ASCII', sanOf(san.dns('\u00fc.example'))],
    ['with no names in the list of names', sanOf()],
    ['without subject and without critical names', issue({ subject: derSequence() }).der],
    ['without an issuer', issue({ subject: 'a', issuerName: derSequence() }).der],
    ['with a boolean of 1', issue({ subject: 'a', extensions: [basic(Buffer.from([1, 1, 1]))] }).der],
    ['with a path length and no authority', issue({ subject: 'a', extensions: [basic(derInteger(1))] }).der],
    [
      'with a critical key identifier',
      issue({ subject: 'a', extensions: [extension('2.5.29.14', der(0x04, Buffer.alloc(4)), true)] }).der,
    ],
    [
      'with bytes behind an extension',
      issue({
        subject: 'a',
        extensions: [extension('2.5.29.15', Buffer.concat([der(0x03, Buffer.from([7, 0x80])), derNull]))],
      }).der,
    ],
    ['with another algorithm inside than outside', otherAlgorithm()],
    [
      'with a 31st of February',
      issue({
        subject: 'a',
        mangle: (tbs) => replaced(tbs, time(good0), der(0x17, Buffer.from('260231000000Z'))),
        notBefore: good0,
      }).der,
    ],
    [
      'with a time without seconds',
      issue({
        subject: 'a',
        mangle: (tbs) => replaced(tbs, time(good0), der(0x17, Buffer.from('2602010000+00'))),
        notBefore: good0,
      }).der,
    ],
  ])('%s is none', (_, bytes) => {
    expect(read(bytes)).toBe('refused')
  })

  it('is read or refused, whatever bits are turned, and never fails otherwise', () => {
    for (let at = 0; at < good.der.length; at += 1) {
      for (const bit of [1, 0x20, 0x80]) {
        const turned = Buffer.from(good.der)
        turned[at]! ^= bit
        expect(['read', 'refused']).toContain(read(turned))
        expect(typeof parseRevocationList(turned)).toBe('string')
      }
    }
  })
})

const good0 = Date.UTC(2026, 1, 3)

function sanOf(...names: readonly Buffer[]): Buffer {
  return issue({ subject: 'a', extensions: [extension('2.5.29.17', derSequence(...names))] }).der
}

function basic(content: Buffer): Buffer {
  return extension('2.5.29.19', derSequence(content), true)
}

/** The same content under a head that says its length in one byte more. */
function withLongLength(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x30, 0x83, 0]), bytes.subarray(2, 4), bytes.subarray(4)])
}

function otherAlgorithm(): Buffer {
  const at = good.der.lastIndexOf(algorithms.ecdsaSha256)
  const bytes = Buffer.from(good.der)
  derSequence(derOid('1.2.840.10045.4.3.3')).copy(bytes, at)
  return bytes
}

function replaced(bytes: Buffer, before: Buffer, after: Buffer): Buffer {
  const at = bytes.indexOf(before)
  if (at === -1 || before.length !== after.length) throw new Error('not there')
  return Buffer.concat([bytes.subarray(0, at), after, bytes.subarray(at + before.length)])
}

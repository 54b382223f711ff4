import { describe, expect, it } from 'vitest'
import {
  derInteger,
  extension,
  issueClient,
  keyUsage,
  relativeName,
  san,
  type Name,
} from '../../../../test/support/pki.ts'
import { derSequence } from '../../certificates/der-write.ts'
import { parseCertificate } from '../../certificates/certificate.ts'
import { compilePatterns, patternFault } from './pattern.ts'
import { compileSubject } from './subject.ts'
import type { SubjectKind } from './settings.ts'

interface Facts {
  readonly names?: readonly Buffer[]
  readonly subject?: Name
  readonly allow?: readonly string[]
  readonly extensions?: readonly Buffer[]
}

function subjectOf(kind: SubjectKind, facts: Facts): string {
  const { names, subject = 'x', allow, extensions } = facts
  const certificate = parseCertificate(
    issueClient({
      subject,
      ...(names === undefined ? {} : { names }),
      ...(extensions === undefined ? {} : { extensions }),
    }).der,
  )
  if (typeof certificate === 'string') throw new Error(certificate)
  const found = compileSubject({ subject: kind, ...(allow === undefined ? {} : { allow }) })(certificate)
  return typeof found === 'string' ? found : `(${found.reason})`
}

const none = '(certificate_subject)'
const cn = (value: string, tag?: number): Buffer => relativeName('2.5.4.3', value, tag)

describe('the subject of a certificate', () => {
  it.each<[SubjectKind, Facts, string]>([
    ['san-uri', { names: [san.uri('spiffe://a.example/b')] }, 'spiffe://a.example/b'],
    ['san-uri', { names: [san.uri('https://a.example/b'), san.dns('c')] }, 'https://a.example/b'],
    ['san-uri', { names: [san.uri('urn:a'), san.uri('urn:b')] }, none],
    ['san-uri', { names: [san.uri('urn:a'), san.uri('urn:b')], allow: ['urn:b'] }, 'urn:b'],
    ['san-uri', { names: [san.uri('urn:a'), san.uri('urn:b')], allow: ['urn:*'] }, none],
    ['san-uri', { names: [san.uri('urn:a'), san.uri('spiffe://a/b')], allow: ['spiffe://*'] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example/')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example/b//c')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example/b/../c')] }, none],
    ['san-uri', { names: [san.uri('spiffe://A.example/b')] }, none],
    ['san-uri', { names: [san.uri('SPIFFE://a.example/b')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example:8443/b')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example/b?c')] }, none],
    ['san-uri', { names: [san.uri('spiffe://a.example/%62')] }, none],
    ['san-uri', { names: [san.uri('spiffe://u@a.example/b')] }, none],
    ['san-uri', { names: [san.uri('no uri')] }, none],
    ['san-uri', { names: [san.dns('a.example')] }, none],
    ['san-dns', { names: [san.dns('A.Example')] }, 'a.example'],
    ['san-dns', { names: [san.dns('a.example'), san.dns('b.example')] }, none],
    ['san-dns', { names: [san.dns('a.example'), san.dns('b.example')], allow: ['b.*'] }, 'b.example'],
    ['san-dns', { names: [san.dns('*.example')] }, none],
    ['san-dns', { names: [san.dns('a.example'), san.dns('*.example')], allow: ['a.example'] }, none],
    ['san-dns', { names: [san.dns('10.0.0.1')] }, none],
    ['san-dns', { names: [san.dns('a..example')] }, none],
    ['san-email', { names: [san.email('A.b@C.Example')] }, 'A.b@c.example'],
    ['san-email', { names: [san.email('a@b@c.example')] }, none],
    ['san-email', { names: [san.email('a b@c.example')] }, none],
    ['san-email', { names: [san.email('c.example')] }, none],
    ['cn', { subject: 'Alice Smith' }, 'Alice Smith'],
    ['cn', { subject: derSequence(cn('a'), cn('b')) }, none],
    ['cn', { subject: derSequence(cn('a'), cn('b')), allow: ['b'] }, 'b'],
    ['cn', { subject: derSequence(cn('a\nb')) }, none],
    ['cn', { subject: derSequence(relativeName('2.5.4.10', 'a')) }, none],
    ['cn', { subject: 'a', allow: ['b'] }, '(certificate_not_allowed)'],
  ])('by %s in %j is %s', (kind, facts, expected) => {
    expect(subjectOf(kind, facts)).toBe(expected)
  })

  it('is no SPIFFE ID where the certificate may sign others', () => {
    const names = [san.uri('spiffe://a.example/b')]
    expect(subjectOf('san-uri', { names, extensions: [keyUsage(0, 6)] })).toBe(none)
    const authority = extension('2.5.29.19', derSequence(Buffer.from([1, 1, 0xff]), derInteger(0)), true)
    expect(subjectOf('san-uri', { names, extensions: [authority] })).toBe(none)
  })

  it('by fingerprint is the certificate itself', () => {
    expect(subjectOf('fingerprint', {})).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('a pattern', () => {
  it.each<[SubjectKind, string, string, boolean]>([
    ['san-uri', 'spiffe://a.example/*', 'spiffe://a.example/b/c', true],
    ['san-uri', 'spiffe://a.example/*', 'spiffe://a.example/', false],
    ['san-uri', 'spiffe://a.example/*', 'spiffe://a.example.evil/b', false],
    ['san-uri', 'spiffe://a.example/ns/*/sa/web', 'spiffe://a.example/ns/prod/sa/web', true],
    ['san-uri', 'spiffe://a.example/ns/*/sa/web', 'spiffe://a.example/ns/a/b/sa/web', false],
    ['san-uri', 'spiffe://*.example/b', 'spiffe://evil/x.example/b', false],
    ['san-uri', 'spiffe://a.example/bill*', 'spiffe://a.example/billing', true],
    ['san-uri', 'spiffe://a.example/bill*', 'spiffe://a.example/bill/x', false],
    ['san-dns', '*.A.example', 'b.a.example', true],
    ['san-dns', '*.a.example', 'c.b.a.example', false],
    ['san-dns', 'axexample', 'a.example', false],
    ['san-email', '*@a.example', 'x@a.example', true],
    ['san-email', '*@a.example', 'x@b.a.example', false],
    ['fingerprint', 'AB:CD*', 'abcd12', true],
    ['cn', 'a*', 'abc', true],
    ['cn', 'a.c', 'abc', false],
  ])('of %s: %s for %s', (kind, pattern, subject, expected) => {
    expect(compilePatterns([pattern], kind)(subject)).toBe(expected)
  })

  it('may not have a form that nobody can foresee', () => {
    expect(patternFault('a*b')).toBeUndefined()
    expect(patternFault('a**')).toEqual(expect.any(String))
    expect(patternFault('*a'.repeat(9))).toEqual(expect.any(String))
  })
})

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  algorithms,
  derInteger,
  ecKeys,
  extendedKeyUsage,
  extension,
  issue,
  issueAuthority,
  issueClient,
  keyUsage,
  nameConstraints,
  san,
  type Made,
} from '../../../test/support/pki.ts'
import { derOid, derSequence } from './der-write.ts'
import { sortAuthorities } from './authorities.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { findPath, type PathAnswer } from './path.ts'
import { client } from './validate.ts'

const hour = 3_600_000
const root = issueAuthority({ subject: 'root' })
const middle = issueAuthority({ subject: 'middle', issuer: root })

function parsed(made: Made): Certificate {
  const certificate = parseCertificate(made.der)
  if (typeof certificate === 'string') throw new Error(certificate)
  return certificate
}

interface Facts {
  readonly sent?: readonly Made[]
  readonly authorities?: readonly Made[]
  readonly now?: number
}

function ask(
  leaf: Made,
  { sent = [middle], authorities = [root], now = Date.now() }: Facts = {},
): PathAnswer {
  return findPath({
    leaf: parsed(leaf),
    sent: sent.map(parsed),
    authorities: sortAuthorities(authorities.map(parsed)),
    now,
    role: client,
  })
}

function reasonFor(leaf: Made, facts?: Facts): string {
  return ask(leaf, facts).fault?.reason ?? 'good'
}

const leaf = issueClient({ subject: 'alice', issuer: middle })

describe('a path', () => {
  it('leads from the certificate over what was sent to an authority', () => {
    expect(ask(leaf).path).toHaveLength(3)
  })

  it('is found whatever order and rubbish the client sends', () => {
    const stray = issueAuthority({ subject: 'stray' })
    expect(reasonFor(leaf, { sent: [stray, root, leaf, middle, middle] })).toBe('good')
  })

  it('may go over an intermediate that stands in the authorities file', () => {
    expect(reasonFor(leaf, { sent: [], authorities: [middle, root] })).toBe('good')
  })

  it('ends at an intermediate where the file names that one alone', () => {
    expect(reasonFor(leaf, { sent: [], authorities: [middle] })).toBe('good')
    const sibling = issueAuthority({ subject: 'sibling', issuer: root })
    const other = issueClient({ subject: 'bob', issuer: sibling })
    expect(reasonFor(other, { sent: [sibling, root], authorities: [middle] })).toBe('certificate_untrusted')
  })

  it('does not end at an intermediate whose root is in the file too', () => {
    const old = issueAuthority({ subject: 'root', keys: root.keys, notAfter: Date.now() - hour })
    expect(reasonFor(leaf, { authorities: [middle, old] })).toBe('certificate_expired')
  })

  it('takes a certificate that the operator listed itself', () => {
    const pinned = issueClient({ subject: 'pinned' })
    expect(reasonFor(pinned, { authorities: [root, pinned] })).toBe('good')
    expect(reasonFor(pinned)).toBe('certificate_untrusted')
  })

  it('tries another way where one is blocked', () => {
    const expired = issueAuthority({
      subject: 'middle',
      issuer: root,
      keys: middle.keys,
      notAfter: Date.now() - 2000,
    })
    expect(reasonFor(leaf, { sent: [expired, middle] })).toBe('good')
    const second = issueAuthority({ subject: 'second root' })
    const crossed = issueAuthority({ subject: 'middle', issuer: second, keys: middle.keys })
    expect(reasonFor(leaf, { sent: [crossed, middle], authorities: [second] })).toBe('good')
    expect(reasonFor(leaf, { sent: [expired] })).toBe('certificate_expired')
  })
})

describe('signatures', () => {
  it('of another key under the same name do not hold', () => {
    const impostor = issueAuthority({ subject: 'root' })
    const forged = issueClient({ subject: 'alice', issuer: impostor })
    expect(reasonFor(forged, { sent: [impostor] })).toBe('certificate_untrusted')
  })

  it('that were changed afterwards do not hold', () => {
    const bytes = Buffer.from(leaf.der)
    const at = bytes.indexOf('alice')
    bytes.write('admin', at)
    expect(reasonFor({ ...leaf, der: bytes })).toBe('certificate_untrusted')
  })

  it.each([['SHA-1', { algorithm: algorithms.ecdsaSha1, hash: 'sha1' }, root]] as const)(
    'by %s count for nothing',
    (_, signWith, issuer) => {
      expect(reasonFor(issueClient({ subject: 'alice', issuer, signWith }))).toBe('certificate_untrusted')
    },
  )

  it('by RSA with SHA-1 or MD5, and by short keys, count for nothing', () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const authority = issueAuthority({ subject: 'rsa', keys })
    const facts = { authorities: [authority] }
    const of = (signWith?: { algorithm: Buffer; hash: string }): string =>
      reasonFor(
        issueClient({ subject: 'a', issuer: authority, ...(signWith === undefined ? {} : { signWith }) }),
        facts,
      )
    expect(of()).toBe('good')
    expect(of({ algorithm: algorithms.rsaSha1, hash: 'sha1' })).toBe('certificate_untrusted')
    expect(of({ algorithm: algorithms.rsaMd5, hash: 'md5' })).toBe('certificate_untrusted')
    const weak = issueAuthority({
      subject: 'weak',
      keys: generateKeyPairSync('rsa', { modulusLength: 1024 }),
    })
    expect(reasonFor(issueClient({ subject: 'a', issuer: weak }), { authorities: [weak] })).toBe(
      'certificate_untrusted',
    )
    const shortLeaf = issueClient({
      subject: 'a',
      issuer: authority,
      keys: generateKeyPairSync('rsa', { modulusLength: 1024 }),
    })
    expect(reasonFor(shortLeaf, facts)).toBe('certificate_chain')
  })

  it.each(['P-384', 'P-521'])('by %s hold', (curve) => {
    const authority = issueAuthority({ subject: curve, keys: ecKeys(curve) })
    expect(reasonFor(issueClient({ subject: 'a', issuer: authority }), { authorities: [authority] })).toBe(
      'good',
    )
  })

  it('by Ed25519 hold, and by other curves do not', () => {
    const authority = issueAuthority({ subject: 'ed', keys: generateKeyPairSync('ed25519') })
    expect(reasonFor(issueClient({ subject: 'a', issuer: authority }), { authorities: [authority] })).toBe(
      'good',
    )
    const odd = issueAuthority({ subject: 'odd', keys: ecKeys('secp256k1') })
    expect(reasonFor(issueClient({ subject: 'a', issuer: odd }), { authorities: [odd] })).toBe(
      'certificate_untrusted',
    )
  })
})

describe('times', () => {
  const notBefore = Date.UTC(2026, 0, 1)
  const notAfter = Date.UTC(2026, 5, 1)
  const eternal = { notBefore: 0, notAfter: Date.UTC(2080, 0, 1) }
  const old = issueAuthority({ subject: 'old', ...eternal })
  const dated = issueClient({ subject: 'a', issuer: old, notBefore, notAfter })

  it.each([
    [notBefore - 1, 'certificate_not_yet_valid'],
    [notBefore, 'good'],
    [notAfter + 999, 'good'],
    [notAfter + 1000, 'certificate_expired'],
  ])('at %i are judged as %s', (now, reason) => {
    expect(reasonFor(dated, { authorities: [old], now })).toBe(reason)
  })

  it('of authorities count as well', () => {
    const short = issueAuthority({ subject: 'short', notBefore, notAfter })
    const long = issueClient({ subject: 'a', issuer: short, ...eternal })
    expect(reasonFor(long, { authorities: [short], now: notAfter + 1000 })).toBe('certificate_expired')
  })

  it('are told only of a certificate that is otherwise good', () => {
    const expired = issueClient({ subject: 'a', issuer: middle, notAfter: Date.now() - 2000 })
    expect(reasonFor(expired)).toBe('certificate_expired')
    expect(reasonFor(expired, { authorities: [issueAuthority({ subject: 'elsewhere' })] })).toBe(
      'certificate_untrusted',
    )
  })
})

describe('authorities', () => {
  it('must say that they are some', () => {
    const plain = issueClient({ subject: 'plain', issuer: root })
    const below = issueClient({ subject: 'below', issuer: plain })
    expect(reasonFor(below, { sent: [plain] })).toBe('certificate_chain')
    const denied = issueAuthority({
      subject: 'denied',
      issuer: root,
      extensions: [extension('2.5.29.19', derSequence(), true)],
    })
    expect(reasonFor(issueClient({ subject: 'b', issuer: denied }), { sent: [denied] })).toBe(
      'certificate_chain',
    )
  })

  it('must be allowed to sign certificates', () => {
    const mute = issueAuthority({ subject: 'mute', issuer: root, extensions: [keyUsage(0, 6)] })
    expect(reasonFor(issueClient({ subject: 'b', issuer: mute }), { sent: [mute] })).toBe('certificate_usage')
  })

  it('of the first version are none', () => {
    const first = issue({ subject: 'first', version: 1 })
    expect(reasonFor(issueClient({ subject: 'b', issuer: first }), { authorities: [first] })).toBe(
      'certificate_chain',
    )
  })

  it('keep to the length that those above allow', () => {
    const flat = issueAuthority({ subject: 'flat', issuer: root, pathLength: 0 })
    const deep = issueAuthority({ subject: 'deep', issuer: flat })
    expect(reasonFor(issueClient({ subject: 'a', issuer: flat }), { sent: [flat] })).toBe('good')
    expect(reasonFor(issueClient({ subject: 'a', issuer: deep }), { sent: [flat, deep] })).toBe(
      'certificate_chain',
    )
    const renewed = issueAuthority({ subject: 'flat', issuer: flat })
    expect(reasonFor(issueClient({ subject: 'a', issuer: renewed }), { sent: [flat, renewed] })).toBe('good')
  })

  it('pass on only the usages that they have', () => {
    const servers = issueAuthority({
      subject: 'servers',
      issuer: root,
      extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.1')],
    })
    expect(reasonFor(issueClient({ subject: 'a', issuer: servers }), { sent: [servers] })).toBe(
      'certificate_usage',
    )
  })
})

describe('the client’s own certificate', () => {
  it.each([
    ['no usages at all', [], 'good'],
    ['a digital signature', [keyUsage(0)], 'good'],
    ['key agreement', [keyUsage(4)], 'good'],
    ['encipherment only', [keyUsage(2)], 'certificate_usage'],
    ['the right to sign certificates', [keyUsage(0, 5)], 'certificate_usage'],
    ['client authentication', [extendedKeyUsage('1.3.6.1.5.5.7.3.2')], 'good'],
    ['any usage', [extendedKeyUsage('2.5.29.37.0')], 'good'],
    ['server authentication', [extendedKeyUsage('1.3.6.1.5.5.7.3.1')], 'certificate_usage'],
    ['code signing', [extendedKeyUsage('1.3.6.1.5.5.7.3.3')], 'certificate_usage'],
    ['an unknown critical extension', [extension('1.3.6.1.4.1.1', derSequence(), true)], 'certificate_chain'],
    ['an unknown extension', [extension('1.3.6.1.4.1.1', derSequence())], 'good'],
    ['name constraints', [nameConstraints([san.dns('x')])], 'certificate_chain'],
  ] as const)('with %s is judged', (_, extensions, reason) => {
    expect(reasonFor(issue({ subject: 'a', issuer: middle, extensions }))).toBe(reason)
  })

  it('may be of the first version', () => {
    expect(reasonFor(issue({ subject: 'a', issuer: middle, version: 1 }))).toBe('good')
  })
})

describe('name constraints', () => {
  const under = (constraints: Buffer): Made =>
    issueAuthority({ subject: 'bounded', issuer: root, extensions: [constraints] })
  const judge = (constraints: Buffer, names: readonly Buffer[], subject: string | Buffer = 'a'): string => {
    const authority = under(constraints)
    return reasonFor(issueClient({ subject, issuer: authority, names }), { sent: [authority] })
  }
  const refused = 'certificate_chain'

  it.each([
    ['a host below', san.dns('example.com'), san.dns('a.EXAMPLE.com'), 'good'],
    ['the host itself', san.dns('example.com'), san.dns('example.com'), 'good'],
    ['a host that only ends alike', san.dns('example.com'), san.dns('notexample.com'), refused],
    ['a host outside', san.dns('example.com'), san.dns('example.org'), refused],
    ['a wildcard within', san.dns('example.com'), san.dns('*.example.com'), 'good'],
    ['a wildcard that reaches out', san.dns('a.example.com'), san.dns('*.example.com'), refused],
    ['below a leading dot', san.dns('.example.com'), san.dns('a.example.com'), 'good'],
    ['a leading dot’s own', san.dns('.example.com'), san.dns('example.com'), refused],
    ['a malformed host', san.dns('example.com'), san.dns('.example.com'), refused],
    ['a mailbox', san.email('a@example.com'), san.email('a@EXAMPLE.com'), 'good'],
    ['another mailbox', san.email('a@example.com'), san.email('b@example.com'), refused],
    ['a mailbox’s host', san.email('example.com'), san.email('b@example.com'), 'good'],
    ['a mailbox at a lower host', san.email('example.com'), san.email('b@a.example.com'), refused],
    ['a mailbox below', san.email('.example.com'), san.email('b@a.example.com'), 'good'],
    ['two at signs', san.email('example.com'), san.email('b@evil.org@example.com'), refused],
    ['a trust domain', san.uri('partner.example'), san.uri('spiffe://partner.example/a'), 'good'],
    ['another trust domain', san.uri('partner.example'), san.uri('spiffe://other.example/a'), refused],
    [
      'a host hidden behind an at sign',
      san.uri('partner.example'),
      san.uri('https://partner.example@evil.org/'),
      refused,
    ],
    ['a URI without a host', san.uri('partner.example'), san.uri('urn:partner.example'), refused],
    ['an address', san.ip(10, 0, 0, 0, 255, 0, 0, 0), san.ip(10, 1, 2, 3), 'good'],
    ['an address outside', san.ip(10, 0, 0, 0, 255, 0, 0, 0), san.ip(11, 1, 2, 3), refused],
    ['a torn mask', san.ip(10, 0, 0, 0, 255, 0, 255, 0), san.ip(10, 1, 0, 3), refused],
    ['an unknown form', san.other(), san.other(), refused],
    ['another form', san.ip(10, 0, 0, 0, 255, 0, 0, 0), san.dns('anything.example'), 'good'],
  ] as const)('permit %s or not', (_, permitted, name, reason) => {
    expect(judge(nameConstraints([permitted]), [name])).toBe(reason)
  })

  it.each([
    ['a host', san.dns('example.com'), san.dns('a.example.com'), refused],
    ['a wildcard above it', san.dns('a.example.com'), san.dns('*.example.com'), refused],
    ['another host', san.dns('example.com'), san.dns('example.org'), 'good'],
    ['an address', san.ip(10, 0, 0, 0, 255, 0, 0, 0), san.ip(10, 1, 2, 3), refused],
    ['a trust domain', san.uri('evil.example'), san.uri('spiffe://evil.example/a'), refused],
  ] as const)('exclude %s', (_, excluded, name, reason) => {
    expect(judge(nameConstraints([], [excluded]), [name])).toBe(reason)
  })

  it('look at every name, also at those in the distinguished one', () => {
    const constraints = nameConstraints([san.dns('example.com'), san.email('example.com')])
    expect(judge(constraints, [san.dns('a.example.com'), san.dns('evil.org')])).toBe(refused)
    expect(judge(constraints, [san.dns('a.example.com')], 'admin.evil.org')).toBe(refused)
    expect(judge(constraints, [san.dns('a.example.com')], 'root@evil.org')).toBe(refused)
    expect(judge(constraints, [san.dns('a.example.com')], 'b.example.com')).toBe('good')
    expect(judge(nameConstraints([san.directory('partner')]), [], 'partner')).toBe('good')
    expect(judge(nameConstraints([san.directory('partner')]), [], 'other')).toBe(refused)
  })

  it('are narrowed by each authority and widened by none', () => {
    const one = under(nameConstraints([san.dns('a.example')]))
    const two = issueAuthority({
      subject: 'two',
      issuer: one,
      extensions: [nameConstraints([san.dns('a.example'), san.dns('b.example')])],
    })
    const of = (host: string): string =>
      reasonFor(issueClient({ subject: 'x', issuer: two, names: [san.dns(host)] }), { sent: [one, two] })
    expect(of('x.a.example')).toBe('good')
    expect(of('x.b.example')).toBe(refused)
  })

  it('of the root count too, whatever it may call itself', () => {
    const bounded = issueAuthority({
      subject: 'own root',
      extensions: [nameConstraints([san.dns('a.example')])],
    })
    const outside = issueClient({ subject: 'x', issuer: bounded, names: [san.dns('b.example')] })
    expect(reasonFor(outside, { authorities: [bounded] })).toBe(refused)
  })

  it('cost no more than a bounded time', () => {
    const many = Array.from({ length: 1000 }, (_, at) => san.dns(`h${at}.example`))
    const authority = under(nameConstraints(many))
    const names = Array.from({ length: 500 }, (_, at) => san.dns(`h${999 - at}.example`))
    const made = issueClient({ subject: 'a', issuer: authority, names })
    const began = performance.now()
    expect(reasonFor(made, { sent: [authority] })).toBe(refused)
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe('policies', () => {
  const policies = (...list: readonly string[]): Buffer =>
    extension('2.5.29.32', derSequence(...list.map((each) => derSequence(derOid(each)))))
  const requireExplicit = extension(
    '2.5.29.36',
    derSequence(Buffer.concat([Buffer.from([0x80]), derInteger(0).subarray(1)])),
    true,
  )

  it('matter only where an authority demands one that is valid for the whole path', () => {
    const strict = issueAuthority({
      subject: 'strict',
      issuer: root,
      extensions: [policies('1.2.3'), requireExplicit],
    })
    const of = (...own: readonly string[]): string =>
      reasonFor(
        issueClient({ subject: 'a', issuer: strict, extensions: own.length === 0 ? [] : [policies(...own)] }),
        { sent: [strict] },
      )
    expect(of('1.2.3')).toBe('good')
    expect(of('1.2.4')).toBe('certificate_chain')
    expect(of()).toBe('certificate_chain')
    expect(reasonFor(issueClient({ subject: 'a', issuer: middle, extensions: [policies('1.2.9')] }))).toBe(
      'good',
    )
  })
})

describe('a hostile bundle', () => {
  it('of authorities that all sign each other is given up in time', () => {
    const keys = ecKeys()
    const web = Array.from({ length: 60 }, (_, at) => issueAuthority({ subject: `n${at % 6}`, keys }))
    const crossed = web.flatMap((issuer) =>
      issueAuthority({ subject: `n${Math.floor(Math.random() * 6)}`, issuer, keys }),
    )
    const made = issueClient({ subject: 'a', issuer: web[0]! })
    const began = performance.now()
    expect(reasonFor(made, { sent: [...web, ...crossed] })).toBe('certificate_untrusted')
    expect(performance.now() - began).toBeLessThan(1000)
  })

  it('of a very long chain is no path', () => {
    const chain: Made[] = []
    for (let at = 0; at < 20; at += 1)
      chain.push(issueAuthority({ subject: `c${at}`, issuer: chain.at(-1) ?? root }))
    const made = issueClient({ subject: 'a', issuer: chain.at(-1)! })
    expect(reasonFor(made, { sent: chain })).toBe('certificate_untrusted')
    expect(reasonFor(issueClient({ subject: 'a', issuer: chain[8]! }), { sent: chain })).toBe('good')
  })
})

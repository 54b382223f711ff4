import { describe, expect, it } from 'vitest'
import {
  derInteger,
  ecKeys,
  extension,
  issueAuthority,
  issueClient,
  issueList,
  keyUsage,
  san,
  issue,
  type ListWish,
  type Made,
} from '../../../test/support/pki.ts'
import { der, derSequence } from './der-write.ts'
import { sortAuthorities } from './authorities.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { parseRevocationList, type RevocationList } from './crl.ts'
import { indexLists, revocationFault } from './crl-check.ts'
import { findPath } from './path.ts'
import { client } from './validate.ts'

const hour = 3_600_000
const root = issueAuthority({ subject: 'root' })
const middle = issueAuthority({ subject: 'middle', issuer: root })
const leaf = issueClient({ subject: 'alice', issuer: middle })
const other = issueClient({ subject: 'bob', issuer: middle })
const rootList = issueList({ issuer: root })

function parsed(made: Made): Certificate {
  const certificate = parseCertificate(made.der)
  if (typeof certificate === 'string') throw new Error(certificate)
  return certificate
}

function list(wish: ListWish): RevocationList {
  const read = parseRevocationList(issueList(wish).der)
  if (typeof read === 'string') throw new Error(read)
  return read
}

interface Facts {
  readonly sent?: readonly Made[]
  readonly authorities?: readonly Made[]
  readonly scope?: 'chain' | 'leaf'
  readonly of?: Made
}

/** Judges by these lists of the middle authority, beside the root's own. */
function judge(lists: readonly RevocationList[], facts: Facts = {}): string {
  const { sent = [middle], authorities = [root], scope = 'chain', of = leaf } = facts
  const now = Date.now()
  const trusted = sortAuthorities(authorities.map(parsed))
  const own = parseRevocationList(rootList.der) as RevocationList
  const companions = sent.map(parsed)
  const answer = findPath({
    leaf: parsed(of),
    sent: companions,
    authorities: trusted,
    now,
    role: client,
    judge: (path) =>
      revocationFault(path, {
        lists: indexLists([...(scope === 'chain' ? [own] : []), ...lists]),
        authorities: trusted,
        sent: companions,
        scope,
        now,
      }),
  })
  return answer.fault?.reason ?? 'good'
}

const unknown = 'certificate_revocation_unknown'
const revoked = 'certificate_revoked'

describe('a revocation list', () => {
  it('tells who is revoked and who is not', () => {
    const one = list({ issuer: middle, revoked: [other] })
    expect(judge([one])).toBe('good')
    expect(judge([one], { of: other })).toBe(revoked)
  })

  it('that is missing leaves the question open, and that is a refusal', () => {
    expect(judge([])).toBe(unknown)
  })

  it.each([
    ['stale', { nextUpdate: Date.now() - 2000 }],
    ['not current yet', { thisUpdate: Date.now() + hour }],
    ['without an end', { nextUpdate: null }],
    ['signed by somebody else', { keys: ecKeys() }],
    ['with an unknown critical extension', { extensions: [extension('1.3.6.1.4.1.1', derSequence(), true)] }],
    ['that is indirect', { extensions: [scopeOf(0x84)] }],
    ['for some reasons only', { extensions: [scopeOf(0x83, Buffer.from([1, 0x40]))] }],
    ['for authorities only', { extensions: [scopeOf(0x82)] }],
    ['for attribute certificates only', { extensions: [scopeOf(0x85)] }],
  ] as const)('%s decides nothing', (_, wish) => {
    expect(judge([list({ issuer: middle, ...wish })])).toBe(unknown)
  })

  it('with an unknown critical extension in one entry decides nothing for anybody', () => {
    const entryExtensions = [extension('1.3.6.1.4.1.1', derSequence(), true)]
    expect(judge([list({ issuer: middle, revoked: [other], entryExtensions })])).toBe(unknown)
  })

  it('for users only serves users', () => {
    expect(judge([list({ issuer: middle, extensions: [scopeOf(0x81)] })])).toBe('good')
  })

  it('of one place serves only certificates that name the place', () => {
    const place = (uri: string): Buffer => der(0xa0, der(0xa0, san.uri(uri)))
    const scoped = list({
      issuer: middle,
      extensions: [extension('2.5.29.28', derSequence(place('http://lists/1')), true)],
    })
    const at = (uri: string): Made =>
      issueClient({
        subject: 'c',
        issuer: middle,
        extensions: [extension('2.5.29.31', derSequence(derSequence(place(uri))))],
      })
    expect(judge([scoped], { of: at('http://lists/1') })).toBe('good')
    expect(judge([scoped], { of: at('http://lists/2') })).toBe(unknown)
    expect(judge([scoped])).toBe(unknown)
  })

  it('must be signed by one who may sign lists', () => {
    const mute = issueAuthority({ subject: 'mute', issuer: root, extensions: [keyUsage(5)] })
    const own = issueClient({ subject: 'a', issuer: mute })
    expect(judge([list({ issuer: mute })], { of: own, sent: [mute] })).toBe(unknown)
  })

  it('beside a stale one of the same authority still counts', () => {
    const stale = list({ issuer: middle, nextUpdate: Date.now() - 2000 })
    expect(judge([stale, list({ issuer: middle })])).toBe('good')
    expect(judge([stale, list({ issuer: middle, revoked: [leaf] })])).toBe(revoked)
  })

  it('also tells of authorities', () => {
    const fallen = list({ issuer: root, revoked: [middle] })
    expect(judge([fallen, list({ issuer: middle })])).toBe(revoked)
    expect(judge([fallen, list({ issuer: middle })], { scope: 'leaf' })).toBe(revoked)
  })

  it('is not asked of authorities that the operator listed, nor where only leaves count', () => {
    const lists = [list({ issuer: middle })]
    const now = Date.now()
    const bare = (authorities: readonly Made[], scope: 'chain' | 'leaf'): string => {
      const trusted = sortAuthorities(authorities.map(parsed))
      const fault = revocationFault([parsed(leaf), parsed(middle), parsed(root)], {
        lists: indexLists(lists),
        authorities: trusted,
        sent: [],
        scope,
        now,
      })
      return fault?.reason ?? 'good'
    }
    expect(bare([root], 'chain')).toBe(unknown)
    expect(bare([root, middle], 'chain')).toBe('good')
    expect(bare([root], 'leaf')).toBe('good')
  })

  it('may be signed by a key for lists, which must itself be good', () => {
    const keys = ecKeys()
    const signer = issue({ subject: 'middle', issuer: root, keys, extensions: [keyUsage(6)] })
    const byKey = list({ issuer: middle, keys })
    expect(judge([byKey], { sent: [middle, signer] })).toBe('good')
    expect(judge([byKey])).toBe(unknown)
    const fallen = list({ issuer: root, revoked: [signer] })
    expect(judge([byKey, fallen], { sent: [middle, signer] })).toBe(unknown)
    const foreign = issue({ subject: 'middle', keys, extensions: [keyUsage(6)] })
    expect(judge([byKey], { sent: [middle, foreign] })).toBe(unknown)
  })
})

describe('a list of changes', () => {
  const base = (revokedOnes: readonly Made[] = []): RevocationList =>
    list({ issuer: middle, number: 5, revoked: revokedOnes })
  const changes = (wish: Partial<ListWish> = {}, from = 5): RevocationList =>
    list({
      issuer: middle,
      number: 6,
      ...wish,
      extensions: [extension('2.5.29.27', derInteger(from), true)],
    })
  const removed = [extension('2.5.29.21', der(0x0a, Buffer.from([8])))]

  it('adds to the list that it is about', () => {
    expect(judge([base(), changes()])).toBe('good')
    expect(judge([base(), changes({ revoked: [leaf] })])).toBe(revoked)
  })

  it('takes off again', () => {
    expect(judge([base([leaf]), changes()])).toBe(revoked)
    expect(judge([base([leaf]), changes({ revoked: [leaf], entryExtensions: removed })])).toBe('good')
  })

  it('alone, for a later list, or run out, leaves the question open', () => {
    expect(judge([changes()])).toBe(unknown)
    expect(judge([base(), changes({}, 7)])).toBe(unknown)
    expect(judge([base(), changes({ nextUpdate: Date.now() - 2000 })])).toBe(unknown)
  })
})

function scopeOf(tag: number, value: Buffer = Buffer.from([0xff])): Buffer {
  return extension('2.5.29.28', derSequence(der(tag, value)), true)
}

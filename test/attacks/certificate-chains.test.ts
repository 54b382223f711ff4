/** Certificates that look right and are not: wrong authority, wrong usage, wrong names, and bundles made to cost time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partnerIssuer, partnerRoot, startMtlsGateway, type MtlsGateway } from '../support/mtls-gateway.ts'
import {
  ecKeys,
  extendedKeyUsage,
  issueAuthority,
  issueClient,
  nameConstraints,
  nameDer,
  relativeName,
  san,
  type Made,
} from '../support/pki.ts'
import { derSequence } from '../../src/engine/certificates/der-write.ts'

const uri = san.uri('spiffe://partner.example/billing')
const invalid = '401 credential_invalid'

/** An authority that may name hosts and workloads of one partner only. */
const bounded = issueAuthority({
  subject: 'bounded',
  issuer: partnerRoot,
  extensions: [
    nameConstraints([san.dns('partner.example'), san.uri('partner.example'), san.email('partner.example')]),
  ],
})

describe('a certificate that only looks right', () => {
  let byUri: MtlsGateway
  let byName: MtlsGateway

  beforeAll(async () => {
    byUri = await startMtlsGateway()
    byName = await startMtlsGateway({ authenticator: ', subject: cn' })
  })
  afterAll(async () => {
    await byUri[Symbol.asyncDispose]()
    await byName[Symbol.asyncDispose]()
  })

  it.each<[string, Made, readonly Made[]]>([
    ['signed by itself', issueClient({ subject: 'billing', names: [uri] }), []],
    [
      'signed by an authority of the same name',
      issueClient({
        subject: 'billing',
        names: [uri],
        issuer: issueAuthority({ subject: 'partners issuing' }),
      }),
      [partnerIssuer],
    ],
    [
      'for servers',
      issueClient({
        subject: 'billing',
        names: [uri],
        issuer: partnerIssuer,
        extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.1')],
      }),
      [partnerIssuer],
    ],
    [
      'signed by another client',
      issueClient({
        subject: 'billing',
        names: [uri],
        issuer: issueClient({ subject: 'client', issuer: partnerIssuer, names: [uri] }),
      }),
      [partnerIssuer],
    ],
    [
      'outside the names of its authority',
      issueClient({ subject: 'x', issuer: bounded, names: [san.uri('spiffe://other.example/billing')] }),
      [bounded],
    ],
    [
      'outside them in one name of several',
      issueClient({ subject: 'x', issuer: bounded, names: [uri, san.dns('admin.other.example')] }),
      [bounded],
    ],
    [
      'of another trust domain in capitals',
      issueClient({
        subject: 'x',
        issuer: partnerIssuer,
        names: [san.uri('SPIFFE://partner.example/billing')],
      }),
      [partnerIssuer],
    ],
    [
      'with a SPIFFE ID of an authority',
      issueAuthority({
        subject: 'x',
        issuer: partnerIssuer,
        extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.2')],
      }),
      [partnerIssuer],
    ],
  ])('%s names nobody', async (_, client, chain) => {
    expect(await byUri.ask(client, { chain })).toBe(invalid)
  })

  it('passes within the names of its authority', async () => {
    expect(
      await byUri.ask(issueClient({ subject: 'x', issuer: bounded, names: [uri] }), { chain: [bounded] }),
    ).toBe('200')
  })

  it('cannot take a common name that its authority may not give', async () => {
    const named = (subject: string | Buffer): Promise<string> =>
      byName.ask(issueClient({ subject, issuer: bounded, names: [san.dns('a.partner.example')] }), {
        chain: [bounded],
      })
    expect(await named('b.partner.example')).toBe('200')
    expect(await named('admin.other.example')).toBe(invalid)
    expect(await named('root@other.example')).toBe(invalid)
    expect(await named('spiffe://other.example/admin')).toBe(invalid)
  })

  it('cannot have two common names, or one with an end in its middle', async () => {
    const named = (...parts: readonly Buffer[]): Promise<string> =>
      byName.ask(issueClient({ subject: derSequence(...parts), issuer: partnerIssuer }))
    const cn = (value: string): Buffer => relativeName('2.5.4.3', value)
    expect(await named(cn('alice'))).toBe('200')
    expect(await named(cn('alice'), cn('admin'))).toBe(invalid)
    expect(await named(cn('admin\u0000.evil'))).toBe(invalid)
    expect(await named(cn(' admin'))).toBe(invalid)
    expect(await named(cn('adm\u202ein'))).toBe(invalid)
    expect(await named(relativeName('2.5.4.10', 'admin'))).toBe(invalid)
    expect(await byName.ask(issueClient({ subject: nameDer('bob'), issuer: partnerIssuer }))).toBe('200')
  })

  it('costs no time to refuse, whatever hangs on to it', async () => {
    const keys = ecKeys()
    const web = Array.from({ length: 14 }, (_, at) => issueAuthority({ subject: `n${at % 4}`, keys }))
    const hostile = issueClient({ subject: 'x', issuer: web[0]!, names: [uri] })
    const began = performance.now()
    expect(await byUri.ask(hostile, { chain: web })).toBe(invalid)
    const long: Made[] = []
    for (let at = 0; at < 60; at += 1)
      long.push(issueAuthority({ subject: `c${at}`, issuer: long.at(-1) ?? partnerRoot }))
    const deep = issueClient({ subject: 'x', issuer: long.at(-1)!, names: [uri] })
    expect(await byUri.ask(deep, { chain: long.toReversed() })).toBe(invalid)
    const names = Array.from({ length: 900 }, (_, at) => san.uri(`spiffe://partner.example/${at}`))
    expect(await byUri.ask(issueClient({ subject: 'x', issuer: bounded, names }), { chain: [bounded] })).toBe(
      invalid,
    )
    expect(performance.now() - began).toBeLessThan(8_000)
    expect(await byUri.ask(issueClient({ subject: 'x', issuer: partnerIssuer, names: [uri] }))).toBe('200')
  })
})

/** Certificates in header fields, from those who are not to be believed, and in forms that two readers read differently. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { billing, partnerIssuer, startMtlsGateway, type MtlsGateway } from '../support/mtls-gateway.ts'
import { issueClient, san, type Made } from '../support/pki.ts'

const field = ({ der }: Made): string => `:${der.toString('base64')}:`
const xfcc = (...made: readonly Made[]): string =>
  `Chain="${encodeURIComponent(made.map(({ pem }) => pem).join(''))}"`
const shown = { 'client-cert': field(billing), 'client-cert-chain': field(partnerIssuer) }
const stranger = issueClient({
  subject: 'billing',
  names: [san.uri('spiffe://partner.example/billing')],
})

describe('a forwarded certificate', () => {
  let believing: MtlsGateway
  let deaf: MtlsGateway
  let envoy: MtlsGateway

  beforeAll(async () => {
    const open = '  - { id: open, match: { path: /open }, authenticate: none, upstream: items }'
    believing = await startMtlsGateway({
      listener: 'plain',
      authenticator: ', from: { header: client-cert, peers: [127.0.0.1] }',
      routes: open,
    })
    deaf = await startMtlsGateway({
      authenticator: ', from: { header: client-cert, peers: [10.0.0.0/8] }',
      routes: open,
    })
    envoy = await startMtlsGateway({
      listener: 'plain',
      authenticator: ', from: { header: xfcc, peers: [127.0.0.1] }',
    })
  })
  afterAll(async () => {
    for (const each of [believing, deaf, envoy]) await each[Symbol.asyncDispose]()
  })

  it('counts from a proxy that is believed, and is passed on', async () => {
    expect(await believing.ask(undefined, { headers: shown })).toBe('200')
    expect(believing.upstream.requests.at(-1)?.headers).toMatchObject({
      'x-auth-subject': 'spiffe://partner.example/billing',
      ...shown,
    })
  })

  it('counts for nothing from anybody else, and reaches no backend', async () => {
    expect(await deaf.ask(undefined, { headers: shown })).toBe('401 credential_missing')
    expect(await deaf.ask(undefined, { headers: shown, path: '/open' })).toBe('200')
    const { headers } = deaf.upstream.requests.at(-1)!
    expect(headers).not.toHaveProperty('client-cert')
    expect(headers).not.toHaveProperty('client-cert-chain')
  })

  it('is itself checked', async () => {
    expect(await believing.ask(undefined, { headers: { 'client-cert': field(stranger) } })).toBe(
      '401 credential_invalid',
    )
    expect(await believing.ask(undefined, { headers: { 'client-cert': field(billing) } })).toBe(
      '401 credential_invalid',
    )
    const old = issueClient({ subject: 'a', issuer: partnerIssuer, notAfter: Date.now() - 2000 })
    expect(await believing.ask(undefined, { headers: { ...shown, 'client-cert': field(old) } })).toBe(
      '401 credential_expired',
    )
  })

  it.each([
    ['twice', { ...shown, 'client-cert': [field(billing), field(stranger)] }, '400 credential_ambiguous'],
    ['malformed', { 'client-cert': 'nonsense' }, '401 credential_invalid'],
    ['empty', { 'client-cert': '' }, '401 credential_invalid'],
    ['as a chain alone', { 'client-cert-chain': field(billing) }, '401 credential_invalid'],
    ['in the header of another kind', { 'x-forwarded-client-cert': xfcc(billing) }, '401 credential_missing'],
    ['under a name with underscores', { client_cert: field(billing) }, '401 credential_missing'],
  ])('is refused %s', async (_, headers, answer) => {
    expect(await believing.ask(undefined, { headers })).toBe(answer)
  })

  it('cannot be made to vanish by naming it in Connection', async () => {
    expect(await believing.ask(undefined, { headers: { ...shown, connection: 'client-cert' } })).toBe(
      '400 bad_request',
    )
  })

  it('beside a certificate of the proxy’s own is the only one', async () => {
    await using both = await startMtlsGateway({
      authenticator: ', from: { header: client-cert, peers: [127.0.0.1] }',
    })
    expect(await both.ask(billing)).toBe('401 credential_missing')
    expect(await both.ask(stranger, { headers: shown })).toBe('200')
    expect(await both.ask(billing, { headers: { 'client-cert': field(stranger) } })).toBe(
      '401 credential_invalid',
    )
  })

  describe('in X-Forwarded-Client-Cert', () => {
    const good = xfcc(billing, partnerIssuer)

    it('is the last element’s, whatever stands before it', async () => {
      const header = (value: string): Promise<string> =>
        envoy.ask(undefined, { headers: { 'x-forwarded-client-cert': value } })
      expect(await header(good)).toBe('200')
      expect(await header(`${xfcc(stranger)},${good}`)).toBe('200')
      expect(envoy.upstream.requests.at(-1)?.headers['x-forwarded-client-cert']).toBe(good)
      expect(await header(`${good},${xfcc(stranger)}`)).toBe('401 credential_invalid')
      expect(await header(`${good},By=spiffe://x/y`)).toBe('401 credential_invalid')
    })

    it.each([
      ['a quote that swallows the proxy’s own element', `Subject="a,${good}`],
      ['a quoted comma before a forged element', `${xfcc(stranger)};Subject="x\\",${good};By="\\""`],
      ['an escaped quote at the end', `${good};Subject="x\\"`],
      ['only a hash', `Hash=${'0'.repeat(64)};Subject="CN=billing"`],
      [
        'a Cert that the Chain does not begin with',
        `Cert="${encodeURIComponent(billing.pem)}";${xfcc(stranger)}`,
      ],
    ])('is refused with %s', async (_, value) => {
      expect(await envoy.ask(undefined, { headers: { 'x-forwarded-client-cert': value } })).toBe(
        '401 credential_invalid',
      )
    })
  })
})

import { describe, expect, it } from 'vitest'
import { detailOf, identify, providerBench, signer, times } from '../../../test/support/provider-bench.ts'
import { createSigner, mint, presented, providerSettings, type Json } from '../../../test/support/tokens.ts'
import type { Bench } from '../../../test/support/jwt-authenticator.ts'
import type { JwtSettings } from '../authenticators/jwt/settings.ts'
import { configurationFault, hasKeySource } from './registry.ts'

const parameters = { trustDomain: 'prod.example.org', bundle: 'https://spire.example.org/bundle' }
type Texts = Readonly<Record<string, string>>

function on(ids?: readonly string[], more: Texts = {}, settings: Partial<JwtSettings> = {}): Bench {
  return providerBench(
    {
      type: 'spiffe',
      parameters: { ...parameters, ...more },
      ...(ids === undefined ? {} : { lists: { ids } }),
    },
    settings,
  )
}

/** A JWT-SVID as SPIRE makes it: subject, audience and times, and nothing else. */
const svid: Json = {
  aud: ['https://api.example.com'],
  exp: times.exp,
  iat: times.iat,
  sub: 'spiffe://prod.example.org/ns/payments/sa/worker',
}

describe('spiffe', () => {
  it('makes an identity of a JWT-SVID, whose issuer is its trust domain', async () => {
    expect(await identify(on(), svid)).toMatchObject({
      issuer: 'spiffe://prod.example.org',
      subject: svid['sub'],
      scopes: [],
      roles: [],
    })
  })

  it('is chosen without `iss`, by the trust domain of the subject', () => {
    const { authenticator } = on()
    expect(authenticator.takes(presented(mint(signer, svid)))).toBe('yes')
    expect(
      authenticator.takes(presented(mint(signer, { ...svid, sub: 'spiffe://prod.example.org.evil/x' }))),
    ).toBe('no')
    expect(authenticator.takes(presented(mint(signer, { ...svid, sub: 'alice' })))).toBe('no')
    expect(authenticator.takes(presented(mint(signer, { ...svid, sub: undefined })))).toBe('no')
  })

  it('takes an `iss` beside it, and holds it to the configured one', async () => {
    const issuer = 'https://oidc.prod.example.org'
    expect(await identify(on(), { ...svid, iss: issuer })).toMatchObject({
      issuer: 'spiffe://prod.example.org',
    })
    expect(await identify(on(undefined, { issuer }), { ...svid, iss: issuer })).toMatchObject({
      subject: svid['sub'],
    })
    expect(await identify(on(undefined, { issuer }), svid)).toMatchObject({ subject: svid['sub'] })
    expect(await identify(on(undefined, { issuer }), { ...svid, iss: `${issuer}/` })).toBe('token_issuer')
  })

  it.each([
    'spiffe://other.example.org/ns/payments/sa/worker',
    'spiffe://prod.example.org',
    'spiffe://prod.example.org/',
    'spiffe://prod.example.org/a/../b',
    'spiffe://prod.example.org/a//b',
    'spiffe://prod.example.org:443/a',
    'spiffe://PROD.example.org/a',
    'https://prod.example.org/a',
    'alice',
  ])('refuses the subject %s', async (sub) => {
    expect(await identify(on(), { ...svid, sub })).toBe('token_issuer')
  })

  it('wants audience and end as every token', async () => {
    expect(await identify(on(), { ...svid, aud: 'https://other.example.com' })).toBe('token_audience')
    expect(await identify(on(), { ...svid, aud: undefined })).toBe('token_audience')
    expect(await identify(on(), { ...svid, exp: undefined })).toBe('token_claim')
  })

  it('takes the algorithms of JWT-SVIDs and no others', async () => {
    const edwards = createSigner('EdDSA')
    const bench = providerBench({ type: 'spiffe', parameters }, {}, edwards.jwk)
    expect(await bench.judge(mint(edwards, svid))).toBe('token_algorithm')
    const elliptic = createSigner('ES256')
    expect(
      await providerBench({ type: 'spiffe', parameters }, {}, elliptic.jwk).judge(mint(elliptic, svid)),
    ).toBe('verified')
    expect(() => on(undefined, {}, { algorithms: ['EdDSA'] })).toThrow(/algorithm/)
  })

  it('lets in by SPIFFE ID', async () => {
    expect(await identify(on(['spiffe://prod.example.org/ns/payments/*']), svid)).toMatchObject({
      subject: svid['sub'],
    })
    expect(await identify(on(['spiffe://prod.example.org/ns/*/sa/worker']), svid)).toMatchObject({
      subject: svid['sub'],
    })
    expect(await identify(on(['spiffe://prod.example.org/ns/billing/*']), svid)).toBe('token_not_admitted')
    expect(await detailOf(on(['spiffe://prod.example.org/ns/payments']), svid)).toMatch(/`ids`/)
  })

  it('is revoked by its trust domain', async () => {
    const bench = on()
    bench.revocations.covers = ({ issuer }) => issuer === 'spiffe://prod.example.org'
    expect(await identify(bench, svid)).toBe('token_revoked')
  })

  it.each<[Texts, readonly string[], RegExp]>([
    [{ bundle: 'x' }, [], /^`trustDomain`.*missing/],
    [{ trustDomain: 'spiffe://prod.example.org', bundle: 'x' }, [], /^`trustDomain`/],
    [{ trustDomain: 'Prod.example.org', bundle: 'x' }, [], /^`trustDomain`/],
    [{ trustDomain: 'prod.example.org' }, [], /^`bundle`/],
    [parameters, ['/ns/payments'], /^`ids`/],
    [parameters, ['spiffe://other.example.org/a'], /^`ids`.*below spiffe:\/\/prod\.example\.org\//],
    [parameters, ['spiffe://*/a'], /^`ids`/],
  ])('says what cannot work: %j %j', (texts, ids, message) => {
    const settings = providerSettings({ type: 'spiffe', parameters: texts, lists: { ids } })
    expect(configurationFault(settings)).toMatch(message)
  })

  it('has its keys in the bundle, and nowhere else', () => {
    expect(hasKeySource(providerSettings({ type: 'spiffe', parameters }))).toBe(true)
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { issueAuthority, issueClient, issueList, san, type Made } from '../../../../test/support/pki.ts'
import { gatewayRequest } from '../../../../test/support/gateway-request.ts'
import type { OcspResponders } from '../../../ports/ocsp.ts'
import type { RevocationFacts } from '../../../ports/revocations.ts'
import { sortAuthorities } from '../../certificates/authorities.ts'
import { parseCertificate, type Certificate } from '../../certificates/certificate.ts'
import { createClientCertificate, type ClientCertificate } from '../../certificates/client-certificate.ts'
import { indexLists } from '../../certificates/crl-check.ts'
import { parseRevocationList, type RevocationList } from '../../certificates/crl.ts'
import { certificateFault, type CertificateFault } from '../../certificates/fault.ts'
import { createTrust, type TrustMaterial } from '../../certificates/trust.ts'
import type { Outcome } from '../../outcome.ts'
import type { Authenticator, Presented } from '../authenticator.ts'
import { createMtlsAuthenticator, mtlsPlaces } from './authenticator.ts'
import { certificatePlace } from './identity.ts'
import { createOcspCheck } from './ocsp.ts'
import type { MtlsSettings, OcspSettings } from './settings.ts'

const start = Date.UTC(2026, 5, 1)
const hour = 3_600_000
const life = { notBefore: start - hour, notAfter: start + 24 * hour }
const root = issueAuthority({ subject: 'root', ...life, notAfter: start + 48 * hour })
const made = issueClient({
  subject: 'x',
  issuer: root,
  names: [san.uri('spiffe://a.example/b'), san.dns('a.example')],
  ...life,
})

const settings: MtlsSettings = {
  type: 'mtls',
  name: 'partner',
  in: mtlsPlaces,
  trust: { authorities: [], revocation: [], scope: 'chain' },
  subject: 'san-uri',
}

describe('the mtls authenticator', () => {
  const clock = { time: start, now: () => clock.time }
  let source: { material: TrustMaterial }
  let revoked: (facts: RevocationFacts) => boolean
  let judged: number

  beforeEach(() => {
    clock.time = start
    source = { material: material(root) }
    revoked = () => false
    judged = 0
  })

  function authenticator(
    edits: Partial<MtlsSettings> = {},
    ocsp?: OcspSettings,
    responders: OcspResponders = { post: async () => Buffer.alloc(0) },
  ): Authenticator {
    const trust = createTrust(source)
    return createMtlsAuthenticator(
      { ...settings, ...edits },
      {
        trust: {
          judge(certificate, now) {
            judged += 1
            return trust.judge(certificate, now)
          },
        },
        clock,
        revocations: { isRevoked: (facts) => revoked(facts) },
        ocsp: ocsp === undefined ? undefined : createOcspCheck(ocsp, responders),
      },
    )
  }

  const request = gatewayRequest()
  const settle = (outcome: Outcome | undefined): string =>
    outcome === undefined ? 'unknown' : outcome.outcome === 'verified' ? 'verified' : outcome.reason

  it('tells who the caller is and what its certificate says', async () => {
    const outcome = await authenticator().verify(show(shown(made)), request)
    const { fingerprint } = shown(made)
    expect(outcome).toMatchObject({
      outcome: 'verified',
      identity: {
        issuer: 'urn:portcullis:mtls',
        subject: 'spiffe://a.example/b',
        scopes: [],
        roles: [],
        claims: {
          certificate: { fingerprint, cn: ['x'], dns: ['a.example'], uri: ['spiffe://a.example/b'] },
          spiffe: { trustDomain: 'a.example', path: '/b' },
        },
        method: 'partner',
        amr: ['mtls'],
      },
      credential: {
        kind: 'mtls',
        id: fingerprint,
        expiresAt: life.notAfter + 1000,
        issuedAt: life.notBefore,
        place: certificatePlace,
      },
    })
  })

  it('recalls it for the same connection, without a new identity', async () => {
    const own = authenticator()
    const certificate = shown(made)
    expect(own.recall(show(certificate), request)).toBeUndefined()
    const first = await own.verify(show(certificate), request)
    expect(own.recall(show(certificate), request)).toBe(first)
    expect(own.recall(show(shown(made)), request)).toBeUndefined()
  })

  it('judges time, authorities and lists anew each time', async () => {
    const own = authenticator()
    const certificate = shown(made)
    await own.verify(show(certificate), request)
    source.material = material(issueAuthority({ subject: 'other' }))
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_untrusted')
    source.material = material(root, [])
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_revocation_unknown')
    const list = { issuer: root, thisUpdate: start - hour, nextUpdate: start + hour }
    source.material = material(root, [listed({ ...list, revoked: [made] })])
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_revoked')
    source.material = material(root, [listed(list)])
    expect(settle(await own.verify(show(certificate), request))).toBe('verified')
    clock.time = start + hour
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_revocation_unknown')
    source.material = material(root)
    clock.time = life.notAfter + 1000
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_expired')
    clock.time = life.notBefore - 1
    expect(settle(own.recall(show(certificate), request))).toBe('certificate_not_yet_valid')
  })

  it('asks the standing revocations each time, with all that may be named', async () => {
    const own = authenticator()
    const certificate = shown(made)
    await own.verify(show(certificate), request)
    let asked: RevocationFacts | undefined
    revoked = (facts) => {
      asked = facts
      return true
    }
    expect(own.recall(show(certificate), request)).toMatchObject({
      reason: 'certificate_revoked',
      credentialId: certificate.fingerprint,
    })
    expect(asked).toEqual({
      issuer: 'urn:portcullis:mtls',
      subject: 'spiffe://a.example/b',
      certificate: certificate.fingerprint,
      issuedAt: life.notBefore,
    })
  })

  it('refuses what the listener refuses', async () => {
    const fault = certificateFault('certificate_usage', 'not ours')
    expect(settle(await authenticator().verify(show(shown(made, { fault })), request))).toBe(
      'certificate_usage',
    )
    expect(judged).toBe(0)
  })

  it('takes a forwarded certificate only where it believes who forwarded it', () => {
    const own = authenticator()
    const forwarded = (by: readonly string[]): Presented => show(shown(made, { acceptedBy: new Set(by) }))
    expect(own.takes(forwarded(['partner']))).toBe('yes')
    expect(own.takes(forwarded(['another']))).toBe('no')
    expect(own.takes({ value: 'x', place: certificatePlace })).toBe('no')
  })

  it('names nobody by a certificate that names nobody', async () => {
    expect(settle(await authenticator({ subject: 'san-email' }).verify(show(shown(made)), request))).toBe(
      'certificate_subject',
    )
    const picky = authenticator({ allow: ['spiffe://b.example/*'] })
    expect(settle(await picky.verify(show(shown(made)), request))).toBe('certificate_not_allowed')
  })

  describe('with a responder', () => {
    const asking: OcspSettings = { url: 'http://127.0.0.1:1/', required: true, timeout: 1000 }

    it('that is away refuses with 503, is not asked again at once, and once for all who wait', async () => {
      let asked = 0
      const away: OcspResponders = {
        async post() {
          asked += 1
          throw new Error('nobody there')
        },
      }
      const own = authenticator({}, asking, away)
      const certificate = shown(made)
      const both = await Promise.all([
        own.verify(show(certificate), request),
        own.verify(show(certificate), request),
      ])
      expect(both.map(settle)).toEqual(['ocsp_unavailable', 'ocsp_unavailable'])
      expect(settle(own.recall(show(certificate), request))).toBe('ocsp_unavailable')
      expect(asked).toBe(1)
      clock.time += 5_000
      expect(own.recall(show(certificate), request)).toBeUndefined()
      await own.verify(show(certificate), request)
      expect(asked).toBe(2)
    })

    it('that is not required lets pass when it is away', async () => {
      expect(
        settle(await authenticator({}, { ...asking, required: false }).verify(show(shown(made)), request)),
      ).toBe('verified')
    })

    it('is not asked about whom we refuse anyway', async () => {
      let asked = 0
      const counting: OcspResponders = {
        async post() {
          asked += 1
          return Buffer.alloc(0)
        },
      }
      const own = authenticator({ allow: ['nobody'] }, asking, counting)
      await own.verify(show(shown(made)), request)
      expect(asked).toBe(0)
    })
  })
})

function show(certificate: ClientCertificate): Presented {
  return { value: certificate.fingerprint, place: certificatePlace, certificate }
}

function shown(
  { der }: Made,
  more: { readonly fault?: CertificateFault; readonly acceptedBy?: ReadonlySet<string> } = {},
): ClientCertificate {
  return createClientCertificate({
    der,
    chain: [],
    source: more.acceptedBy === undefined ? 'connection' : 'forwarded',
    ...(more.acceptedBy === undefined ? {} : { acceptedBy: more.acceptedBy }),
    refusal: () => more.fault,
  })
}

function material(authority: Made, lists?: readonly RevocationList[]): TrustMaterial {
  const parsed = parseCertificate(authority.der) as Certificate
  return {
    authorities: sortAuthorities([parsed]),
    lists: lists === undefined ? undefined : indexLists(lists),
    scope: 'chain',
  }
}

function listed(wish: Parameters<typeof issueList>[0]): RevocationList {
  return parseRevocationList(issueList(wish).der) as RevocationList
}

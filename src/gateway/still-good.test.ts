import { expect, it } from 'vitest'
import { gatewayRequest } from '../../test/support/gateway-request.ts'
import { testClock } from '../../test/support/tokens.ts'
import type { Authenticator } from '../engine/authenticators/authenticator.ts'
import type { ClientCertificate } from '../engine/certificates/client-certificate.ts'
import type { Verified } from '../engine/outcome.ts'
import type { ExchangeState } from './exchange-state.ts'
import { stillGood } from './still-good.ts'

it('asks again for the certificate that a credential is bound to, and for no new proof', () => {
  const clock = testClock()
  const ends = clock.time + 5_000
  const place = { kind: 'header', name: 'authorization', scheme: 'Bearer' } as const
  const verified: Verified = {
    outcome: 'verified',
    identity: { issuer: 'i', subject: 's', scopes: [], roles: [], claims: {}, method: 'm', amr: [] },
    credential: { kind: 'jwt', expiresAt: Infinity, place, confirmation: { jkt: 'j', x5tS256: 'x' } },
  }
  const authenticator: Authenticator = {
    name: 'm',
    type: 'jwt',
    places: [place],
    challenges: [],
    takes: () => 'yes',
    recall: () => verified,
    verify: () => verified,
    binding: {
      mode: 'none',
      judge: () => {
        throw new Error('a proof was asked for')
      },
    },
  }
  const certificate: ClientCertificate = {
    der: Buffer.alloc(0),
    chain: [],
    fingerprint: '',
    thumbprint: 'x',
    source: 'connection',
    fault: (now) => (now < ends ? undefined : 'revoked'),
  }
  const request = gatewayRequest({ certificate })
  const presented = { value: 't', place }
  const exchange = {
    proofs: [{ authenticator, presented, verified, request }],
    snapshot: { services: { clock } },
  } as unknown as ExchangeState
  const isGood = stillGood(exchange)
  expect(isGood()).toBe(true)
  clock.time = ends
  expect(isGood()).toBe(false)
  clock.time = ends - 1
  expect(isGood()).toBe(false)
})

import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../../test/support/gateway-request.ts'
import { jktOf, proof, testProofs } from '../../../test/support/proofs.ts'
import { createSigner, noon, testClock } from '../../../test/support/tokens.ts'
import type { Binding, Presented } from '../authenticators/authenticator.ts'
import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { Confirmation, CredentialPlace } from '../identity.ts'
import type { Outcome, Verified } from '../outcome.ts'
import { bindToCertificate, bindTokens } from './bind.ts'
import { nonceSlot } from './nonce.ts'
import { tokenPlaces, tokenWays } from './settings.ts'

type Mode = Binding['mode']

const token = 'a.good.token'
const signer = createSigner('ES256')
const jkt = jktOf(signer)
const x5tS256 = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0'
const modes: readonly Mode[] = ['none', 'optional', 'required', 'dpop', 'mtls']

const clock = testClock()
const proofs = testProofs(clock)

function certificate(changes: Partial<ClientCertificate> = {}): ClientCertificate {
  return {
    der: Buffer.alloc(0),
    chain: [],
    fingerprint: '',
    thumbprint: x5tS256,
    source: 'connection',
    fault: () => undefined,
    ...changes,
  }
}

interface Case extends RequestParts {
  readonly cnf?: Confirmation
  readonly scheme2?: string | undefined
  readonly dpop?: string | readonly string[]
  readonly nonce?: boolean
}

async function judge(mode: Mode, { cnf, scheme2, dpop, nonce = false, ...parts }: Case): Promise<Outcome> {
  const place: CredentialPlace = { kind: 'header', name: 'authorization', scheme: scheme2 ?? 'Bearer' }
  const verified: Verified = {
    outcome: 'verified',
    identity: { issuer: 'i', subject: 's', scopes: [], roles: [], claims: {}, method: 'm', amr: [] },
    credential: {
      kind: 'jwt',
      expiresAt: Infinity,
      place,
      ...(cnf === undefined ? {} : { confirmation: cnf }),
    },
  }
  const presented: Presented = {
    value: token,
    place,
    ...(scheme2 === undefined ? {} : { scheme: scheme2 }),
  }
  const request = gatewayRequest({
    path: '/items',
    ...parts,
    headers: dpop === undefined ? {} : { DPoP: dpop },
  })
  const settings = { mode, dpop: { nonce, window: 60_000 } }
  return bindTokens(settings, { clock, proofs }).judge(verified, presented, request)
}

/** Why it is refused and how the challenge tells it, or `verified`. */
async function verdict(mode: Mode, facts: Case): Promise<string> {
  const outcome = await judge(mode, facts)
  if (outcome.outcome !== 'rejected') return outcome.outcome
  return outcome.proofError === undefined ? outcome.reason : `${outcome.reason}: ${outcome.proofError}`
}

const made = (): string => proof(signer, token)

describe('an unbound token', () => {
  it.each<[Mode, string]>([
    ['none', 'verified'],
    ['optional', 'verified'],
    ['required', 'token_unbound'],
    ['dpop', 'token_unbound: invalid_token'],
    ['mtls', 'token_unbound'],
  ])('under `%s`: %s', async (mode, expected) => {
    expect(await verdict(mode, { scheme2: 'Bearer' })).toBe(expected)
    expect(await verdict(mode, { scheme2: undefined })).toBe(expected)
    // A certificate beside it is nobody's proof, and no fault either.
    expect(await verdict(mode, { scheme2: 'Bearer', certificate: certificate() })).toBe(expected)
  })

  it.each(modes)('is refused with a proof, under `%s`', async (mode) => {
    expect(await verdict(mode, { scheme2: 'Bearer', dpop: made() })).not.toBe('verified')
    expect(await verdict(mode, { scheme2: 'Bearer', dpop: '' })).not.toBe('verified')
    expect(await verdict(mode, { scheme2: undefined, dpop: made() })).not.toBe('verified')
  })

  it.each(modes)('is refused by the scheme DPoP, under `%s`', async (mode) => {
    expect(await verdict(mode, { scheme2: 'DPoP' })).not.toBe('verified')
    expect(await verdict(mode, { scheme2: 'dpop', dpop: made() })).not.toBe('verified')
  })

  it('is told by the scheme by which it came', async () => {
    expect(await verdict('none', { scheme2: 'Bearer', dpop: made() })).toBe('dpop_unasked')
    expect(await verdict('none', { scheme2: 'DPoP', dpop: made() })).toBe('dpop_unasked: invalid_token')
  })
})

describe('a token that is bound to a key for proofs', () => {
  const cnf = { jkt }

  it.each<[Mode, boolean]>([
    ['none', true],
    ['optional', true],
    ['required', true],
    ['dpop', true],
    ['mtls', false],
  ])('with its proof, under `%s`: %s', async (mode, passes) => {
    expect(await verdict(mode, { cnf, scheme2: 'DPoP', dpop: made() })).toBe(
      passes ? 'verified' : 'token_unbound',
    )
    expect(await verdict(mode, { cnf, scheme2: 'dPoP', dpop: made() })).toBe(
      passes ? 'verified' : 'token_unbound',
    )
  })

  it.each(['none', 'optional', 'required', 'dpop'] as const)(
    'never passes without it, under `%s`',
    async (mode) => {
      const thief = createSigner('ES256')
      expect(await verdict(mode, { cnf, scheme2: 'DPoP' })).toBe('dpop_missing: invalid_token')
      expect(await verdict(mode, { cnf, scheme2: 'Bearer' })).toBe('bound_as_bearer: invalid_token')
      expect(await verdict(mode, { cnf, scheme2: 'bearer', dpop: made() })).toBe(
        'bound_as_bearer: invalid_token',
      )
      expect(await verdict(mode, { cnf, scheme2: undefined })).toBe('dpop_missing: invalid_token')
      expect(await verdict(mode, { cnf, scheme2: 'DPoP', dpop: proof(thief, token) })).toBe(
        'dpop_key: invalid_token',
      )
      expect(await verdict(mode, { cnf, scheme2: 'DPoP', certificate: certificate() })).toBe(
        'dpop_missing: invalid_token',
      )
    },
  )

  it('passes with a proof where no scheme says how it came', async () => {
    expect(await verdict('none', { cnf, scheme2: undefined, dpop: made() })).toBe('verified')
  })

  it('is told what was wrong with the proof', async () => {
    const as = (dpop: string | readonly string[]): Promise<string> =>
      verdict('none', { cnf, scheme2: 'DPoP', dpop })
    expect(await as('x')).toBe('dpop_malformed: invalid_dpop_proof')
    expect(await as([made(), made()])).toBe('dpop_malformed: invalid_dpop_proof')
    expect(await as(proof(signer, token, { iat: noon / 1_000 - 90 }))).toBe('dpop_stale: invalid_dpop_proof')
    const once = made()
    expect(await as(once)).toBe('verified')
    expect(await as(once)).toBe('dpop_replayed: invalid_dpop_proof')
  })

  it('is asked for a nonce, and given the next one in time', async () => {
    const asked = await judge('dpop', { cnf, scheme2: 'DPoP', dpop: made(), nonce: true })
    const nonce = proofs.nonces.current()
    expect(asked).toMatchObject({
      reason: 'dpop_nonce',
      proofError: 'use_dpop_nonce',
      fields: ['DPoP-Nonce', nonce],
    })
    const dpop = proof(signer, token, { nonce, iat: (noon + nonceSlot) / 1_000 })
    clock.time += nonceSlot
    const passed = await judge('dpop', { cnf, scheme2: 'DPoP', dpop, nonce: true })
    clock.time = noon
    expect(passed).toMatchObject({ outcome: 'verified', credential: { kind: 'jwt', confirmation: cnf } })
    expect(passed).toHaveProperty('credential.answerFields', ['DPoP-Nonce', expect.not.stringMatching(nonce)])
  })
})

describe('a token that is bound to a certificate', () => {
  const cnf = { x5tS256 }

  it.each<[Mode, boolean]>([
    ['none', true],
    ['optional', true],
    ['required', true],
    ['dpop', false],
    ['mtls', true],
  ])('with its certificate, under `%s`: %s', async (mode, passes) => {
    const facts = { cnf, scheme2: 'Bearer', certificate: certificate() }
    expect(await verdict(mode, facts)).toBe(passes ? 'verified' : 'token_unbound: invalid_token')
  })

  it.each(['none', 'optional', 'required', 'mtls'] as const)(
    'never passes without it, under `%s`',
    async (mode) => {
      const as = (changes: Case): Promise<string> => verdict(mode, { cnf, scheme2: 'Bearer', ...changes })
      expect(await as({})).toBe('bound_certificate_missing')
      expect(await as({ certificate: certificate({ thumbprint: jkt }) })).toBe('bound_certificate_other')
      expect(await as({ certificate: certificate({ fault: () => 'expired' }) })).toBe(
        'bound_certificate_fault',
      )
      expect(await as({ certificate: certificate(), dpop: made() })).toBe('dpop_unasked')
      expect(await as({ certificate: certificate(), scheme2: 'DPoP', dpop: made() })).toBe(
        'dpop_unasked: invalid_token',
      )
    },
  )

  it('is judged by the clock of now', async () => {
    const fault = (now: number): string | undefined => (now === noon ? undefined : 'at another time')
    expect(await verdict('mtls', { cnf, scheme2: 'Bearer', certificate: certificate({ fault }) })).toBe(
      'verified',
    )
  })
})

describe('a token that is bound to both', () => {
  const cnf = { jkt, x5tS256 }

  it.each(modes)('must be proven by both, under `%s`', async (mode) => {
    const whole = (): Case => ({ cnf, scheme2: 'DPoP', dpop: made(), certificate: certificate() })
    expect(await verdict(mode, whole())).toBe('verified')
    const { certificate: _certificate, ...without } = whole()
    expect(await verdict(mode, without)).toBe('bound_certificate_missing')
    const { dpop: _proof, ...unproven } = whole()
    expect(await verdict(mode, unproven)).toBe('dpop_missing: invalid_token')
    expect(await verdict(mode, { ...whole(), scheme2: 'Bearer' })).toBe('bound_as_bearer: invalid_token')
  })
})

describe('a token that is bound in a way that nobody here knows', () => {
  it.each(modes)('never passes, under `%s`', async (mode) => {
    for (const cnf of [{ unknown: 'jwk' }, { unknown: 'osc', jkt, x5tS256 }, {}]) {
      const facts = { cnf, scheme2: 'DPoP', dpop: made(), certificate: certificate() }
      expect(await verdict(mode, facts)).toBe('token_bound')
      expect(await verdict(mode, { cnf, scheme2: 'Bearer' })).toBe('token_bound')
    }
  })
})

describe('a credential that only a certificate can bind', () => {
  const hold = async (confirmation: Confirmation | undefined, parts: RequestParts): Promise<string> => {
    const place: CredentialPlace = { kind: 'header', name: 'x-api-key' }
    const verified: Verified = {
      outcome: 'verified',
      identity: { issuer: 'i', subject: 's', scopes: [], roles: [], claims: {}, method: 'm', amr: [] },
      credential: {
        kind: 'api-key',
        expiresAt: Infinity,
        place,
        ...(confirmation === undefined ? {} : { confirmation }),
      },
    }
    const outcome = await bindToCertificate({ clock }).judge(
      verified,
      { value: 'k', place },
      gatewayRequest(parts),
    )
    return outcome.outcome === 'rejected' ? outcome.reason : outcome.outcome
  }

  it('is held to it, and a proof beside it is somebody else’s', async () => {
    expect(await hold(undefined, { headers: { dpop: 'x' } })).toBe('verified')
    expect(await hold({ x5tS256 }, { certificate: certificate(), headers: { dpop: 'x' } })).toBe('verified')
    expect(await hold({ x5tS256 }, {})).toBe('bound_certificate_missing')
    expect(await hold({ x5tS256 }, { certificate: certificate({ thumbprint: 'x' }) })).toBe(
      'bound_certificate_other',
    )
    for (const strange of [{ jkt }, { jkt, x5tS256 }, { unknown: 'x', x5tS256 }, {}])
      expect(await hold(strange, { certificate: certificate() })).toBe('token_bound')
  })
})

describe('where tokens are read and how they are asked for', () => {
  it('has the scheme DPoP beside each Bearer', () => {
    expect(
      tokenPlaces([
        { kind: 'header', name: 'authorization', scheme: 'bearer' },
        { kind: 'header', name: 'x-token' },
        { kind: 'cookie', name: 'token' },
      ]),
    ).toEqual([
      { kind: 'header', name: 'authorization', scheme: 'bearer' },
      { kind: 'header', name: 'authorization', scheme: 'DPoP' },
      { kind: 'header', name: 'x-token' },
      { kind: 'cookie', name: 'token' },
    ])
  })

  it.each<[Mode, readonly string[]]>([
    ['none', ['Bearer']],
    ['mtls', ['Bearer']],
    ['dpop', ['DPoP']],
    ['optional', ['Bearer', 'DPoP']],
    ['required', ['Bearer', 'DPoP']],
  ])('tells of %s by %j', (mode, schemes) => {
    expect(tokenWays(mode).map(({ scheme }) => scheme)).toEqual(schemes)
    for (const { parameters } of tokenWays(mode, 'https://a.example/m'))
      expect(parameters).toContain('resource_metadata="https://a.example/m"')
  })
})

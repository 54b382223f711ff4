/** What belongs to the browser or the connection: sessions that stand for nothing, certificates, and keys that must be proven. */
import { describe, expect, it } from 'vitest'
import { gatewayRequest } from '../../test/support/gateway-request.ts'
import { authenticate, compileChain, type Authentication, type Chain } from './authenticate.ts'
import type { Authenticator } from './authenticators/authenticator.ts'
import type { ClientCertificate } from './certificates/client-certificate.ts'
import { bearerWay, dpopWay } from './challenge.ts'
import type { Confirmation, CredentialPlace } from './identity.ts'
import { rejected, type Outcome } from './outcome.ts'

const bearer: CredentialPlace = { kind: 'header', name: 'authorization', scheme: 'Bearer' }
const cookie: CredentialPlace = { kind: 'cookie', name: '__Host-portcullis' }
const connection: CredentialPlace = { kind: 'certificate', name: 'client' }
const cleared = ['Set-Cookie', '__Host-portcullis=; Max-Age=0']

function made(
  name: string,
  type: string,
  place: CredentialPlace,
  more: Partial<Authenticator>,
): Authenticator {
  return {
    name,
    type,
    places: [place],
    challenges: [],
    takes: () => 'yes',
    recall: () => undefined,
    verify: () => verified(name, place),
    ...more,
  }
}

function verified(name: string, place: CredentialPlace, confirmation?: Confirmation): Outcome {
  return {
    outcome: 'verified',
    identity: { issuer: name, subject: name, scopes: [], roles: [], claims: {}, method: name, amr: [name] },
    credential: {
      kind: name,
      expiresAt: Infinity,
      place,
      ...(confirmation === undefined ? {} : { confirmation }),
    },
  }
}

/** Knows sessions by what their cookie begins with: its own, one that ended, one of elsewhere. */
function session(name: string): Authenticator {
  return made(name, 'session', cookie, {
    takes: () => 'maybe',
    verify: ({ value }) => {
      if (value.startsWith(`${name}-`)) return Promise.resolve(verified(name, cookie))
      if (value.startsWith('revoked')) return rejected('credential_revoked')
      const isKnown = value.startsWith('elsewhere')
      return { outcome: 'absent', reason: 'no_credential', ...(isKnown ? {} : { fields: cleared }) }
    },
  })
}

const token = made('token', 'jwt', bearer, {
  challenges: [bearerWay()],
  verify: ({ value }) => (value === 'bad' ? rejected('token_signature') : verified('token', bearer)),
})
const mtls = made('mtls', 'mtls', connection, {
  verify: ({ certificate }) =>
    certificate?.fault(0) === undefined ? verified('mtls', connection) : rejected('token_claim'),
})

const certificate: ClientCertificate = {
  der: Buffer.from('x'),
  chain: [],
  fingerprint: 'ab',
  thumbprint: 'q0',
  source: 'connection',
  fault: () => undefined,
}

async function come(
  chain: Chain,
  headers: Record<string, string>,
  own?: ClientCertificate,
): Promise<Authentication> {
  const request = gatewayRequest({ headers, ...(own === undefined ? {} : { certificate: own }) })
  return authenticate(chain, request, { admit: () => 0, failed: () => undefined })
}

describe('a session', () => {
  const chain = compileChain('any', [session('web'), token])

  it('that ended counts as not sent: missing alone, and no second credential beside another', async () => {
    expect(await come(chain, { cookie: '__Host-portcullis=gone' })).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'credential_missing' },
      absent: { fields: cleared },
    })
    expect(await come(chain, { cookie: '__Host-portcullis=gone', authorization: 'Bearer ok' })).toMatchObject(
      { outcome: 'authenticated', identity: { method: 'token' }, absent: { fields: cleared } },
    )
  })

  it('that ended leaves an optional route to strangers', async () => {
    const optional = compileChain('optional', [session('web')])
    expect(await come(optional, { cookie: '__Host-portcullis=gone' })).toMatchObject({
      outcome: 'anonymous',
      absent: { fields: cleared },
    })
  })

  it('beside a token is one credential too many, and beside a bad one too', async () => {
    for (const value of ['ok', 'bad']) {
      expect(
        await come(chain, { cookie: '__Host-portcullis=web-1', authorization: `Bearer ${value}` }),
      ).toMatchObject({ refusal: { code: 'credential_ambiguous' } })
    }
  })

  it('that was revoked is a refusal, never a stranger', async () => {
    const optional = compileChain('optional', [session('web')])
    expect(await come(optional, { cookie: '__Host-portcullis=revoked' })).toMatchObject({
      refusal: { code: 'credential_revoked' },
    })
  })

  it('is asked for at each session authenticator, and its cookie stays while any knows it', async () => {
    const two = compileChain('any', [session('web'), session('partner')])
    expect(await come(two, { cookie: '__Host-portcullis=partner-1' })).toMatchObject({
      identity: { method: 'partner' },
    })
    const elsewhere = await come(two, { cookie: '__Host-portcullis=elsewhere' })
    expect(elsewhere).toMatchObject({ refusal: { code: 'credential_missing' } })
    expect(elsewhere.absent?.fields).toBeUndefined()
  })
})

describe('a client certificate', () => {
  const chain = compileChain('any', [mtls, token])

  it('is the credential where nothing else was sent', async () => {
    expect(await come(chain, {}, certificate)).toMatchObject({ identity: { method: 'mtls' } })
    expect(await come(chain, {})).toMatchObject({ refusal: { code: 'credential_missing' } })
  })

  it('is never a second credential beside another', async () => {
    expect(await come(chain, { authorization: 'Bearer ok' }, certificate)).toMatchObject({
      identity: { method: 'token' },
    })
    expect(await come(chain, { authorization: 'Bearer bad' }, certificate)).toMatchObject({
      refusal: { code: 'credential_invalid' },
    })
  })

  it('that is bad is refused on an optional route as well', async () => {
    const bad = { ...certificate, fault: () => 'expired' }
    expect(await come(compileChain('optional', [mtls]), {}, bad)).toMatchObject({
      refusal: { code: 'credential_invalid' },
    })
  })

  it('counts with the others where all are demanded', async () => {
    const all = compileChain('all', [mtls, token])
    expect(await come(all, { authorization: 'Bearer ok' }, certificate)).toMatchObject({
      identity: { subject: 'mtls', method: 'mtls,token' },
    })
    expect(await come(all, { authorization: 'Bearer ok' })).toMatchObject({
      refusal: { code: 'credential_missing' },
    })
  })
})

describe('a credential that is bound to a key', () => {
  const bound = { recall: () => verified('token', bearer, { jkt: 'k' }), challenges: [bearerWay()] }

  it('is refused where nothing knows how to check the key', async () => {
    const chain = compileChain('any', [made('token', 'jwt', bearer, bound)])
    expect(await come(chain, { authorization: 'Bearer x' })).toMatchObject({
      refusal: { code: 'credential_invalid', reason: 'token_bound' },
    })
  })

  it('is held to its proof also when it is known from memory, and the challenge of DPoP tells the error', async () => {
    const judge = (): Outcome => ({ ...rejected('token_bound'), proofError: 'invalid_dpop_proof' })
    const chain = compileChain('any', [
      made('token', 'jwt', bearer, { ...bound, binding: { mode: 'none', judge } }),
    ])
    const answer = await come(chain, { authorization: 'Bearer x' })
    expect(answer).toMatchObject({
      refusal: {
        challenges: [
          'Bearer realm="portcullis"',
          `DPoP realm="portcullis", error="invalid_dpop_proof", ${dpopWay().parameters}`,
        ],
      },
    })
  })
})

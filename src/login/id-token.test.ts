import { describe, expect, it } from 'vitest'
import {
  createSigner,
  fixedKeySet,
  mint,
  noon,
  providerSettings,
  testClock,
  type Json,
} from '../../test/support/tokens.ts'
import type { ProviderSettings } from '../configuration.ts'
import { profileFor } from '../engine/providers/registry.ts'
import { Unbelievable } from './fault.ts'
import { readIdToken } from './id-token.ts'

const signer = createSigner('RS256')
const now = noon / 1000
const client = 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345'

async function read(settings: Partial<ProviderSettings>, claims: Json): Promise<string> {
  const provider = { profile: profileFor(providerSettings(settings)), keySet: fixedKeySet([signer.jwk]) }
  const token = mint(signer, {
    aud: client,
    sub: 'alice',
    iat: now - 1,
    exp: now + 300,
    nonce: 'n',
    ...claims,
  })
  try {
    const rules = { provider, clock: testClock(), client, nonce: 'n', accessToken: 'opaque' }
    return String((await readIdToken(token, rules))['sub'])
  } catch (error) {
    if (error instanceof Unbelievable) return error.message
    throw error
  }
}

describe('an ID token of somebody whom the provider’s settings do not take', () => {
  const auth0 = { type: 'auth0', parameters: { domain: 'example.eu.auth0.com' } } as const
  const iss = 'https://example.eu.auth0.com/'

  it('signs nobody in: another organisation, or none (Auth0)', async () => {
    const listed = { ...auth0, lists: { organizations: ['org_AbCdEfGhIjKlMnOp'] } }
    expect(await read(listed, { iss, org_id: 'org_AbCdEfGhIjKlMnOp' })).toBe('alice')
    expect(await read(listed, { iss, org_id: 'org_ZZZZZZZZZZZZZZZZ' })).toMatch(/`organizations`/)
    expect(await read(listed, { iss })).toMatch(/`organizations`/)
    expect(await read(auth0, { iss })).toBe('alice')
  })

  it('signs nobody in: another tenant (Entra)', async () => {
    const ours = '11111111-2222-3333-4444-555555555555'
    const stranger = '99999999-2222-3333-4444-555555555555'
    const entra = {
      type: 'entra',
      parameters: { tenant: 'organizations' },
      lists: { tenants: [ours] },
    } as const
    const of = (tid: string): Json => ({ iss: `https://login.microsoftonline.com/${tid}/v2.0`, tid })
    expect(await read(entra, of(ours))).toBe('alice')
    expect(await read(entra, of(stranger))).toMatch(/`tenants`/)
    expect(await read(entra, { ...of(ours), tid: stranger })).toMatch(/`tid`/)
  })

  it('signs nobody in: another domain (Google)', async () => {
    const google = { type: 'google', parameters: {}, lists: { domains: ['example.com'] } } as const
    expect(await read(google, { iss: 'https://accounts.google.com', hd: 'example.com' })).toBe('alice')
    expect(await read(google, { iss: 'https://accounts.google.com' })).toMatch(/`domains`/)
  })
})

/** A `jwt` authenticator of one provider type on a bench, and what it makes of a token. */
import type { JwtSettings } from '../../src/engine/authenticators/jwt/settings.ts'
import type { ProviderSettings, ProviderType } from '../../src/engine/providers/settings.ts'
import type { Identity } from '../../src/engine/identity.ts'
import { onBench, type Bench } from './jwt-authenticator.ts'
import { createSigner, mint, noon, type Json, type Signer } from './tokens.ts'

export const signer: Signer = createSigner('RS256')
const now = noon / 1000
/** Issued a minute ago, good for an hour in all. */
export const times: { readonly iat: number; readonly exp: number } = { iat: now - 60, exp: now + 3_540 }

export interface ProviderUnderTest {
  readonly type: ProviderType
  readonly parameters?: Readonly<Record<string, string>>
  readonly lists?: Readonly<Record<string, readonly string[]>>
  readonly claims?: ProviderSettings['claims']
}

export function providerBench(
  { type, parameters = {}, ...rest }: ProviderUnderTest,
  settings: Partial<JwtSettings> = {},
  jwk: Json = signer.jwk,
): Bench {
  return onBench([jwk], settings, { type, parameters, ...rest })
}

/** @returns the identity, or why there is none */
export async function identify(on: Bench, claims: Json, header: Json = {}): Promise<Identity | string> {
  const outcome = await on.verify(mint(signer, claims, header))
  if (outcome.outcome === 'verified') return outcome.identity
  return outcome.reason
}

/** @returns what the audit log is told beside the reason */
export async function detailOf(on: Bench, claims: Json, header: Json = {}): Promise<string | undefined> {
  const outcome = await on.verify(mint(signer, claims, header))
  return outcome.outcome === 'rejected' ? outcome.detail : undefined
}

import type { JwtSettings } from '../../src/engine/authenticators/jwt/settings.ts'
import type { ProviderSettings } from '../../src/configuration.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import {
  createJwtAuthenticator,
  type JwtAuthenticator,
} from '../../src/engine/authenticators/jwt/jwt-authenticator.ts'
import { profileFor } from '../../src/engine/providers/registry.ts'
import { gatewayRequest } from './gateway-request.ts'
import { testProofs } from './proofs.ts'
import {
  fixedKeySet,
  jwtSettings,
  presented,
  providerSettings,
  testClock,
  testRevocations,
  type FixedKeySet,
  type Json,
  type TestClock,
  type TestRevocations,
} from './tokens.ts'

export interface Bench {
  readonly authenticator: JwtAuthenticator
  readonly keySet: FixedKeySet
  readonly clock: TestClock
  readonly revocations: TestRevocations
  readonly cached: readonly ('hit' | 'miss')[]
  /** The verdict on a token that was never seen. */
  verify(token: string): Outcome | Promise<Outcome>
  /** Why a token is refused, alone as a bearer token, or `verified`. */
  judge(token: string): Promise<string>
}

/** A real authenticator on a bench: published keys, a clock and revocations that the test holds. */
export function onBench(
  jwks: readonly Json[],
  settings: Partial<JwtSettings> = {},
  provider: Partial<ProviderSettings> = {},
  cacheSize = 100,
): Bench {
  const keySet = fixedKeySet(jwks)
  const clock = testClock()
  const revocations = testRevocations()
  const cached: ('hit' | 'miss')[] = []
  const authenticator = createJwtAuthenticator(jwtSettings(settings), {
    provider: { profile: profileFor(providerSettings(provider)), keySet },
    clock,
    revocations,
    proofs: testProofs(clock),
    cacheSize,
    onCache: (outcome) => void cached.push(outcome),
  })
  const verify = (token: string): Outcome | Promise<Outcome> => authenticator.verify(presented(token))
  return {
    authenticator,
    keySet,
    clock,
    revocations,
    cached,
    verify,
    judge: async (token) => {
      const verdict = await verify(token)
      const outcome =
        verdict.outcome === 'verified'
          ? await authenticator.binding!.judge(verdict, presented(token), gatewayRequest())
          : verdict
      return outcome.outcome === 'verified' ? 'verified' : outcome.reason
    },
  }
}

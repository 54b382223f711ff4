/** A real introspection authenticator on a bench: the provider's answers, a clock and revocations that the test holds. */
import type { ProviderSettings } from '../../src/configuration.ts'
import type { Authenticator } from '../../src/engine/authenticators/authenticator.ts'
import { createIntrospectionAuthenticator } from '../../src/engine/authenticators/introspection/introspection-authenticator.ts'
import {
  createLookupLimits,
  type LookupLimits,
} from '../../src/engine/authenticators/introspection/lookup-limits.ts'
import type { IntrospectionSettings } from '../../src/engine/authenticators/introspection/settings.ts'
import type { CredentialPlace } from '../../src/engine/identity.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { profileFor } from '../../src/engine/providers/registry.ts'
import { Secret } from '../../src/engine/secret.ts'
import type { IntrospectionAnswer } from '../../src/ports/introspector.ts'
import { gatewayRequest } from './gateway-request.ts'
import { testProofs } from './proofs.ts'
import {
  accessClaims,
  audience,
  bearerPlace,
  presented,
  providerSettings,
  testClock,
  testRevocations,
  type Json,
  type TestClock,
  type TestRevocations,
} from './tokens.ts'

export interface IntrospectionBench {
  readonly authenticator: Authenticator
  readonly clock: TestClock
  readonly revocations: TestRevocations
  /** Tokens that the provider was asked about, in order. */
  readonly asked: string[]
  readonly cached: ('hit' | 'miss')[]
  /** What the provider says; by default of every token that it is good. */
  answer: (token: string) => IntrospectionAnswer | Promise<IntrospectionAnswer>
  /** From memory, else by asking; with the binding judged, as the proof does it. */
  prove(
    token: string,
    from?: { readonly clientIp?: string; readonly place?: CredentialPlace },
  ): Promise<Outcome>
  /** Why a token is refused, or `verified`. */
  judge(token: string, clientIp?: string): Promise<string>
}

export function introspectionSettings(changes: Partial<IntrospectionSettings> = {}): IntrospectionSettings {
  return {
    type: 'introspection',
    name: 'opaque-token',
    in: [bearerPlace],
    provider: 'corp',
    audience: [audience],
    client: { id: 'gw', method: 'secret', secrets: [new Secret('s3cret')] },
    cacheFor: 30_000,
    staleFor: 0,
    requiresSigned: false,
    binding: { mode: 'none', dpop: { nonce: false, window: 60_000 } },
    ...changes,
  }
}

/** What a good answer says, with changes; an undefined member is left out. */
export function active(changes: Json = {}): IntrospectionAnswer {
  const claims = { active: true, token_type: 'Bearer', ...accessClaims(), ...changes }
  return {
    outcome: 'active',
    claims: Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)),
  }
}

export const away: IntrospectionAnswer = {
  outcome: 'unavailable',
  fault: 'unreachable',
  detail: 'no answer',
  retryAfter: 2_000,
}

export function introspectionBench(
  settings: Partial<IntrospectionSettings> = {},
  changes: { readonly provider?: Partial<ProviderSettings>; readonly limits?: LookupLimits } = {},
): IntrospectionBench {
  const clock = testClock()
  const revocations = testRevocations()
  const bench: IntrospectionBench = {
    clock,
    revocations,
    asked: [],
    cached: [],
    answer: () => active(),
    authenticator: createIntrospectionAuthenticator(introspectionSettings(settings), {
      profile: profileFor(providerSettings(changes.provider)),
      introspector: {
        async introspect(token) {
          bench.asked.push(token)
          return bench.answer(token)
        },
      },
      limits: changes.limits ?? createLookupLimits(),
      clock,
      revocations,
      proofs: testProofs(clock),
      cacheSize: 100,
      onCache: (outcome) => void bench.cached.push(outcome),
    }),
    async prove(token, { clientIp = '192.0.2.1', place = bearerPlace } = {}) {
      const request = gatewayRequest({ clientIp })
      const credential = presented(token, place)
      const outcome =
        bench.authenticator.recall(credential, request) ??
        (await bench.authenticator.verify(credential, request))
      return outcome.outcome === 'verified'
        ? bench.authenticator.binding!.judge(outcome, credential, request)
        : outcome
    },
    async judge(token, clientIp) {
      const outcome = await bench.prove(token, clientIp === undefined ? {} : { clientIp })
      return outcome.outcome === 'verified' ? 'verified' : outcome.reason
    },
  }
  return bench
}

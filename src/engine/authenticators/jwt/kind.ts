import { expectedIssuers } from '../../providers/registry.ts'
import { defineKind, type AuthenticatorKind, type CheckFacts } from '../kind.ts'
import { placesShared } from '../places.ts'
import { checkJwt } from './check.ts'
import { compileJwt } from './compile.ts'
import { createJwtAuthenticator } from './jwt-authenticator.ts'
import { jwtSchema, type ParsedJwt } from './schema.ts'
import type { JwtSettings } from './settings.ts'

/** Signed access tokens, verified with the provider's published keys or a shared secret. */
export const jwt: AuthenticatorKind = defineKind<ParsedJwt, JwtSettings>({
  type: 'jwt',
  schema: jwtSchema,
  compile: compileJwt,
  check: checkJwt,
  competes: (one, other, context) =>
    placesShared(one.in, other.in) && audiencesOverlap(one, other) && issuersOverlap(one, other, context),
  apart: 'two providers, audiences that do not overlap, two places (`in`), or one of the two on this route',
  bringsToken: true,
  create: (settings, { provider, clock, revocations, proofs, onTokenCache }) =>
    createJwtAuthenticator(settings, {
      provider: provider(settings.provider),
      clock,
      revocations,
      proofs,
      onCache: onTokenCache,
    }),
})

function audiencesOverlap(one: ParsedJwt, other: ParsedJwt): boolean {
  const [some, others] = [audiencesWritten(one), audiencesWritten(other)]
  if (some === undefined && others === undefined) return listsOverlap(one.clients, other.clients)
  return listsOverlap(some, others)
}

function audiencesWritten(parsed: ParsedJwt): readonly string[] | undefined {
  const { audience } = compileJwt('', parsed)
  return audience === 'any' ? ['any'] : audience
}

/** Undefined and `any` are everything. */
function listsOverlap(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined || one.includes('any') || other.includes('any')) return true
  return one.some((each) => other.includes(each))
}

function issuersOverlap(one: ParsedJwt, other: ParsedJwt, context: CheckFacts): boolean {
  if (one.provider === other.provider) return true
  const issuers = issuersOf(one.provider, context)
  return issuersOf(other.provider, context).some((issuer) => issuers.includes(issuer))
}

function issuersOf(provider: string, context: CheckFacts): readonly string[] {
  const settings = context.provider(provider)
  return settings === undefined ? [] : expectedIssuers(settings)
}

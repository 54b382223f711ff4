import { defineKind, type AuthenticatorKind } from '../kind.ts'
import { createSessionAuthenticator } from './authenticator.ts'
import { checkSession } from './check.ts'
import { compileSession, providersOf } from './compile.ts'
import { sessionSchema, type ParsedSession } from './schema.ts'
import type { SessionSettings } from './settings.ts'

/** Browsers that signed in with OpenID Connect. */
export const session: AuthenticatorKind = defineKind<ParsedSession, SessionSettings>({
  type: 'session',
  schema: sessionSchema,
  compile: compileSession,
  check: checkSession,
  competes: (one, other) => providersOf(one).some((provider) => providersOf(other).includes(provider)),
  apart: 'two providers, or one of the two on this route',
  bringsToken: true,
  create: (settings, { clock, revocations, provider, changes, sessions }) =>
    createSessionAuthenticator(settings, {
      clock,
      revocations,
      profileOf: (name) => provider(name).profile,
      changes,
      ...sessions,
    }),
})

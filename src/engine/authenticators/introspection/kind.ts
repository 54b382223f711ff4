import { defineKind, type AuthenticatorKind } from '../kind.ts'
import { checkIntrospection } from './check.ts'
import { compileIntrospection } from './compile.ts'
import { createIntrospectionAuthenticator } from './introspection-authenticator.ts'
import { introspectionSchema, type ParsedIntrospection } from './schema.ts'
import type { IntrospectionSettings } from './settings.ts'

const longestCache = 300_000

/** Opaque tokens, looked up at the provider. */
export const introspection: AuthenticatorKind = defineKind<ParsedIntrospection, IntrospectionSettings>({
  type: 'introspection',
  schema: introspectionSchema,
  compile: compileIntrospection,
  check: checkIntrospection,
  apart:
    'two places (`in`), or one of the two on this route: anything that nobody else takes is looked up at one provider',
  bringsToken: true,
  weaknesses: [
    {
      id: 'introspection-any-audience',
      severity: 'warning',
      about:
        'An `introspection` authenticator takes tokens whatever their audience (`audience: any`). Whoever gets a token for some other service can use it here.',
      fix: 'Name the audience of your API, as the provider writes it into `aud`.',
      *find({ name, audience }) {
        if (audience === 'any')
          yield { member: 'audience', message: `"${name}" takes tokens that were meant for other services` }
      },
    },
    {
      id: 'introspection-long-memory',
      severity: 'warning',
      about:
        'An answer of the provider is remembered for more than five minutes. A token that the provider revoked is good until then.',
      fix: 'Set `cacheFor` to a minute or less; what is looked up at once for many requests costs little.',
      *find({ name, cacheFor }) {
        if (cacheFor > longestCache)
          yield { member: 'cacheFor', message: `"${name}" goes on taking revoked tokens for minutes` }
      },
    },
  ],
  create: (settings, { clock, revocations, proofs, provider, onTokenCache }) => {
    const { profile, introspector, lookups } = provider(settings.provider)
    return createIntrospectionAuthenticator(settings, {
      profile,
      introspector: introspector({
        client: settings.client,
        audience: settings.audience === 'any' ? [] : settings.audience,
        requiresSigned: settings.requiresSigned,
      }),
      limits: lookups,
      clock,
      revocations,
      proofs,
      onCache: onTokenCache,
    })
  },
})

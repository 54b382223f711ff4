import { defineKind, type AuthenticatorKind } from '../kind.ts'
import { placesShared } from '../places.ts'
import { createApiKeyAuthenticator } from './authenticator.ts'
import { apiKeySchema, type ParsedApiKey } from './schema.ts'
import type { ApiKeySettings } from './settings.ts'

/** Keys that Portcullis issues, or that were imported. */
export const apiKey: AuthenticatorKind = defineKind<ParsedApiKey, ApiKeySettings>({
  type: 'api-key',
  schema: apiKeySchema,
  compile: (name, { type, in: places, prefix, maxLifetime, grace, pepper, onLeak }) => ({
    type,
    name,
    in: places,
    prefix,
    ...(maxLifetime === 'none' ? {} : { maxLifetime }),
    grace,
    ...(pepper === undefined ? {} : { pepper }),
    onLeak,
  }),
  competes: (one, other) => one.prefix === other.prefix && placesShared(one.in, other.in),
  apart: 'two prefixes, two places (`in`), or one of the two on this route',
  create: (settings, { apiKeys, changes, clock, revocations, onKeyUse }) =>
    createApiKeyAuthenticator(settings, { store: apiKeys, changes, clock, revocations, onUse: onKeyUse }),
})

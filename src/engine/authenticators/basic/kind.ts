import { defineKind, type AuthenticatorKind } from '../kind.ts'
import type { ApiKeySettings } from '../api-key/settings.ts'
import { createBasicAuthenticator } from './authenticator.ts'
import { checkBasic, compileBasic } from './compile.ts'
import { basicSchema, type ParsedBasic } from './schema.ts'

/** API keys as Basic credentials, for machines that can do nothing else. */
export const basic: AuthenticatorKind = defineKind<ParsedBasic, ApiKeySettings>({
  type: 'basic',
  schema: basicSchema,
  compile: compileBasic,
  check: checkBasic,
  competes: () => true,
  apart: 'one of the two on this route: both read `Authorization: Basic`',
  weaknesses: [
    {
      id: 'basic-credentials',
      severity: 'warning',
      about:
        'API keys come in as Basic credentials. Browsers keep those and send them along by themselves, and they end up in URLs, shell histories and the logs of proxies.',
      fix: 'Send the key in `X-Api-Key` (`api-key`), and keep `basic` for machines that can do nothing else.',
      *find() {
        yield { message: 'API keys come in as Basic credentials' }
      },
    },
  ],
  create: (settings, { apiKeys, changes, clock, revocations, onKeyUse }) =>
    createBasicAuthenticator(settings, { store: apiKeys, changes, clock, revocations, onUse: onKeyUse }),
})

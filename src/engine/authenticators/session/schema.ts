/** How a `session` authenticator is written. */
import type { z } from 'zod'
import type { ParsedClient } from '../../providers/client-settings.ts'
import type { Vocabulary } from '../vocabulary.ts'

export interface ParsedSession {
  readonly type: 'session'
  readonly provider?: string
  readonly providers?: readonly string[]
  readonly client?: ParsedClient
  readonly clients?: Readonly<Record<string, ParsedClient>>
  readonly claimsFrom?: 'userinfo' | 'access-token'
  readonly idle: number
  readonly absolute: number
  readonly scopes?: readonly string[]
  readonly parameters: Readonly<Record<string, string>>
  readonly choose: {
    readonly hosts: Readonly<Record<string, string>>
    readonly emailDomains: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
  }
}

export function sessionSchema(words: Vocabulary): z.ZodObject {
  const { z, providerName, list, text, client, positiveDuration } = words
  return z.strictObject({
    type: z.literal('session').describe('Browsers that sign in with OpenID Connect.'),
    provider: providerName.exactOptional().describe('The provider to sign in at.'),
    providers: list(providerName, 'a list of provider names')
      .exactOptional()
      .describe('Several providers to choose from, in the order in which they are offered.'),
    client: client.exactOptional(),
    clients: z
      .record(z.string(), client)
      .exactOptional()
      .describe('The client at each provider, by its name, where they differ.'),
    claimsFrom: z
      .enum(['userinfo', 'access-token'])
      .exactOptional()
      .describe('What adds to the claims of the ID token.'),
    idle: positiveDuration.prefault('30m').describe('How long a session lives unused.'),
    absolute: positiveDuration.prefault('12h').describe('How long a session lives at most.'),
    scopes: list(text, 'a list of scopes')
      .exactOptional()
      .describe(
        'The scopes to ask for, beside `openid`. Without it: `profile`, `email` and what the routes of this authenticator require, as far as the provider lists them.',
      ),
    parameters: z
      .record(z.string(), text)
      .prefault({})
      .describe('More parameters of the authorization request, such as `audience`.'),
    choose: z
      .strictObject({
        hosts: z.record(z.string(), providerName).prefault({}).describe('The provider for each host.'),
        emailDomains: z
          .record(z.string(), providerName)
          .prefault({})
          .describe("The provider for each domain of the users' e-mail addresses."),
        labels: z
          .record(z.string(), text)
          .prefault({})
          .describe('What the page that asks calls each provider.'),
      })
      .prefault({})
      .describe('How one of several providers is chosen; a page asks where nothing here decides.'),
  })
}

/** How an `introspection` authenticator is written. */
import type { z } from 'zod'
import type { ParsedBinding } from '../../bindings/settings.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { ParsedClient } from '../../providers/client-settings.ts'
import type { ParsedResource } from '../../resources/resource.ts'
import type { Vocabulary } from '../vocabulary.ts'

export interface ParsedIntrospection extends ParsedBinding {
  readonly type: 'introspection'
  readonly in: readonly CredentialPlace[]
  readonly provider: string
  readonly audience?: readonly string[]
  readonly client: ParsedClient
  readonly cacheFor: number
  readonly onUnavailable: 'refuse' | 'stale'
  readonly staleFor?: number
  readonly signedAnswers: 'accepted' | 'required'
  readonly maxLifetime?: number
  readonly resource?: ParsedResource
}

export function introspectionSchema(words: Vocabulary): z.ZodObject {
  const { z, places, providerName, audience, client, positiveDuration, bindingMembers, resource } = words
  return z.strictObject({
    type: z.literal('introspection').describe('Opaque tokens, looked up at the provider (RFC 7662).'),
    in: places([{ header: 'authorization', scheme: 'Bearer' }]),
    provider: providerName.describe('The provider that issues the tokens.'),
    audience: audience
      .exactOptional()
      .describe(
        'What `aud` of the answer must contain, any one of them; `any` takes tokens meant for other services too. Needed, unless `resource` names one.',
      ),
    client,
    cacheFor: positiveDuration
      .prefault('30s')
      .describe('How long an answer is remembered, and never past the end of the token.'),
    onUnavailable: z
      .enum(['refuse', 'stale'])
      .prefault('refuse')
      .describe('What happens to a token that is known while the provider is away.'),
    staleFor: positiveDuration
      .exactOptional()
      .describe(
        'How long after `cacheFor` an old answer serves, with `onUnavailable: stale`; 5m, where absent.',
      ),
    signedAnswers: z
      .enum(['accepted', 'required'])
      .prefault('accepted')
      .describe(
        'Whether the provider must sign its answers (RFC 9701). A signed one is verified in any case.',
      ),
    maxLifetime: positiveDuration.exactOptional().describe('The longest accepted time from `iat` to `exp`.'),
    ...bindingMembers,
    resource: resource.exactOptional(),
  })
}

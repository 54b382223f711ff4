/** Authenticators that a later version builds. They are described from now on, so that a configuration can be told apart from a mistake. */
import { z } from 'zod'
import type { CredentialPlace } from '../../engine/identity.ts'
import { providerName, path, text } from '../scalars/names.ts'
import { positiveDuration } from '../scalars/quantities.ts'
import { peersSchema } from './listeners.ts'
import { audience, bindingMembers, client, resource } from './tokens.ts'
import { list, secret, word } from './word.ts'

type Places = (byDefault: readonly Readonly<Record<string, string>>[]) => z.ZodType<CredentialPlace[]>

export function laterAuthenticators(places: Places): z.ZodObject[] {
  const bearer = places([{ header: 'authorization', scheme: 'Bearer' }])
  return [
    z.strictObject({
      type: z.literal('introspection').describe('Opaque tokens, looked up at the provider (RFC 7662).'),
      in: bearer,
      provider: word(providerName).describe('The provider that issues the tokens.'),
      audience: audience.exactOptional().describe('What `aud` must contain, any one of them.'),
      client,
      cacheFor: word(positiveDuration).prefault('30s').describe('How long an answer is remembered.'),
      onUnavailable: z
        .enum(['refuse', 'stale'])
        .prefault('refuse')
        .describe('What happens while the provider is away.'),
      staleFor: word(positiveDuration)
        .exactOptional()
        .describe('How long an old answer serves, with `onUnavailable: stale`.'),
      maxLifetime: word(positiveDuration).exactOptional().describe('The longest accepted lifetime.'),
      ...bindingMembers,
      resource: resource.exactOptional(),
    }),
    z.strictObject({
      type: z.literal('mtls').describe('Client certificates.'),
      authorities: word(path).describe('PEM file with the authorities.'),
      subject: z
        .enum(['san-uri', 'san-dns', 'san-email', 'cn', 'fingerprint'])
        .prefault('san-uri')
        .describe('What of the certificate names the caller.'),
      allow: list(word(text), 'a list of patterns')
        .exactOptional()
        .describe('Patterns of accepted subjects.'),
      revocation: word(path).exactOptional().describe('File with certificate revocation lists.'),
      from: z
        .strictObject({
          header: z.enum(['client-cert', 'xfcc']).describe('The header that carries it.'),
          peers: peersSchema.describe('The proxies that are believed.'),
        })
        .exactOptional()
        .describe('A certificate that a proxy in front forwards.'),
    }),
    z.strictObject({
      type: z.literal('basic').describe('API keys as Basic credentials: the id and the key.'),
    }),
    z.strictObject({
      type: z.literal('http-signature').describe('Signed requests (RFC 9421).'),
      keys: list(
        z.strictObject({
          id: word(text).describe('The key id.'),
          algorithm: word(text).describe('The signature algorithm.'),
          key: secret().describe('The public key (PEM) or the shared secret.'),
          owner: word(text).describe('Whom it identifies.'),
          scopes: z.array(word(text)).prefault([]).describe('What it may do.'),
        }),
        'a list of keys',
      ).describe('The keys of callers.'),
      components: list(word(text), 'a list of components')
        .prefault(['@method', '@target-uri'])
        .describe('What the signature must cover (with a body, `content-digest` too).'),
      maxAge: word(positiveDuration).prefault('60s').describe('How old a signature may be.'),
    }),
  ]
}

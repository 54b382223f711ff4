/** What the token authenticators share: audience, binding, protected-resource metadata, the client that the gateway is. */
import { z } from 'zod'
import { path, text } from '../scalars/names.ts'
import { httpUrl } from '../scalars/network.ts'
import { positiveDuration } from '../scalars/quantities.ts'
import { flag, oneOrMany, secret, word } from './word.ts'

export const audience: z.ZodType<string[]> = oneOrMany(
  word(text),
  'the audience of your API, a list of audiences, or the word `any`',
)

export const bindingMembers: { readonly binding: z.ZodType; readonly dpop: z.ZodType } = {
  binding: z
    .enum(['none', 'optional', 'required', 'dpop', 'mtls'])
    .prefault('none')
    .describe(
      'Whether tokens must be bound to a key that the caller proves to hold. A bound token is always held to it.',
    ),
  dpop: z
    .strictObject({
      nonce: flag.prefault(false).describe('Whether proofs must carry a nonce of the gateway.'),
      window: word(positiveDuration).prefault('60s').describe('How old a proof may be.'),
    })
    .prefault({})
    .describe('Proof of possession (RFC 9449).'),
}

export const resource: z.ZodType = z
  .strictObject({
    id: word(httpUrl).describe('The identifier of the resource; also an accepted audience.'),
    scopes: z
      .array(word(text))
      .exactOptional()
      .describe('The scopes to publish; those that the routes enforce, where absent.'),
    documentation: word(httpUrl).exactOptional().describe('A page for developers.'),
  })
  .describe('Protected-resource metadata (RFC 9728).')

export const client: z.ZodType = z
  .strictObject({
    id: word(text).describe('The client id.'),
    secret: z
      .union([secret(), z.array(secret())], { error: 'a secret, or a list of them while it is rotated' })
      .exactOptional()
      .describe('The client secret; a list, newest first, while it is rotated.')
      .meta({ writeOnly: true }),
    method: z
      .enum(['secret', 'private_key_jwt', 'mtls'])
      .prefault('secret')
      .describe('How the gateway proves that it is this client.'),
    key: word(path)
      .exactOptional()
      .describe('PEM file with the private key, for `private_key_jwt` and `mtls`.'),
    certificate: word(path)
      .exactOptional()
      .describe(
        'PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra).',
      ),
    keyId: word(text)
      .exactOptional()
      .describe('The `kid` of signed proofs, where the provider holds several keys of the client.'),
    proofAudience: word(text)
      .exactOptional()
      .describe(
        'The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint.',
      ),
  })
  .describe('The client that the gateway is at the provider.')

/** How a `jwt` authenticator is written. */
import type { z } from 'zod'
import type { ParsedBinding } from '../../bindings/settings.ts'
import type { CredentialPlace } from '../../identity.ts'
import type { ParsedResource } from '../../resources/resource.ts'
import type { Secret } from '../../secret.ts'
import type { Vocabulary } from '../vocabulary.ts'

export interface ParsedJwt extends ParsedBinding {
  readonly type: 'jwt'
  readonly in: readonly CredentialPlace[]
  readonly provider: string
  readonly audience?: readonly string[]
  readonly clients?: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly secret?: Secret
  readonly secretEncoding: 'utf8' | 'base64' | 'base64url' | 'hex'
  readonly requireType?: 'at+jwt'
  readonly accept?: 'id-token'
  readonly maxLifetime?: number
  readonly requiredClaims: readonly string[]
  readonly resource?: ParsedResource
}

export const publicKeyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const
export type Algorithm = (typeof publicKeyAlgorithms)[number] | (typeof secretAlgorithms)[number]

export function jwtSchema(words: Vocabulary): z.ZodObject {
  const {
    z,
    places,
    providerName,
    audience,
    list,
    text,
    secret,
    positiveDuration,
    bindingMembers,
    resource,
  } = words
  return z.strictObject({
    type: z.literal('jwt').describe("Signed access tokens, verified with the provider's published keys."),
    in: places([{ header: 'authorization', scheme: 'Bearer' }]),
    provider: providerName.describe('The provider that issues the tokens.'),
    audience: audience
      .exactOptional()
      .describe(
        'What `aud` must contain, any one of them; `any` takes tokens meant for other services too. Needed, except for Cognito with `clients`.',
      ),
    clients: list(text, 'a list of client ids')
      .exactOptional()
      .describe('Client ids whose tokens are accepted; all, where absent.'),
    algorithms: list(z.enum([...publicKeyAlgorithms, ...secretAlgorithms]), 'a list of signature algorithms')
      .prefault(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'])
      .describe('Accepted signature algorithms. HS256, HS384 and HS512 go with `secret`, and with no other.'),
    secret: secret().exactOptional().describe('The shared secret of HMAC algorithms, at least 32 bytes.'),
    secretEncoding: z
      .enum(['utf8', 'base64', 'base64url', 'hex'])
      .prefault('utf8')
      .describe('How `secret` is written.'),
    requireType: z.literal('at+jwt').exactOptional().describe('Demands the header `typ: at+jwt` (RFC 9068).'),
    accept: z
      .literal('id-token')
      .exactOptional()
      .describe('Takes ID tokens, which are otherwise refused: they are no access tokens.'),
    maxLifetime: positiveDuration.exactOptional().describe('The longest accepted time from `iat` to `exp`.'),
    requiredClaims: z.array(text).prefault([]).describe('Claims that must be there.'),
    ...bindingMembers,
    resource: resource.exactOptional(),
  })
}

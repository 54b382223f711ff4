/** Authenticators of this version: API keys and signed tokens. The others are described in `later-authenticators.ts`. */
import { z } from 'zod'
import type { CredentialPlace } from '../../engine/identity.ts'
import type { Secret } from '../../engine/secret.ts'
import { cookieName, credentialHeader, providerName, parameterName, scheme, text } from '../scalars/names.ts'
import { duration, positiveDuration } from '../scalars/quantities.ts'
import { laterAuthenticators } from './later-authenticators.ts'
import { audience, bindingMembers, resource } from './tokens.ts'
import { list, secret, word } from './word.ts'

export interface ParsedApiKey {
  readonly type: 'api-key'
  readonly in: readonly CredentialPlace[]
  readonly prefix: string
  readonly maxLifetime: number | 'none'
  readonly grace: number
  readonly pepper?: Secret
  readonly onLeak: string
}

export interface ParsedJwt {
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
}

/** One that this version names but does not build. */
export interface ParsedLaterAuthenticator {
  readonly type: 'introspection' | 'session' | 'mtls' | 'basic' | 'http-signature'
  readonly provider?: string
}

export type ParsedAuthenticator = ParsedApiKey | ParsedJwt | ParsedLaterAuthenticator

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

const placeText =
  'one of { header: NAME }, { header: NAME, scheme: NAME }, { cookie: NAME } or { query: NAME }'

const place: z.ZodType<CredentialPlace> = z
  .strictObject(
    {
      header: word(credentialHeader).exactOptional().describe('A header field.'),
      scheme: word(scheme)
        .exactOptional()
        .describe('The scheme in front of the credential, with `header` only.'),
      cookie: word(cookieName).exactOptional().describe('A cookie.'),
      query: word(parameterName)
        .exactOptional()
        .describe('A query parameter. URLs end up in logs and histories: prefer a header.'),
    },
    { error: placeText },
  )
  .transform((written, context): CredentialPlace => {
    const { header, scheme, cookie, query } = written
    const kinds = [header, cookie, query].filter((each) => each !== undefined).length
    if (kinds === 1 && header !== undefined) {
      return scheme === undefined
        ? { kind: 'header', name: header }
        : { kind: 'header', name: header, scheme }
    }
    if (kinds === 1 && scheme === undefined) {
      return cookie === undefined ? { kind: 'query', name: query! } : { kind: 'cookie', name: cookie }
    }
    context.issues.push({ code: 'custom', message: placeText, input: written, params: {} })
    return z.NEVER
  })

const places = (byDefault: readonly Readonly<Record<string, string>>[]): z.ZodType<CredentialPlace[]> =>
  list(place, 'a list of places')
    .prefault(byDefault as unknown[])
    .describe('Where the credential is read.')

const prefixText = 'two to ten lower-case letters and digits, such as ptc'

const apiKey = z.strictObject({
  type: z.literal('api-key').describe('Keys that Portcullis issues, or that were imported.'),
  in: places([{ header: 'x-api-key' }]),
  prefix: z
    .string({ error: prefixText })
    .regex(/^[a-z0-9]{2,10}$/, { error: prefixText })
    .prefault('ptc')
    .describe('What keys begin with.'),
  maxLifetime: z
    .union([z.literal('none'), word(positiveDuration)], {
      error: `${positiveDuration.expected}, or the word \`none\``,
    })
    .prefault('90d')
    .describe('How long a new key lives at most; `none` lets keys live for ever.'),
  grace: word(duration).prefault('24h').describe('How long a rotated key goes on working.'),
  pepper: secret()
    .exactOptional()
    .describe('A secret that is mixed into stored digests, so that a stolen store is of no use.'),
  onLeak: z
    .enum(['revoke', 'quarantine', 'report'])
    .prefault('revoke')
    .describe('What becomes of a key that was found in public.'),
})

const jwt = z.strictObject({
  type: z.literal('jwt').describe("Signed access tokens, verified with the provider's published keys."),
  in: places([{ header: 'authorization', scheme: 'Bearer' }]),
  provider: word(providerName).describe('The provider that issues the tokens.'),
  audience: audience
    .exactOptional()
    .describe(
      'What `aud` must contain, any one of them; `any` takes tokens meant for other services too. Needed, except for Cognito with `clients`.',
    ),
  clients: list(word(text), 'a list of client ids')
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
  maxLifetime: word(positiveDuration)
    .exactOptional()
    .describe('The longest accepted time from `iat` to `exp`.'),
  requiredClaims: z.array(word(text)).prefault([]).describe('Claims that must be there.'),
  ...bindingMembers,
  resource: resource.exactOptional(),
})

export const authenticatorSchema: z.ZodType<ParsedAuthenticator> = z.discriminatedUnion('type', [
  apiKey,
  jwt,
  ...laterAuthenticators(places),
]) as unknown as z.ZodType<ParsedAuthenticator>

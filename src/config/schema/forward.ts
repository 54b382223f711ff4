/** `forward`: what the upstream is told about the caller. */
import { z } from 'zod'
import { identityFields, type IdentityField } from '../../configuration.ts'
import type { ParsedClient } from '../../engine/providers/client-settings.ts'
import { headerName, headerValue, providerName, text } from '../scalars/names.ts'
import { client } from './tokens.ts'
import { flag, mapping, word } from './word.ts'

export interface ParsedForward {
  readonly headers: boolean | Readonly<Partial<Record<IdentityField, string>>>
  readonly assertion: boolean
  readonly credential: 'strip' | 'keep'
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
  readonly keep: readonly string[]
  readonly tokenExchange?: ParsedTokenFor
  readonly clientCredentials?: ParsedTokenFor
}

export interface ParsedTokenFor {
  readonly provider: string
  readonly client: ParsedClient
  readonly audience?: string
  readonly scope?: string
}

const renamed = Object.fromEntries(
  identityFields.map((field) => [
    field,
    word(headerName).exactOptional().describe(`The header field for the ${field}.`),
  ]),
)

const tokenFor = (what: string): z.ZodType =>
  z
    .strictObject({
      provider: word(providerName).describe('The provider that issues the token.'),
      client,
      audience: word(text).exactOptional().describe('For whom the token is.'),
      scope: word(text).exactOptional().describe('What it may do; several scopes are separated by spaces.'),
    })
    .describe(what)

const forward: z.ZodType = z.strictObject({
  headers: z
    .union([flag, z.strictObject(renamed)], {
      error:
        'true, false, or the fields that go with the names of their header fields, such as { subject: X-User }',
    })
    .prefault(true)
    .describe(
      'The identity as header fields (`X-Auth-Subject`, …): `true`, `false`, or names of your own, and then only those fields.',
    ),
  assertion: flag.prefault(true).describe('The identity as a signed token, `X-Portcullis-Assertion`.'),
  credential: z
    .enum(['strip', 'keep'])
    .prefault('strip')
    .describe('What becomes of the credential that was accepted.'),
  set: mapping(headerName, word(headerValue).meta({ writeOnly: true }))
    .prefault({})
    .describe('Header fields to set.'),
  remove: z.array(word(headerName)).prefault([]).describe('Header fields to remove.'),
  keep: z
    .array(word(headerName))
    .prefault([])
    .describe('Header fields that are kept although the gateway removes them from requests.'),
  tokenExchange: tokenFor(
    'A token for the upstream, exchanged for the one that came (RFC 8693).',
  ).exactOptional(),
  clientCredentials: tokenFor('A token for the upstream, for the gateway itself.').exactOptional(),
})

export const forwardSchema: z.ZodType<ParsedForward> = forward.meta({
  id: 'Forward',
  description: 'What the upstream is told about the caller.',
}) as z.ZodType<ParsedForward>

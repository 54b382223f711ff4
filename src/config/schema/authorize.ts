/** `authorize`: all conditions that are written must hold. */
import { z } from 'zod'
import { path, text } from '../scalars/names.ts'
import { cidr, httpUrl } from '../scalars/network.ts'
import { duration, timeout } from '../scalars/quantities.ts'
import { list, oneOrMany, word } from './word.ts'

export interface ParsedAuthorize {
  readonly addresses?: readonly string[]
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  readonly claims?: Readonly<Record<string, readonly (string | number | boolean)[]>>
  readonly acr?: readonly string[]
  readonly maxAge?: number
  readonly when?: string
}

const scopeText = 'a scope: visible characters without spaces'
const scope = z.string({ error: scopeText }).regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, { error: scopeText })

const claimValue = z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' })

const authorize: z.ZodType<ParsedAuthorize> = z.strictObject({
  addresses: list(word(cidr), 'a list of address ranges')
    .exactOptional()
    .describe('Address ranges that may call.'),
  scopes: list(scope, 'a list of scopes')
    .exactOptional()
    .describe('Scopes that the caller must have, all of them.'),
  roles: list(word(text), 'a list of roles')
    .exactOptional()
    .describe('Roles of which the caller must have one.'),
  claims: z
    .record(z.string(), oneOrMany(claimValue, 'a value, or a list of accepted values'), {
      error: 'claims with their accepted values, such as { department: [sales, support] }',
    })
    .exactOptional()
    .describe('Claims (dots go deeper) that must equal, or contain, one of the values, of the same type.'),
  acr: oneOrMany(word(text), 'an authentication context, or a list of them')
    .exactOptional()
    .describe('How strongly the caller must have authenticated: accepted values of `acr` (RFC 9470).'),
  maxAge: word(duration)
    .exactOptional()
    .describe('How long ago the caller may have authenticated (RFC 9470).'),
  when: z
    .string({ error: 'a condition in CEL, such as identity.tenant == "acme"' })
    .exactOptional()
    .describe('A condition in CEL over `identity`, `request` and `route`; only `true` lets pass.'),
  cedar: z
    .strictObject({
      policies: word(path).describe('File with the policies.'),
      schema: word(path).exactOptional().describe('File with the schema.'),
    })
    .exactOptional()
    .describe('Cedar policies.'),
  external: z
    .strictObject({
      type: z.enum(['authzen', 'opa']).describe('What the engine speaks.'),
      url: word(httpUrl).describe('Where it is asked.'),
      timeout: word(timeout).exactOptional().describe('How long an answer may take.'),
    })
    .exactOptional()
    .describe('A policy engine elsewhere.'),
})

export const authorizeSchema: z.ZodType<ParsedAuthorize> = authorize.meta({
  id: 'Authorize',
  description:
    'What the caller must be allowed to: all that is written must hold. Without it, any authenticated caller passes.',
})

/** Where a credential is read. */
import { z } from 'zod'
import type { CredentialPlace } from '../../engine/identity.ts'
import { cookieName, credentialHeader, parameterName, scheme } from '../scalars/names.ts'
import { list, word } from './word.ts'

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

export const places = (
  byDefault: readonly Readonly<Record<string, string>>[],
): z.ZodType<CredentialPlace[]> =>
  list(place, 'a list of places')
    .prefault(byDefault as unknown[])
    .describe('Where the credential is read.')

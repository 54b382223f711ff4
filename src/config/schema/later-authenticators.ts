/** Authenticators that a later version builds. They are described from now on, so that a configuration can be told apart from a mistake. */
import { z } from 'zod'
import { path, text } from '../scalars/names.ts'
import { peersSchema } from './listeners.ts'
import { list, word } from './word.ts'

export function laterAuthenticators(): z.ZodObject[] {
  return [
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
  ]
}

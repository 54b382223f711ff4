/** How an `mtls` authenticator is written. */
import type { z } from 'zod'
import type { Vocabulary } from '../vocabulary.ts'
import { forwardedHeaders, subjectKinds, type ForwardedFrom, type SubjectKind } from './settings.ts'

export interface ParsedMtls {
  readonly type: 'mtls'
  readonly authorities: readonly string[]
  readonly subject: SubjectKind
  readonly allow?: readonly string[]
  readonly revocation?: readonly string[]
  readonly revocationOf: 'chain' | 'leaf'
  readonly ocsp?: { readonly url?: string; readonly required: boolean; readonly timeout: number }
  readonly from?: ForwardedFrom
}

export function mtlsSchema(words: Vocabulary): z.ZodObject {
  const { z, path, text, list, oneOrMany, peers, httpUrl, flag, positiveDuration } = words
  return z.strictObject({
    type: z.literal('mtls').describe('Client certificates.'),
    authorities: oneOrMany(path, 'a PEM file, or a list of them').describe(
      'PEM file with the authorities that certificates must come from (or a SPIFFE trust bundle), or a list of files. Read again whenever it changes.',
    ),
    subject: z
      .enum(subjectKinds)
      .prefault('san-uri')
      .describe('What of the certificate names the caller. There must be exactly one such name.'),
    allow: list(text, 'a list of patterns')
      .exactOptional()
      .describe(
        'Patterns, one of which the subject must match. `*` stands for one segment of a URI, one label of a host or one local part; at the end of a URI for all that follows.',
      ),
    revocation: oneOrMany(path, 'a file, or a list of them')
      .exactOptional()
      .describe(
        'File with certificate revocation lists (PEM or DER), or a list of files. With it every certificate of the chain needs a current list. Read again whenever it changes.',
      ),
    revocationOf: z
      .enum(['chain', 'leaf'])
      .prefault('chain')
      .describe('Who needs a revocation list: every certificate of the chain, or only the client’s own.'),
    ocsp: z
      .strictObject({
        url: httpUrl
          .exactOptional()
          .describe('The responder to ask; where absent, the one that the certificate names.'),
        required: flag
          .prefault(true)
          .describe('Whether a responder that cannot be reached, or knows nothing, is a refusal (503).'),
        timeout: positiveDuration.prefault('2s').describe('How long an answer may take.'),
      })
      .exactOptional()
      .describe('Ask an OCSP responder whether the certificate is revoked. Off where absent.'),
    from: z
      .strictObject({
        header: z
          .enum(forwardedHeaders)
          .describe('The header: `client-cert` (RFC 9440) or `xfcc` (`X-Forwarded-Client-Cert`).'),
        peers: peers.describe('The proxies that are believed. From them, only the header counts.'),
      })
      .exactOptional()
      .describe('A certificate that a proxy in front hands over; it is checked all the same.'),
  })
}

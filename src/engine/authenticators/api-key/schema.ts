/** How an `api-key` authenticator is written. */
import type { z } from 'zod'
import type { CredentialPlace } from '../../identity.ts'
import type { Secret } from '../../secret.ts'
import type { Vocabulary } from '../vocabulary.ts'

export interface ParsedApiKey {
  readonly type: 'api-key'
  readonly in: readonly CredentialPlace[]
  readonly prefix: string
  readonly maxLifetime: number | 'none'
  readonly grace: number
  readonly pepper?: Secret
  readonly onLeak: 'revoke' | 'quarantine' | 'report'
}

const prefixText = 'two to ten lower-case letters and digits, such as ptc'

export function apiKeySchema(words: Vocabulary): z.ZodObject {
  const { z, places, positiveDuration, positiveDurationText, duration, secret } = words
  return z.strictObject({
    type: z.literal('api-key').describe('Keys that Portcullis issues, or that were imported.'),
    in: places([{ header: 'x-api-key' }]),
    prefix: z
      .string({ error: prefixText })
      .regex(/^[a-z0-9]{2,10}$/, { error: prefixText })
      .prefault('ptc')
      .describe('What keys begin with.'),
    maxLifetime: z
      .union([z.literal('none'), positiveDuration], {
        error: `${positiveDurationText}, or the word \`none\``,
      })
      .prefault('90d')
      .describe('How long a new key lives at most; `none` lets keys live for ever.'),
    grace: duration.prefault('24h').describe('How long a rotated key goes on working.'),
    pepper: secret()
      .exactOptional()
      .describe('A secret that is mixed into stored digests, so that a stolen store is of no use.'),
    onLeak: z
      .enum(['revoke', 'quarantine', 'report'])
      .prefault('revoke')
      .describe(
        'What becomes of a key that was found in public. `quarantine`: good only from addresses seen in the last 30 days.',
      ),
  })
}

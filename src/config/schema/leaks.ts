/** Who may report keys that were found in public. */
import { z } from 'zod'
import { text } from '../scalars/names.ts'
import { list, word } from './word.ts'

/** A public key as it was written: the PEM text itself, or the path of a file with it. */
export interface ParsedReportKey {
  readonly id: string
  readonly key: string
}

export interface ParsedLeaks {
  readonly github?: { readonly keys: readonly ParsedReportKey[] }
}

const pemOrPath = 'the path of a PEM file, or the PEM text itself: -----BEGIN PUBLIC KEY-----'

export const leaksSchema: z.ZodType<ParsedLeaks> = z.strictObject({
  github: z
    .strictObject({
      keys: list(
        z.strictObject({
          id: word(text).describe('What GitHub calls `key_identifier`.'),
          key: z
            .string({ error: pemOrPath })
            .regex(/^(-----BEGIN PUBLIC KEY-----\s|[^\x00-\x1F\x7F]+$)/, { error: pemOrPath })
            .describe('The public key (ECDSA, P-256): a PEM file, or its text.'),
        }),
        'a list of public keys',
      ).describe(
        'The keys that GitHub signs its reports with: https://api.github.com/meta/public_keys/secret_scanning',
      ),
    })
    .exactOptional()
    .describe("GitHub's secret scanning partner programme: reports come to `/.portcullis/leaks/github`."),
})

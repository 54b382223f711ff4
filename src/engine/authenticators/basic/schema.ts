/** How a `basic` authenticator is written: as `api-key`, without a place, and with nothing that must be said. */
import type { z } from 'zod'
import { apiKeySchema, type ParsedApiKey } from '../api-key/schema.ts'
import type { Vocabulary } from '../vocabulary.ts'

type Rules = Omit<ParsedApiKey, 'type' | 'in'>

export interface ParsedBasic extends Partial<Rules> {
  readonly type: 'basic'
}

const day = 86_400_000

/** The defaults of `api-key`, for a configuration that has none. */
export const basicDefaults: Pick<Rules, 'prefix' | 'maxLifetime' | 'grace' | 'onLeak'> &
  Pick<Partial<Rules>, 'pepper'> = {
  prefix: 'ptc',
  maxLifetime: 90 * day,
  grace: day,
  onLeak: 'revoke',
}

export function basicSchema(words: Vocabulary): z.ZodObject {
  const { z } = words
  const { type: _type, in: _in, ...rules } = apiKeySchema(words).shape
  const members = Object.entries(rules).map(([name, rule]) => [name, optional(rule as z.ZodType)] as const)
  return z.strictObject({
    type: z
      .literal('basic')
      .describe(
        "API keys as Basic credentials (RFC 7617): the key's id and the whole key. Each setting is that of the api-key authenticator unless it is written here.",
      ),
    ...Object.fromEntries(members),
  })
}

/** What is not written must be seen as not written: no default, but the same words. */
function optional(rule: z.ZodType): z.ZodType {
  const bare = 'unwrap' in rule ? (rule as z.ZodPrefault).unwrap() : rule
  const member = (bare as z.ZodType).exactOptional()
  return rule.description === undefined ? member : member.describe(rule.description)
}

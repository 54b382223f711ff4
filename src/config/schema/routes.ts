/** Routes: what is matched, who may pass, how much, and what goes on to the upstream. */
import { z } from 'zod'
import type { CorsSettings, HeaderEdits, RateLimitSettings } from '../../configuration.ts'
import {
  authenticatorName,
  headerName,
  headerValue,
  limitKey,
  matchHost,
  method,
  upstreamName,
  parameterName,
  pathPattern,
  pathPrefix,
  rewriteHost,
  routeId,
} from '../scalars/names.ts'
import { corsOrigin } from '../scalars/network.ts'
import { duration, rate, size, timeout } from '../scalars/quantities.ts'
import { authorizeSchema, type ParsedAuthorize } from './authorize.ts'
import { forwardSchema, type ParsedForward } from './forward.ts'
import { flag, integer, list, mapping, oneOrMany, word } from './word.ts'

export interface ParsedRoute {
  readonly id: string
  readonly match: {
    readonly path: string
    readonly methods?: readonly string[]
    readonly host?: string
    readonly headers: Readonly<Record<string, string>>
    readonly query: Readonly<Record<string, string>>
  }
  readonly authenticate?: ParsedAuthenticate
  readonly authorize?: ParsedAuthorize
  readonly rateLimit?: readonly RateLimitSettings[]
  readonly limits: { readonly body?: number; readonly requestTimeout?: number }
  readonly rewrite: { readonly stripPrefix?: string; readonly addPrefix?: string; readonly host?: string }
  readonly cors?: CorsSettings
  readonly forward?: ParsedForward
  readonly response: { readonly headers: HeaderEdits }
  readonly report?: {
    readonly authenticate?: ParsedAuthenticate
    readonly authorize?: ParsedAuthorize
    readonly rateLimit?: readonly RateLimitSettings[]
  }
  readonly upstream: string
}

export interface ParsedDefaults {
  readonly authenticate?: ParsedAuthenticate
  readonly authorize?: ParsedAuthorize
  readonly rateLimit?: readonly RateLimitSettings[]
  readonly forward?: ParsedForward
}

export type ParsedAuthenticate =
  | 'none'
  | readonly string[]
  | { readonly all?: readonly string[]; readonly optional?: readonly string[] }

export const authenticateText =
  'a list of authenticators, such as [corp-token, partner-keys]; { all: […] }; { optional: […] }; or the word `none`'

const names = list(word(authenticatorName), 'a list of authenticators')

const authenticate: z.ZodType<ParsedAuthenticate> = z.union(
  [
    z.literal('none'),
    names,
    z.strictObject({
      all: names.exactOptional().describe('Each of these must hold; the first names the caller.'),
      optional: names.exactOptional().describe('None of these need be there; one that is there must hold.'),
    }),
  ],
  { error: authenticateText },
)

const authenticateMember = authenticate.meta({
  id: 'Authenticate',
  description:
    'Who may come in: a list of authenticators (any one of them), `{ all: […] }`, `{ optional: […] }`, or the word `none` for a public route.',
})

const rateLimit = z.strictObject({
  limit: word(rate).describe('So many in a period. A bucket of that size that refills evenly.'),
  key: word(limitKey)
    .prefault('identity')
    .describe('What is counted by. Without an identity, `identity` and `key` count by address.'),
  burst: integer(0, 1_000_000).prefault(0).describe('How many more the bucket holds.'),
  accuracy: z.enum(['exact']).prefault('exact').describe('How exactly replicas count together.'),
})

const rateLimitMember = (
  oneOrMany(rateLimit, 'a limit such as { limit: 100/1m, key: identity }, or a list of them') as z.ZodType<
    RateLimitSettings[]
  >
).meta({ id: 'RateLimit', description: 'How often one caller may come. A list for several limits.' })

const cors: z.ZodType<CorsSettings> = z.strictObject({
  origins: list(word(corsOrigin), 'a list of origins').describe(
    "Which pages may call, as the browser writes them in `Origin`; '*' for all.",
  ),
  credentials: flag.prefault(false).describe('Whether they may send cookies and the like.'),
  headers: z.array(word(headerName)).prefault([]).describe('Which header fields they may send.'),
  expose: z
    .array(word(headerName))
    .prefault([])
    .describe("Which header fields of the answer they may read, besides the gateway's own."),
  maxAge: word(duration).prefault('10m').describe('How long browsers remember the answer.'),
})

const headerEdits: z.ZodType<HeaderEdits> = z.strictObject({
  set: mapping(headerName, word(headerValue).meta({ writeOnly: true }))
    .prefault({})
    .describe('Header fields to set, replacing what the upstream sent.'),
  remove: z.array(word(headerName)).prefault([]).describe('Header fields to remove.'),
})

const matchSchema = z.strictObject({
  path: word(pathPattern).describe(
    'The path. `:name` is one segment; a last `*` is everything below. `/*` is every path.',
  ),
  methods: list(word(method), 'a list of methods')
    .exactOptional()
    .describe('The methods; all, where absent. GET does not imply HEAD.'),
  host: word(matchHost)
    .exactOptional()
    .describe('The host; `*.example.com` stands for one label. Any, where absent.'),
  headers: mapping(headerName, word(headerValue).meta({ writeOnly: true }))
    .prefault({})
    .describe('Header fields that must be there once with exactly this value.'),
  query: mapping(
    parameterName,
    z
      .string({ error: 'text (in quotes where it looks like a number)' })
      .meta({ writeOnly: true, title: 'text' }),
  )
    .prefault({})
    .describe('Query parameters that must be there once with exactly this value.'),
})

export const routeSchema: z.ZodType<ParsedRoute> = z.strictObject({
  id: word(routeId).describe('The name of the route, in audit events and metrics.'),
  match: matchSchema.describe('Which requests are meant. The most specific host and path decide.'),
  authenticate: authenticateMember.exactOptional(),
  authorize: authorizeSchema.exactOptional(),
  rateLimit: rateLimitMember.exactOptional(),
  limits: z
    .strictObject({
      body: word(size).exactOptional().describe('The body of a request.'),
      requestTimeout: word(timeout)
        .exactOptional()
        .describe('How long head and body of a request may take to arrive.'),
    })
    .prefault({})
    .describe('Limits of this route, where they differ from the top-level ones.'),
  rewrite: z
    .strictObject({
      stripPrefix: word(pathPrefix).exactOptional().describe('Taken off the path, whole segments.'),
      addPrefix: word(pathPrefix).exactOptional().describe('Put in front of the path.'),
      host: word(rewriteHost)
        .exactOptional()
        .describe("The Host that the upstream sees: `preserve`, or a name. Without it, the target's own."),
    })
    .prefault({})
    .describe('How the request changes on its way.'),
  cors: cors.exactOptional().describe('Which pages of other origins may call from a browser.'),
  forward: forwardSchema.exactOptional(),
  response: z
    .strictObject({ headers: headerEdits.prefault({}).describe('Changes to header fields.') })
    .prefault({})
    .describe('How the answer changes on its way back.'),
  report: z
    .strictObject({
      authenticate: authenticateMember.exactOptional(),
      authorize: authorizeSchema.exactOptional(),
      rateLimit: rateLimitMember.exactOptional(),
    })
    .exactOptional()
    .describe('A policy on trial: decided beside the enforced keys, and only recorded.'),
  upstream: word(upstreamName).describe('The upstream that answers.'),
})

export const defaultsSchema: z.ZodType<ParsedDefaults> = z.strictObject({
  authenticate: authenticateMember.exactOptional(),
  authorize: authorizeSchema.exactOptional(),
  rateLimit: rateLimitMember.exactOptional(),
  forward: forwardSchema.exactOptional(),
})

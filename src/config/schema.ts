/** The shape of the whole configuration. Every member carries its description: docs/config.md and the JSON Schema are made from it. */
import { z } from 'zod'
import type { LimitSettings, LockoutSettings } from '../configuration.ts'
import type { ParsedAuthenticator } from '../engine/authenticators/kind.ts'
import { authenticatorSchema } from './schema/authenticators.ts'
import {
  adminSchema,
  extAuthzSchema,
  forwardAuthSchema,
  limitsSchema,
  listenerSchema,
  lockoutSchema,
  publicUrlSchema,
  workersSchema,
  type ParsedAdmin,
  type ParsedListener,
} from './schema/listeners.ts'
import { leaksSchema, type ParsedLeaks } from './schema/leaks.ts'
import { providerSchema, type ParsedProvider } from './schema/providers.ts'
import { defaultsSchema, routeSchema, type ParsedDefaults, type ParsedRoute } from './schema/routes.ts'
import {
  assertionSchema,
  auditSchema,
  outageSchema,
  sharedSchema,
  storeSchema,
  type ParsedAssertion,
  type ParsedAudit,
  type ParsedOutage,
} from './schema/state.ts'
import { upstreamSchema, type ParsedUpstream } from './schema/upstreams.ts'
import { list, mapping, word } from './schema/word.ts'
import { name } from './scalars/names.ts'
import { cidr } from './scalars/network.ts'
import { delay } from './scalars/quantities.ts'

/** A configuration of the right shape, defaults applied; names not yet checked against each other. */
export interface ParsedConfiguration {
  readonly version: 1
  readonly publicUrl?: readonly string[]
  readonly listeners: readonly ParsedListener[]
  readonly limits: LimitSettings
  readonly lockout: LockoutSettings | 'off'
  readonly dataPlane: 'wire' | 'node'
  readonly drainDelay: number
  readonly drainTimeout: number
  readonly trustedProxies: readonly string[]
  readonly forwarded: 'x-forwarded' | 'rfc7239'
  readonly admin: ParsedAdmin
  readonly store: { readonly url: string }
  readonly outage: ParsedOutage
  readonly audit: ParsedAudit | 'off'
  readonly assertion: ParsedAssertion
  readonly leaks?: ParsedLeaks
  readonly providers: Readonly<Record<string, ParsedProvider>>
  readonly authenticators: Readonly<Record<string, ParsedAuthenticator>>
  readonly upstreams: Readonly<Record<string, ParsedUpstream>>
  readonly defaults: ParsedDefaults
  readonly routes: readonly ParsedRoute[]
}

export const configurationSchema: z.ZodType<ParsedConfiguration> = z
  .strictObject({
    version: z.literal(1, { error: 'the number 1' }).describe('The version of this format.'),
    publicUrl: publicUrlSchema
      .exactOptional()
      .describe(
        'The origin under which clients reach the gateway, or a list for several hosts. Also the issuer of assertions.',
      ),
    listeners: list(listenerSchema, 'a list of listeners')
      .prefault([{ address: '127.0.0.1:8080' }])
      .describe('Where the gateway listens.'),
    limits: limitsSchema
      .prefault({})
      .describe('What a request may weigh, and how long it may take to arrive.'),
    lockout: lockoutSchema
      .prefault({})
      .describe('What happens to an address that guesses credentials; `off` to leave it alone.'),
    dataPlane: z
      .enum(['wire', 'node'])
      .prefault('wire')
      .describe('What carries HTTP/1.1: `wire` is our own, `node` is node:http and undici.'),
    workers: workersSchema.prefault(1).describe('How many workers share the load.'),
    drainDelay: word(delay)
      .prefault('0s')
      .describe('How long connections are still accepted after SIGTERM, for load balancers to notice.'),
    drainTimeout: word(delay)
      .prefault('30s')
      .describe('How long requests under way are waited for after SIGTERM.'),
    trustedProxies: z
      .array(word(cidr), { error: 'a list of address ranges, such as [10.0.0.0/8]' })
      .prefault([])
      .describe("Whose forwarding headers are believed for address, scheme and host. Nobody's by default."),
    forwarded: z
      .enum(['x-forwarded', 'rfc7239'])
      .prefault('x-forwarded')
      .describe('Which family of forwarding headers is believed. Both are written anew for upstreams.'),
    forwardAuth: forwardAuthSchema
      .exactOptional()
      .describe('Answers for other proxies: `/.portcullis/forward-auth`.'),
    extAuthz: extAuthzSchema.exactOptional().describe('Answers for Envoy: ext_authz.'),
    admin: adminSchema.prefault({}).describe('Health, metrics and the admin API.'),
    store: storeSchema.prefault({}).describe('What must not be lost.'),
    shared: sharedSchema.prefault({}).describe('What replicas share.'),
    outage: outageSchema
      .prefault({})
      .describe('What happens while a store is away: `refuse` (503), `local` or `allow`.'),
    audit: auditSchema.prefault({}).describe('The audit log; `off` for none.'),
    assertion: assertionSchema
      .prefault({})
      .describe('The signed token in which an upstream is told who calls.'),
    leaks: leaksSchema.exactOptional().describe('Who may report keys that were found in public.'),
    providers: mapping(name, providerSchema).prefault({}).describe('Identity providers, by name.'),
    authenticators: mapping(name, authenticatorSchema)
      .prefault({})
      .describe('Ways to prove who is calling, by name.'),
    upstreams: mapping(name, upstreamSchema)
      .prefault({})
      .describe('The services behind the gateway, by name.'),
    defaults: defaultsSchema.prefault({}).describe('Taken by every route that does not name the key itself.'),
    routes: list(routeSchema, 'a list of routes').describe('What may be called, and by whom.'),
  })
  .describe('The configuration of Portcullis.')

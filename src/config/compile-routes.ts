/** Routes with `defaults` merged in, as the stage rooms read them. */
import {
  identityFields,
  type AuthenticateSettings,
  type BackendTokenSettings,
  type ForwardSettings,
  type IdentityField,
  type ReportSettings,
  type RouteSettings,
} from '../configuration.ts'
import { compileClient } from '../engine/providers/client-settings.ts'
import { forwardSchema, type ParsedForward, type ParsedTokenFor } from './schema/forward.ts'
import type { ParsedAuthenticate, ParsedDefaults, ParsedRoute } from './schema/routes.ts'

/** A key that the route names replaces the default whole: nothing is merged, so that a route can be read by itself. */
export function compileRoute(
  route: ParsedRoute,
  defaults: ParsedDefaults,
  resolve: (path: string) => string,
): RouteSettings {
  const { id, match, limits, rewrite, cors, response, report, upstream } = route
  const authorize = route.authorize ?? defaults.authorize
  return {
    id,
    match: { ...match, headers: lowerCased(match.headers) },
    authenticate: compileAuthenticate((route.authenticate ?? defaults.authenticate)!),
    ...(authorize === undefined ? {} : { authorize }),
    rateLimit: (route.rateLimit ?? defaults.rateLimit ?? []).map(({ limit, key, burst }) => ({
      limit,
      key,
      burst,
    })),
    limits,
    rewrite,
    ...(cors === undefined ? {} : { cors }),
    forward: compileForward(route.forward ?? defaults.forward ?? forwardSchema.parse({}), resolve),
    response,
    ...(report === undefined ? {} : { report: compileReport(report) }),
    upstream,
  }
}

function compileAuthenticate(parsed: ParsedAuthenticate): AuthenticateSettings {
  if (parsed === 'none') return { mode: 'none' }
  if (isList(parsed)) return { mode: 'any', authenticators: parsed }
  return parsed.all === undefined
    ? { mode: 'optional', authenticators: parsed.optional ?? [] }
    : { mode: 'all', authenticators: parsed.all }
}

function isList(parsed: Exclude<ParsedAuthenticate, 'none'>): parsed is readonly string[] {
  return Array.isArray(parsed)
}

function compileReport({
  authenticate,
  authorize,
  rateLimit,
}: NonNullable<ParsedRoute['report']>): ReportSettings {
  return {
    ...(authenticate === undefined ? {} : { authenticate: compileAuthenticate(authenticate) }),
    ...(authorize === undefined ? {} : { authorize }),
    ...(rateLimit === undefined
      ? {}
      : { rateLimit: rateLimit.map(({ limit, key, burst }) => ({ limit, key, burst })) }),
  }
}

function compileForward(parsed: ParsedForward, resolve: (path: string) => string): ForwardSettings {
  const { headers, assertion, credential, set, remove, keep, tokenExchange, clientCredentials } = parsed
  const token =
    tokenExchange === undefined
      ? clientCredentials && compileToken('client_credentials', clientCredentials, resolve)
      : compileToken('token_exchange', tokenExchange, resolve)
  return {
    headers: headerNamesOf(headers),
    assertion,
    credential,
    set,
    remove,
    keep,
    ...(token === undefined ? {} : { backendToken: token }),
  }
}

function compileToken(
  grant: BackendTokenSettings['grant'],
  { provider, client, audience, scope }: ParsedTokenFor,
  resolve: (path: string) => string,
): BackendTokenSettings {
  return {
    grant,
    provider,
    client: compileClient(client, resolve),
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scope }),
  }
}

/** @returns the header field for each part of the identity that goes */
export function headerNamesOf(headers: ParsedForward['headers']): ForwardSettings['headers'] {
  if (typeof headers !== 'boolean') return headers
  return headers ? byDefault : false
}

const byDefault: Readonly<Record<IdentityField, string>> = Object.fromEntries(
  identityFields.map((field) => [field, `X-Auth-${field.charAt(0).toUpperCase()}${field.slice(1)}`]),
) as Record<IdentityField, string>

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

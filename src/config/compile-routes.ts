/** Routes with `defaults` merged in, as the stage rooms read them. */
import {
  identityFields,
  type AuthenticateSettings,
  type ForwardSettings,
  type IdentityField,
  type ReportSettings,
  type RouteSettings,
} from '../configuration.ts'
import { forwardSchema, type ParsedForward } from './schema/forward.ts'
import type { ParsedAuthenticate, ParsedDefaults, ParsedRoute } from './schema/routes.ts'

/** A key that the route names replaces the default whole: nothing is merged, so that a route can be read by itself. */
export function compileRoute(route: ParsedRoute, defaults: ParsedDefaults): RouteSettings {
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
    forward: compileForward(route.forward ?? defaults.forward ?? forwardSchema.parse({})),
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

function compileForward({
  headers,
  assertion,
  credential,
  set,
  remove,
  keep,
}: ParsedForward): ForwardSettings {
  return { headers: headerNamesOf(headers), assertion, credential, set, remove, keep }
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

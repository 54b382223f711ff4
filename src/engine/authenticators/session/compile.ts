import { compileClient } from '../../providers/client-settings.ts'
import type { ClientSettings } from '../../providers/client-settings.ts'
import { clientFiles } from '../../providers/client-settings.ts'
import type { CredentialPlace } from '../../identity.ts'
import { sessionCookieName } from '../../sessions/cookie.ts'
import type { CompileContext } from '../kind.ts'
import type { ParsedSession } from './schema.ts'
import type { SessionSettings } from './settings.ts'

/** From what was written to what the engine reads. */
export function compileSession(
  name: string,
  parsed: ParsedSession,
  context: CompileContext,
): SessionSettings {
  const { claimsFrom, idle, absolute, scopes, parameters, choose } = parsed
  const providers = providersOf(parsed)
  const clients = clientsOf(parsed, providers, context)
  return {
    type: 'session',
    name,
    in: placesFor(context.publicUrl),
    providers,
    fetchesKeys: true,
    files: Object.values(clients).flatMap((client) => clientFiles(client)),
    clients,
    ...(claimsFrom === undefined ? {} : { claimsFrom }),
    idle,
    absolute,
    ...(scopes === undefined ? {} : { scopes }),
    parameters,
    choose: {
      hosts: lowerKeys(choose.hosts),
      emailDomains: lowerKeys(choose.emailDomains),
      labels: choose.labels,
    },
  }
}

export function providersOf({ provider, providers }: ParsedSession): readonly string[] {
  return providers ?? (provider === undefined ? [] : [provider])
}

function clientsOf(
  { client, clients }: ParsedSession,
  providers: readonly string[],
  { resolve }: CompileContext,
): Record<string, ClientSettings> {
  const found = providers.flatMap((provider) => {
    const own =
      (clients !== undefined && Object.hasOwn(clients, provider) ? clients[provider] : undefined) ?? client
    return own === undefined ? [] : [[provider, compileClient(own, resolve)] as const]
  })
  return Object.fromEntries(found)
}

/** Where no public origin says whether it is https, both names are looked for; each counts on its own kind of origin. */
function placesFor(publicUrl: readonly string[]): readonly CredentialPlace[] {
  const origins = publicUrl.length === 0 ? ['https:', 'http:'] : publicUrl
  return [...new Set(origins.map((origin) => sessionCookieName(origin)))].map((name) => ({
    kind: 'cookie',
    name,
  }))
}

function lowerKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key.toLowerCase(), value]))
}

/** From a configuration of the right shape to the one that the rooms read. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type {
  AuditSettings,
  Configuration,
  LeakSettings,
  ListenerSettings,
  TlsPair,
  TlsSettings,
  UpstreamSettings,
} from '../configuration.ts'
import { compileAuthenticator, compileContext, originsOf } from './compile-authenticator.ts'
import { compileProvider } from './compile-identity.ts'
import { compileRoute } from './compile-routes.ts'
import type { ParsedConfiguration } from './schema.ts'
import type { ParsedListener, ParsedTls } from './schema/listeners.ts'
import type { ParsedLeaks } from './schema/leaks.ts'
import type { ParsedAudit } from './schema/state.ts'
import type { ParsedUpstream } from './schema/upstreams.ts'

/**
 * @param folder where relative paths start
 * @param references texts that came from references: those in header fields stay out of the hash, like secrets
 */
export function compile(
  parsed: ParsedConfiguration,
  folder: string,
  references: ReadonlySet<string>,
): Configuration {
  const publicUrl = parsed.publicUrl ?? []
  const { host, port } = parsed.admin.address
  const configuration: Omit<Configuration, 'hash'> = {
    version: 1,
    publicUrl,
    listeners: parsed.listeners.map((listener) => compileListener(listener, publicUrl, folder)),
    limits: parsed.limits,
    lockout: parsed.lockout,
    dataPlane: parsed.dataPlane,
    workers: 1,
    drainDelay: parsed.drainDelay,
    drainTimeout: parsed.drainTimeout,
    trustedProxies: parsed.trustedProxies,
    forwarded: parsed.forwarded,
    admin: { host, port, ...(parsed.admin.token === undefined ? {} : { token: parsed.admin.token }) },
    store: { path: sqlitePath(parsed.store.url, folder) ?? ':memory:' },
    outage: { revocations: parsed.outage.revocations },
    audit: parsed.audit === 'off' ? 'off' : compileAudit(parsed.audit, folder),
    assertion: parsed.assertion,
    ...(parsed.leaks === undefined ? {} : { leaks: compileLeaks(parsed.leaks, folder) }),
    providers: mapValues(parsed.providers, (provider, name) => compileProvider(name, provider, folder)),
    authenticators: mapValues(parsed.authenticators, (authenticator, name) =>
      compileAuthenticator(
        name,
        authenticator,
        compileContext(originsOf(parsed), folder, parsed.authenticators),
      ),
    ),
    upstreams: mapValues(parsed.upstreams, (upstream, name) => compileUpstream(name, upstream, folder)),
    routes: parsed.routes.map((route) =>
      compileRoute(route, parsed.defaults, (path) => resolve(folder, path)),
    ),
  }
  return { ...configuration, hash: hashOf(configuration, references) }
}

/** @returns the absolute path of the file in a `sqlite:` URL, `:memory:`, or undefined where it names none */
export function sqlitePath(url: string, folder: string): string | undefined {
  const rest = url.replace(/^sqlite:/, '')
  if (rest === ':memory:') return rest
  // sqlite:///var/lib/x.db is how other tools write an absolute path.
  const path = rest.replace(/^\/\/(?=\/)/, '')
  return path === '' || path.startsWith('//') || /[\x00?#]/.test(path) ? undefined : resolve(folder, path)
}

function compileListener(
  parsed: ParsedListener,
  publicUrl: readonly string[],
  folder: string,
): ListenerSettings {
  const { address, tls, proxyProtocol, h2c, encodedSlashes, pathParameters } = parsed
  return {
    host: address.host,
    port: address.port,
    publicUrl: parsed.publicUrl ?? publicUrl,
    ...(tls === undefined ? {} : { tls: compileTls(tls, folder) }),
    ...(proxyProtocol ? { proxyProtocol } : {}),
    ...(h2c ? { h2c } : {}),
    encodedSlashes,
    pathParameters,
  }
}

function compileTls({ also, clientCertificates, ...pair }: ParsedTls, folder: string): TlsSettings {
  return {
    ...compilePair(pair, folder),
    ...compileClientCertificates(clientCertificates, folder),
    also: also.map(({ names, ...each }) => ({ names, ...compilePair(each, folder) })),
  }
}

function compilePair({ certificate, key, ocsp }: TlsPair, folder: string): TlsPair {
  return {
    certificate: resolve(folder, certificate),
    key: resolve(folder, key),
    ...(ocsp === undefined ? {} : { ocsp: resolve(folder, ocsp) }),
  }
}

function compileClientCertificates(
  parsed: ParsedTls['clientCertificates'],
  folder: string,
): Pick<TlsSettings, 'clientCertificates'> {
  if (parsed === undefined || parsed.mode === 'none') return {}
  const { mode, authorities, revocation = [] } = parsed
  if (authorities === undefined) return { clientCertificates: { mode } }
  const absolute = (file: string): string => resolve(folder, file)
  const trust = {
    authorities: authorities.map(absolute),
    revocation: revocation.map(absolute),
    scope: 'chain',
  } as const
  return { clientCertificates: { mode, trust } }
}

function compileAudit(
  { mode, directory, key, index, retain, sinks }: ParsedAudit,
  folder: string,
): AuditSettings {
  return {
    mode,
    directory: resolve(folder, directory),
    key: resolve(folder, key),
    index,
    retain,
    sinks: sinks.filter((sink) => sink === 'stdout'),
  }
}

function compileLeaks({ github }: ParsedLeaks, folder: string): LeakSettings {
  if (github === undefined) return {}
  const keys = github.keys.map(({ id, key }) =>
    key.startsWith('-----BEGIN') ? { id, pem: key } : { id, file: resolve(folder, key) },
  )
  return { github: { keys } }
}

function compileUpstream(name: string, parsed: ParsedUpstream, folder: string): UpstreamSettings {
  const { targets, protocol, balance, hashOn, timeouts, retries, health, tls } = parsed
  const files = (['ca', 'certificate', 'key'] as const).flatMap((each) => {
    const path = tls?.[each]
    return path === undefined ? [] : [[each, resolve(folder, path)] as const]
  })
  return {
    name,
    targets,
    protocol,
    balance,
    ...(hashOn === undefined ? {} : { hashOn }),
    timeouts,
    retries,
    ...(health === undefined ? {} : { health }),
    ...(tls === undefined ? {} : { tls: { ...tls, ...Object.fromEntries(files) } }),
  }
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T, name: string) => U | undefined,
): Record<string, U> {
  const result: Record<string, U> = {}
  for (const [name, value] of Object.entries(record)) {
    const mapped = map(value, name)
    if (mapped !== undefined) result[name] = mapped
  }
  return result
}

function hashOf(configuration: Omit<Configuration, 'hash'>, references: ReadonlySet<string>): string {
  const withoutSecrets = (key: string, value: unknown): unknown => {
    if (key !== 'set' || typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => [
        name,
        references.has(text as string) ? '[reference]' : text,
      ]),
    )
  }
  return createHash('sha256').update(JSON.stringify(configuration, withoutSecrets)).digest('hex')
}

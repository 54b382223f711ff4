// Portcullis as a user starts it: the command line, a configuration file, an own folder; nothing is reached from inside.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audience, issuer, makeApiKey, scope } from '../credentials.ts'
import { freePort, indent, waitForPort } from '../processes.ts'
import type { Processes } from '../processes.ts'
import { Unavailable } from './target.ts'
import type { RunningTarget, Stage } from './target.ts'

/** What carries requests. */
export type DataPlane = 'wire' | 'node'

/** How callers prove who they are. */
export type Entrance = 'token' | 'hmac-token' | 'dpop-token' | 'api-key' | 'public'

/** One gateway of the table. */
export interface GatewayWish {
  readonly dataPlane: DataPlane
  readonly entrance: Entrance
  /** Keys that are made for it. */
  readonly apiKeys?: number
  readonly isTls?: boolean
  readonly audit?: 'relaxed' | 'strict'
  /** Routes besides the one that requests meet, which comes last. */
  readonly otherRoutes?: number
  /** Puts files into its folder before it starts. */
  readonly furnish?: (folder: string) => Promise<void>
}

/** A started gateway and, where it has them, keys that it knows. */
export interface RunningGateway extends RunningTarget {
  readonly apiKeys: readonly string[]
}

/** A configuration and the ports that it names. */
export interface Written {
  readonly port: number
  readonly adminPort: number
  readonly content: object
  readonly isTls?: boolean
}

const entryPoint = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js')

/**
 * Starts a gateway that has one authenticator, in a folder of its own, with everything on that a user would have on.
 *
 * @throws {Unavailable} if this version has no such data plane
 * @throws {Error} with what it printed, if it does not start
 */
export async function startPortcullis(
  stage: Stage,
  name: string,
  wish: GatewayWish,
): Promise<RunningGateway> {
  const folder = await makeFolder(stage, name)
  if (wish.isTls === true) {
    await writeFile(join(folder, 'gateway.crt'), stage.certificate.certificate)
    await writeFile(join(folder, 'gateway.key'), stage.certificate.key, { mode: 0o600 })
  }
  await wish.furnish?.(folder)
  const gateway = await configuration(stage, wish)
  try {
    return await launchIn(stage, folder, name, gateway, wish.apiKeys ?? 0)
  } catch (error) {
    if (wish.dataPlane === 'wire' && String(error).includes('dataPlane')) {
      throw new Unavailable('this version has no wire data plane', { cause: error })
    }
    throw error
  }
}

/** Writes a configuration, imports keys into its store and starts it. */
export async function launch(
  stage: Pick<Stage, 'folder' | 'processes'>,
  name: string,
  gateway: Written,
  apiKeyCount: number,
): Promise<RunningGateway> {
  return launchIn(stage, await makeFolder(stage, name), name, gateway, apiKeyCount)
}

async function makeFolder(stage: Pick<Stage, 'folder'>, name: string): Promise<string> {
  const folder = join(stage.folder, name.replaceAll(/\W+/g, '-'))
  await mkdir(folder)
  return folder
}

async function launchIn(
  stage: Pick<Stage, 'processes' | 'nodeOptions'> & { readonly gatewayCore?: number },
  folder: string,
  name: string,
  gateway: Written,
  apiKeyCount: number,
): Promise<RunningGateway> {
  // JSON is YAML, and needs no care for quoting.
  await writeFile(join(folder, 'portcullis.yaml'), JSON.stringify(gateway.content, undefined, 2), {
    mode: 0o600,
  })
  const apiKeys = apiKeyCount > 0 ? await importKeys(stage.processes, folder, apiKeyCount) : []
  const started = stage.processes.start({
    name,
    ...(stage.gatewayCore === undefined ? {} : { core: stage.gatewayCore }),
    folder,
    command: [
      process.execPath,
      ...(stage.nodeOptions ?? []),
      entryPoint,
      'start',
      '--config',
      'portcullis.yaml',
      '--no-watch',
    ],
    environment: { NO_COLOR: '1' },
  })
  await waitForPort(started, gateway.port, 60_000)
  return {
    process: started,
    url: `http${gateway.isTls === true ? 's' : ''}://127.0.0.1:${gateway.port}`,
    metricsUrl: `http://127.0.0.1:${gateway.adminPort}/metrics`,
    apiKeys,
  }
}

async function configuration(stage: Stage, wish: GatewayWish): Promise<Written> {
  const { entrance, otherRoutes = 0, isTls = false } = wish
  const port = await freePort()
  const adminPort = await freePort()
  const needsProvider = entrance !== 'public' && entrance !== 'api-key'
  return {
    port,
    adminPort,
    isTls,
    content: {
      ...baseConfiguration(port, adminPort, wish),
      ...(needsProvider ? { providers: { bench: provider(stage, entrance) } } : {}),
      ...(entrance === 'public' ? {} : { authenticators: { callers: authenticator(stage, entrance) } }),
      upstreams: { catalog: { targets: [stage.upstream] } },
      routes: [
        ...Array.from({ length: otherRoutes }, (_, number) =>
          route(`other-${number}`, `/${otherName(number)}/*`, entrance),
        ),
        route('catalog', '/catalog/*', entrance),
      ],
    },
  }
}

/** Names that begin alike, and some that are all but the one that is asked for: as a tree of paths is in real life. */
function otherName(number: number): string {
  const stem = number % 3 === 0 ? 'catalog' : number % 3 === 1 ? 'cat' : 'service'
  return `${stem}-${number}/v${number % 4}`
}

/** Token, scope and a limit that is counted and never met; identity fields and assertion are on where nothing is said. */
function route(id: string, path: string, entrance: Entrance): object {
  const rateLimit = { limit: '100000000/1m', key: 'identity' }
  const who =
    entrance === 'public'
      ? { authenticate: 'none' }
      : { authenticate: ['callers'], authorize: { scopes: [scope] } }
  return { id, match: { path }, ...who, rateLimit, upstream: 'catalog' }
}

/** What every configuration of the bench has: one listener, its own store and audit log, no workers. */
export function baseConfiguration(
  port: number,
  adminPort: number,
  { dataPlane, isTls = false, audit = 'relaxed' }: Partial<GatewayWish> = {},
): object {
  const tls = isTls ? { tls: { certificate: './gateway.crt', key: './gateway.key' } } : {}
  return {
    version: 1,
    ...(dataPlane === undefined ? {} : { dataPlane }),
    workers: 1,
    listeners: [{ address: `127.0.0.1:${port}`, ...tls }],
    admin: { address: `127.0.0.1:${adminPort}` },
    store: { url: 'sqlite:./portcullis.db' },
    audit: { mode: audit, directory: './audit', key: './audit.key' },
  }
}

function provider(stage: Stage, entrance: Entrance): object {
  const base = { type: 'oidc', issuer, discovery: false }
  return entrance === 'hmac-token' ? base : { ...base, jwks: stage.issuer.keySetUrl }
}

function authenticator(stage: Stage, entrance: Exclude<Entrance, 'public'>): object {
  if (entrance === 'api-key') return { type: 'api-key' }
  const base = { type: 'jwt', provider: 'bench', audience }
  if (entrance === 'token') return base
  if (entrance === 'dpop-token') return { ...base, binding: 'dpop' }
  return { ...base, algorithms: ['HS256'], secret: stage.issuer.hmacSecret }
}

async function importKeys(processes: Processes, folder: string, count: number): Promise<readonly string[]> {
  const keys = Array.from({ length: count }, makeApiKey)
  const file = join(folder, 'keys.json')
  const records = keys.map(({ id, key }, index) => ({
    id,
    key,
    owner: `partner-${index}`,
    scopes: [scope],
    roles: ['partner'],
  }))
  await writeFile(file, JSON.stringify(records), { mode: 0o600 })
  const started = processes.start({
    name: 'portcullis keys import',
    folder,
    command: [process.execPath, entryPoint, 'keys', 'import', '--file', file, '--config', 'portcullis.yaml'],
  })
  const timer = setTimeout(() => void started.stop(0), 30_000)
  const code = await started.ended
  clearTimeout(timer)
  if (code !== 0) {
    throw new Error(`"portcullis keys import" ended with ${code ?? 'a signal'}:\n${indent(started.output())}`)
  }
  return keys.map(({ key }) => key)
}

// Portcullis as a user starts it: the command line, a configuration file, an own folder; nothing is reached from inside.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audience, issuer, makeApiKey, scope } from '../credentials.ts'
import { freePort, indent, waitForPort } from '../processes.ts'
import type { Processes } from '../processes.ts'
import type { RunningTarget, Stage } from './target.ts'

/** How callers prove who they are. */
export type Entrance = 'token' | 'hmac-token' | 'api-key' | 'public'

/** A started gateway and, where it has them, keys that it knows. */
export interface RunningGateway extends RunningTarget {
  readonly apiKeys: readonly string[]
}

const entryPoint = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js')

/**
 * Starts a gateway that has one authenticator and one route, in a folder of its own.
 *
 * @throws {Error} with what it printed, if it does not start
 */
export async function startPortcullis(
  stage: Stage,
  name: string,
  entrance: Entrance,
  apiKeyCount = 0,
): Promise<RunningGateway> {
  const gateway = await configuration(stage, entrance)
  return launch(stage, name, gateway, apiKeyCount)
}

/** Writes a configuration, imports keys into its store and starts it. */
export async function launch(
  stage: Pick<Stage, 'folder' | 'processes'> & { readonly gatewayCore?: number },
  name: string,
  gateway: { readonly port: number; readonly adminPort: number; readonly content: object },
  apiKeyCount: number,
): Promise<RunningGateway> {
  const folder = join(stage.folder, name.replaceAll(/\W+/g, '-'))
  await mkdir(folder)
  // JSON is YAML, and needs no care for quoting.
  await writeFile(join(folder, 'portcullis.yaml'), JSON.stringify(gateway.content, undefined, 2), {
    mode: 0o600,
  })
  const apiKeys = apiKeyCount > 0 ? await importKeys(stage.processes, folder, apiKeyCount) : []
  const started = stage.processes.start({
    name,
    ...(stage.gatewayCore === undefined ? {} : { core: stage.gatewayCore }),
    folder,
    command: [process.execPath, entryPoint, 'start', '--config', 'portcullis.yaml', '--no-watch'],
    environment: { NO_COLOR: '1' },
  })
  await waitForPort(started, gateway.port)
  return {
    process: started,
    url: `http://127.0.0.1:${gateway.port}`,
    metricsUrl: `http://127.0.0.1:${gateway.adminPort}/metrics`,
    apiKeys,
  }
}

async function configuration(
  stage: Stage,
  entrance: Entrance,
): Promise<{ port: number; adminPort: number; content: object }> {
  const port = await freePort()
  const adminPort = await freePort()
  return {
    port,
    adminPort,
    content: {
      ...baseConfiguration(port, adminPort),
      ...(entrance === 'public' || entrance === 'api-key'
        ? {}
        : { providers: { bench: provider(stage, entrance) } }),
      ...(entrance === 'public' ? {} : { authenticators: { callers: authenticator(stage, entrance) } }),
      upstreams: { catalog: { targets: [stage.upstream] } },
      routes: [
        {
          id: 'catalog',
          match: { path: '/catalog/*' },
          ...(entrance === 'public'
            ? { authenticate: 'none' }
            : { authenticate: ['callers'], authorize: { scopes: [scope] } }),
          upstream: 'catalog',
        },
      ],
    },
  }
}

/** What every configuration of the bench has: one listener, its own store and audit log, no workers. */
export function baseConfiguration(port: number, adminPort: number): object {
  return {
    version: 1,
    dataPlane: 'node',
    workers: 1,
    listeners: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    store: { url: 'sqlite:./portcullis.db' },
    audit: { mode: 'relaxed', directory: './audit', key: './audit.key' },
  }
}

function provider(stage: Stage, entrance: 'token' | 'hmac-token'): object {
  const base = { type: 'oidc', issuer, discovery: false }
  return entrance === 'token' ? { ...base, jwks: stage.issuer.keySetUrl } : base
}

function authenticator(stage: Stage, entrance: Exclude<Entrance, 'public'>): object {
  if (entrance === 'api-key') return { type: 'api-key' }
  const base = { type: 'jwt', provider: 'bench', audience }
  if (entrance === 'token') return base
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

/** Starts everything that `portcullis dev` shows: the provider, the catalog, the gateway and a seeded key. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { startDevProvider, type DevProvider } from '../../dev-idp/server.ts'
import { defaultClients } from '../../dev-idp/users.ts'
import { startCatalog, type Catalog } from '../../sample-catalog/server.ts'
import { startGateway, type RunningGateway } from '../../main.ts'
import { CommandError, loadOrExplain, type CliContext } from '../context.ts'
import {
  adminTokenOf,
  openDevFolder,
  quickstartAddresses,
  writeDevConfiguration,
  type DevFolder,
} from './layout.ts'
import { freePort, tryPort } from './ports.ts'

/** What `--json` prints first, and what the banner is made from. */
export interface DevFacts {
  readonly gateway: string
  readonly admin: string
  readonly adminToken: string
  readonly provider: string
  readonly apiKey: string
  readonly clients: readonly {
    readonly id: string
    readonly secret: string | undefined
    readonly grants: readonly string[]
  }[]
  readonly users: readonly {
    readonly name: string
    readonly password: string
    readonly roles: readonly string[]
  }[]
  readonly tokens: Readonly<Record<string, string>>
  readonly config: string
}

export interface RunningDev {
  readonly facts: DevFacts
  readonly folder: DevFolder
  stop(): Promise<void>
}

export interface DevOptions {
  readonly dir: string | undefined
  /** The gateway's port; 0 picks a free one. */
  readonly port: number
}

const audience = 'https://catalog.example'

export async function runDev(context: CliContext, options: DevOptions): Promise<RunningDev> {
  const gatewayPort = await portOfGateway(options.port)
  const folder = await openDevFolder(context.cwd, options.dir)
  const started: { close(): Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    for (const part of started.reverse()) await part.close()
    if (folder.isTemporary) await rm(folder.path, { recursive: true, force: true })
  }
  try {
    const gatewayUrl = `http://127.0.0.1:${gatewayPort}`
    const catalog: Catalog = await startCatalog({
      port: await usualPort(options, quickstartAddresses.catalog),
      gatewayKeySet: `${gatewayUrl}/.portcullis/jwks.json`,
      audience: 'catalog',
    })
    started.push(catalog)
    const provider = await startDevProvider({
      audience,
      port: await usualPort(options, quickstartAddresses.provider),
      stateFile: folder.providerState,
      clients: defaultClients(gatewayUrl),
    })
    started.push(provider)
    const adminToken = await adminTokenOf(folder)
    await writeDevConfiguration(
      folder,
      {
        gateway: `127.0.0.1:${gatewayPort}`,
        admin: `127.0.0.1:${await usualPort(options, quickstartAddresses.admin)}`,
        provider: new URL(provider.issuer).host,
        catalog: new URL(catalog.url).host,
      },
      provider.clients.find(({ id }) => id === 'web')?.secret ?? '',
    )
    const loaded = await loadOrExplain(context, folder.config)
    const gateway = await startGateway({ loaded, env: quietly(context.env), watch: true })
    started.push({ close: () => gateway.stop() })
    const facts = await describe({ gateway, provider, folder, gatewayUrl, adminToken })
    return { facts, folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The banner is for people: only what is wrong stands between its lines, unless somebody asks for more. */
function quietly(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PORTCULLIS_LOG_LEVEL: 'error', ...env }
}

async function portOfGateway(wanted: number): Promise<number> {
  const port = await tryPort(wanted)
  if (port !== undefined) return port
  throw new CommandError(
    `port ${wanted} is taken; choose another with --port N, or --port 0 for any free one`,
  )
}

/** With `--port 0` everything takes free ports; otherwise the quickstart's, where they are free. */
function usualPort(options: DevOptions, address: string): Promise<number> {
  return freePort(options.port === 0 ? 0 : Number(address.split(':')[1]))
}

async function describe(parts: {
  gateway: RunningGateway
  provider: DevProvider
  folder: DevFolder
  gatewayUrl: string
  adminToken: string
}): Promise<DevFacts> {
  const { gateway, provider, folder, gatewayUrl, adminToken } = parts
  const tokens: Record<string, string> = {}
  for (const { name } of provider.users) tokens[name] = await provider.mintAccessToken(name)
  return {
    gateway: gatewayUrl,
    admin: gateway.adminUrl,
    adminToken,
    provider: provider.issuer,
    apiKey: await seededKey(gateway, folder),
    clients: provider.clients.map(({ id, secret, grants }) => ({ id, secret, grants })),
    users: provider.users.map(({ name, password, roles }) => ({ name, password, roles })),
    tokens,
    config: folder.config,
  }
}

/** A partner's key, made once for each folder and kept beside the store: this is a demonstration, not a secret. */
async function seededKey(gateway: RunningGateway, folder: DevFolder): Promise<string> {
  const kept = await readFile(folder.facts, 'utf8').then(
    (text) => JSON.parse(text) as { apiKey?: unknown },
    () => undefined,
  )
  if (typeof kept?.apiKey === 'string') return kept.apiKey
  const { key } = await gateway.keys.create(
    {
      owner: 'acme-tv',
      name: 'seeded partner key',
      scopes: ['catalog:read'],
      roles: ['partner'],
      expires: '30d',
    },
    'portcullis dev',
  )
  await writeFile(folder.facts, `${JSON.stringify({ apiKey: key })}\n`, { mode: 0o600 })
  return key
}

// A real snapshot on a real store and a real audit log, with an upstream that answers at once.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOfKey } from '../../../src/engine/authenticators/api-key/digest.ts'
import { formatFaults, loadConfiguration } from '../../../src/config/load.ts'
import type { Configuration } from '../../../src/configuration.ts'
import { build, retire } from '../../../src/gateway/build.ts'
import { openFoundation, type Foundation } from '../../../src/gateway/services.ts'
import type { Snapshot } from '../../../src/gateway/snapshot.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import type { Upstream } from '../../../src/upstream/upstream.ts'
import { audience, createIssuer, issuer, makeApiKey, scope, type Issuer } from '../../credentials.ts'

/** What is switched on. */
export interface Setup {
  readonly audit: 'off' | 'relaxed' | 'strict'
  readonly index: boolean
  /** Routes beside those that are measured. */
  readonly routes: number
}

/** The gateway without its sockets. */
export interface Bench {
  readonly snapshot: Snapshot
  readonly foundation: Foundation
  readonly keys: Issuer
  readonly apiKeys: readonly string[]
  close(): Promise<void>
}

const callers = 100

/** Opens everything that a gateway opens, but no listener. */
export async function openBench(setup: Setup): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-decision-'))
  const keys = await createIssuer()
  const configuration = await configurationIn(folder, setup, keys)
  const foundation = await openFoundation({
    configuration,
    configurationHash: () => configuration.hash,
    env: {},
    log: createLog({ level: 'info' }),
    clock: { now: () => Date.now() },
    readiness: () => 'ready',
  })
  const made = Array.from({ length: callers }, makeApiKey)
  await foundation.store.apiKeys.insert(
    made.map(({ id, key }, at) => ({
      id,
      owner: `partner-${at}`,
      digests: [digestOfKey(key, undefined)],
      origin: 'created' as const,
      prefix: 'ptc',
      scopes: [scope],
      roles: ['partner'],
      metadata: {},
      allowedIps: [],
      allowedRoutes: [],
      createdAt: Date.now(),
    })),
  )
  const built = build(configuration, foundation)
  return {
    snapshot: withQuickUpstreams(built.snapshot),
    foundation,
    keys,
    apiKeys: made.map(({ key }) => key),
    async close() {
      await retire(built, undefined)
      await foundation.close()
      await keys.close()
      await rm(folder, { recursive: true })
    },
  }
}

const answerFields = [
  ['Content-Type', 'application/json'],
  ['Content-Length', '1024'],
  ['Date', 'Tue, 24 Nov 2026 12:00:00 GMT'],
  ['ETag', '"5f70bf18"'],
].flat()

/** What a proxy's own part costs is measured elsewhere: here the answer is there at once. */
function withQuickUpstreams(snapshot: Snapshot): Snapshot {
  const forward: Upstream['forward'] = (server, _plan, hooks) => {
    const fields = hooks.decorate(200, answerFields)
    server.begin({ status: 200, reason: 'OK', fields }).end()
    hooks.settled({ outcome: 'answered', status: 200, upstreamMs: 0.1, bytes: 1024 })
  }
  const routes = [...snapshot.routes].map(
    ([settings, route]) => [settings, { ...route, upstream: { ...route.upstream, forward } }] as const,
  )
  return { ...snapshot, routes: new Map(routes) }
}

async function configurationIn(folder: string, setup: Setup, keys: Issuer): Promise<Configuration> {
  const file = join(folder, 'portcullis.yaml')
  // JSON is YAML, and needs no care for quoting.
  await writeFile(file, JSON.stringify(content(setup, keys)), { mode: 0o600 })
  const result = await loadConfiguration(file, { env: {} })
  if (!result.ok) throw new Error(formatFaults(result.faults))
  return result.configuration
}

function content({ audit, index, routes }: Setup, keys: Issuer): object {
  const guarded = { authorize: { scopes: [scope] }, upstream: 'catalog' }
  const rateLimit = { limit: '1000000/1m', key: 'identity' }
  const token = { type: 'jwt', provider: 'bench', audience }
  return {
    version: 1,
    listeners: [{ address: '127.0.0.1:8080' }],
    store: { url: 'sqlite:./portcullis.db' },
    audit: audit === 'off' ? 'off' : { mode: audit, directory: './audit', key: './audit.key', index },
    providers: { bench: { type: 'oidc', issuer, discovery: false, jwks: keys.keySetUrl } },
    authenticators: {
      tokens: token,
      bound: { ...token, binding: 'dpop' },
      partners: { type: 'api-key' },
    },
    upstreams: { catalog: { targets: ['http://127.0.0.1:9000'] } },
    routes: [
      { id: 'public', match: { path: '/public/*' }, authenticate: 'none', upstream: 'catalog' },
      { ...guarded, id: 'keys', match: { path: '/keys/*' }, authenticate: ['partners'] },
      { ...guarded, id: 'tokens', match: { path: '/tokens/*' }, authenticate: ['tokens'] },
      { ...guarded, id: 'limited', match: { path: '/limited/*' }, authenticate: ['tokens'], rateLimit },
      { ...guarded, id: 'either', match: { path: '/either/*' }, authenticate: ['tokens', 'partners'] },
      { ...guarded, id: 'bound', match: { path: '/bound/*' }, authenticate: ['bound'] },
      ...Array.from({ length: routes }, (_, at) => ({
        ...guarded,
        id: `more-${at}`,
        match: { path: `/more/${at}/:item` },
        authenticate: ['tokens'],
      })),
    ],
  }
}

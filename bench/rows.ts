// The rows of the table: which targets there are and what their callers carry. README.md lists the names; they stay.
import { createDpopCallers } from './callers.ts'
import type { Tokens, Wallet } from './callers.ts'
import type { Algorithm } from './credentials.ts'
import type { Filling, Stores } from './growth/stores.ts'
import type { LoadPlan } from './load.ts'
import { startHaproxy } from './targets/haproxy.ts'
import { startNginxLua } from './targets/nginx-lua.ts'
import { startNginxProxy } from './targets/nginx.ts'
import { nodePeers, startNodePeer } from './targets/node-peers.ts'
import type { NodePeer } from './targets/node-peers.ts'
import { startPortcullis } from './targets/portcullis.ts'
import type { DataPlane, GatewayWish } from './targets/portcullis.ts'
import type { RunningTarget, Stage } from './targets/target.ts'

/** What rows are started with. */
export interface RowStage extends Stage {
  readonly wallet: Wallet
  readonly stores: Stores
}

/** A row before it is started. */
export interface Row {
  readonly name: string
  /** Measured apart, beside its like: what many routes, keys or revocations cost. */
  readonly isGrowth?: boolean
  /** Only where it is asked for. */
  readonly onDemand?: boolean
  /** @throws {Unavailable} where it cannot be measured here */
  start(stage: RowStage): Promise<StartedRow>
}

/** A row that can be measured. */
export interface StartedRow {
  readonly target: RunningTarget
  readonly callers?: LoadPlan['callers']
  /** Whether strangers must be refused; and what the upstream must be told of the others. */
  readonly protection: 'none' | 'identity' | 'assertion'
}

/** The row that all others are compared with. */
export const baseline = 'nginx plain'

/** Rows whose latency is measured, too: each way of checking once, and who can be expected to keep the rate. */
export const latencyNames: readonly string[] = [
  baseline,
  ...['wire', 'node'].flatMap((plane) =>
    ['api-key', 'RS256 warm', 'ES256 warm', 'RS256 cold', 'audit strict', 'TLS'].map(
      (label) => `portcullis ${plane} ${label}`,
    ),
  ),
  'haproxy HS256',
  'haproxy RS256',
  'haproxy ES256',
  'nginx lua HS256',
  'nginx TLS',
  'fast-gateway HS256',
  'http-proxy-3 HS256',
  '@fastify/http-proxy HS256',
  `${baseline} (again)`,
]

/** Rows that thousands of idle connections are tried on. The gateways for Node.js close theirs after five seconds. */
export const memoryNames: readonly string[] = [
  baseline,
  'portcullis wire RS256 warm',
  'portcullis node RS256 warm',
  'haproxy RS256',
  'nginx TLS',
  'portcullis wire TLS',
  'portcullis node TLS',
]

/** The row whose profile goes with the numbers. */
export const profiledName = 'portcullis wire RS256 warm'

// As many callers as one busy instance sees within a minute or two; all of them fit into every cache.
const warmCallers = 100

// Who come with a new token each time: known by name, and so an assertion serves them for a while, but not by token.
const coldCallers = 1000

/** All rows, in the order of the table. */
export function allRows(coldTokens: number): readonly Row[] {
  return [
    nginx(baseline),
    ...planeRows('wire', coldTokens),
    ...planeRows('node', coldTokens),
    haproxy('haproxy plain'),
    haproxy('haproxy HS256', known('HS256')),
    haproxy('haproxy RS256', known('RS256')),
    haproxy('haproxy ES256', known('ES256')),
    haproxy('haproxy RS256 cold', unknown('RS256', coldTokens)),
    haproxy('haproxy ES256 cold', unknown('ES256', coldTokens)),
    nginxLua('nginx lua HS256'),
    nginx('nginx TLS', true),
    haproxy('haproxy TLS', undefined, true),
    ...nodePeers.map((peer) => nodePeer(`${peer} HS256`, peer)),
    // The same thing once more: what these two rows differ by is what the machine makes up.
    nginx(`${baseline} (again)`),
    ...growthRows('wire'),
    ...growthRows('node').map((row) => ({ ...row, onDemand: true })),
  ]
}

function planeRows(dataPlane: DataPlane, coldTokens: number): readonly Row[] {
  const row = (label: string, wish: Omit<GatewayWish, 'dataPlane'>, tokens?: Tokens): Row =>
    portcullis(`portcullis ${dataPlane} ${label}`, { dataPlane, ...wish }, tokens)
  return [
    row('public', { entrance: 'public' }),
    row('api-key', { entrance: 'api-key', apiKeys: warmCallers }),
    row('HS256 warm', { entrance: 'hmac-token' }, known('HS256')),
    row('RS256 warm', { entrance: 'token' }, known('RS256')),
    row('ES256 warm', { entrance: 'token' }, known('ES256')),
    row('RS256 cold', { entrance: 'token' }, unknown('RS256', coldTokens)),
    row('ES256 cold', { entrance: 'token' }, unknown('ES256', coldTokens)),
    row('RS256 strangers', { entrance: 'token' }, unknown('RS256', coldTokens, coldTokens)),
    row('DPoP warm', { entrance: 'dpop-token' }),
    row('audit strict', { entrance: 'token', audit: 'strict' }, known('RS256')),
    row('TLS', { entrance: 'token', isTls: true }, known('RS256')),
  ]
}

function growthRows(dataPlane: DataPlane): readonly Row[] {
  const row = (label: string, wish: Omit<GatewayWish, 'dataPlane'>, filling?: Furniture): Row => ({
    ...portcullis(`portcullis ${dataPlane} ${label}`, { dataPlane, ...wish }, undefined, filling),
    isGrowth: true,
  })
  const routes = (count: number, suffix = ''): Row =>
    row(`routes ${count}${suffix}`, { entrance: 'token', otherRoutes: count - 1 })
  const keys = (label: string, count: number): Row =>
    row(`keys ${label}`, { entrance: 'api-key' }, ['keys', count])
  const revocations = (label: string, count: number): Row =>
    row(`revocations ${label}`, { entrance: 'token' }, ['revocations', count])
  return [
    routes(1),
    routes(10),
    routes(10, ' (again)'),
    routes(100),
    routes(10_000),
    keys('1k', 1_000),
    keys('100k', 100_000),
    keys('1M', 1_000_000),
    revocations('1k', 1_000),
    revocations('100k', 100_000),
    revocations('1M', 1_000_000),
  ]
}

function known(algorithm: Algorithm): Tokens {
  return { algorithm, count: warmCallers, callers: warmCallers }
}

function unknown(algorithm: Algorithm, count: number, callers: number = coldCallers): Tokens {
  return { algorithm, count, callers }
}

type Furniture = readonly [filling: Filling, count: number]

function nginx(name: string, isTls = false): Row {
  return {
    name,
    start: async (stage) => ({ target: await startNginxProxy(stage, name, { isTls }), protection: 'none' }),
  }
}

function haproxy(name: string, tokens?: Tokens, isTls = false): Row {
  return {
    name,
    start: async (stage) => {
      if (tokens === undefined)
        return { target: await startHaproxy(stage, name, { isTls }), protection: 'none' }
      const target = await startHaproxy(stage, name, { algorithm: tokens.algorithm, isTls })
      return { target, protection: 'identity', callers: await stage.wallet.bearers(tokens) }
    },
  }
}

function nginxLua(name: string): Row {
  return {
    name,
    start: async (stage) => ({
      target: await startNginxLua(stage, name),
      protection: 'identity',
      callers: await stage.wallet.bearers(known('HS256')),
    }),
  }
}

function nodePeer(name: string, peer: NodePeer): Row {
  return {
    name,
    start: async (stage) => ({
      target: await startNodePeer(stage, name, peer),
      protection: 'identity',
      callers: await stage.wallet.bearers(known('HS256')),
    }),
  }
}

function portcullis(name: string, wish: GatewayWish, tokens?: Tokens, furniture?: Furniture): Row {
  return {
    name,
    start: async (stage) => {
      let filledKeys: readonly string[] = []
      const furnish = async (folder: string): Promise<void> => {
        if (furniture !== undefined) filledKeys = await stage.stores.furnish(...furniture, folder)
      }
      const target = await startPortcullis(stage, name, { ...wish, furnish })
      if (wish.entrance === 'public') return { target, protection: 'none' }
      const keys = [...target.apiKeys, ...filledKeys]
      return { target, protection: 'assertion', callers: await callersOf(stage, wish, keys, tokens) }
    },
  }
}

async function callersOf(
  { issuer, wallet }: RowStage,
  { entrance }: GatewayWish,
  apiKeys: readonly string[],
  tokens: Tokens = known('RS256'),
): Promise<NonNullable<LoadPlan['callers']>> {
  if (entrance === 'api-key') return apiKeys.map((key) => ({ 'X-Api-Key': key }))
  if (entrance === 'dpop-token') return createDpopCallers(issuer, warmCallers)
  return wallet.bearers(tokens)
}

// Gateways and proxies for Node.js: a package of its own, installed when it is needed, which nothing of ours depends on.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audience, issuer, scope } from '../credentials.ts'
import { freePort, waitForPort } from '../processes.ts'
import { progress } from '../progress.ts'
import { Unavailable } from './target.ts'
import type { RunningTarget, Stage } from './target.ts'

/** The names under which npm knows them. */
export const nodePeers = ['fast-gateway', 'http-proxy-3', '@fastify/http-proxy', 'express-gateway'] as const

export type NodePeer = (typeof nodePeers)[number]

const peersFolder = join(import.meta.dirname, '..', 'peers')

/**
 * Starts a peer that checks HS256 tokens.
 *
 * @throws {Unavailable} where its package is not installed and cannot be
 */
export async function startNodePeer(stage: Stage, name: string, peer: NodePeer): Promise<RunningTarget> {
  install()
  const port = await freePort()
  const command =
    peer === 'express-gateway'
      ? [join(peersFolder, 'start-express-gateway.cjs'), await expressFolder(stage, port)]
      : [join(peersFolder, 'start.js'), peer, settings(stage, port)]
  const started = stage.processes.start({
    name,
    core: stage.gatewayCore,
    command: [process.execPath, ...(stage.nodeOptions ?? []), ...command],
    environment: { NODE_ENV: 'production', LOG_LEVEL: 'error' },
  })
  await waitForPort(started, port)
  return { process: started, url: `http://127.0.0.1:${port}` }
}

const installation: { failure?: string; isDone?: boolean } = {}

/** Once in a run, also where it fails. */
function install(): void {
  if (existsSync(join(peersFolder, 'node_modules', '.package-lock.json'))) return
  if (installation.isDone !== true) {
    installation.isDone = true
    progress('npm ci --prefix bench/peers')
    const { status, stderr, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: peersFolder,
      encoding: 'utf8',
      timeout: 300_000,
    })
    if (status !== 0)
      installation.failure = error?.message ?? stderr.trim().split('\n').slice(0, 3).join('; ')
  }
  if (installation.failure !== undefined) {
    throw new Unavailable(`"npm ci --prefix bench/peers" did not succeed: ${installation.failure}`)
  }
}

function settings({ upstream, issuer: keys }: Stage, port: number): string {
  return JSON.stringify({ port, upstream, secret: keys.hmacSecret, issuer, audience, scope })
}

/** Its own configuration files; the models are those that it comes with. */
async function expressFolder(stage: Stage, port: number): Promise<string> {
  const folder = join(stage.folder, 'express-gateway')
  await mkdir(folder)
  const config = join(peersFolder, 'node_modules', 'express-gateway', 'lib', 'config')
  await cp(join(config, 'models'), join(folder, 'models'), { recursive: true })
  await cp(join(config, 'system.config.yml'), join(folder, 'system.config.yml'))
  const secret = stage.issuer.hmacSecret
  const content = {
    http: { port, hostname: '127.0.0.1' },
    apiEndpoints: { catalog: { host: '*', paths: '/catalog/*' } },
    serviceEndpoints: { catalog: { url: stage.upstream } },
    policies: ['jwt', 'request-transformer', 'proxy'],
    pipelines: {
      catalog: {
        apiEndpoints: ['catalog'],
        policies: [
          {
            jwt: {
              action: {
                secretOrPublicKey: secret,
                algorithms: ['HS256'],
                issuer,
                audience,
                checkCredentialExistence: false,
              },
            },
          },
          {
            'request-transformer': {
              action: {
                headers: {
                  add: { 'x-auth-subject': 'req.user.sub', 'x-auth-scopes': 'req.user.scope' },
                  remove: ['authorization'],
                },
              },
            },
          },
          { proxy: { action: { serviceEndpoint: 'catalog' } } },
        ],
      },
    },
  }
  await writeFile(join(folder, 'gateway.config.yml'), JSON.stringify(content, undefined, 2), { mode: 0o600 })
  return folder
}

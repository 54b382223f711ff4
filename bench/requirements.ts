// What the machine must have. Nothing is installed by the bench itself.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The programs that are measured or measure, by their own words. */
export interface Versions {
  readonly node: string
  readonly nginx: string
  readonly haproxy: string
  readonly wrk: string
}

const packageOf = { nginx: 'nginx', haproxy: 'haproxy', wrk: 'wrk', taskset: 'util-linux' }

/**
 * Looks for everything that the bench runs.
 *
 * @throws {Error} naming what is missing and how to install it on Debian
 */
export function requirePrograms(): Versions {
  const missing = Object.entries(packageOf).filter(([program]) => ask(program, ['--version']) === undefined)
  if (missing.length > 0) {
    const names = missing.map(([program]) => program).join(', ')
    const packages = missing.map(([, name]) => name).join(' ')
    throw new Error(`missing: ${names}. On Debian, as root: apt-get install ${packages}`)
  }
  if (process.platform !== 'linux') throw new Error('the bench reads /proc and pins to cores: it needs Linux')
  if (availableParallelism() < 2) {
    throw new Error('the bench needs two cores, one for the gateway and one for load and upstream')
  }
  return {
    node: process.versions.node,
    nginx: /nginx\/(\S+)/.exec(ask('nginx', ['-v']) ?? '')?.[1] ?? 'unknown',
    haproxy: /version (\S+)/i.exec(ask('haproxy', ['-v']) ?? '')?.[1] ?? 'unknown',
    wrk: /wrk (?:debian\/)?(\S+)/.exec(ask('wrk', ['--version']) ?? '')?.[1] ?? 'unknown',
  }
}

/** The environment for programs that distributions put beyond the reach of ordinary users. */
export function searchPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` }
}

function ask(program: string, args: readonly string[]): string | undefined {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 5000, env: searchPath() })
  return result.error === undefined ? `${result.stdout}${result.stderr}` : undefined
}

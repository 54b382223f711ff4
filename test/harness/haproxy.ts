/** A real HAProxy on loopback, a process of its own: what nobody here wrote stands before or behind the gateway. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const program = '/usr/sbin/haproxy'

export interface Haproxy extends AsyncDisposable {
  readonly port: number
  /** What it has written so far. */
  log(): string
}

/** @returns whether it is there; where tests must run, its absence is an error */
export function hasHaproxy(): boolean {
  if (existsSync(program)) return true
  if (process.env['CI'] === 'true') throw new Error('haproxy is missing: apt-get install haproxy')
  process.stderr.write(
    '\n*** haproxy is not installed: its tests are SKIPPED (apt-get install haproxy) ***\n\n',
  )
  return false
}

/**
 * @param frontend lines of a `listen` section that is bound to a free port: mode, server, options
 * @param bind more words of its `bind` line
 */
export async function startHaproxy(frontend: string, bind = ''): Promise<Haproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-haproxy-'))
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  maxconn 200
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:${port} ${bind}
${frontend.replace(/^\s*/gm, '  ')}
`,
  )
  const child = spawn(program, ['-f', file, '-db'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const close = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  for (let tries = 0; !(await isOpen(port)); tries += 1) {
    if (child.exitCode !== null || tries > 200) {
      await close()
      throw new Error(`haproxy does not start: ${log}`)
    }
    await delay(25)
  }
  return { port, log: () => log, [Symbol.asyncDispose]: close }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

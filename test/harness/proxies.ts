/** Debian's nginx and HAProxy as processes on loopback, as lax as they can be set: what gets through them must not get through us. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Proxy {
  readonly port: number
  close(): Promise<void>
}

export type ProxyName = 'nginx' | 'haproxy'

const programs: Readonly<Record<ProxyName, string>> = {
  nginx: '/usr/sbin/nginx',
  haproxy: '/usr/sbin/haproxy',
}
const packages: Readonly<Record<ProxyName, string>> = { nginx: 'nginx-light', haproxy: 'haproxy' }

/** @returns whether it is there; where tests must run, its absence is an error */
export function hasProxy(name: ProxyName): boolean {
  if (existsSync(programs[name])) return true
  const install = `apt-get install ${packages[name]}`
  if (process.env['CI'] === 'true') throw new Error(`${name} is missing: ${install}`)
  process.stderr.write(`\n*** ${name} is not installed: its tests are SKIPPED (${install}) ***\n\n`)
  return false
}

/** @param target port to pass everything on to, over connections that all clients share */
export async function startProxy(name: ProxyName, target: number): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), `portcullis-${name}-`))
  const port = await freePort()
  const file = join(folder, `${name}.conf`)
  await mkdir(join(folder, 'temp'))
  await writeFile(
    file,
    name === 'nginx' ? nginxConfiguration(folder, port, target) : haproxyConfiguration(port, target),
  )
  const args = name === 'nginx' ? ['-p', folder, '-c', file, '-e', 'stderr'] : ['-f', file, '-db']
  const child = spawn(programs[name], args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const close = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  for (let tries = 0; !(await isOpen(port)); tries += 1) {
    if (tries === 100 || child.exitCode !== null) {
      await close()
      throw new Error(`${name} did not start: ${log}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { port, close }
}

function nginxConfiguration(folder: string, port: number, target: number): string {
  const temp = (['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'] as const)
    .map((name) => `${name}_temp_path ${join(folder, 'temp', name)};`)
    .join(' ')
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr emerg;
events { worker_connections 2000; }
http {
  access_log off;
  ${temp}
  client_header_timeout 1s;
  client_body_timeout 1s;
  keepalive_timeout 60s;
  keepalive_requests 1000000;
  large_client_header_buffers 8 64k;
  client_max_body_size 0;
  underscores_in_headers on;
  ignore_invalid_headers off;
  merge_slashes off;
  upstream target { server 127.0.0.1:${target}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_next_upstream off;
      proxy_read_timeout 3s;
    }
  }
}
`
}

function haproxyConfiguration(port: number, target: number): string {
  return `
global
  maxconn 2000
  nbthread 1
  tune.bufsize 65536
  tune.http.maxhdr 1000
defaults
  mode http
  timeout connect 2s
  timeout client 1s
  timeout server 3s
  timeout http-request 1s
  timeout http-keep-alive 60s
  option http-keep-alive
  http-reuse always
  retries 0
frontend front
  bind 127.0.0.1:${port}
  option accept-invalid-http-request
  default_backend back
backend back
  option accept-invalid-http-response
  server target 127.0.0.1:${target}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const tell = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => tell(true))
    socket.once('error', () => tell(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

// nginx twice: as the upstream of everybody, and as the plain proxy that the others are compared with.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, waitForPort } from '../processes.ts'
import { upstreamBody } from './target.ts'
import type { RunningTarget, Stage } from './target.ts'

/** Starts the upstream, which says the same to everybody, on the load's core. */
export async function startUpstream(stage: Omit<Stage, 'upstream'>): Promise<RunningTarget> {
  return startNginx(stage, 'upstream', stage.loadCore, (port) => ({
    upstream: '',
    server: `listen 127.0.0.1:${port} backlog=4096;
      location / { default_type application/json; return 200 '${upstreamBody()}'; }`,
  }))
}

/** Starts the plain proxy: no authentication, no log, connections kept on both sides. */
export async function startNginxProxy(stage: Stage, name: string): Promise<RunningTarget> {
  return startNginx(stage, name, stage.gatewayCore, (port) => ({
    upstream: `upstream catalog { server ${new URL(stage.upstream).host}; keepalive 256; keepalive_requests 100000000; }`,
    server: `listen 127.0.0.1:${port} backlog=4096;
      location / {
        proxy_pass http://catalog;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
      }`,
  }))
}

async function startNginx(
  stage: Omit<Stage, 'upstream'>,
  name: string,
  core: number,
  content: (port: number) => { readonly upstream: string; readonly server: string },
): Promise<RunningTarget> {
  const port = await freePort()
  const folder = join(stage.folder, name.replaceAll(/\W+/g, '-'))
  await mkdir(folder)
  const { upstream, server } = content(port)
  const file = join(folder, 'nginx.conf')
  // Started by root, nginx would give its worker to another user, who cannot enter the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ')
  await writeFile(
    file,
    `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off; server_tokens off; ${temporary}
  keepalive_timeout 120s; keepalive_requests 100000000;
  ${upstream}
  server { ${server} }
}
`,
  )
  const started = stage.processes.start({
    name,
    core,
    command: ['nginx', '-p', folder, '-c', file, '-e', 'stderr'],
  })
  await waitForPort(started, port)
  return { process: started, url: `http://127.0.0.1:${port}` }
}

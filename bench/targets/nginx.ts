// nginx twice: as the upstream of everybody, and as the plain proxy that the others are compared with.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, waitForPort } from '../processes.ts'
import { requestPath, seenPath, upstreamBody } from './target.ts'
import type { RunningTarget, Stage } from './target.ts'

type BareStage = Omit<Stage, 'upstream'>

/** What differs between configurations of nginx. */
export interface NginxContent {
  /** Directives before the `http` block. */
  readonly main?: string
  /** Directives of the `http` block. */
  readonly http?: string
  /** Directives of the one server, and those of `location /`. */
  readonly server: string
  readonly scheme?: 'http' | 'https'
}

/** Starts the upstream, which says the same to everybody, on the load's core. */
export async function startUpstream(stage: BareStage): Promise<RunningTarget> {
  const [path] = requestPath.split('?')
  return startNginx(stage, 'upstream', stage.loadCore, (port) => ({
    server: `listen 127.0.0.1:${port} backlog=4096;
      default_type application/json;
      location ${path} { return 200 '${upstreamBody()}'; }
      location ${seenPath} { return 200 '{"subject":"$http_x_auth_subject","assertion":"$http_x_portcullis_assertion","authorization":"$http_authorization","key":"$http_x_api_key"}'; }`,
  }))
}

/** Starts the plain proxy: no authentication, no log, connections kept on both sides. */
export async function startNginxProxy(
  stage: Stage,
  name: string,
  { isTls = false }: { readonly isTls?: boolean } = {},
): Promise<RunningTarget> {
  const tls = isTls ? await writeCertificate(stage, name) : undefined
  return startNginx(stage, name, stage.gatewayCore, (port) => ({
    http: keptUpstream(stage),
    scheme: isTls ? 'https' : 'http',
    server: `listen 127.0.0.1:${port}${isTls ? ' ssl' : ''} backlog=4096; ${tls ?? ''}
      location / { ${proxied} }`,
  }))
}

/** Passes requests on over kept connections. */
export const proxied = `proxy_pass http://catalog;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;`

/** The block that names the upstream. */
export function keptUpstream(stage: Stage): string {
  return `upstream catalog { server ${new URL(stage.upstream).host}; keepalive 256; keepalive_requests 100000000; }`
}

async function writeCertificate(stage: Stage, name: string): Promise<string> {
  const stem = join(stage.folder, `${name.replaceAll(/\W+/g, '-')}-tls`)
  await writeFile(`${stem}.crt`, stage.certificate.certificate)
  await writeFile(`${stem}.key`, stage.certificate.key, { mode: 0o600 })
  return `ssl_certificate ${stem}.crt; ssl_certificate_key ${stem}.key; ssl_protocols TLSv1.2 TLSv1.3;`
}

/** Starts nginx with one worker in a folder of its own. */
export async function startNginx(
  stage: BareStage,
  name: string,
  core: number,
  content: (port: number, folder: string) => NginxContent,
): Promise<RunningTarget> {
  const port = await freePort()
  const folder = join(stage.folder, name.replaceAll(/\W+/g, '-'))
  await mkdir(folder)
  const { main = '', http = '', server, scheme = 'http' } = content(port, folder)
  const file = join(folder, 'nginx.conf')
  // Started by root, nginx would give its worker to another user, who cannot enter the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ')
  await writeFile(
    file,
    `${user} ${main} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events { worker_connections 16384; }
http {
  access_log off; server_tokens off; ${temporary}
  keepalive_timeout 120s; keepalive_requests 100000000;
  ${http}
  server { ${server} }
}
`,
    { mode: 0o600 },
  )
  const started = stage.processes.start({
    name,
    core,
    command: ['nginx', '-p', folder, '-c', file, '-e', 'stderr'],
  })
  await waitForPort(started, port)
  return { process: started, url: `${scheme}://127.0.0.1:${port}` }
}

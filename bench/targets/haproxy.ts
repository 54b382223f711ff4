// HAProxy, plain and with jwt_verify: the C proxy that checks tokens without help from outside.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audience, issuer, scope } from '../credentials.ts'
import type { Algorithm } from '../credentials.ts'
import { freePort, waitForPort } from '../processes.ts'
import type { RunningTarget, Stage } from './target.ts'

/** Starts HAProxy; with an algorithm it lets nobody pass without a good token. */
export async function startHaproxy(
  stage: Stage,
  name: string,
  { algorithm, isTls = false }: { readonly algorithm?: Algorithm; readonly isTls?: boolean } = {},
): Promise<RunningTarget> {
  const port = await freePort()
  const stem = join(stage.folder, name.replaceAll(/\W+/g, '-'))
  const tls = isTls ? ` ssl crt ${await writeCertificate(stage, stem)} alpn http/1.1` : ''
  const rules = algorithm === undefined ? '' : verification(algorithm, await writeKey(stage, stem, algorithm))
  await writeFile(
    `${stem}.cfg`,
    `global
  nbthread 1
  maxconn 9600
defaults
  mode http
  timeout connect 2s
  timeout client 120s
  timeout server 30s
  http-reuse always
  option forwardfor
frontend gateway
  bind 127.0.0.1:${port} backlog 4096${tls}
${rules}
  default_backend catalog
backend catalog
  server catalog ${new URL(stage.upstream).host}
`,
    { mode: 0o600 },
  )
  const started = stage.processes.start({
    name,
    core: stage.gatewayCore,
    command: ['haproxy', '-db', '-f', `${stem}.cfg`],
  })
  await waitForPort(started, port)
  return { process: started, url: `http${isTls ? 's' : ''}://127.0.0.1:${port}` }
}

/** HAProxy reads a certificate and its key from one file. */
async function writeCertificate({ certificate }: Stage, stem: string): Promise<string> {
  await writeFile(`${stem}-tls.pem`, certificate.certificate + certificate.key, { mode: 0o600 })
  return `${stem}-tls.pem`
}

/** HAProxy reads public keys from PEM files, and a shared secret from its configuration. */
async function writeKey(stage: Stage, stem: string, algorithm: Algorithm): Promise<string> {
  if (algorithm === 'HS256') return stage.issuer.hmacSecret
  await writeFile(`${stem}.pem`, stage.issuer.publicKey(algorithm))
  return `${stem}.pem`
}

/** The same checks that the gateway makes, and the same hand-over: identity fields in, the client's own and its token out. */
function verification(algorithm: Algorithm, key: string): string {
  return `
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str ${algorithm} }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${key}") -m int 1 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.iss') -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.aud') -m str ${audience} }
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now) -m int gt 0 }
  http-request set-var(txn.scope) var(txn.token),jwt_payload_query('$.scope')
  http-request deny deny_status 403 unless { var(txn.scope) -m sub ${scope} }
  http-request del-header x-auth- -m beg
  http-request set-header X-Auth-Subject %[var(txn.token),jwt_payload_query('$.sub')]
  http-request set-header X-Auth-Scopes %[var(txn.scope)]
  http-request del-header x-portcullis- -m beg
  http-request del-header authorization`
}

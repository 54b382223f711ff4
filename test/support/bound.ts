/** A gateway whose routes demand each kind of binding, and a client that proves its key, or does not. */
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { rawClient, type RawAnswer } from '../raw-client.ts'
import { jktOf, proof } from './proofs.ts'
import { startRecordingBackend, type RecordingBackend } from './recording-backend.ts'
import { createSigner, type Json, type Signer } from './tokens.ts'

export const modes = ['none', 'optional', 'required', 'dpop', 'mtls'] as const

export interface Bound extends AsyncDisposable {
  readonly gateway: TestGateway
  readonly issuer: TestIssuer
  readonly backend: RecordingBackend
  /** The client's own key. */
  readonly signer: Signer
  /** A token that is bound to it, with these claims over good ones. */
  token(claims?: Json): string
  /** A proof of it for `GET /none/items` now, with these members over good ones. */
  proof(token: string, claims?: Json, header?: Json, by?: Signer): string
  /** Sends a request and reads its answer; the backend has forgotten what it saw before. */
  ask(target: string, fields: readonly string[], options?: AskOptions): Promise<RawAnswer>
}

export interface AskOptions {
  readonly method?: string
  readonly host?: string
  /** Local address to come from. */
  readonly from?: string
}

const publicUrl = 'https://api.example.com'

export async function startBound(
  options: TestGatewayOptions & { readonly top?: string } = {},
): Promise<Bound> {
  const [issuer, backend] = await Promise.all([startTestIssuer(), startRecordingBackend()])
  const own = modes.map(
    (mode) => `  ${mode}: { type: jwt, provider: corp, audience: https://api.example, binding: ${mode} }`,
  )
  const routes = [...modes, 'nonce'].map(
    (name) => `  - { id: ${name}, match: { path: /${name}/* }, authenticate: [${name}], upstream: items }`,
  )
  const gateway = await startTestGateway(
    `
version: 1
publicUrl: [${publicUrl}, "https://other.example.com:8443"]
providers:
  corp: { type: oidc, issuer: "${issuer.issuer}", discovery: false, jwks: "${issuer.issuer}/jwks" }
authenticators:
${own.join('\n')}
  nonce: { type: jwt, provider: corp, audience: https://api.example, binding: dpop, dpop: { nonce: true, window: 60s } }
upstreams:
  items: { targets: ["http://127.0.0.1:${backend.port}"] }
routes:
${routes.join('\n')}
  - { id: keep, match: { path: /keep/* }, authenticate: [none], forward: { credential: keep }, upstream: items }
  - { id: scoped, match: { path: /scoped/* }, authenticate: [none], authorize: { scopes: [items:write] }, upstream: items }
  - id: tried
    match: { path: /tried/* }
    authenticate: [none]
    report: { authenticate: [dpop] }
    upstream: items
${options.top ?? ''}
`,
    options,
  )
  const signer = createSigner('ES256')
  const now = options.clock ?? { now: () => Date.now() }
  const close = async (): Promise<void> => {
    await gateway.stop()
    await Promise.all([issuer.close(), backend.close()])
  }
  return {
    gateway,
    issuer,
    backend,
    signer,
    token: (claims = {}) => {
      const iat = Math.floor(now.now() / 1_000)
      return issuer.token({ iat, exp: iat + 600, cnf: { jkt: jktOf(signer) }, ...claims })
    },
    proof: (token, claims = {}, header = {}, by = signer) =>
      proof(
        by,
        token,
        { htu: `${publicUrl}/none/items`, iat: Math.floor(now.now() / 1_000), ...claims },
        header,
      ),
    async ask(target, fields, { method = 'GET', host = 'api.example.com', from } = {}) {
      backend.forget()
      const local = from === undefined ? {} : { localAddress: from }
      const client = await rawClient({ port: gateway.port, patience: 15_000, ...local })
      try {
        const head = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields]
        return await client.send(`${head.join('\r\n')}\r\n\r\n`).answer(method)
      } finally {
        client.destroy()
      }
    },
    [Symbol.asyncDispose]: close,
  }
}

/** An identity provider as far as a resource server sees one: metadata, a key set, and tokens of any shape. */
import {
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  constants,
  type KeyObject,
} from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = Record<string, unknown>

export interface TestIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly port: number
  /** How often the key set was fetched. */
  fetches: number
  /** What the next answers are; undefined: the real ones. */
  misbehave: ((url: string) => { status: number; body: string } | 'hang' | undefined) | undefined
  /** A token with these claims over good ones; `undefined` members are left out. */
  token(claims?: Json, header?: Json): string
  /** Signs exactly these. */
  raw(header: Json | string, payload: Json | string): string
  rotate(): void
  readonly publicPem: string
  close(): Promise<void>
}

interface SigningKey {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256'
  readonly key: KeyObject
  readonly jwk: Json
}

export async function startTestIssuer(alg: 'RS256' | 'ES256' = 'ES256', port = 0): Promise<TestIssuer> {
  let keys: SigningKey[] = [makeKey(alg)]
  const server: Server = createServer((request, response) => {
    const url = request.url ?? ''
    if (url.endsWith('/jwks')) self.fetches += 1
    const bad = self.misbehave?.(url)
    if (bad === 'hang') return
    if (bad !== undefined) {
      response.writeHead(bad.status, { 'content-type': 'application/json' }).end(bad.body)
      return
    }
    const body = url.endsWith('/jwks')
      ? { keys: keys.map(({ jwk }) => jwk) }
      : { issuer: self.issuer, jwks_uri: `${self.issuer}/jwks` }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as AddressInfo).port
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const self: TestIssuer = {
    issuer: `http://127.0.0.1:${bound}`,
    port: bound,
    fetches: 0,
    misbehave: undefined,
    publicPem: '',
    token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const good = {
        iss: self.issuer,
        aud: 'https://api.example',
        sub: 'alice',
        iat: now,
        exp: now + 600,
        jti: randomUUID(),
      }
      const key = keys[0]!
      return self.raw({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }, { ...good, ...claims })
    },
    raw(header, payload) {
      const input = `${encode(header)}.${encode(payload)}`
      const { key, alg: own } = keys[0]!
      const signature = sign(
        'sha256',
        Buffer.from(input),
        own === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : { key, padding: constants.RSA_PKCS1_PADDING },
      )
      return `${input}.${signature.toString('base64url')}`
    },
    rotate() {
      keys = [makeKey(alg)]
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  Object.defineProperty(self, 'publicPem', {
    get: () =>
      createPrivateKey(keys[0]!.key.export({ type: 'pkcs8', format: 'pem' })).export({
        type: 'pkcs8',
        format: 'pem',
      }),
  })
  return self
}

export function encode(part: Json | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function makeKey(alg: 'RS256' | 'ES256'): SigningKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  return { kid, alg, key: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

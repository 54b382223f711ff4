/** Tokens and keys that are bound to a client certificate, stolen and used from elsewhere. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { selfSign } from '../support/certificate.ts'
import { mtlsFetch, type MtlsAnswer } from '../support/mtls-client.ts'
import { issueAuthority, issueClient, type Made } from '../support/pki.ts'
import { jktOf, proof } from '../support/proofs.ts'
import { createSigner, type Json } from '../support/tokens.ts'

const server = selfSign()
const partners = issueAuthority({ subject: 'partners' })
const own = issueClient({ subject: 'own', issuer: partners })
const other = issueClient({ subject: 'other', issuer: partners })
const homemade = issueClient({ subject: 'homemade' })
const expired = issueClient({ subject: 'expired', issuer: partners, notAfter: Date.now() - 60_000 })

let issuer: TestIssuer
let upstream: TestUpstream
let test: TestGateway
/** One listener asks for any certificate, the other for one of `partners`. */
let any: string
let vouched: string

beforeAll(async () => {
  issuer = await startTestIssuer()
  upstream = await startTestUpstream()
  const tls = 'certificate: ./server.pem, key: ./server.key'
  test = await startTestGateway(
    `
version: 1
publicUrl: https://127.0.0.1
listeners:
  - { address: "127.0.0.1:0", tls: { ${tls}, clientCertificates: { mode: request } } }
  - { address: "127.0.0.1:0", tls: { ${tls}, clientCertificates: { mode: request, authorities: ./partners.pem } } }
providers: { corp: { type: oidc, issuer: "${issuer.issuer}" } }
authenticators:
  token: { type: jwt, provider: corp, audience: https://api.example }
  bound: { type: jwt, provider: corp, audience: https://api.example, binding: mtls }
  keys: { type: api-key }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: plain, match: { path: /plain }, authenticate: [token, keys], upstream: items }
  - { id: bound, match: { path: /bound }, authenticate: [bound], upstream: items }
`,
    { files: { 'server.pem': server.certificate, 'server.key': server.key, 'partners.pem': partners.pem } },
  )
  ;[any, vouched] = test.gateway.listenerUrls as [string, string]
})

afterAll(async () => {
  await test.stop()
  await Promise.all([issuer.close(), upstream.close()])
})

function thumbprint({ der }: Made): string {
  return createHash('sha256').update(der).digest('base64url')
}

function boundTo(certificate: Made, more: Json = {}): string {
  return issuer.token({ cnf: { 'x5t#S256': thumbprint(certificate), ...more } })
}

async function ask(url: string, token: string, client?: Made, more: Json = {}): Promise<MtlsAnswer> {
  const headers = { authorization: `Bearer ${token}`, ...more } as Record<string, string>
  return mtlsFetch(url, { headers, ...(client === undefined ? {} : { client }) })
}

describe('a token that is bound to a certificate', () => {
  it.each(['/plain', '/bound'])('passes with it: %s', async (path) => {
    expect((await ask(`${any}${path}`, boundTo(own), own)).status).toBe(200)
    expect((await ask(`${vouched}${path}`, boundTo(own), own)).status).toBe(200)
    expect(upstream.requests.at(-1)!.headers).not.toHaveProperty('authorization')
  })

  it.each(['/plain', '/bound'])('is of no use without it, or with another: %s', async (path) => {
    const token = boundTo(own)
    expect((await ask(`${any}${path}`, token, own)).status).toBe(200)
    const seen = upstream.requests.length
    for (const client of [undefined, other, homemade]) {
      const answer = await ask(`${any}${path}`, token, client)
      expect([answer.status, answer.json()['code'], answer.headers['www-authenticate']]).toEqual([
        401,
        'credential_invalid',
        expect.stringContaining('Bearer realm="portcullis", error="invalid_token"'),
      ])
    }
    expect(upstream.requests).toHaveLength(seen)
  })

  it('is of no use with the certificate in a header that nobody was trusted to write', async () => {
    const value = `:${own.der.toString('base64')}:`
    for (const name of ['client-cert', 'x-forwarded-client-cert', 'x-client-cert', 'ssl-client-cert'])
      expect((await ask(`${any}/plain`, boundTo(own), undefined, { [name]: value })).status).toBe(401)
  })

  it('may be bound to a home-made one, where the listener names no authorities, and only there', async () => {
    expect((await ask(`${any}/bound`, boundTo(homemade), homemade)).status).toBe(200)
    expect((await ask(`${vouched}/bound`, boundTo(homemade), homemade)).status).toBe(401)
  })

  it('is of no use with a certificate that has expired', async () => {
    expect((await ask(`${vouched}/bound`, boundTo(expired), expired)).status).toBe(401)
  })

  it('needs the proof of its other key as well, where it names two', async () => {
    const signer = createSigner('ES256')
    const token = boundTo(own, { jkt: jktOf(signer) })
    const made = (): string => {
      const iat = Math.floor(Date.now() / 1_000)
      return proof(signer, token, { htu: 'https://127.0.0.1/plain', iat })
    }
    const by = async (client?: Made, fields: Json = {}): Promise<number> =>
      (await ask(`${any}/plain`, token, client, { authorization: `DPoP ${token}`, ...fields })).status
    expect(await by(own, { dpop: made() })).toBe(200)
    expect(await by(undefined, { dpop: made() })).toBe(401)
    expect(await by(other, { dpop: made() })).toBe(401)
    expect(await by(own)).toBe(401)
  })
})

describe('an unbound token', () => {
  it('is not spoilt by a certificate, and not made a bound one by it', async () => {
    expect((await ask(`${any}/plain`, issuer.token(), own)).status).toBe(200)
    expect((await ask(`${any}/bound`, issuer.token(), own)).status).toBe(401)
  })
})

describe('an API key that is bound to a certificate', () => {
  it('is of no use without it', async () => {
    const certificate = createHash('sha256').update(own.der).digest('hex')
    const { key } = await test.gateway.keys.create({ owner: 'acme', certificate }, 'test')
    const status = async (client?: Made): Promise<number> =>
      (
        await mtlsFetch(`${any}/plain`, {
          headers: { 'x-api-key': key },
          ...(client === undefined ? {} : { client }),
        })
      ).status
    expect(await status(own)).toBe(200)
    expect(await status()).toBe(401)
    expect(await status(other)).toBe(401)
    expect(await status(own)).toBe(200)
  })
})

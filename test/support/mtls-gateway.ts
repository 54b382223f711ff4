/** A gateway with TLS that asks for client certificates, and a partner's authority in front of it. */
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { selfSign } from './certificate.ts'
import { mtlsFetch, type MtlsAnswer, type MtlsOptions } from './mtls-client.ts'
import { issueAuthority, issueClient, san, type Made } from './pki.ts'

const server = selfSign('127.0.0.1', ['api.example', 'other.example'])

export const partnerRoot: Made = issueAuthority({ subject: 'partners root', notAfter: Date.now() + 3e11 })
export const partnerIssuer: Made = issueAuthority({
  subject: 'partners issuing',
  issuer: partnerRoot,
  notAfter: Date.now() + 3e11,
})
export const billing: Made = issueClient({
  subject: 'billing',
  issuer: partnerIssuer,
  names: [san.uri('spiffe://partner.example/billing')],
})

export interface MtlsSetup {
  /** Members of `clientCertificates`; `plain`: no TLS at all. */
  readonly listener?: string
  /** More members of the authenticator. */
  readonly authenticator?: string
  /** More authenticators, routes, and so on: lines of YAML. */
  readonly authenticators?: string
  readonly routes?: string
  readonly more?: string
  readonly files?: Readonly<Record<string, string>>
  readonly clock?: TestGatewayOptions['clock']
}

export interface MtlsGateway extends AsyncDisposable {
  readonly test: TestGateway
  readonly upstream: TestUpstream
  fetch(client?: Made, options?: MtlsOptions): Promise<MtlsAnswer>
  /** `200`, or the status and code. */
  ask(client?: Made, options?: MtlsOptions): Promise<string>
}

export async function startMtlsGateway(setup: MtlsSetup = {}): Promise<MtlsGateway> {
  const upstream = await startTestUpstream()
  const {
    listener = 'mode: request',
    authenticator = '',
    authenticators = '',
    routes = '',
    more = '',
  } = setup
  const tls =
    listener === 'plain'
      ? ''
      : `\n    tls: { certificate: ./server.pem, key: ./server.key, clientCertificates: { ${listener} } }`
  const text = `
version: 1
listeners:
  - address: 127.0.0.1:0${tls}
authenticators:
  partner: { type: mtls, authorities: ./ca.pem ${authenticator} }
${authenticators}
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: [partner], authorize: {}, upstream: items }
${routes}
${more}
`
  const test = await startTestGateway(text, {
    files: {
      'server.pem': server.certificate,
      'server.key': server.key,
      'ca.pem': partnerRoot.pem,
      ...setup.files,
    },
    ...(setup.clock === undefined ? {} : { clock: setup.clock }),
  })
  const fetch = (client?: Made, options: MtlsOptions = {}): Promise<MtlsAnswer> =>
    mtlsFetch(`${test.url}${options.path ?? '/x'}`, {
      chain: [partnerIssuer],
      ...options,
      ...(client === undefined ? {} : { client }),
    })
  return {
    test,
    upstream,
    fetch,
    async ask(client, options) {
      const answer = await fetch(client, options)
      return answer.status === 200 ? '200' : `${answer.status} ${String(answer.json()['code'])}`
    },
    async [Symbol.asyncDispose]() {
      await test.stop()
      await upstream.close()
    },
  }
}

/** The gateway itself: where it listens, what it bears, whom it trusts, how it is administered. */
import { z } from 'zod'
import type { LimitSettings, LockoutSettings, TlsSettings } from '../../configuration.ts'
import type { Secret } from '../../engine/secret.ts'
import { matchHost, path, providerName, text } from '../scalars/names.ts'
import { address, cidr, origin, type HostAndPort } from '../scalars/network.ts'
import { positiveDuration, rate, size, timeout } from '../scalars/quantities.ts'
import { flag, integer, list, oneOrMany, secret, word } from './word.ts'

export interface ParsedListener {
  readonly address: HostAndPort
  readonly publicUrl?: readonly string[]
  readonly tls?: ParsedTls
  readonly proxyProtocol: boolean
  readonly h2c: boolean
  readonly encodedSlashes: 'refuse' | 'keep'
  readonly pathParameters: 'refuse' | 'keep'
}

export interface ParsedTls extends Omit<TlsSettings, 'clientCertificates'> {
  readonly clientCertificates?: {
    readonly mode: 'none' | 'request' | 'require'
    readonly authorities?: readonly string[]
    readonly revocation?: readonly string[]
  }
}

export interface ParsedAdmin {
  readonly address: HostAndPort
  readonly token?: Secret
}

export const publicUrlSchema: z.ZodType<string[]> = oneOrMany(
  word(origin),
  `${origin.expected}; or a list of them`,
)

export const peersSchema: z.ZodType<string[]> = z.array(word(cidr))

const certificate = word(path).describe(
  'PEM file with the certificate and its chain. Watched: a renewed file is taken without a restart.',
)
const key = word(path).describe('PEM file with the private key.')
const ocsp = word(path)
  .exactOptional()
  .describe(
    'DER file with an OCSP answer about the certificate, sent along to clients that ask while it holds (stapling). The issuer must stand in the file of the certificate. Watched, like the certificate.',
  )

const files = oneOrMany(word(path), 'a file, or a list of them')

const clientCertificates = z
  .strictObject({
    mode: z
      .enum(['none', 'request', 'require'])
      .prefault('none')
      .describe('Whether clients are asked for a certificate.'),
    authorities: files
      .exactOptional()
      .describe(
        'PEM file with the authorities that client certificates must come from, or a list of files. Without it any certificate counts as proof that its key is held, also a self-signed one. Read again whenever it changes.',
      ),
    revocation: files
      .exactOptional()
      .describe(
        'File with certificate revocation lists (PEM or DER), or a list of files. Every certificate of a chain needs a current list then. Read again whenever it changes.',
      ),
  })
  .describe('Client certificates on this listener.')

const tls = z.strictObject({
  certificate,
  key,
  ocsp,
  also: z
    .array(
      z.strictObject({
        names: list(word(matchHost), 'a list of host names').describe(
          'The host names (SNI) that this certificate is for; `*.` stands for one label.',
        ),
        certificate,
        key,
        ocsp,
      }),
    )
    .prefault([])
    .describe('More certificates, chosen by the name that the client asks for (SNI).'),
  clientCertificates: clientCertificates.exactOptional(),
})

export const listenerSchema: z.ZodType<ParsedListener> = z.strictObject({
  address: word(address).describe('Where to listen.'),
  publicUrl: publicUrlSchema
    .exactOptional()
    .describe(
      'The public origin of this listener, or a list, where it differs from the top-level `publicUrl`.',
    ),
  tls: tls.exactOptional().describe('TLS on this listener. Without it the listener speaks plain HTTP.'),
  proxyProtocol: flag
    .prefault(false)
    .describe(
      '`true`: each connection must begin with a PROXY header (version 1 or 2), and only `trustedProxies` may connect; others are closed unanswered. The address that the header names is the client then.',
    ),
  encodedSlashes: z
    .enum(['refuse', 'keep'])
    .prefault('refuse')
    .describe(
      'What becomes of `%2F` in a path: refused, or kept as it is (neither decoded nor a separator).',
    ),
  pathParameters: z.enum(['refuse', 'keep']).prefault('refuse').describe('What becomes of `;` in a path.'),
  h2c: flag.prefault(false).describe('HTTP/2 without TLS.'),
})

export const limitsSchema: z.ZodType<LimitSettings> = z.strictObject({
  headers: word(size).prefault('16KiB').describe('The whole head of a request: target and header fields.'),
  headerCount: integer(1, 10_000).prefault(100).describe('How many header fields a request may have.'),
  body: word(size).prefault('10MiB').describe('The body of a request. A route may have its own.'),
  headersTimeout: word(timeout)
    .prefault('10s')
    .describe('How long the head of a request may take to arrive.'),
  requestTimeout: word(timeout)
    .prefault('60s')
    .describe('How long head and body of a request may take to arrive. Upgrades and gRPC are exempt.'),
  idleTimeout: word(timeout).prefault('75s').describe('How long a connection may stay without a byte.'),
})

export const lockoutSchema: z.ZodType<LockoutSettings | 'off'> = z.union(
  [
    z.literal('off'),
    z.strictObject({
      failures: word(rate)
        .prefault('20/1m')
        .describe('How many failed credentials from one address start a lockout.'),
      for: word(positiveDuration).prefault('5m').describe('How long it lasts.'),
    }),
  ],
  { error: 'failures and for, or the word `off`' },
)

const adminTls = z.strictObject({ certificate, key }).describe('TLS on the admin address.')

const adminOidc = z
  .strictObject({
    provider: word(providerName).describe('The provider at which administrators sign in.'),
    client: z
      .strictObject({
        id: word(text).describe('The client id.'),
        secret: secret().exactOptional().describe('Its secret.'),
      })
      .describe('The client registered there.'),
    roles: z.array(z.string()).describe('Roles that may administer.'),
  })
  .describe('Sign-in for administrators.')

export const adminSchema: z.ZodType<ParsedAdmin> = z.strictObject({
  address: word(address)
    .prefault('127.0.0.1:9901')
    .describe('Where health, metrics and the admin API are served.'),
  token: secret()
    .exactOptional()
    .describe(
      'The bearer token of the admin API. Without it, or off loopback without TLS, health and metrics are served and nothing else.',
    ),
  tls: adminTls.exactOptional(),
  oidc: adminOidc.exactOptional(),
})

export const forwardAuthSchema: z.ZodType = z.strictObject({
  peers: peersSchema.describe('The proxies that may ask.'),
})

export const extAuthzSchema: z.ZodType = z.strictObject({
  address: word(address).describe("Where Envoy's ext_authz v3 is served over gRPC."),
  peers: peersSchema.describe('The proxies that may ask.'),
})

export const workersSchema: z.ZodType<number | 'auto'> = z.union([integer(1, 1024), z.literal('auto')], {
  error: 'a whole number from 1 to 1024, or `auto`',
})

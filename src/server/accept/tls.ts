/** Certificates of a TLS listener: read, checked as pairs, chosen by the name that the client asks for. */
import { constants, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsPair, TlsSettings } from '../../configuration.ts'
import { readStaple, type Staple } from './staples.ts'

export interface Certificates {
  /** Of the default certificate. */
  readonly options: SecureContextOptions
  /** @returns the context for a server name; undefined: the default one */
  contextFor(serverName: string): SecureContext | undefined
  /**
   * @param certificate DER
   * @returns the OCSP answer to send along; undefined when there is none that still says something
   */
  stapleFor(certificate: Buffer, now: number): Buffer | undefined
}

/** Takes what an operator should know of a file that cannot be used, although the certificates can; in words. */
export type Notice = (text: string) => void

/** The oldest version that is spoken; it goes into every context, since a context of its own knows nothing of the server's. */
const minVersion = 'TLSv1.2'

/** Forward secrecy and authenticated encryption, nothing else: in TLS 1.2 that leaves out CBC, SHA-1 and RSA key exchange. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/**
 * Our order counts, except that a client which puts ChaCha20 first has no hardware for AES. Nobody may renegotiate: it costs
 * us more than them, and the certificate may not change within a connection.
 */
const secureOptions =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  constants.SSL_OP_PRIORITIZE_CHACHA |
  constants.SSL_OP_NO_RENEGOTIATION

/**
 * Workers that share their ticket keys resume each other's sessions under one word only; node:tls would make it of the command
 * line. In seconds, how long after its beginning a session can be resumed.
 */
const resumption = { sessionIdContext: 'portcullis', sessionTimeout: 300 } as const

/**
 * Where clients are asked for certificates, every connection is a full handshake: a resumed session brings the client's own
 * certificate at most, without the intermediates that lead to an authority, and proves no key anew.
 */
const withoutResumption = constants.SSL_OP_NO_TICKET

/**
 * @param now milliseconds since the epoch
 * @throws an error that names the file, when one cannot be read or a key does not fit its certificate
 */
export async function readCertificates(
  settings: TlsSettings,
  now: number,
  notice: Notice,
): Promise<Certificates> {
  const shared = await sharedOptions(settings)
  const first = await readPair(settings, shared, now, notice)
  const byName = new Map<string, SecureContext>()
  const staples = new Map<string, FileStaple>()
  if (first.staple !== undefined) staples.set(first.staple.certificate, first.staple)
  for (const each of settings.also) {
    const { context, staple } = await readPair(each, shared, now, notice)
    for (const name of each.names) byName.set(name.toLowerCase(), context)
    if (staple !== undefined) staples.set(staple.certificate, staple)
  }
  return {
    options: first.options,
    contextFor(serverName) {
      const name = serverName.toLowerCase()
      // A wildcard stands for one label.
      return byName.get(name) ?? byName.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`)
    },
    stapleFor(certificate, at) {
      const staple = staples.get(keyOf(certificate))
      if (staple === undefined || at < staple.until) return staple?.der
      staples.delete(staple.certificate)
      notice(`${staple.file}: the OCSP answer has run out, and no newer one has come`)
      return undefined
    },
  }
}

/**
 * Node.js 24 forgets the intermediates that a client sent once OpenSSL has found their way to an authority by itself, and we
 * judge what was sent. There no authorities are named, so that it finds none.
 */
const keepsIntermediates = Number(process.versions.node.split('.')[0]) >= 26

/** The authorities only tell clients which of their certificates to show: we judge what they show ourselves. */
async function sharedOptions({ clientCertificates }: TlsSettings): Promise<SecureContextOptions> {
  const common = { minVersion, ciphers, honorCipherOrder: true, ...resumption } as const
  if (clientCertificates === undefined) return { ...common, secureOptions }
  const files = clientCertificates.trust?.authorities ?? []
  const hints = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))
  const ca = keepsIntermediates ? hints.filter((text) => text.includes('-----BEGIN CERTIFICATE-----')) : []
  return { ...common, secureOptions: secureOptions | withoutResumption, ca }
}

interface FileStaple extends Staple {
  readonly file: string
  /** As `keyOf` has it. */
  readonly certificate: string
}

interface Pair {
  readonly options: SecureContextOptions
  readonly context: SecureContext
  readonly staple: FileStaple | undefined
}

async function readPair(
  files: TlsPair,
  shared: SecureContextOptions,
  now: number,
  notice: Notice,
): Promise<Pair> {
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)])
  const options = { ...shared, cert, key }
  try {
    const context = createSecureContext(options)
    const staple = files.ocsp === undefined ? undefined : await stapleIn(files.ocsp, cert, now, notice)
    return { options, context, staple }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${files.certificate} and ${files.key} are no usable pair: ${reason}`, { cause: error })
  }
}

/** A staple that cannot be used is no reason to go without a certificate: clients ask the responder then. */
async function stapleIn(
  file: string,
  pem: Buffer,
  now: number,
  notice: Notice,
): Promise<FileStaple | undefined> {
  const staple = await readFile(file).then(
    (der) => readStaple(der, pem, now),
    () => 'it cannot be read',
  )
  if (typeof staple !== 'string') return { ...staple, file, certificate: keyOf(new X509Certificate(pem).raw) }
  notice(`${file}: ${staple}`)
  return undefined
}

/** As text, so that no hash is made at each handshake. */
function keyOf(certificate: Buffer): string {
  return certificate.toString('latin1')
}

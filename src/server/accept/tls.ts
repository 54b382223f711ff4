/** Certificates of a TLS listener: read, checked as pairs, chosen by the name that the client asks for. */
import { constants } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsSettings } from '../../configuration.ts'

export interface Certificates {
  /** Of the default certificate. */
  readonly options: SecureContextOptions
  /** @returns the context for a server name; undefined: the default one */
  contextFor(serverName: string): SecureContext | undefined
}

/** The oldest version that is spoken; it goes into every context, since a context of its own knows nothing of the server's. */
const minVersion = 'TLSv1.2'

/**
 * Where clients are asked for certificates, every connection is a full handshake: a resumed session brings the client's own
 * certificate at most, without the intermediates that lead to an authority, and proves no key anew. Nor may the certificate
 * change within a connection.
 */
const withoutResumption = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

/** @throws an error that names the file, when one cannot be read or a key does not fit its certificate */
export async function readCertificates(settings: TlsSettings): Promise<Certificates> {
  const shared = await sharedOptions(settings)
  const { options } = await readPair(settings, shared)
  const byName = new Map<string, SecureContext>()
  for (const pair of settings.also) {
    const { context } = await readPair(pair, shared)
    for (const name of pair.names) byName.set(name.toLowerCase(), context)
  }
  return {
    options,
    contextFor(serverName) {
      const name = serverName.toLowerCase()
      // A wildcard stands for one label.
      return byName.get(name) ?? byName.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`)
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
  if (clientCertificates === undefined) return { minVersion }
  const files = clientCertificates.trust?.authorities ?? []
  const hints = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))
  const ca = keepsIntermediates ? hints.filter((text) => text.includes('-----BEGIN CERTIFICATE-----')) : []
  return { minVersion, secureOptions: withoutResumption, ca }
}

async function readPair(
  files: { readonly certificate: string; readonly key: string },
  shared: SecureContextOptions,
): Promise<{ readonly options: SecureContextOptions; readonly context: SecureContext }> {
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)])
  const options = { ...shared, cert, key }
  try {
    return { options, context: createSecureContext(options) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${files.certificate} and ${files.key} are no usable pair: ${reason}`, { cause: error })
  }
}

/** Certificates of a TLS listener: read, checked as pairs, chosen by the name that the client asks for. */
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { TlsSettings } from '../../configuration.ts'

export interface Certificates {
  readonly certificate: Buffer
  readonly key: Buffer
  /** @returns the context for a server name; undefined: the default one */
  contextFor(serverName: string): SecureContext | undefined
}

/** The oldest version that is spoken; it goes into every context, since a context of its own knows nothing of the server's. */
export const minVersion = 'TLSv1.2'

/** @throws an error that names the file, when one cannot be read or a key does not fit its certificate */
export async function readCertificates(settings: TlsSettings): Promise<Certificates> {
  const { certificate, key } = await readPair(settings)
  const byName = new Map<string, SecureContext>()
  for (const pair of settings.also) {
    const { context } = await readPair(pair)
    for (const name of pair.names) byName.set(name.toLowerCase(), context)
  }
  return {
    certificate,
    key,
    contextFor(serverName) {
      const name = serverName.toLowerCase()
      // A wildcard stands for one label.
      return byName.get(name) ?? byName.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`)
    },
  }
}

interface Pair {
  readonly certificate: Buffer
  readonly key: Buffer
  readonly context: SecureContext
}

async function readPair(files: { readonly certificate: string; readonly key: string }): Promise<Pair> {
  const [certificate, key] = await Promise.all([readFile(files.certificate), readFile(files.key)])
  try {
    return { certificate, key, context: createSecureContext({ cert: certificate, key, minVersion }) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${files.certificate} and ${files.key} are no usable pair: ${reason}`, { cause: error })
  }
}

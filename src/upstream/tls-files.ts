/**
 * The PEM files of an upstream's TLS, read at once and again when the caller says that they changed.
 * Verification is always on: there is no setting that turns it off.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { UpstreamSettings } from '../configuration.ts'

/**
 * @returns a context with the upstream's own authorities (the system's where none are named) and client certificate
 * @throws when a file cannot be read or is no PEM, naming the file but nothing of what is in it
 */
export function readTlsFiles(settings: UpstreamSettings['tls']): SecureContext {
  const ca = read(settings?.ca, checkCertificate)
  const cert = read(settings?.certificate, checkCertificate)
  const key = read(settings?.key, checkKey)
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
  } catch (error) {
    // Each by itself is well-formed: the two do not belong together.
    throw new Error(`${settings?.certificate} and ${settings?.key}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function read(file: string | undefined, check: (pem: Buffer) => unknown): Buffer | undefined {
  if (file === undefined) {
    return undefined
  }
  const pem = readFileSync(file)
  try {
    check(pem)
  } catch (error) {
    throw new Error(`${file} is no PEM: ${(error as Error).message}`, { cause: error })
  }
  return pem
}

/** OpenSSL takes a file without any certificate for an empty list of authorities, which fails only at the first connection. */
function checkCertificate(pem: Buffer): X509Certificate {
  return new X509Certificate(pem)
}

function checkKey(pem: Buffer): KeyObject {
  return createPrivateKey(pem)
}

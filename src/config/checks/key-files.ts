/** Certificates and keys on disk: there, readable, what they should be, and made for each other. */
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { whyUnreadable } from '../references.ts'
import type { CheckContext } from './check.ts'
import { checkTrustFiles } from './trust-files.ts'
import { clientsIn } from './clients.ts'

export interface KeyFileResult {
  readonly complaints: readonly Complaint[]
  /** Absolute paths, also of those that are not there. */
  readonly files: readonly string[]
}

interface Pair {
  readonly path: Path
  readonly certificate: string
  readonly key: string
}

const largestPem = 1024 * 1024

export async function checkKeyFiles(context: CheckContext): Promise<KeyFileResult> {
  const files = new Set<string>()
  const complaints: Complaint[] = []
  const read = (path: Path, file: string): Promise<string | undefined> =>
    readPem(path, file, context.folder, files, complaints)
  for (const pair of pairsOf(context)) {
    const certificate = await readCertificates(pair, read, complaints)
    const key = await readKey(pair, read, complaints)
    if (certificate === undefined || key === undefined || certificate.checkPrivateKey(key)) continue
    complaints.push({
      path: [...pair.path, 'key'],
      message: 'this key does not belong to the certificate beside it',
      expected: 'the private key that the certificate was made for',
    })
  }
  for (const { path, key } of loneKeysOf(context)) await readKey({ path, key }, read, complaints)
  for (const { path, file } of authoritiesOf(context)) {
    const pem = await read(path, file)
    if (pem !== undefined && parseCertificates(pem) === undefined) complaints.push({ path, ...noCertificate })
  }
  for (const { path, key } of reportKeysOf(context)) {
    const pem = isPem(key) ? key : await read(path, key)
    if (pem !== undefined && !isReportKey(pem)) complaints.push({ path, ...noReportKey })
  }
  // Watched, not judged: one that is missing or has run out is no reason to go without a certificate.
  for (const file of staplesOf(context)) files.add(resolve(context.folder, file))
  const trust = await checkTrustFiles(context)
  return { complaints: [...complaints, ...trust.complaints], files: [...files, ...trust.files] }
}

function reportKeysOf({ configuration }: CheckContext): { path: Path; key: string }[] {
  const keys = configuration.leaks?.github?.keys ?? []
  return keys.map(({ key }, index) => ({ path: ['leaks', 'github', 'keys', index, 'key'], key }))
}

const noReportKey = {
  message: 'this is no public key on P-256',
  expected: 'the key as GitHub publishes it: -----BEGIN PUBLIC KEY-----',
}

function isReportKey(pem: string): boolean {
  try {
    return isPem(pem) && createPublicKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

function isPem(key: string): boolean {
  return key.startsWith('-----BEGIN PUBLIC KEY-----')
}

/** Keys by which the gateway proves itself to a provider without a certificate. */
function loneKeysOf(context: CheckContext): { path: Path; key: string }[] {
  return clientsIn(context).flatMap(({ path, client: { key, certificate } }) =>
    key === undefined || certificate !== undefined ? [] : [{ path, key }],
  )
}

function pairsOf(context: CheckContext): Pair[] {
  const { configuration } = context
  const listeners = configuration.listeners.flatMap(({ tls }, index): Pair[] => {
    if (tls === undefined) return []
    const path: Path = ['listeners', index, 'tls']
    return [{ path, ...tls }, ...tls.also.map((each, at) => ({ path: [...path, 'also', at], ...each }))]
  })
  const upstreams = Object.entries(configuration.upstreams).flatMap(([name, { tls }]): Pair[] =>
    tls?.certificate === undefined || tls.key === undefined
      ? []
      : [{ path: ['upstreams', name, 'tls'], certificate: tls.certificate, key: tls.key }],
  )
  const clients = clientsIn(context).flatMap(({ path, client: { key, certificate } }): Pair[] =>
    key === undefined || certificate === undefined ? [] : [{ path, certificate, key }],
  )
  return [...listeners, ...upstreams, ...clients]
}

function staplesOf({ configuration }: CheckContext): string[] {
  return configuration.listeners
    .flatMap(({ tls }) => (tls === undefined ? [] : [tls, ...tls.also]))
    .flatMap(({ ocsp }) => (ocsp === undefined ? [] : [ocsp]))
}

function authoritiesOf({ configuration }: CheckContext): { path: Path; file: string }[] {
  return [
    ...Object.entries(configuration.providers).map(([name, { ca }]) => ({
      path: ['providers', name, 'ca'],
      file: ca,
    })),
    ...Object.entries(configuration.upstreams).map(([name, { tls }]) => ({
      path: ['upstreams', name, 'tls', 'ca'],
      file: tls?.ca,
    })),
  ].flatMap(({ path, file }) => (file === undefined ? [] : [{ path, file }]))
}

const noCertificate = {
  message: 'there is no certificate in this file',
  expected: 'a PEM file: -----BEGIN CERTIFICATE-----',
}

type Read = (path: Path, file: string) => Promise<string | undefined>

async function readCertificates(
  pair: Pair,
  read: Read,
  complaints: Complaint[],
): Promise<X509Certificate | undefined> {
  const path = [...pair.path, 'certificate']
  const pem = await read(path, pair.certificate)
  if (pem === undefined) return undefined
  const certificate = parseCertificates(pem)
  if (certificate === undefined) complaints.push({ path, ...noCertificate })
  return certificate
}

async function readKey(
  pair: Pick<Pair, 'path' | 'key'>,
  read: Read,
  complaints: Complaint[],
): Promise<KeyObject | undefined> {
  const path = [...pair.path, 'key']
  const pem = await read(path, pair.key)
  if (pem === undefined) return undefined
  try {
    return createPrivateKey(pem)
  } catch {
    const message = /ENCRYPTED/.test(pem)
      ? 'this key is encrypted, and nobody is there to type its passphrase'
      : 'there is no private key in this file'
    complaints.push({ path, message, expected: 'an unencrypted PEM file: -----BEGIN PRIVATE KEY-----' })
    return undefined
  }
}

/** @returns the first certificate of a PEM file, undefined unless all of its certificates can be read */
function parseCertificates(pem: string): X509Certificate | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.map((block) => new X509Certificate(block))[0]
  } catch {
    return undefined
  }
}

async function readPem(
  path: Path,
  file: string,
  folder: string,
  files: Set<string>,
  complaints: Complaint[],
): Promise<string | undefined> {
  const absolute = resolve(folder, file)
  files.add(absolute)
  try {
    const about = await stat(absolute)
    if (about.isFile() && about.size <= largestPem) return await readFile(absolute, 'utf8')
    complaints.push({ path, message: 'this is no PEM file', expected: 'a PEM file', lookedAt: absolute })
  } catch (error) {
    complaints.push({
      path,
      message: `the file ${whyUnreadable(error)}`,
      expected: 'a readable PEM file',
      lookedAt: absolute,
    })
  }
  return undefined
}

/** Authorities and revocation lists on disk: there, and readable to the last one. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ParsedMtls } from '../../engine/authenticators/mtls/schema.ts'
import { parseCertificate } from '../../engine/certificates/certificate.ts'
import { parseRevocationList } from '../../engine/certificates/crl.ts'
import { readPem } from '../../engine/certificates/pem.ts'
import { readAuthorityFile } from '../../engine/certificates/spiffe-bundle.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { whyUnreadable } from '../references.ts'
import type { CheckContext } from './check.ts'
import type { KeyFileResult } from './key-files.ts'

const largest = 64 * 1024 * 1024

interface TrustFile {
  readonly path: Path
  readonly file: string
  readonly kind: 'authorities' | 'revocation'
}

/** Half of a list would let some callers in and others not: each part must be readable. */
export async function checkTrustFiles(context: CheckContext): Promise<KeyFileResult> {
  const found = filesOf(context)
  const complaints: Complaint[] = []
  for (const { path, file, kind } of found) {
    const absolute = resolve(context.folder, file)
    const complaint = await faultOf(absolute, kind)
    if (complaint !== undefined) complaints.push({ path, ...complaint, lookedAt: absolute })
  }
  return { complaints, files: found.map(({ file }) => resolve(context.folder, file)) }
}

function filesOf({ configuration }: CheckContext): readonly TrustFile[] {
  const listed = (path: Path, kind: TrustFile['kind'], files: readonly string[] = []): TrustFile[] =>
    files.map((file) => ({ path, file, kind }))
  const ofListeners = configuration.listeners.flatMap(({ tls }, index) => {
    const base: Path = ['listeners', index, 'tls', 'clientCertificates']
    const { authorities, revocation } = tls?.clientCertificates ?? {}
    return [
      ...listed([...base, 'authorities'], 'authorities', authorities),
      ...listed([...base, 'revocation'], 'revocation', revocation),
    ]
  })
  const ofAuthenticators = Object.entries(configuration.authenticators).flatMap(([name, each]) => {
    if (each.type !== 'mtls') return []
    const { authorities, revocation } = each as ParsedMtls
    const base: Path = ['authenticators', name]
    return [
      ...listed([...base, 'authorities'], 'authorities', authorities),
      ...listed([...base, 'revocation'], 'revocation', revocation),
    ]
  })
  return [...ofListeners, ...ofAuthenticators]
}

async function faultOf(
  file: string,
  kind: TrustFile['kind'],
): Promise<{ readonly message: string; readonly expected: string } | undefined> {
  const expected =
    kind === 'authorities'
      ? 'a PEM file with certificates (-----BEGIN CERTIFICATE-----), or a SPIFFE trust bundle'
      : 'revocation lists, PEM (-----BEGIN X509 CRL-----) or DER'
  try {
    const about = await stat(file)
    if (!about.isFile() || about.size > largest) return { message: 'this is no such file', expected }
    const content = await readFile(file)
    const ders = kind === 'authorities' ? readAuthorityFile(content) : readPem(content, 'X509 CRL')
    if (typeof ders === 'string') return { message: `the file cannot be used: ${ders}`, expected }
    for (const [index, der] of ders.entries()) {
      const parsed = kind === 'authorities' ? parseCertificate(der) : parseRevocationList(der)
      if (typeof parsed === 'string')
        return { message: `number ${index + 1} in the file cannot be used: ${parsed}`, expected }
    }
    return undefined
  } catch (error) {
    return { message: `the file ${whyUnreadable(error)}`, expected: `a readable file: ${expected}` }
  }
}

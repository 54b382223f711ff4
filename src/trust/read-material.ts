/** Reads authorities and revocation lists whole, or says what is wrong with them. */
import { readFileSync, statSync } from 'node:fs'
import { sortAuthorities } from '../engine/certificates/authorities.ts'
import { parseCertificate } from '../engine/certificates/certificate.ts'
import { parseRevocationList } from '../engine/certificates/crl.ts'
import { indexLists } from '../engine/certificates/crl-check.ts'
import { readPem } from '../engine/certificates/pem.ts'
import { readAuthorityFile } from '../engine/certificates/spiffe-bundle.ts'
import type { TrustMaterial, TrustSettings } from '../engine/certificates/trust.ts'

const largest = 64 * 1024 * 1024
/** Sorting them out costs signatures: a whole system's store fits. */
const mostAuthorities = 1000

/** @returns a sentence that names the file, when one cannot be used: half of a list is no list */
export function readMaterial(settings: TrustSettings): TrustMaterial | string {
  const certificates = readAll(settings.authorities, readAuthorityFile, parseCertificate)
  if (typeof certificates === 'string') return certificates
  if (certificates.length > mostAuthorities)
    return `${settings.authorities.join(', ')}: more than ${mostAuthorities} authorities`
  const lists = readAll(settings.revocation, readLists, parseRevocationList)
  if (typeof lists === 'string') return lists
  return Object.freeze({
    authorities: sortAuthorities(certificates),
    lists: settings.revocation.length === 0 ? undefined : indexLists(lists),
    scope: settings.scope,
  })
}

function readLists(content: Buffer): readonly Buffer[] | string {
  return readPem(content, 'X509 CRL')
}

function readAll<Item extends object>(
  files: readonly string[],
  split: (content: Buffer) => readonly Buffer[] | string,
  parse: (der: Buffer) => Item | string,
): readonly Item[] | string {
  const items: Item[] = []
  for (const file of files) {
    const content = contentOf(file)
    if (typeof content === 'string') return `${file}: ${content}`
    const ders = split(content)
    if (typeof ders === 'string') return `${file}: ${ders}`
    for (const [index, der] of ders.entries()) {
      const item = parse(der)
      if (typeof item === 'string') return `${file}, number ${index + 1}: ${item}`
      items.push(item)
    }
  }
  return items
}

function contentOf(file: string): Buffer | string {
  try {
    const about = statSync(file)
    if (!about.isFile()) return 'it is no file'
    return about.size > largest ? 'it is too large' : readFileSync(file)
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
  }
}

/** Whom a certificate names. One name and no choice: of two, whichever we took, somebody else might take the other. */
import { keyUsages } from '../../certificates/certificate-extensions.ts'
import type { Certificate } from '../../certificates/certificate.ts'
import type { GeneralName } from '../../certificates/general-names.ts'
import { isHost } from '../../certificates/name-constraints.ts'
import { oids } from '../../certificates/oids.ts'
import { looksLikeSpiffeId, parseSpiffeId } from '../../certificates/spiffe-id.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import { compilePatterns, withLowerHost } from './pattern.ts'
import type { MtlsSettings, SubjectKind } from './settings.ts'

/** @returns the subject, or why there is none */
export type SubjectRule = (certificate: Certificate) => string | Rejected

const longest = 2048

export function compileSubject({
  subject: kind,
  allow,
}: Pick<MtlsSettings, 'subject' | 'allow'>): SubjectRule {
  const isAllowed = compilePatterns(allow, kind)
  return (certificate) => {
    const names = namesOf(certificate, kind)
    if (typeof names !== 'object') return rejected('certificate_subject', names)
    if (names.length === 0) return rejected('certificate_subject', `it has no ${titles[kind]}`)
    const fitting = allow === undefined ? names : names.filter(isAllowed)
    const [only, ...more] = fitting
    if (only === undefined) return rejected('certificate_not_allowed')
    if (more.length > 0) return rejected('certificate_subject', `it has several: ${titles[kind]}`)
    return only
  }
}

const titles: Readonly<Record<SubjectKind, string>> = {
  'san-uri': 'URI name',
  'san-dns': 'DNS name',
  'san-email': 'mail address',
  cn: 'common name',
  fingerprint: 'fingerprint',
}

function namesOf(certificate: Certificate, kind: SubjectKind): readonly string[] | string {
  switch (kind) {
    case 'san-uri':
      return urisOf(certificate)
    case 'san-dns':
      return checked(
        textNames(certificate, 'dns').map((each) => each.toLowerCase()),
        isSingleHost,
        kind,
      )
    case 'san-email':
      return checked(textNames(certificate, 'email').map(withLowerHost), isMailbox, kind)
    case 'cn': {
      const names = certificate.subject.attributes.filter(({ type }) => type === oids.commonName)
      if (names.some(({ isText }) => !isText)) return 'a common name that is no text'
      return checked(
        names.map(({ value }) => value),
        isReadable,
        kind,
      )
    }
    case 'fingerprint':
      return [certificate.fingerprint]
  }
}

function urisOf(certificate: Certificate): readonly string[] | string {
  const uris = textNames(certificate, 'uri')
  if (!uris.some(looksLikeSpiffeId)) return checked(uris, isUri, 'san-uri')
  // X509-SVID section 5.2: a certificate with a SPIFFE ID has one URI name and is of no authority.
  const [uri = '', ...more] = uris
  if (more.length > 0) return 'a SPIFFE ID beside other URI names'
  const id = parseSpiffeId(uri)
  if (id === undefined || id.path === '') return 'a URI that is no SPIFFE ID of a workload'
  const { basicConstraints, keyUsage } = certificate
  const isAuthority =
    basicConstraints?.isCa === true ||
    keyUsage?.has(keyUsages.keyCertSign) === true ||
    keyUsage?.has(keyUsages.crlSign) === true
  return isAuthority ? 'a SPIFFE ID of an authority' : [uri]
}

function textNames({ names = [] }: Certificate, kind: 'uri' | 'dns' | 'email'): readonly string[] {
  return names
    .filter((each): each is GeneralName & { kind: typeof kind } => each.kind === kind)
    .map(({ value }) => value)
}

/** One malformed name among several may be the one that another reader takes: it spoils the others. */
function checked(
  names: readonly string[],
  isGood: (name: string) => boolean,
  kind: SubjectKind,
): readonly string[] | string {
  const isSound = names.every((name) => name.length <= longest && isGood(name))
  return isSound ? names : `a malformed ${titles[kind]}`
}

/** A wildcard names many hosts, and an address none. */
function isSingleHost(name: string): boolean {
  return isHost(name) && !name.includes('*') && !/^[\d.]+$/.test(name)
}

function isMailbox(name: string): boolean {
  const at = name.lastIndexOf('@')
  const local = name.slice(0, Math.max(at, 0))
  return /^[!#-'*+\-./-9=?A-Z^-~]+$/.test(local) && isSingleHost(name.slice(at + 1))
}

function isUri(name: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(name)
}

/** No control characters, no surrounding space, nothing that turns the direction of text. */
function isReadable(name: string): boolean {
  return name !== '' && name.trim() === name && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)
}

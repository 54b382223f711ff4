/** Which names an authority may give. @see RFC 5280 section 4.2.1.10 */
import type { Certificate } from './certificate.ts'
import type { Subtrees } from './certificate-extensions.ts'
import type { GeneralName } from './general-names.ts'
import { isNameWithin } from './names.ts'
import { oids } from './oids.ts'

/** Names times subtrees, over a whole path: a certificate with thousands of both must not cost seconds. */
export const mostComparisons = 50_000

/** Judges names against the constraints of every authority above them, within a budget. */
export class ConstraintCheck {
  readonly #subtrees: Subtrees[] = []
  #left = mostComparisons

  /** Constraints of one authority; what comes after lies below it. */
  add(subtrees: Subtrees): void {
    this.#subtrees.push(subtrees)
  }

  /**
   * @param isLeaf - the common name of a leaf may be read as a host, so it is held to the constraints for hosts too
   * @returns in words which name is not allowed; undefined when all are
   */
  faultOf(certificate: Certificate, isLeaf: boolean): string | undefined {
    if (this.#subtrees.length === 0) return undefined
    for (const name of namesOf(certificate, isLeaf)) {
      for (const subtrees of this.#subtrees) {
        const fault = this.#faultIn(name, subtrees)
        if (fault !== undefined) return fault
      }
    }
    return undefined
  }

  #faultIn(name: GeneralName, { permitted, excluded }: Subtrees): string | undefined {
    this.#left -= permitted.length + excluded.length
    if (this.#left < 0) return 'too many names and constraints'
    const isMalformed = faultOfForm(name)
    for (const base of excluded) {
      if (!isSameForm(name, base)) continue
      if (isMalformed) return 'a malformed name under constraints'
      const answer = matches(name, base, 'excluded')
      if (answer !== false) return answer === 'unknown' ? unreadable : 'an excluded name'
    }
    let isBound = false
    for (const base of permitted) {
      if (!isSameForm(name, base)) continue
      if (isMalformed) return 'a malformed name under constraints'
      const answer = matches(name, base, 'permitted')
      if (answer === 'unknown') return unreadable
      if (answer) return undefined
      isBound = true
    }
    return isBound ? 'a name that is not permitted' : undefined
  }
}

const unreadable = 'a constraint that cannot be judged'

function namesOf(certificate: Certificate, isLeaf: boolean): readonly GeneralName[] {
  const { subject, names = [] } = certificate
  const all: GeneralName[] = [...names]
  if (subject.parts.length > 0) all.push({ kind: 'directory', name: subject })
  for (const { type, value, isText } of subject.attributes) {
    if (type === oids.emailAddress && isText) all.push({ kind: 'email', value })
    if (type === oids.commonName && isLeaf && isText) all.push(...readings(value))
  }
  return all
}

/** What a common name may be taken for by those who read names from there. */
function readings(value: string): readonly GeneralName[] {
  const text = value.trim()
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return [{ kind: 'uri', value: text }]
  if (/^[^@\s]+@[^@\s]+$/.test(text)) return [{ kind: 'email', value: text }]
  return text.includes('.') && isHost(text) ? [{ kind: 'dns', value: text }] : []
}

function isSameForm(name: GeneralName, base: GeneralName): boolean {
  return name.kind === base.kind && (name.kind !== 'other' || base.kind !== 'other' || name.tag === base.tag)
}

/** A name that is none of its form could slip by every comparison. */
function faultOfForm(name: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return !isHost(name.value)
    case 'email':
      return mailboxOf(name.value) === undefined
    case 'ip':
      return name.bytes.length !== 4 && name.bytes.length !== 16
    case 'uri':
      return hostOfUri(name.value) === undefined
    case 'directory':
    case 'other':
      return false
  }
}

function matches(name: GeneralName, base: GeneralName, list: 'permitted' | 'excluded'): boolean | 'unknown' {
  if (name.kind === 'dns' && base.kind === 'dns') return matchesHost(name.value, base.value, list)
  if (name.kind === 'email' && base.kind === 'email') return matchesMailbox(name.value, base.value)
  if (name.kind === 'uri' && base.kind === 'uri') return matchesUri(name.value, base.value)
  if (name.kind === 'ip' && base.kind === 'ip') return matchesAddress(name.bytes, base.bytes)
  if (name.kind === 'directory' && base.kind === 'directory') return isNameWithin(name.name, base.name)
  // RFC 5280: a form that is constrained and not understood is a refusal.
  return 'unknown'
}

function matchesHost(name: string, base: string, list: 'permitted' | 'excluded'): boolean | 'unknown' {
  const host = name.toLowerCase()
  const bound = base.toLowerCase()
  if (bound === '') return true
  // A leading dot is no form of RFC 5280, but common: what lies below, not the name itself.
  if (!isHost(bound.startsWith('.') ? bound.slice(1) : bound) || bound.includes('*')) return 'unknown'
  const isBelow = bound.startsWith('.') ? host.endsWith(bound) : host === bound || host.endsWith(`.${bound}`)
  if (isBelow || list === 'permitted' || !host.startsWith('*.')) return isBelow
  // A wildcard stands for every name one label down, so it reaches an excluded one below it.
  return bound.replace(/^\./, '').endsWith(host.slice(1))
}

function matchesMailbox(name: string, base: string): boolean | 'unknown' {
  const mailbox = mailboxOf(name)
  if (mailbox === undefined) return 'unknown'
  if (base.includes('@')) {
    const bound = mailboxOf(base)
    if (bound === undefined) return 'unknown'
    return mailbox.local === bound.local && mailbox.host === bound.host
  }
  return isHostWithin(mailbox.host, base)
}

function matchesUri(name: string, base: string): boolean | 'unknown' {
  const host = hostOfUri(name)
  return host === undefined ? 'unknown' : isHostWithin(host, base)
}

/** Mail and URI constraints: a host stands for itself, one with a leading dot for all below it. */
function isHostWithin(host: string, base: string): boolean | 'unknown' {
  const bound = base.toLowerCase()
  if (bound === '') return true
  if (!isHost(bound.startsWith('.') ? bound.slice(1) : bound) || bound.includes('*')) return 'unknown'
  return bound.startsWith('.') ? host.endsWith(bound) : host === bound
}

function matchesAddress(address: Buffer, base: Buffer): boolean | 'unknown' {
  if (base.length !== 8 && base.length !== 32) return 'unknown'
  const half = base.length / 2
  const mask = base.subarray(half)
  if (!/^1*0*$/.test([...mask].map((byte) => byte.toString(2).padStart(8, '0')).join(''))) return 'unknown'
  if (address.length !== half) return false
  return address.every((byte, at) => (byte & mask[at]!) === (base[at]! & mask[at]!))
}

function mailboxOf(value: string): { readonly local: string; readonly host: string } | undefined {
  const at = value.lastIndexOf('@')
  const local = value.slice(0, Math.max(at, 0))
  const host = value.slice(at + 1).toLowerCase()
  if (at < 1 || local.includes('@') || /[\s"(),:;<>[\\\]]/.test(local) || !isHost(host) || host.includes('*'))
    return undefined
  return { local, host }
}

/** @returns the host of a URI with an authority that is a name: others cannot be constrained, and must be refused where URIs are */
function hostOfUri(value: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(value)?.[1]
  if (authority === undefined) return undefined
  const host = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .toLowerCase()
  const isAddress = /^[\d.]+$/.test(host)
  return isHost(host) && !host.includes('*') && !isAddress ? host : undefined
}

/** @returns whether this is a host name; a whole first label may be `*` */
export function isHost(value: string): boolean {
  if (value.length > 253) return false
  return value
    .split('.')
    .every(
      (label, at) => (label === '*' && at === 0) || /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label),
    )
}

/** `allow` patterns: which subjects are accepted. */
import type { SubjectKind } from './settings.ts'

const mostStars = 8

/** What `*` stands for, never nothing and never across what separates names of the kind. */
const segments: Readonly<Record<SubjectKind, string>> = {
  'san-uri': '[^/]+',
  'san-dns': '[^.]+',
  'san-email': '[^@]+',
  cn: '.+',
  fingerprint: '[0-9a-f]+',
}

/** @returns in words what is wrong with a pattern */
export function patternFault(pattern: string): string | undefined {
  const stars = pattern.split('*').length - 1
  if (stars > mostStars) return `more than ${mostStars} asterisks`
  return pattern.includes('**') ? 'two asterisks in a row' : undefined
}

/** @returns whether a subject matches any of them; always true where there are none */
export function compilePatterns(
  patterns: readonly string[] | undefined,
  kind: SubjectKind,
): (subject: string) => boolean {
  if (patterns === undefined) return () => true
  const compiled = patterns.map((pattern) => expressionOf(normalised(pattern, kind), kind))
  return (subject) => compiled.some((expression) => expression.test(subject))
}

function expressionOf(pattern: string, kind: SubjectKind): RegExp {
  // A last `*` of a URI stands for all that follows, as in the paths of routes.
  const isOpen = kind === 'san-uri' && pattern.endsWith('/*')
  const closed = isOpen ? pattern.slice(0, -1) : pattern
  const source = closed
    .split('*')
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join(segments[kind])
  return new RegExp(`^${source}${isOpen ? '.+' : ''}$`, 'su')
}

/** In the form in which subjects are told: hosts in lower case, fingerprints without colons. */
function normalised(pattern: string, kind: SubjectKind): string {
  switch (kind) {
    case 'san-dns':
      return pattern.toLowerCase()
    case 'fingerprint':
      return pattern.toLowerCase().replaceAll(':', '')
    case 'san-email':
      return withLowerHost(pattern)
    case 'san-uri':
    case 'cn':
      return pattern
  }
}

export function withLowerHost(mailbox: string): string {
  const at = mailbox.lastIndexOf('@')
  return mailbox.slice(0, at + 1) + mailbox.slice(at + 1).toLowerCase()
}

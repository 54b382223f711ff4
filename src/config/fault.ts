/** What is wrong with a configuration, and how people are told. */
import type { Path } from './path.ts'
import { formatPath } from './path.ts'

export interface Fault {
  /** As it was given on the command line. */
  readonly file: string
  /** One-based. TypeScript configurations have neither. */
  readonly line?: number
  readonly column?: number
  /** The key's path, such as `routes[2].authorize.scopes`; empty where the whole file is meant. */
  readonly path: string
  /** What is wrong, in a few words. */
  readonly message: string
  /** What stands there. Never a secret, nor the value behind a reference. */
  readonly found?: string
  /** What belongs there. */
  readonly expected?: string
  /** What was probably meant. */
  readonly suggestion?: string
}

/** Where something stands. */
export interface Location {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** A fault before it is known where it stands. */
export interface Complaint {
  readonly path: Path
  readonly message: string
  readonly found?: string
  readonly expected?: string
  readonly suggestion?: string
  /** Points at the key rather than at its value. */
  readonly atKey?: boolean
  /** A file that was looked for: told behind `expected`, unless a reference stands for it. */
  readonly lookedAt?: string
  /** The message repeats what was found: it must not where a reference stands for that. */
  readonly quotes?: boolean
  /** Its suggestion may be shown even where a secret stands. */
  readonly isOpen?: boolean
}

export function toFault(complaint: Complaint, location: Location): Fault {
  const { path, atKey: _atKey, isOpen: _isOpen, quotes: _quotes, lookedAt: _lookedAt, ...said } = complaint
  return { ...location, path: formatPath(path), ...said }
}

/**
 * The faults as people read them: one block each, in the order of the file. The first line can be clicked in editors and
 * terminals (`file:line:column`); what was found and what is expected stand below.
 */
export function formatFaults(faults: readonly Fault[]): string {
  return faults.map(formatFault).join('\n')
}

function formatFault(fault: Fault): string {
  const position = [fault.file, fault.line, fault.column].filter((part) => part !== undefined).join(':')
  const place = fault.path === '' ? `${position}:` : `${position} ${fault.path}:`
  const meant = fault.suggestion === undefined ? '' : `; did you mean ${quoted(fault.suggestion)}?`
  const lines = [`${place} ${fault.message}${meant}`]
  if (fault.found !== undefined) lines.push(`  found:    ${fault.found}`)
  if (fault.expected !== undefined) lines.push(`  expected: ${fault.expected}`)
  return lines.join('\n')
}

/** Quotes would be misread where they are the point, and around numbers, lists and the like. */
function quoted(suggestion: string): string {
  return /^["[{]|^(true|false|-?\d+)$/.test(suggestion) ? suggestion : `"${suggestion}"`
}

/** In the order of the file; what has no line keeps its order behind. */
export function inFileOrder(faults: readonly Fault[]): Fault[] {
  const line = (fault: Fault): number => fault.line ?? Number.MAX_SAFE_INTEGER
  return faults.toSorted((one, other) => line(one) - line(other) || (one.column ?? 0) - (other.column ?? 0))
}

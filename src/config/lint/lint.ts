/** Finds what is weak in a valid configuration: everything of `check` that needs no network. */
import type { LoadedConfiguration } from '../load.ts'
import { rules } from './registry.ts'
import type { Finding, LintFacts, Weakness } from './rule.ts'

export type { Finding, LintFacts, Severity, Weakness } from './rule.ts'

export interface LintOptions extends Omit<LintFacts, 'literalSecrets'> {
  /** What others found (routing: shadowed routes), to be placed and sorted among the rest. */
  readonly more?: readonly Weakness[]
}

/** @returns findings in the order of the file */
export function lint(loaded: LoadedConfiguration, options: LintOptions): Finding[] {
  const { more = [], ...rest } = options
  const facts: LintFacts = { ...rest, literalSecrets: loaded.literalSecrets }
  const weaknesses = rules.flatMap(({ id, severity, fix, find }): Weakness[] =>
    [...find(loaded.configuration, facts)].map((found) => ({ id, severity, fix, ...found })),
  )
  return [...weaknesses, ...more]
    .map((weakness) => ({ ...weakness, ...loaded.locate(weakness.path) }))
    .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0))
}

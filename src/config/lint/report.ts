/** Findings, and the faults that kept a configuration from being looked at, in the forms that people and tools read. */
import { formatFaults, type Fault } from '../fault.ts'
import { rules } from './registry.ts'
import type { Finding, Rule, Severity } from './rule.ts'

export const findingFormats = ['text', 'json', 'sarif', 'github'] as const
export type FindingFormat = (typeof findingFormats)[number]

export interface CheckReport {
  /** As it was given. */
  readonly file: string
  readonly faults: readonly Fault[]
  readonly findings: readonly Finding[]
  /** What describes findings that others made, beside the rules of this room. */
  readonly moreRules?: readonly DescribedRule[]
}

/** One kind of finding, for tools that show what it means. */
export type DescribedRule = Pick<Rule, 'id' | 'severity' | 'about' | 'fix'>

/** The id under which tools see a fault. */
export const faultId = 'invalid-configuration'

export function formatFindings(report: CheckReport, format: FindingFormat): string {
  switch (format) {
    case 'text':
      return asText(report)
    case 'json':
      return JSON.stringify(
        [...report.faults.map((fault) => ({ id: faultId, severity: 'error', ...fault })), ...report.findings],
        undefined,
        2,
      )
    case 'sarif':
      return JSON.stringify(asSarif(report), undefined, 2)
    case 'github':
      return entriesOf(report).map(asAnnotation).join('\n')
  }
}

function asText({ file, faults, findings }: CheckReport): string {
  const blocks = findings.map((finding) => {
    const position = [finding.file, finding.line, finding.column]
      .filter((part) => part !== undefined)
      .join(':')
    const place = finding.path === '' ? position : `${position} ${finding.path}`
    return `${place}: ${finding.severity}: ${finding.message} [${finding.id}]\n  fix: ${finding.fix}`
  })
  const counts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const count =
      findings.filter((finding) => finding.severity === severity).length +
      (severity === 'error' ? faults.length : 0)
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]
  })
  const summary =
    counts.length === 0 ? `${file}: valid, and nothing was found` : `${file}: ${counts.join(', ')}`
  return [...(faults.length === 0 ? [] : [formatFaults(faults)]), ...blocks, summary].join('\n')
}

interface Entry {
  readonly id: string
  readonly severity: Severity
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly path: string
  readonly text: string
}

function entriesOf({ faults, findings }: CheckReport): Entry[] {
  return [
    ...faults.map(({ message, found, expected, suggestion, ...place }): Entry => {
      const parts = [
        suggestion === undefined ? message : `${message}; did you mean ${suggestion}?`,
        ...(found === undefined ? [] : [`found: ${found}`]),
        ...(expected === undefined ? [] : [`expected: ${expected}`]),
      ]
      return { ...place, id: faultId, severity: 'error', text: parts.join('\n') }
    }),
    ...findings.map(({ message, fix, ...place }): Entry => ({ ...place, text: `${message}\n${fix}` })),
  ]
}

/** A workflow command of GitHub Actions. */
function asAnnotation({ id, severity, file, line, column, path, text }: Entry): string {
  const command = severity === 'note' ? 'notice' : severity
  const position = [
    `file=${escapeProperty(file)}`,
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`]),
  ]
  const message = path === '' ? text : `${path}: ${text}`
  return `::${command} ${[...position, `title=${escapeProperty(id)}`].join(',')}::${escapeData(message)}`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** SARIF 2.1.0, as code scanning takes it. */
function asSarif(report: CheckReport): unknown {
  const entries = entriesOf(report)
  const described = [
    {
      id: faultId,
      severity: 'error' as const,
      about: 'The configuration is not valid.',
      fix: 'Write what is expected at that place.',
    },
    ...rules,
    ...(report.moreRules ?? []),
  ]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'portcullis',
            rules: described.map(({ id, severity, about, fix }) => ({
              id,
              shortDescription: { text: about },
              help: { text: fix },
              defaultConfiguration: { level: severity },
            })),
          },
        },
        results: entries.map((entry) => ({
          ruleId: entry.id,
          level: entry.severity,
          message: { text: entry.text },
          locations: [locationOf(entry)],
        })),
      },
    ],
  }
}

function locationOf({ file, line, column, path }: Entry): unknown {
  const region = line === undefined ? {} : { region: { startLine: line, startColumn: column ?? 1 } }
  return {
    physicalLocation: { artifactLocation: { uri: encodeURI(file.replaceAll('\\', '/')) }, ...region },
    ...(path === '' ? {} : { logicalLocations: [{ fullyQualifiedName: path }] }),
  }
}

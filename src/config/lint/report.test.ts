import { describe, expect, it } from 'vitest'
import type { Fault } from '../fault.ts'
import type { Finding } from './lint.ts'
import { formatFindings } from './report.ts'

const finding: Finding = {
  id: 'audit-off',
  severity: 'warning',
  path: 'audit',
  message: 'the audit log is off: 100% unseen',
  fix: 'Remove `audit: off`.',
  file: 'conf/portcullis.yaml',
  line: 2,
  column: 1,
}
const placeless: Finding = {
  id: 'node-release',
  severity: 'note',
  path: '',
  message: 'old',
  fix: 'Update.',
  file: 'a,b:c d.ts',
}
const fault: Fault = {
  file: 'portcullis.yaml',
  line: 6,
  column: 5,
  path: 'routes[1].authentcate',
  message: 'unknown key',
  expected: 'one of id, match',
  suggestion: 'authenticate',
}
const report = { file: 'portcullis.yaml', faults: [], findings: [finding, placeless] }
const faulty = { file: 'portcullis.yaml', faults: [fault], findings: [] }

describe('a report for people', () => {
  it('names place, severity, message, id and remedy, and counts', () => {
    expect(formatFindings(report, 'text')).toBe(
      [
        'conf/portcullis.yaml:2:1 audit: warning: the audit log is off: 100% unseen [audit-off]',
        '  fix: Remove `audit: off`.',
        'a,b:c d.ts: note: old [node-release]',
        '  fix: Update.',
        'portcullis.yaml: 1 warning, 1 note',
      ].join('\n'),
    )
  })

  it('says when there is nothing to say', () => {
    expect(formatFindings({ file: 'portcullis.yaml', faults: [], findings: [] }, 'text')).toBe(
      'portcullis.yaml: valid, and nothing was found',
    )
  })

  it('shows faults as everywhere else', () => {
    expect(formatFindings(faulty, 'text')).toBe(
      'portcullis.yaml:6:5 routes[1].authentcate: unknown key; did you mean "authenticate"?\n  expected: one of id, match\nportcullis.yaml: 1 error',
    )
  })
})

describe('a report for programs', () => {
  it('is a list, faults and findings alike', () => {
    expect(JSON.parse(formatFindings(report, 'json'))).toEqual([finding, placeless])
    expect(JSON.parse(formatFindings(faulty, 'json'))).toEqual([
      { id: 'invalid-configuration', severity: 'error', ...fault },
    ])
    expect(JSON.parse(formatFindings({ ...report, findings: [] }, 'json'))).toEqual([])
  })
})

describe('a report for code scanning', () => {
  it('is SARIF 2.1.0 with a rule for every result', () => {
    const sarif = JSON.parse(formatFindings({ ...report, faults: [fault] }, 'sarif')) as {
      version: string
      runs: [
        {
          tool: { driver: { rules: { id: string }[] } }
          results: { ruleId: string; level: string; locations: unknown[] }[]
        },
      ]
    }
    const [run] = sarif.runs
    expect(sarif.version).toBe('2.1.0')
    expect(run.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['invalid-configuration', 'error'],
      ['audit-off', 'warning'],
      ['node-release', 'note'],
    ])
    const ids = run.tool.driver.rules.map(({ id }) => id)
    for (const { ruleId } of run.results) expect(ids).toContain(ruleId)
    expect(run.results[1]?.locations).toEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'conf/portcullis.yaml' },
          region: { startLine: 2, startColumn: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: 'audit' }],
      },
    ])
    expect(run.results[2]?.locations).toEqual([
      { physicalLocation: { artifactLocation: { uri: 'a,b:c%20d.ts' } } },
    ])
  })
})

describe('a report for GitHub Actions', () => {
  it('is one annotation a line, and no text can begin another', () => {
    expect(formatFindings({ ...report, faults: [fault] }, 'github').split('\n')).toEqual([
      '::error file=portcullis.yaml,line=6,col=5,title=invalid-configuration::routes[1].authentcate: unknown key; did you mean authenticate?%0Aexpected: one of id, match',
      '::warning file=conf/portcullis.yaml,line=2,col=1,title=audit-off::audit: the audit log is off: 100%25 unseen%0ARemove `audit: off`.',
      '::notice file=a%2Cb%3Ac d.ts,title=node-release::old%0AUpdate.',
    ])
  })
})

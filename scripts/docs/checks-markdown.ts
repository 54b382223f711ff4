import { rules } from '../../src/config/lint/registry.ts'
import type { Rule } from '../../src/config/lint/rule.ts'
import { onlineRules } from '../../src/remote/audit/findings.ts'

/** docs/checks.md: each finding of `portcullis check`. */
export function checksMarkdown(): string {
  return `# What \`portcullis check\` finds

<!-- Made by \`npm run generate\`; edit the rules in src/config/lint/rules, and src/remote/audit/findings.ts. -->

\`portcullis check\` first validates the configuration: faults are reported under the id \`invalid-configuration\`. A valid
configuration can still be weak, and that is what the findings below say. The command exits 1 on a finding of severity
\`error\`, with \`--fail-on warning\` also on a warning; a \`note\` never fails. \`--format json\`, \`sarif\` and \`github\` are for tools.

${table(rules)}

## With \`--online\`

\`portcullis check --online\` also asks each identity provider: its metadata, its keys, and a connection to each endpoint that
the configuration needs. It sends no credential of the gateway's (but the token that may read a cluster's keys) and changes
nothing. A provider that cannot be reached is a finding like the others.

${table(onlineRules)}
`
}

function table(described: readonly Pick<Rule, 'id' | 'severity' | 'about' | 'fix'>[]): string {
  const rows = described.map(
    ({ id, severity, about, fix }) => `| \`${id}\` | ${severity} | ${cell(about)} | ${cell(fix)} |`,
  )
  return ['| id | severity | what it means | what to do |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

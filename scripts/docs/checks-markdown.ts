import { rules } from '../../src/config/lint/registry.ts'

/** docs/checks.md: each finding of `portcullis check`. */
export function checksMarkdown(): string {
  const rows = rules.map(
    ({ id, severity, about, fix }) => `| \`${id}\` | ${severity} | ${cell(about)} | ${cell(fix)} |`,
  )
  return `# What \`portcullis check\` finds

<!-- Made by \`npm run generate\`; edit the rules in src/config/lint/rules. -->

\`portcullis check\` first validates the configuration: faults are reported under the id \`invalid-configuration\`. A valid
configuration can still be weak, and that is what the findings below say. The command exits 1 on a finding of severity
\`error\`, with \`--fail-on warning\` also on a warning; a \`note\` never fails. \`--format json\`, \`sarif\` and \`github\` are for tools.

| id | severity | what it means | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

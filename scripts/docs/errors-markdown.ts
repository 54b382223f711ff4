import {
  codeOf,
  isGuess,
  publicCodes,
  reasons,
  type PublicCode,
  type Reason,
} from '../../src/engine/errors.ts'

/** docs/errors.md: what callers are told, and what the audit log says besides. */
export function errorsMarkdown(): string {
  const codes = Object.entries(publicCodes).map(
    ([code, { status, title, detail }]) => `| \`${code}\` | ${status} | ${title} | ${detail} |`,
  )
  const words = (Object.keys(reasons) as Reason[])
    .toSorted((one, other) => order(codeOf(one)) - order(codeOf(other)))
    .map((reason) => `| \`${reason}\` | \`${codeOf(reason)}\` | ${isGuess(reason) ? 'yes' : ''} |`)
  return `# Errors

<!-- Made by \`npm run generate\` from src/engine/errors.ts. -->

## What a caller is told

A refusal is \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`detail\`, \`code\` and \`requestId\`; browsers
that navigate get the same facts as a page. What exactly was wrong with a credential is not among them: that would help whoever
guesses. \`upstream_unavailable\` is 502, and 503 where no target is healthy.

| code | status | title | detail |
| --- | --- | --- | --- |
${codes.join('\n')}

## What the audit log says

The finer word in the \`reason\` of an audit event, and the code that the caller saw. \`portcullis audit query --reason\` takes
either. The lockout counts the reasons that are marked: failed guesses.

| reason | code | counts for lockout |
| --- | --- | --- |
${words.join('\n')}
`
}

function order(code: PublicCode): number {
  return Object.keys(publicCodes).indexOf(code)
}
